//! What a script reads: `--output`, the schema of the JSON object, and a log that stays out of the way.

use shipmark::signing::PrivateKey;

use crate::registry::{Profile, Registry};
use crate::sigstore::{self, Sigstore};
use crate::support::checkout::commit;
use crate::support::output_schema::OutputSchema;
use crate::support::process::{Place, Ran, is_empty};
use crate::support::{example, example_root, keys};

const PUBLIC_KEY: &str = include_str!("../data/sigstore/cosign.pub");

fn push<'a>(source: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let push = ["push", "--source", source, "--images=oci:dev", "--tags=it"];
    [&push[..], more].concat()
}

fn printed(place: &Place, arguments: &[&str]) -> String {
    let ran = place.run(arguments);
    assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
    ran.out
}

#[test]
fn a_script_gets_the_value_alone() {
    let (place, source, root) = (Place::new(), example(), example_root());
    for (format, expected) in [
        ("digest", format!("{root}\n")),
        ("image", format!("oci:dev@{root}\noci:b@{root}\n")),
        ("tags", "oci:dev:it\noci:b:it\n".to_owned()),
    ] {
        let output = format!("--output={format}");
        let arguments = push(&source, &["--images=oci:b", &output]);
        assert_eq!(printed(&place, &arguments), expected);
    }
    let text = printed(&place, &push(&source, &["--output=text"]));
    assert!(text.starts_with("already up to date: "), "{text}");
    let dry = push(&source, &["--images=oci:c", "--dry-run", "--output=digest"]);
    assert_eq!(printed(&place, &dry), format!("{root}\n"));
    let tags = [
        "tags",
        "--images=ghcr.io/acme/web",
        "--tags=type=raw,value=x",
    ];
    let tags = [&tags[..], &["--output=tags", "--event=push=event.json"]].concat();
    let event = r#"{"ref":"refs/heads/main","repository":{"full_name":"acme/web"}}"#;
    std::fs::write(place.path("event.json"), event).unwrap();
    assert_eq!(printed(&place, &tags), "ghcr.io/acme/web:x\n");
}

/// Steps with `run:` are common: standard output is read by the script, the rest is the log.
#[test]
fn a_script_in_a_job_gets_the_value_alone_too() {
    let (place, source) = (Place::new(), example());
    let step = |arguments: &[&str]| {
        let mut command = place.step("refs/heads/main", &[]);
        Ran::of(command.args(arguments).output().unwrap())
    };
    let ran = step(&push(&source, &["--output=digest"]));
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(ran.out, format!("{}\n", example_root()));
    assert!(ran.log.contains("\n::group::Report\n"), "{}", ran.log);
    assert_eq!(place.output("digest"), example_root().to_string());
    let ran = step(&push(&source, &["--output=text"]));
    assert!(ran.out.starts_with("already up to date"), "{}", ran.out);
    assert!(!ran.log.contains("::group::Report"), "{}", ran.log);
    let ran = step(&push(&source, &[]));
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), ""));
}

