//! Inputs that say something else than was meant: refused with exit 2, nothing written, and the way on.

use crate::support::example;
use crate::support::process::{Place, Ran, is_empty};

/// Runs a step and expects exit 2, every part in the log, and nothing written.
fn refused_step(inputs: &[(&str, &str)], parts: &[&str]) {
    let place = Place::new();
    let ran = Ran::of(place.step("refs/tags/v1.4.0", inputs).output().unwrap());
    assert_eq!(ran.status, Some(2), "{inputs:?}: {}", ran.log);
    for part in parts {
        assert!(ran.log.contains(part), "{part:?} is not in {}", ran.log);
    }
    assert!(is_empty(&place.path("prod")), "{inputs:?}");
}

/// Runs a command in a folder and expects exit 2, every part in the log, and no destination.
fn refused_command(place: &Place, arguments: &[&str], parts: &[&str]) {
    let ran = place.run(arguments);
    assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.log);
    for part in parts {
        assert!(ran.log.contains(part), "{part:?} is not in {}", ran.log);
    }
    assert!(is_empty(&place.path("prod")), "{arguments:?}");
}

#[test]
fn a_mistyped_input_is_refused_before_anything_is_pushed() {
    let source = example();
    let push = [
        ("command", "push"),
        ("source", source.as_str()),
        ("images", "oci:prod"),
    ];
    for (name, value, known) in [
        ("dryrun", "true", "dry-run"),
        ("sgin", "key", "sign"),
        ("enviroment", "prod", "environment"),
    ] {
        let inputs = [&push[..], &[(name, value)]].concat();
        let said = format!("{name} is not an input; did you mean {known}?");
        refused_step(&inputs, &[&said]);
    }
    refused_step(
        &push[1..],
        &[
            "source is not an input of tags",
            "set command to one of push, promote, check, verify",
        ],
    );
    let inputs = [&push[..], &[("artifact", "x")]].concat();
    refused_step(
        &inputs,
        &["artifact is not an input of push, but of verify-bundle, sign-bundle"],
    );
}

#[test]
fn a_hidden_space_in_an_identity_is_named() {
    let identity = "https://github.com/acme/web/.github/workflows/a.yml@refs/heads/main";
    let kept = Place::new();
    let push = [
        "push",
        "--source",
        &example(),
        "--images=oci:dev",
        "--tags=it",
    ];
    assert_eq!(kept.run(&push).status, Some(0));
    let source = format!("oci:{}:it", kept.path("dev").display());
    let hidden = identity.replace('@', "@\u{200b}");
    let workflow_ref = ("certificate-github-workflow-ref", "refs/\u{200b}heads/main");
    for (name, inputs) in [
        (
            "certificate-identity",
            vec![("certificate-identity", hidden.as_str())],
        ),
        (
            "certificate-oidc-issuer",
            vec![
                ("certificate-identity", identity),
                ("certificate-oidc-issuer", "https://a.\u{200b}example"),
            ],
        ),
        (
            "certificate-github-workflow-ref",
            vec![("certificate-identity", identity), workflow_ref],
        ),
    ] {
        let verify = [("command", "verify"), ("source", source.as_str())];
        let said = format!("{name}: a zero-width space (U+200B) follows character ");
        refused_step(&[&verify[..], &inputs].concat(), &[&said, "remove it"]);
    }
}

#[test]
fn a_release_names_its_image_by_tag_or_digest() {
    let place = Place::new();
    std::fs::write(place.path("image.tar"), "x").unwrap();
    std::fs::create_dir(place.path("web")).unwrap();
    std::fs::write(place.path("web/oci-layout"), "{}").unwrap();
    let digest = format!("sha256:{}", "1".repeat(64));
    let at_digest = format!("hint: write REPOSITORY@{digest}");
    for (source, parts) in [
        (
            "registry.invalid/acme/web",
            vec![
                "names neither a tag nor a digest",
                "hint: write registry.invalid/acme/web:TAG or registry.invalid/acme/web@sha256:",
            ],
        ),
        ("1.4.0", vec!["a tag alone needs a policy"]),
        (
            &digest,
            vec!["is a digest without a repository", &at_digest],
        ),
        (
            "image.tar",
            vec![
                "is a file, which exists",
                "did you mean oci-archive:image.tar?",
            ],
        ),
        (
            "./image.tar",
            vec![
                "is a file, which exists",
                "did you mean oci-archive:./image.tar?",
            ],
        ),
        (
            "none.tar",
            vec!["none is there", "did you mean oci-archive:none.tar?"],
        ),
        ("web", vec!["is an image layout", "did you mean oci:web?"]),
        (
            "docker://registry.invalid/acme/web:1",
            vec!["did you mean registry.invalid/acme/web:1?"],
        ),
        (
            "https://registry.invalid/acme/web",
            vec!["did you mean registry.invalid/acme/web?"],
        ),
    ] {
        for verb in ["push", "promote"] {
            let source = format!("--source={source}");
            let arguments = [verb, &source, "--images=oci:prod", "--tags=a"];
            refused_command(&place, &arguments, &parts);
        }
    }
    for (source, parts) in [
        ("./image.tar", vec!["did you mean oci-archive:./image.tar?"]),
        (
            "registry.invalid/acme/web",
            vec![
                "names neither a tag nor a digest",
                "hint: write registry.invalid/acme/web:TAG or",
            ],
        ),
        (
            "1.4.0",
            vec![
                "names neither",
                "hint: write REPOSITORY:TAG or REPOSITORY@sha256:…\n",
            ],
        ),
    ] {
        let source = format!("--source={source}");
        refused_command(&place, &["verify", &source, "--key=x"], &parts);
    }
}

