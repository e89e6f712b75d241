//! The whole road against the test registry and on disk.

use shipmark::image::Digest;
use shipmark::release::{ExistingTagPolicy, Failure, ReleaseVerb, TagChange, run};

use crate::registry::{Profile, Registry};
use crate::support::*;

fn named(tags: &[&str], digest: Digest) -> Vec<String> {
    let mut lines: Vec<String> = tags.iter().map(|tag| format!("{tag} {digest}")).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_push_names_the_image_after_its_branch_and_commit() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/dev/web", registry.host());
    let outcome = done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    assert_eq!(outcome.root, example_root());
    assert_eq!(
        tags(&registry, "dev/web"),
        named(&["git-9f3c2a1", "main"], example_root())
    );
    assert_eq!(registry.dangling(), Vec::<String>::new());
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn promise_1_a_promotion_keeps_the_digest_from_registry_to_registry() {
    let dev = Registry::start(Profile::plain()).await;
    let prod = Registry::start(Profile::plain()).await;
    let (from, to) = (
        format!("{}/dev/web", dev.host()),
        format!("{}/prod/web", prod.host()),
    );
    done(push(&example(), &[&from], "refs/heads/main"), &context()).await;
    let mut request = promote(&format!("{from}:git-9f3c2a1"), &[&to], "refs/tags/v1.4.0");
    request.environment = Some("prod".parse().unwrap());
    let outcome = done(request, &context()).await;
    assert_eq!(outcome.root, example_root());
    assert_eq!(outcome.version.as_deref(), Some("1.4.0"));
    let expected = ["1", "1.4", "1.4.0", "git-9f3c2a1", "latest", "prod"];
    assert_eq!(tags(&prod, "prod/web"), named(&expected, example_root()));
    assert_eq!(prod.dangling(), Vec::<String>::new());
    assert_eq!(
        dev.manifest("dev/web", "main").unwrap(),
        prod.manifest("prod/web", "1.4.0").unwrap()
    );
}

#[tokio::test]
async fn a_promotion_to_several_places_names_all_of_them() {
    let registry = Registry::start(Profile::plain()).await;
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("Prod").display());
    let [a, b] = ["prod/a", "prod/b"].map(|path| format!("{}/{path}", registry.host()));
    let outcome = done(
        promote(&example(), &[&a, &layout, &b], "refs/tags/v1.4.0"),
        &context(),
    )
    .await;
    assert_eq!(outcome.destinations.len(), 3);
    for released in &outcome.destinations {
        assert!(
            released
                .tags
                .iter()
                .all(|tag| tag.change == TagChange::Created),
            "{released:?}"
        );
    }
    let expected = named(
        &["1", "1.4", "1.4.0", "git-9f3c2a1", "latest"],
        example_root(),
    );
    assert_eq!(tags(&registry, "prod/a"), expected);
    assert_eq!(tags(&registry, "prod/b"), expected);
    let again = promote(&format!("{layout}:1.4"), &[&a], "refs/tags/v1.4.0");
    assert!(!done(again, &context()).await.has_changes());
}

#[tokio::test]
async fn a_rerun_changes_nothing() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let request = push(&example(), &[&place], "refs/heads/main");
    assert!(done(request.clone(), &context()).await.has_changes());
    let before = tags(&registry, "web");
    let outcome = done(request, &context()).await;
    assert!(!outcome.has_changes());
    assert_eq!(tags(&registry, "web"), before);
}

#[tokio::test]
async fn a_dry_run_plans_and_writes_nothing() {
    let registry = Registry::start(Profile::plain()).await;
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("new").display());
    let place = format!("{}/web", registry.host());
    let mut request = push(&example(), &[&place, &layout], "refs/heads/main");
    request.dry_run = true;
    let outcome = done(request, &context()).await;
    assert!(outcome.has_changes() && outcome.dry_run);
    assert_eq!(tags(&registry, "web"), Vec::<String>::new());
    assert!(
        registry
            .requests()
            .iter()
            .all(|line| line.starts_with("HEAD ") || line.starts_with("GET "))
    );
    assert!(!disk.path().join("new").exists());
}