#[test]
fn a_format_without_a_meaning_for_the_verb_is_refused_with_those_that_have_one() {
    for (verb, format, known) in [
        ("tags", "digest", "text, json, tags"),
        ("tags", "image", "text, json, tags"),
        ("verify", "tags", "text, json, digest, image"),
        ("verify-bundle", "digest", "text, json"),
        ("sign-bundle", "image", "text, json, digest"),
        ("push", "yaml", "text, json, digest, tags, image"),
    ] {
        let place = Place::new();
        let ran = place.run(&[verb, "--output", format]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{verb}");
        let said = format!("[possible values: {known}]");
        assert!(ran.log.contains(&said), "{verb}: {}", ran.log);
        assert!(is_empty(place.root()));
    }
}

#[test]
fn a_refusal_leaves_nothing_to_go_on_with() {
    let (place, source) = (Place::new(), example());
    let refused = |format: &str| {
        let mut step = place.step("refs/heads/x", &[]);
        step.args(["promote", "--source", &source, "--images=oci:prod"])
            .args(["--environment=prod", "--ref=refs/heads/main"])
            .args(["--output", format]);
        let ran = Ran::of(step.output().unwrap());
        assert_eq!(ran.status, Some(1), "{}", ran.log);
        ran.out
    };
    for format in ["digest", "image", "tags"] {
        assert_eq!(refused(format), "", "{format}");
    }
    let json = OutputSchema::load().check("failure", &refused("json"));
    assert_eq!(json["outcome"], "refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_prints_an_object_of_the_schema() {
    let sigstore = Sigstore::start().await;
    tokio::task::spawn_blocking(move || check_objects(&sigstore))
        .await
        .unwrap();
}

fn check_objects(sigstore: &Sigstore) {
    let (place, source) = (Place::new(), example());
    let mut schema = OutputSchema::load();
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    for (name, text) in [
        ("key.pem", pem.as_str()),
        ("key.pub", &public),
        ("root.json", &sigstore.trusted_root()),
        ("SUMS", "0000  x\n"),
        (
            "sbom.json",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#,
        ),
    ] {
        std::fs::write(place.path(name), text).unwrap();
    }
    let token_url = sigstore.tokens().url.to_string();
    let mut object = |kind: &str, status: i32, arguments: &[&str]| {
        let mut command = place.command();
        command
            .args(arguments)
            .arg("--output=json")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", &token_url)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", sigstore::REQUEST_TOKEN);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, Some(status), "{arguments:?}: {}", ran.log);
        assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        schema.check(kind, &ran.out)
    };
    let sign = [
        "--sign=key",
        "--signing-key=key.pem",
        "--transparency-log=off",
    ];
    let sbom = [
        "--sbom=sbom.json",
        "--unbound=allow",
        "--sign-annotations=team=web",
    ];
    let sign = [&sign[..], &sbom].concat();
    let released = object("release", 0, &push(&source, &sign));
    assert_eq!(released["destinations"][0]["signatures"][0]["made"], true);
    let verify = ["verify", "--source=oci:dev:it", "--transparency-log=off"];
    let evidence = [
        "--attestation=signature",
        "--attestation=https://cyclonedx.org/bom",
    ];
    let verify = [&verify[..], &evidence].concat();
    let good = object(
        "verification",
        0,
        &[&verify[..], &["--key=key.pub"]].concat(),
    );
    assert_eq!(good["outcome"], "verified");
    std::fs::write(place.path("other.pub"), keys::key().public().to_pem()).unwrap();
    let bad = object(
        "verification",
        1,
        &[&verify[..], &["--key=other.pub"]].concat(),
    );
    assert_eq!(bad["outcome"], "refused");
    let what = bad["what"].as_str().unwrap();
    assert!(what.starts_with("oci:dev:it has no valid "), "{what}");
    assert!(bad["why"].is_string(), "{bad}");
    assert!(good["what"].is_null(), "{good}");
    let rekor = format!("--rekor-url={}", sigstore.url("/rekor"));
    let files = [
        "--artifact=SUMS",
        "--bundle=x.json",
        "--trusted-root=root.json",
    ];
    let sign = ["sign-bundle", "--sign=key", "--signing-key=key.pem"];
    let log = ["--transparency-log=on", &rekor];
    object("signedBundle", 0, &[&sign[..], &files, &log].concat());
    let check = ["verify-bundle", "--key=key.pub"];
    object("bundleVerification", 0, &[&check[..], &files].concat());
    let check = ["verify-bundle", "--key=other.pub"];
    let bad = object("bundleVerification", 1, &[&check[..], &files].concat());
    let what = bad["what"].as_str().unwrap();
    assert!(what.contains(" is not signed by "), "{what}");
    object(
        "failure",
        2,
        &["push", "--source=oci:none", "--images=oci:x", "--tags=a"],
    );
    let fulcio = format!("--fulcio-url={}", sigstore.url("/fulcio"));
    let keyless = ["sign-bundle", "--sign=keyless", &fulcio, &rekor];
    let signed = object("signedBundle", 0, &[&keyless[..], &files].concat());
    assert_eq!(
        signed["evidence"]["certificate"]["issuer"],
        sigstore::ISSUER
    );
    object("signedBundle", 0, &[&sign[..], &files, &log].concat());
    let policy = "services: {web: {dockerfile: web.Dockerfile, target: runtime}}\nenvironments:\n  dev:\n    repository: oci:dev/{service}\n    sign: key\n    signers: [{key: cosign.pub}]\nretention: {keep: {tags: lts-*, pinned: a.yaml}, prune: [{tags: pr-*, older-than: 1d}, {versions: '*', keep-last: 3}]}\n";
    std::fs::create_dir(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    std::fs::write(place.path("cosign.pub"), PUBLIC_KEY).unwrap();
    object("policy", 0, &["policy"]);
    let kinds = [
        "verification",
        "signedBundle",
        "bundleVerification",
        "policy",
    ];
    assert_eq!(schema.unseen(&kinds), [""; 0]);
    let digest = printed(
        &place,
        &[&sign[..], &files, &log, &["--output=digest"]].concat(),
    );
    assert!(digest.starts_with("sha256:"), "{digest}");
    let image = printed(
        &place,
        &[&verify[..], &["--key=key.pub", "--output=image"]].concat(),
    );
    assert_eq!(image, format!("oci:dev@{}\n", example_root()));
}

#[test]
fn quiet_is_silent_and_the_report_stays() {
    let (place, source) = (Place::new(), example());
    let ran = place.run(&push(&source, &["-q"]));
    assert_eq!((ran.status, ran.log.as_str()), (Some(0), ""));
    assert!(ran.out.starts_with("pushed "), "{}", ran.out);
    let missing = [
        "push",
        "--source=oci:none",
        "--images=oci:x",
        "--tags=a",
        "-q",
    ];
    let ran = place.run(&missing);
    assert_eq!(ran.status, Some(2));
    assert!(ran.log.starts_with("error: "), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_verbose_shows_requests_and_no_secret() {
    let registry = Registry::start(Profile::plain()).await;
    let host = registry.host();
    let ran = tokio::task::spawn_blocking(move || {
        let source = example();
        let images = format!("--images={host}/acme/web");
        let insecure = format!("--insecure-registries={host}");
        let login = format!("--credentials={host}=robot:made-up-word");
        let push = ["push", "--source", &source, &images, "--tags=it"];
        Place::new().run(&[&push[..], &[&insecure, &login, "-v"]].concat())
    })
    .await
    .unwrap();
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let put = format!("PUT {}/v2/acme/web/manifests/it: 201 in ", registry.host());
    assert!(ran.log.contains(&put), "{put} in {}", ran.log);
    assert!(!ran.log.contains("made-up-word"), "{}", ran.log);
    let requests = ran.log.lines().filter(|line| line.contains("/v2/"));
    assert!(requests.count() >= registry.count(), "{}", ran.log);
}

/// Before anything is asked: the registry takes connections and says nothing.
#[test]
fn the_first_line_says_what_goes_where() {
    let (place, source) = (Place::new(), example());
    let ran = place.run(&push(&source, &["--images=oci:b"]));
    let first = format!("pushing {source} to oci:dev and oci:b\n");
    assert!(ran.log.starts_with(&first), "{}", ran.log);
    let promote = ["promote", "--source=oci:none:1", "--images=oci:prod"];
    let more = ["--environment=prod", "--dry-run", "--ref=refs/tags/v1.0.0"];
    let ran = place.run(&[&promote[..], &more].concat());
    let first = "promoting oci:none:1 to oci:prod (environment prod, dry run)\n";
    assert!(ran.log.starts_with(first), "{}", ran.log);
    let ran = place.run(&["verify", "--source=oci:none:1", "--key=nosuch"]);
    assert!(ran.log.starts_with("verifying oci:none:1\n"), "{}", ran.log);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let source = example();
    let run = |more: &[&str], variables: &[(&str, &str)]| {
        let place = Place::new();
        let mut command = place.command();
        command
            .args(push(&source, more))
            .envs(variables.iter().copied());
        let ran = Ran::of(command.output().unwrap());
        (
            ran.out.contains("\x1b[32mcreated\x1b[0m"),
            ran.out.contains('\x1b'),
        )
    };
    assert_eq!(run(&[], &[]), (false, false));
    assert_eq!(run(&["--color=always"], &[]), (true, true));
    assert_eq!(run(&[], &[("CLICOLOR_FORCE", "1")]), (true, true));
    let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert_eq!(run(&[], &both), (false, false));
    assert_eq!(
        run(&["--color=always", "--output=digest"], &[]),
        (false, false)
    );
    // The files of a job have none, whatever its log has.
    let place = Place::new();
    let mut step = place.step("refs/heads/main", &[]);
    step.args(push(&source, &["--color=always"]));
    let ran = Ran::of(step.output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.log.contains("\x1b[32mcreated"), "{}", ran.log);
    for file in ["output", "summary"] {
        assert!(!place.read(file).contains('\x1b'));
    }
}

#[test]
fn an_error_in_a_file_is_shown_at_the_file() {
    let place = Place::new();
    let annotated = |inputs: &[(&str, &str)], more: &[(&str, &str)], expected: &str| {
        let mut step = place.step("refs/heads/main", inputs);
        step.env("GITHUB_WORKSPACE", place.root());
        step.envs(more.iter().copied());
        let ran = Ran::of(step.output().unwrap());
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let expected = format!("::error {expected},title=shipmark");
        assert!(ran.log.contains(&expected), "{expected} in {}", ran.log);
    };
    std::fs::create_dir(place.path("reports")).unwrap();
    std::fs::write(place.path("reports/sbom.json"), "{").unwrap();
    std::fs::write(place.path("event.json"), "{\n  \"ref\" }").unwrap();
    let source = example();
    let push = [
        ("command", "push"),
        ("source", &*source),
        ("images", "oci:dev"),
        ("tags", "it"),
    ];
    let pem = keys::pem();
    let signed = [
        ("sign", "key"),
        ("signing-key", &*pem),
        ("sbom", "reports/sbom.json"),
    ];
    annotated(
        &[&push[..], &signed].concat(),
        &[],
        "file=reports/sbom.json",
    );
    let event = place.path("event.json").display().to_string();
    let event = [("GITHUB_EVENT_PATH", &*event)];
    annotated(&push[..3], &event, "file=event.json,line=2,col=9");
    let policy = "environments:\n  prod:\n    repositry: x\n";
    let commit = commit(place.root(), &[(".github/shipmark.yml", policy)]);
    let workflow = [("GITHUB_WORKFLOW_SHA", &*commit)];
    annotated(&push, &workflow, "file=.github/shipmark.yml,line=3,col=5");
}