#[test]
fn an_unknown_event_is_refused() {
    let source = format!("--source={}", example());
    for (event, part) in [
        ("relase", "did you mean release?"),
        ("tag", "a tag is pushed, so write push"),
        ("pull-request=event.json", "did you mean pull_request?"),
    ] {
        let event = format!("--event={event}");
        for verb in [&["push", &source, "--images=oci:prod"][..], &["tags"]] {
            refused_command(&Place::new(), &[verb, &[&event]].concat(), &[part]);
        }
    }
}

#[test]
fn capitals_of_owner_and_environment_are_lower_cased_with_a_note() {
    let place = Place::new();
    let ran = place.run(&[
        "push",
        "--source",
        &example(),
        "--images=oci:prod",
        "--environment=Prod",
        "--tags=type=env",
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains("Prod is written in lower case here: prod"),
        "{}",
        ran.log
    );
    assert!(ran.out.contains("prod  created"), "{}", ran.out);
    let ran = place.run(&[
        "push",
        "--source=registry.invalid/Acme/web:A",
        "--images=registry.invalid/Acme/Web",
        "--tags=a",
        "--dry-run",
    ]);
    for note in [
        "registry.invalid/Acme/web:A is written in lower case here: registry.invalid/acme/web:A",
        "registry.invalid/Acme/Web is written in lower case here: registry.invalid/acme/web",
    ] {
        assert!(ran.log.contains(note), "{}", ran.log);
    }
}

#[test]
fn a_failure_is_not_preceded_by_a_count_of_requests() {
    let place = Place::new();
    let ran = place.run(&["push", "--source=oci:none", "--images=oci:prod", "--tags=a"]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(!ran.log.contains("requests in"), "{}", ran.log);
}

#[test]
fn an_event_without_default_tags_shows_a_rule() {
    for (event, rule) in [
        ("schedule", "tags: type=schedule"),
        ("workflow_run", "tags: type=sha with mode: strict"),
        (
            "repository_dispatch",
            "tags: type=raw,value=${{ github.event.client_payload.version }}",
        ),
        ("merge_group", "tags: type=sha"),
    ] {
        let event = format!("--event={event}");
        let source = format!("--source={}", example());
        let arguments = [
            "push",
            &source,
            "--images=oci:prod",
            "--ref=refs/heads/main",
            &event,
        ];
        refused_command(&Place::new(), &arguments, &["has no default tags", rule]);
    }
}

#[test]
fn a_mistyped_attribute_is_met_by_did_you_mean() {
    let source = format!("--source={}", example());
    for (rule, part) in [
        ("type=semver,patern={{version}}", "did you mean pattern?"),
        ("type=match,patttern=v(.*)", "did you mean pattern?"),
        ("type=ref,evnt=branch", "did you mean event?"),
        ("type=raw,vlue=a", "did you mean value?"),
    ] {
        let rule = format!("--tags={rule}");
        let arguments = ["push", &source, "--images=oci:prod", &rule];
        refused_command(&Place::new(), &arguments, &[part]);
    }
}

#[test]
fn a_rule_that_gives_nothing_says_why() {
    let source = format!("--source={}", example());
    for (rule, part) in [
        ("type=sha", "type=sha gives no tag: no commit is known"),
        ("type=release", "type=release gives no tag: "),
    ] {
        let rule = format!("--tags={rule}");
        let arguments = [
            "push",
            &source,
            "--images=oci:prod",
            &rule,
            "--ref=refs/heads/main",
        ];
        refused_command(&Place::new(), &arguments, &[part]);
    }
}