/// Every image that real tools made, to a registry and back, byte for byte.
#[tokio::test]
async fn promise_1_every_fixture_image_arrives_as_it_was() {
    let registry = Registry::start(Profile::plain()).await;
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(image("expected.json")).unwrap()).unwrap();
    let mut sent = 0;
    for (file, entry) in expected.as_object().unwrap() {
        let Some(top) = entry["oci"]
            .as_array()
            .filter(|entries| !entries.is_empty())
        else {
            continue;
        };
        if !image(file).exists() {
            continue;
        }
        let form = if image(file).is_dir() {
            "oci"
        } else {
            "oci-archive"
        };
        let roots = top
            .iter()
            .filter(|node| node["depth"] == 0 && node["kind"] != "attestation");
        for root in roots {
            let digest = root["digest"].as_str().unwrap();
            let source = format!("{form}:{}@{digest}", image(file).display());
            let repository = format!("fixtures/{}", file.to_lowercase());
            let place = format!("{}/{repository}", registry.host());
            let mut request = push(&source, &[&place], "refs/heads/main");
            request.rules = shipmark::tagging::TagRules::parse(["moved"]).unwrap();
            let outcome = done(request, &context()).await;
            assert_eq!(outcome.root.to_string(), digest, "{file}");
            assert_eq!(
                tags(&registry, &repository),
                [format!("moved {digest}")],
                "{file}"
            );
            sent += 1;
        }
        // Everything below the roots as well: each with the digest that several tools agree on.
        for node in top {
            let digest = node["digest"].as_str().unwrap();
            let repository = format!("fixtures/{}", file.to_lowercase());
            assert!(
                registry.has_manifest(&repository, digest),
                "{file}: {digest}"
            );
            let blobs = node["layers"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|layer| &layer["digest"]);
            for blob in blobs.chain(node.get("config")) {
                assert!(
                    registry.has_blob(&repository, blob.as_str().unwrap()),
                    "{file}: {blob}"
                );
            }
        }
    }
    assert_eq!(registry.dangling(), Vec::<String>::new());
    assert!(sent >= 15, "only {sent} images were sent");
}

#[tokio::test]
async fn broken_images_are_refused_by_name_before_anything_is_pushed() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    for (file, part) in [
        ("corrupt-layer.tar", "sha256:"),
        ("empty-index.tar", "names no image"),
        ("missing-layer.tar", "is missing"),
        ("missing-platform-manifest.tar", "linux/arm64 manifest"),
        ("no-index-json.tar", "index.json"),
        ("truncated.tar", "cut short"),
    ] {
        let source = format!("oci-archive:{}", image("broken").join(file).display());
        let (failure, text) = failed(push(&source, &[&place], "refs/heads/main"), &context()).await;
        assert!(matches!(failure, Failure::Input(_)), "{file}: {failure:?}");
        assert!(text.contains(part) && text.contains(file), "{file}: {text}");
    }
    let wrote = registry
        .requests()
        .into_iter()
        .find(|line| !line.starts_with("HEAD "));
    assert_eq!(wrote, None);
}

#[tokio::test]
async fn promise_3_a_taken_version_is_refused_before_anything_is_uploaded() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let other = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    done(push(&other, &[&place], "refs/tags/v1.4.0"), &context()).await;
    registry.clear_log();
    let mut request = promote(&example(), &[&place], "refs/tags/v1.4.0");
    request.existing = ExistingTagPolicy::Fail;
    let (failure, text) = failed(request, &context()).await;
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert!(text.starts_with("tag "), "{text}");
    assert!(text.contains("is an immutable tag"), "{text}");
    assert!(
        registry
            .requests()
            .iter()
            .all(|line| line.starts_with("HEAD ") || line.starts_with("GET "))
    );
}

#[tokio::test]
async fn promise_3_unknown_is_refused() {
    for status in [401, 403, 429, 500, 503] {
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let effect = crate::registry::Effect::status(status);
        registry.fault(crate::registry::Fault::on("*", "/manifests/git-", effect).always());
        let (failure, text) =
            failed(push(&example(), &[&place], "refs/heads/main"), &context()).await;
        // This run has no login, which is an input.
        let is_kind = match status {
            401 => matches!(failure, Failure::Input(_)),
            _ => matches!(failure, Failure::Service(_)),
        };
        assert!(is_kind, "{status}: {failure:?}");
        assert!(text.contains(&status.to_string()), "{status}: {text}");
        assert_eq!(tags(&registry, "web"), Vec::<String>::new(), "{status}");
    }
}

