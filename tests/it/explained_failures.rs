//! Failures that people met and misread: each says what is wrong, and the way on.

use std::path::Path;

use shipmark::image::Digest;
use shipmark::release::{Failure, ReleaseVerb};

use crate::registry::{Auth, Effect, Fault, PASSWORD, Profile, Registry, TokenRules, USER};
use crate::support::checkout::commit;
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran, is_empty};
use crate::support::{
    COMMIT, Said, context, context_with, done, example, example_root, failed, image, promote, push,
    put_example, request, settings,
};

const MAIN: &str = "refs/heads/main";
const VERSION: &str = "refs/tags/v1.4.0";

/// Puts another image in place under tags.
fn put_other(registry: &Registry, tags: &[&str]) -> String {
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[]}}"#);
    for tag in tags {
        registry.put_manifest("web", tag, kind, index.clone());
    }
    Digest::from_bytes(index.as_bytes()).to_string()
}

fn rules() -> TokenRules {
    TokenRules::new("registry.test").user(USER, PASSWORD)
}

/// Runs a step whose requests this process answers.
async fn run_step(place: &Place, inputs: &[(&str, &str)], variables: &[(&str, &str)]) -> Ran {
    let mut step = place.step(VERSION, inputs);
    step.envs(variables.iter().copied());
    let ran = tokio::task::spawn_blocking(move || Ran::of(step.output().unwrap()));
    ran.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_names_the_user_and_where_it_came_from() {
    for auth in [Auth::basic(USER, PASSWORD), Auth::TokenHost(rules())] {
        let registry = Registry::start(Profile::plain().auth(auth)).await;
        let images = format!("{}/web", registry.host());
        let login = format!("{}=somebody:not-the-word", registry.host());
        let source = example();
        let inputs = [
            ("command", "push"),
            ("source", &*source),
            ("images", &*images),
            ("credentials", &*login),
        ];
        let place = Place::new();
        let ran = run_step(&place, &inputs, &[]).await;
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let said = "login as somebody (from the input credentials) is rejected";
        assert!(ran.log.contains(said), "{}", ran.log);
        let without_masks = ran
            .log
            .lines()
            .filter(|line| !line.starts_with("::add-mask::"));
        assert!(
            without_masks
                .clone()
                .all(|line| !line.contains("not-the-word"))
        );
        std::fs::create_dir(place.path(".docker")).unwrap();
        let config = format!(
            r#"{{"auths":{{"{}":{{"username":"other","password":"not-the-word"}}}}}}"#,
            registry.host()
        );
        std::fs::write(place.path(".docker/config.json"), config).unwrap();
        let home = place.root().display().to_string();
        let ran = run_step(&place, &inputs[..3], &[("HOME", &home)]).await;
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let said = format!("login as other (from {home}/.docker/config.json) is rejected");
        assert!(ran.log.contains(&said), "{}", ran.log);
        assert_eq!(registry.tags("web").len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_may_not_do_it_keeps_the_registrys_words() {
    let registry = Registry::start(Profile::plain()).await;
    let body = r#"{"errors":[{"code":"DENIED","message":"not for you"}]}"#;
    registry.fault(
        Fault::on(
            "POST",
            "/blobs/uploads/",
            Effect::status_with(403, &[], body),
        )
        .always(),
    );
    let request = push(&example(), &[&format!("{}/web", registry.host())], MAIN);
    let (failure, text) = failed(request, &context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("DENIED: not for you"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_is_one_line_with_the_count_of_tries() {
    let registry = Registry::start(Profile::plain()).await;
    put_example(&registry, "web", "1.4.0");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let down = listener.local_addr().unwrap();
    drop(listener);
    let images = [
        format!("{down}/a"),
        format!("{down}/b"),
        format!("{down}/c"),
    ];
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let (context, said): (_, Said) = context_with(settings());
    let request = push(&format!("{}/web:1.4.0", registry.host()), &images, VERSION);
    let (failure, text) = failed(request, &context).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("(4 tries)"), "{text}");
    assert!(text.contains(&format!("is {down} running")), "{text}");
    let log = said.text();
    let lines = log.lines().filter(|line| line.contains(&down.to_string()));
    assert_eq!(lines.count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_in_place_of_json_is_told_as_one() {
    for part in ["/manifests/", "/tags/list"] {
        let registry = Registry::start(Profile::plain()).await;
        put_example(&registry, "web", "1.4.0");
        let page = Effect::status_with(
            200,
            &[("content-type", "text/html; charset=utf-8")],
            "<html>Sign in</html>",
        );
        registry.fault(Fault::on("GET", part, page).always());
        let source = format!("{}/web:1.4.0", registry.host());
        let to = format!("{}/other", registry.host());
        let (_, text) = failed(promote(&source, &[&to], MAIN), &context()).await;
        assert!(
            text.contains("answered with a web page, expected the API of a registry"),
            "{text}"
        );
        assert!(text.contains("a proxy or a login page"), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_tag_lists_near_ones_and_an_unknown_repository_is_told_from_it() {
    let registry = Registry::start(Profile::plain()).await;
    for tag in ["1.4.0", "1.4.1", "git-9f3c2a1", "nightly"] {
        put_example(&registry, "web", tag);
    }
    let host = registry.host();
    let digest = format!("sha256:{}", "1".repeat(64));
    for (source, parts) in [
        (
            format!("{host}/web:1.4.2"),
            vec!["has no tag 1.4.2", "did you mean 1.4.0, 1.4.1"],
        ),
        (
            format!("{host}/web:git-9f3c2a"),
            vec!["did you mean git-9f3c2a1"],
        ),
        (
            format!("{host}/web:git-9f3c2b7"),
            vec![
                "has no tag git-9f3c2b7",
                "hint: wait until the workflow that builds the commit has finished",
            ],
        ),
        (
            format!("{host}/web:zzz"),
            vec!["has no tag zzz", "has 4 others"],
        ),
        (
            format!("{host}/web@{digest}"),
            vec!["exists and has no such digest"],
        ),
        (format!("{host}/wbe:1.4.0"), vec!["there is no repository"]),
    ] {
        let to = format!("{host}/prod");
        for verb in [ReleaseVerb::Promote, ReleaseVerb::Push] {
            let request = request(verb, &source, &[&to], crate::support::pushed(VERSION));
            let (failure, text) = failed(request, &context()).await;
            assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
            for part in &parts {
                assert!(text.contains(part), "{part:?} is not in {text}");
            }
        }
    }
}

#[tokio::test]
async fn the_refusal_of_a_moved_version_names_the_next_free_one() {
    let registry = Registry::start(Profile::plain()).await;
    put_other(&registry, &["1.4.0", "1.4.1"]);
    let to = format!("{}/web", registry.host());
    let (failure, text) = failed(push(&example(), &[&to], VERSION), &context()).await;
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert!(text.contains("the next free version, 1.4.2,"), "{text}");
}

#[tokio::test]
async fn a_rollback_by_hand_is_told_in_the_report() {
    for (lines, told) in [
        (&["1", "latest"][..], "1, latest stay: version lines"),
        (&["latest"], "latest stays: version lines"),
    ] {
        let registry = Registry::start(Profile::plain()).await;
        put_example(&registry, "web", "1.4.0");
        put_other(&registry, &[&["1.5.0", "1.5", "prod"], lines].concat());
        let place = format!("{}/web", registry.host());
        let mut rollback = promote(&format!("{place}:1.4.0"), &[&place], MAIN);
        rollback.environment = Some("prod".parse().unwrap());
        let outcome = done(rollback, &context()).await;
        let notes = outcome.notes.join("\n");
        let told = format!("prod moves to this release, and {told}");
        assert!(notes.contains(&told), "{notes}");
        assert_eq!(registry.tags("web")["prod"], example_root().to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forks_pull_request_is_told_that_it_gets_no_secrets() {
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules()))).await;
    let images = format!("{}/web", registry.host());
    let empty = format!("{}=robot:", registry.host());
    let source = example();
    let payload = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/events/pull_request/fork_synchronize.json");
    // The policy is that of the base, which is checked out.
    let place = Place::new();
    let base = commit(place.root(), &[("Dockerfile", "FROM scratch\n")]);
    let text = std::fs::read_to_string(payload).unwrap();
    let payload = place.path("event.json");
    let text = text.replace("6cfb1f49d0fb477dea2090b2e4a095807745f007", &base);
    std::fs::write(&payload, text).unwrap();
    let payload = payload.display().to_string();
    let event = [
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/15/merge"),
        ("GITHUB_EVENT_PATH", &*payload),
    ];
    for credentials in ["", &*empty] {
        let inputs = [
            ("command", "push"),
            ("source", &*source),
            ("images", &*images),
            ("credentials", credentials),
        ];
        let ran = run_step(&place, &inputs, &event).await;
        assert_ne!(ran.status, Some(0), "{}", ran.log);
        for part in [
            "a pull request of a fork gets no secrets",
            "if: github.event.pull_request.head.repo.full_name == github.repository",
        ] {
            assert!(ran.log.contains(part), "{}", ran.log);
        }
        // The same repository's own is not told so.
        let ran = run_step(&Place::new(), &inputs, &[]).await;
        assert!(!ran.log.contains("of a fork"), "{}", ran.log);
    }
}

/// A repository of one file, which is checked out; returns its commit.
fn check_out(place: &Place) -> String {
    let repository = git2::Repository::init(place.root()).unwrap();
    std::fs::write(place.path("Dockerfile"), "FROM scratch\n").unwrap();
    let mut index = repository.index().unwrap();
    index.add_path(Path::new("Dockerfile")).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let someone = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let commit = repository.commit(Some("HEAD"), &someone, &someone, "x", &tree, &[]);
    commit.unwrap().to_string()
}

#[test]
fn a_dirty_checkout_gives_no_tag_of_its_commit() {
    let place = Place::new();
    let commit = check_out(&place);
    let source = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    let push = ["push", "--source", &source, "--images=oci:out", "--dry-run"];
    // What git does not track is no change of the commit's files.
    std::fs::write(place.path("untracked"), "x").unwrap();
    let clean = place.run(&push);
    assert_eq!(clean.status, Some(0), "{}", clean.log);
    assert!(
        clean.out.contains(&format!("git-{}", &commit[..7])),
        "{}",
        clean.out
    );
    for staged in [false, true] {
        std::fs::write(place.path("Dockerfile"), format!("FROM other{staged}\n")).unwrap();
        if staged {
            let repository = git2::Repository::open(place.root()).unwrap();
            let mut index = repository.index().unwrap();
            index.add_path(Path::new("Dockerfile")).unwrap();
            index.write().unwrap();
        }
        for rules in [&[][..], &["--tags=type=sha"], &["--tags=build-{{sha}}"]] {
            let refused = place.run(&[&push[..], rules].concat());
            assert_eq!(refused.status, Some(1), "{rules:?}: {}", refused.log);
            assert!(refused.log.contains("set --allow-dirty"), "{}", refused.log);
        }
        let allowed = place.run(&[&push[..], &["--allow-dirty"]].concat());
        assert_eq!(allowed.status, Some(0), "{}", allowed.log);
        assert!(!allowed.out.contains(&commit[..7]), "{}", allowed.out);
        let named = place.run(&[&push[..], &["--tags=a"]].concat());
        assert_eq!(named.status, Some(0), "{}", named.log);
        assert!(
            named.log.contains("differ from its commit"),
            "{}",
            named.log
        );
    }
}

#[test]
fn a_label_that_denies_the_commit_is_refused_with_both() {
    let other = "0123456789abcdef0123456789abcdef01234567";
    let source = example();
    let inputs = [
        ("command", "push"),
        ("source", &*source),
        ("images", "oci:out"),
    ];
    let run = |inputs: &[(&str, &str)], sha: &str| {
        let place = Place::new();
        let ran = Ran::of(
            place
                .step(MAIN, inputs)
                .env("GITHUB_SHA", sha)
                .output()
                .unwrap(),
        );
        (ran, place)
    };
    let (refused, place) = run(&inputs, other);
    assert_eq!(refused.status, Some(1), "{}", refused.log);
    for part in [other, COMMIT, "set commit: "] {
        assert!(
            refused.log.contains(part),
            "{part} is not in {}",
            refused.log
        );
    }
    assert!(!place.path("out/index.json").exists());
    // A tag that names no commit is not denied, and is told.
    let (told, _) = run(&[&inputs[..], &[("tags", "a")]].concat(), other);
    assert_eq!(told.status, Some(0), "{}", told.log);
    // The input says which.
    for (commit, tag) in [(COMMIT, "git-9f3c2a1"), (other, "git-0123456")] {
        let (ran, place) = run(&[&inputs[..], &[("commit", commit)]].concat(), other);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        assert!(
            place.output("tags").contains(tag),
            "{}",
            place.output("tags")
        );
    }
    let (bad, _) = run(&[&inputs[..], &[("commit", "main")]].concat(), other);
    assert_eq!(bad.status, Some(2), "{}", bad.log);
    let in_environment = [("commit", COMMIT), ("environment", "prod")];
    let (refused, _) = run(&[&inputs[..], &in_environment].concat(), other);
    assert_eq!(refused.status, Some(1), "{}", refused.log);
    assert!(refused.log.contains("the input commit"), "{}", refused.log);
}

#[test]
fn an_image_without_the_label_of_its_sha_tag_is_a_warning() {
    let without = "but no label org.opencontainers.image.revision of it names the commit";
    let malformed = r#"revision says "main", which is no full commit"#;
    for (labels, tags, warning) in [
        (&[][..], "", Some(without)),
        (&[("revision", "main")], "", Some(malformed)),
        (&[("revision", COMMIT)], "", None),
        (&[], "a", None),
    ] {
        let place = Place::new();
        MadeImage::new(1, labels).write_archive(&place.path("image.tar"));
        let inputs = [
            ("command", "push"),
            ("source", "oci-archive:image.tar"),
            ("images", "oci:out"),
            ("tags", tags),
        ];
        let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let begin = "::warning title=shipmark::the image gets the tag git-9f3c2a1, but ";
        assert_eq!(ran.log.contains(begin), warning.is_some(), "{}", ran.log);
        assert!(ran.log.contains(warning.unwrap_or_default()), "{}", ran.log);
    }
}

#[test]
fn literal_tags_of_the_commits_sha_are_immutable() {
    let source = example();
    let short = format!("git-{}", &COMMIT[..7]);
    let tags = format!("{COMMIT}\n{short}\nbuild-{short}\ngit-0123456\nmain\n");
    let inputs = [
        ("command", "push"),
        ("source", &*source),
        ("images", "oci:out"),
        ("tags", &*tags),
    ];
    let place = Place::new();
    let ran = Ran::of(place.step(MAIN, &inputs).output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let json: serde_json::Value = serde_json::from_str(&place.output("json")).unwrap();
    let tags = json["destinations"][0]["tags"].as_array().unwrap();
    let immutable: Vec<_> = tags
        .iter()
        .filter(|tag| tag["immutable"] == true)
        .map(|tag| tag["tag"].as_str().unwrap())
        .collect();
    let build = format!("build-{short}");
    assert_eq!(immutable, [COMMIT, &short, &build], "{json:#}");
}

#[test]
fn an_absent_key_password_shows_the_env_line() {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/cosign.key");
    let (source, key) = (example(), key.display().to_string());
    let inputs = [
        ("command", "push"),
        ("source", &*source),
        ("images", "oci:out"),
        ("sign", "key"),
        ("signing-key", &*key),
    ];
    let ran = Ran::of(Place::new().step(MAIN, &inputs).output().unwrap());
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    let line = "env: COSIGN_PASSWORD: ${{ secrets.COSIGN_PASSWORD }}";
    assert!(ran.log.contains(line), "{}", ran.log);
}

#[test]
fn tags_for_a_verb_are_what_the_verb_gives() {
    let source = example();
    for (git_ref, tags, environment) in [
        (VERSION, "", ""),
        (MAIN, "", ""),
        (VERSION, "type=semver,pattern={{version}}\ntype=sha", ""),
        (VERSION, "", "prod"),
    ] {
        for verb in ["push", "promote"] {
            let about = [("tags", tags), ("environment", environment)];
            let release = [
                ("command", verb),
                ("source", &*source),
                ("images", "oci:out"),
            ];
            let place = Place::new();
            let released = [&release[..], &about].concat();
            let ran = Ran::of(place.step(git_ref, &released).output().unwrap());
            assert_eq!(ran.status, Some(0), "{}", ran.log);
            let mut expected: Vec<String> =
                place.output("tags").lines().map(str::to_owned).collect();
            let mut show = vec![("for", verb), ("images", "out"), ("offline", "true")];
            // A promotion takes the commit from the image, which the preview does not read.
            let is_promoted = verb == "promote";
            if is_promoted && environment.is_empty() {
                show.push(("commit", COMMIT));
            }
            let place = Place::new();
            let shown = [&show[..], &about].concat();
            let mut step = place.step(git_ref, &shown);
            let ran = Ran::of(step.output().unwrap());
            assert_eq!(
                (ran.status, environment),
                (Some(0), environment),
                "{}",
                ran.log
            );
            let tag_of = |line: &str| line.rsplit_once(':').unwrap().1.to_owned();
            let mut given: Vec<String> = place.output("tags").lines().map(tag_of).collect();
            expected = expected.iter().map(|line| tag_of(line)).collect();
            // The version of a promotion on a branch is the image's label.
            if verb == "promote" && git_ref == MAIN {
                expected.retain(|tag| tag.starts_with("git-"));
            }
            given.sort();
            expected.sort();
            assert_eq!(given, expected, "{verb} {git_ref} {tags}");
        }
    }
}

#[test]
fn tags_without_for_say_in_the_first_line_whose_they_are() {
    let ran = Ran::of(
        Place::new()
            .step(MAIN, &[("offline", "true")])
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let first = ran
        .log
        .lines()
        .find(|line| !line.starts_with("::add-mask::"));
    assert!(
        first.is_some_and(|line| line.contains("for: push or for: promote")),
        "{}",
        ran.log
    );
}

/// A report of every kind about the example, or about another image.
fn reports(root: &str, id: &str) -> Vec<(&'static str, serde_json::Value)> {
    use serde_json::json;
    let trivy = json!({"SchemaVersion": 2, "ArtifactName": "web:1", "ArtifactType": "container_image",
        "Metadata": {"ImageID": id, "RepoTags": ["web:1"], "RepoDigests": [format!("web@{root}")]}});
    vec![
        ("scan-report", trivy.clone()),
        (
            "scan-report",
            json!({"scanner": {"uri": "x", "result": trivy}, "metadata": {}}),
        ),
        (
            "scan-report",
            json!({"matches": [], "descriptor": {"name": "grype"},
            "source": {"type": "image", "target": {"imageID": id, "manifestDigest": root}}}),
        ),
        (
            "scan-report",
            json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Trivy"}},
            "properties": {"imageID": id, "repoDigests": [format!("web@{root}")]}}]}),
        ),
        (
            "sbom",
            json!({"bomFormat": "CycloneDX", "specVersion": "1.6",
            "metadata": {"component": {"type": "container", "version": root}}}),
        ),
        (
            "sbom",
            json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentDescribes": ["SPDXRef-x"],
            "packages": [{"SPDXID": "SPDXRef-x", "versionInfo": root}]}),
        ),
    ]
}

/// Attests a file about the example, and returns what the run said.
fn attest(input: &str, report: &serde_json::Value, more: &[(&str, &str)]) -> (Ran, Place) {
    let place = Place::new();
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/cosign.key");
    let (source, key) = (example(), key.display().to_string());
    std::fs::write(place.path("report.json"), report.to_string()).unwrap();
    let inputs = [
        ("command", "push"),
        ("source", &*source),
        ("images", "oci:out"),
        ("sign", "key"),
        ("signing-key", &*key),
        (input, "report.json"),
        ("dry-run", "true"),
    ];
    let mut step = place.step(VERSION, &[&inputs[..], more].concat());
    step.env("COSIGN_PASSWORD", "not a secret");
    (Ran::of(step.output().unwrap()), place)
}

#[test]
fn a_report_about_another_image_is_refused_in_every_form() {
    let (root, other) = (
        example_root().to_string(),
        format!("sha256:{}", "1".repeat(64)),
    );
    for (input, report) in reports(&root, &root) {
        let (ran, _) = attest(input, &report, &[]);
        assert_eq!(ran.status, Some(0), "{report}: {}", ran.log);
    }
    for allow in [&[][..], &[("unbound", "allow")]] {
        for (input, report) in reports(&other, &other) {
            let (ran, place) = attest(input, &report, allow);
            assert_eq!(ran.status, Some(2), "{report}: {}", ran.log);
            assert!(ran.log.contains("is about another image"), "{}", ran.log);
            assert!(is_empty(&place.path("out")));
        }
    }
    // A run about this image, and one about another.
    let run = |of: &str| serde_json::json!({"tool": {"driver": {"name": "Trivy", "version": "1"}}, "properties": {"imageID": of}});
    for (second, status) in [(&root, 0), (&other, 2)] {
        let sarif = serde_json::json!({"version": "2.1.0", "runs": [run(&root), run(second)]});
        let (ran, _) = attest("scan-report", &sarif, &[]);
        assert_eq!(ran.status, Some(status), "{}", ran.log);
    }
    // The root of this image with the config of another names nothing.
    let (ran, _) = attest("scan-report", &reports(&root, &other)[0].1, &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
}

#[test]
fn a_report_that_names_nothing_wants_unbound_allow() {
    for (input, report) in reports("web:1", "") {
        let (ran, place) = attest(input, &report, &[]);
        assert_eq!(ran.status, Some(2), "{report}: {}", ran.log);
        assert!(
            ran.log.contains("is unbound: it names no image"),
            "{}",
            ran.log
        );
        assert!(ran.log.contains("set unbound: allow"), "{}", ran.log);
        assert!(is_empty(&place.path("out")));
        let (ran, _) = attest(input, &report, &[("unbound", "allow")]);
        assert_eq!(ran.status, Some(0), "{report}: {}", ran.log);
    }
}

#[test]
fn under_a_policy_unbound_is_the_policys_alone() {
    for (key, input, status) in [
        ("", "", 2),
        ("", "allow", 1),
        ("    unbound: allow\n", "", 0),
        ("    unbound: allow\n", "refuse", 2),
    ] {
        let place = Place::new();
        let policy = format!("environments:\n  prod:\n    repository: oci:out\n{key}");
        std::fs::create_dir(place.path(".github")).unwrap();
        std::fs::write(place.path(".github/shipmark.yml"), &policy).unwrap();
        std::fs::write(
            place.path("sbom.json"),
            reports("web:1", "")[4].1.to_string(),
        )
        .unwrap();
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/cosign.key");
        let mut command = place.command();
        command
            .env("COSIGN_PASSWORD", "not a secret")
            .args([
                "push",
                "--source",
                &example(),
                "--environment=prod",
                "--dry-run",
            ])
            .args(["--ref=refs/tags/v1.4.0", "--sign=key", "--sbom=sbom.json"])
            .args(["--signing-key", &key.display().to_string()]);
        if !input.is_empty() {
            command.arg(format!("--unbound={input}"));
        }
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, Some(status), "{policy} {input}: {}", ran.log);
    }
}