#[tokio::test]
async fn a_rebuilt_image_gives_way_to_the_one_of_the_same_commit() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    // Another image, pushed from the same commit to another branch.
    let rebuilt = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    let (context, said) = context_with(settings());
    let outcome = done(push(&rebuilt, &[&place], "refs/heads/develop"), &context).await;
    assert_eq!(outcome.root, example_root());
    assert!(outcome.requested_digest.is_some());
    assert!(
        said.text().contains("built from the same commit"),
        "{}",
        said.text()
    );
    assert_eq!(
        tags(&registry, "web"),
        named(&["develop", "git-9f3c2a1", "main"], example_root())
    );
}

#[tokio::test]
async fn an_image_that_names_no_commit_is_not_kept() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let unlabelled = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    done(push(&unlabelled, &[&place], "refs/heads/main"), &context()).await;
    let (failure, text) = failed(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert!(text.contains("the existing image has no label"), "{text}");
}

#[tokio::test]
async fn promise_4_a_backport_leaves_latest_alone() {
    let registry = Registry::start(Profile::plain().page_size(2).unsorted_tags()).await;
    let place = format!("{}/web", registry.host());
    let newer = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    let mut request = push(&newer, &[&place], "refs/tags/v2.0.0");
    request.facts.as_mut().unwrap().commit =
        Some("1111111111111111111111111111111111111111".parse().unwrap());
    let root = done(request, &context()).await.root;
    let outcome = done(
        promote(&example(), &[&place], "refs/tags/v1.4.0"),
        &context(),
    )
    .await;
    let latest = outcome.destinations[0]
        .tags
        .iter()
        .find(|tag| tag.tag.as_str() == "latest")
        .unwrap();
    assert!(
        matches!(&latest.change, TagChange::Stays { at: Some(at), .. } if *at == root),
        "{latest:?}"
    );
    let tags = registry.tags("web");
    assert_eq!(tags["latest"], root.to_string());
    assert_eq!(tags["1"], example_root().to_string());
    assert_eq!(tags["1.4"], example_root().to_string());
}

#[tokio::test]
async fn a_missing_source_is_an_input_error() {
    let registry = Registry::start(Profile::plain()).await;
    let [from, to] = ["from", "to"].map(|path| format!("{}/{path}", registry.host()));
    let request = promote(&format!("{from}:nosuch"), &[&to], "refs/tags/v1.4.0");
    let (failure, text) = failed(request, &context()).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    assert!(text.contains("image not found"), "{text}");
}

#[tokio::test]
async fn a_release_from_a_repository_to_itself_only_names() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    registry.clear_log();
    let request = promote(&format!("{place}:main"), &[&place], "refs/tags/v1.4.0");
    assert!(done(request, &context()).await.has_changes());
    assert_eq!(registry.count_of("POST "), 0);
    assert_eq!(registry.tags("web").len(), 6);
}

#[tokio::test]
async fn no_destination_or_one_twice_is_an_input_error() {
    let twice = request(
        ReleaseVerb::Push,
        &example(),
        &["oci:x", "oci:x"],
        pushed("refs/heads/main"),
    );
    assert!(matches!(
        run(&twice, &context()).await,
        Err(Failure::Input(_))
    ));
    let none = request(
        ReleaseVerb::Push,
        &example(),
        &[],
        pushed("refs/heads/main"),
    );
    assert!(matches!(
        run(&none, &context()).await,
        Err(Failure::Input(_))
    ));
}

/// Whether a tag brings the root or it is written before: what was written is counted once each.
#[tokio::test]
async fn promise_9_the_root_counts_among_the_manifests_written() {
    const MANIFESTS: u64 = 5;
    let disk = tempfile::tempdir().unwrap();
    for git_ref in ["refs/heads/main", "refs/tags/v1.4.0"] {
        for signs in [false, true] {
            let registry = Registry::start(Profile::plain()).await;
            let layout = disk.path().join(format!("{}{signs}", git_ref.len()));
            let layout = format!("oci:{}", layout.display());
            for place in [format!("{}/web", registry.host()), layout] {
                let mut request = push(&example(), &[&place], git_ref);
                request.signing = signs.then(|| keys::signing(&keys::key()));
                let written = async |request| {
                    let outcome = done(request, &context()).await;
                    outcome.destinations[0].copy_stats.manifests_written
                };
                let case = format!("{git_ref} {signs} {place}");
                assert_eq!(written(request.clone()).await, MANIFESTS, "{case}");
                assert_eq!(written(request.clone()).await, 0, "{case}");
                if !place.starts_with("oci:") {
                    // It is there, and gets another tag.
                    let mut again = request;
                    again.facts = pushed("refs/heads/other");
                    assert_eq!(written(again).await, 0, "{case}");
                }
            }
        }
    }
}
