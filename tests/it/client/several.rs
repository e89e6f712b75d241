//! Several destinations of a copy, and several copies of a run: what is read and sent once.

use std::time::{Duration, Instant};

use shipmark::release::{ReleaseOutcome, run};
use shipmark::transfer::{BlobAmount, CopyStats};

use super::engine::{promotion, put_image};
use super::*;
use crate::registry::{Effect, Fault, Profile, Registry};

const MIB: u64 = 1 << 20;

/// The promotion of the image of [`put_image`] to all of them.
fn to_all(source: &Registry, places: &[String]) -> ReleaseRequest {
    let mut request = promotion(&format!("{}/big:1", source.host()), &places[0]);
    let further = places[1..].iter().map(|place| place.parse().unwrap());
    request.destinations.extend(further);
    request
}

fn place(registry: &Registry, repository: &str) -> String {
    format!("{}/{repository}", registry.host())
}

fn amount(blobs: u64, bytes: u64) -> BlobAmount {
    BlobAmount { blobs, bytes }
}

async fn started<const N: usize>() -> [Registry; N] {
    let mut all = Vec::new();
    for _ in 0..N {
        all.push(Registry::start(Profile::plain()).await);
    }
    all.try_into().ok().unwrap()
}

fn assert_whole(registries: &[&Registry]) {
    for registry in registries {
        assert_eq!(registry.dangling(), Vec::<String>::new());
        assert_eq!(registry.open_uploads(), 0);
    }
}

#[tokio::test]
async fn what_several_registries_lack_is_read_once() {
    let [source, a, b, c] = started().await;
    put_image(&source, &[(3 * MIB, 1), (1000, 2)]);
    c.put_synthetic_blob("copy", 1000, 2);
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("copy").display());
    let mut places: Vec<String> = [&a, &b, &c].map(|registry| place(registry, "copy")).into();
    places.push(layout);
    let (context, said) = context_with(settings());
    let outcome = done(to_all(&source, &places), &context).await;
    assert_eq!(source.count_of("GET /v2/big/blobs/"), 3);
    assert_eq!(source.count_of("GET /v2/big/manifests/"), 1);
    assert_whole(&[&a, &b, &c]);
    let content = contents(&outcome);
    assert_eq!(content[0].moved, amount(3, 3 * MIB + 1002));
    assert_eq!(content[2].moved, amount(2, 3 * MIB + 2));
    assert_eq!(content[2].present, amount(1, 1000));
    let progress = said.progress();
    let last = progress.last().unwrap();
    assert_eq!(
        (last.moved, last.total),
        (4 * (3 * MIB + 1002) - 1000, last.moved)
    );
}

fn contents(outcome: &ReleaseOutcome) -> Vec<CopyStats> {
    let released = outcome.destinations.iter();
    released.map(|released| released.copy_stats).collect()
}

#[tokio::test]
async fn two_repositories_of_a_registry_get_a_blob_once() {
    let [source, to] = started().await;
    put_image(&source, &[(3 * MIB, 1), (1000, 2)]);
    let places = ["one", "two"].map(|name| place(&to, name));
    let outcome = done(to_all(&source, &places), &context()).await;
    assert_eq!(source.count_of("GET /v2/big/blobs/"), 3);
    assert_eq!(
        to.count_of("PUT /v2/one/blobs/") + to.count_of("PUT /v2/two/blobs/"),
        3
    );
    assert_whole(&[&to]);
    let mut content = contents(&outcome);
    content.sort_by_key(|content| content.shared.blobs);
    assert_eq!(content[0].moved, amount(3, 3 * MIB + 1002));
    assert_eq!(content[1].shared, amount(3, 3 * MIB + 1002));
}

/// Where mounts are declined each repository has to be sent everything.
#[tokio::test]
async fn a_registry_without_mounts_gets_a_blob_for_each_repository() {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain().mounts(false)).await;
    let layers: Vec<(u64, u64)> = (0..20).map(|seed| (1000, seed)).collect();
    put_image(&source, &layers);
    let places = ["one", "two"].map(|name| place(&to, name));
    let outcome = done(to_all(&source, &places), &context()).await;
    assert_whole(&[&to]);
    for content in contents(&outcome) {
        assert_eq!(content.moved.blobs, 21);
    }
}

#[tokio::test]
async fn a_destination_that_fails_leaves_the_others_whole() {
    for effect in [
        Effect::status(403),
        Effect::status(500),
        Effect::ResetInUpload(MIB),
    ] {
        let [source, bad, good] = started().await;
        put_image(&source, &[(3 * MIB, 1), (2 * MIB, 2)]);
        bad.fault(Fault::on("PUT", "/blobs/uploads/", effect.clone()).always());
        let places = [&bad, &good].map(|registry| place(registry, "copy"));
        let (_, text) = failed(to_all(&source, &places), &context()).await;
        assert!(
            text.starts_with(&format!("destination {}", places[0])),
            "{effect:?}: {text}"
        );
        assert_eq!(bad.open_uploads() + good.open_uploads(), 0, "{effect:?}");
        assert!(bad.tags("copy").is_empty() && good.tags("copy").is_empty());
        // What the other needs is there by then: the next run sends it nothing.
        bad.clear_faults();
        good.clear_log();
        done(to_all(&source, &places), &context()).await;
        assert_whole(&[&bad, &good]);
        assert_eq!(good.count_of("PUT /v2/copy/blobs/"), 0, "{effect:?}");
    }
}

/// One that stands still is left behind by the others, and fails by itself.
#[tokio::test]
async fn a_destination_that_stands_still_does_not_stop_the_others() {
    let [source, still, good] = started().await;
    put_image(&source, &[(8 * MIB, 1)]);
    let forever = Effect::Delay(Duration::from_secs(60));
    still.fault(Fault::on("PUT", "/blobs/uploads/", forever).always());
    let places = [&still, &good].map(|registry| place(registry, "copy"));
    let request = to_all(&source, &places);
    let began = Instant::now();
    let (context, _) = context_with(impatient(settings()));
    let outcome = run(&request, &context).await;
    assert!(outcome.is_err());
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(
        good.count_of("PUT /v2/copy/blobs/"),
        2,
        "{:?}",
        good.requests()
    );
    let was_taken =
        |line: &String| line.starts_with("PUT /v2/copy/blobs/") && line.ends_with("201");
    assert_eq!(
        good.requests()
            .iter()
            .filter(|line| was_taken(line))
            .count(),
        2
    );
}

/// A second image of the same run, to another repository of the registry.
#[tokio::test]
async fn what_one_image_brought_is_mounted_for_the_next() {
    let [source, to] = started().await;
    put_image(&source, &[(2 * MIB, 1), (1000, 2)]);
    let context = context();
    for (name, moved, shared) in [
        ("one", amount(3, 2 * MIB + 1002), BlobAmount::default()),
        ("two", BlobAmount::default(), amount(3, 2 * MIB + 1002)),
    ] {
        let outcome = done(to_all(&source, &[place(&to, name)]), &context).await;
        let content = outcome.destinations[0].copy_stats;
        assert_eq!((content.moved, content.shared), (moved, shared), "{name}");
    }
    assert_eq!(to.count_of("HEAD /v2/two/blobs/"), 0);
    assert_whole(&[&to]);
}

/// Many images at once that share their layers: each goes to the registry once.
#[tokio::test]
async fn images_at_the_same_time_share_what_they_have_in_common() {
    let [source, to] = started().await;
    put_image(&source, &[(2 * MIB, 1), (1000, 2)]);
    let context = context();
    let requests: Vec<ReleaseRequest> = (0..20)
        .map(|n| to_all(&source, &[place(&to, &format!("service-{n}"))]))
        .collect();
    let runs = requests.iter().map(|request| run(request, &context));
    let outcomes: Vec<ReleaseOutcome> = futures_util::future::try_join_all(runs).await.unwrap();
    let moved: u64 = outcomes
        .iter()
        .map(|outcome| outcome.destinations[0].copy_stats.moved.blobs)
        .sum();
    assert_eq!(moved, 3);
    let sent = to
        .requests()
        .into_iter()
        .filter(|line| line.starts_with("PUT /v2/service-") && line.contains("/blobs/"));
    assert_eq!(sent.count(), 3);
    assert_whole(&[&to]);
}

/// What breaks off goes on where it was: the upload at the other end does not notice.
#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    for (profile, ranges) in [
        (Profile::plain(), true),
        (Profile::plain().ranges(false), false),
    ] {
        let source = Registry::start(profile).await;
        let to = Registry::start(Profile::plain()).await;
        put_image(&source, &[(8 * MIB, 1)]);
        source.fault(Fault::on("GET", "/blobs/", Effect::ResetInBody(5 * MIB)).times(2));
        let (context, said) = context_with(settings());
        let outcome = done(to_all(&source, &[place(&to, "copy")]), &context).await;
        assert_eq!(to.count_of("PUT /v2/copy/blobs/"), 2);
        assert_eq!(to.count_of("POST /v2/copy/blobs/"), 2);
        assert_whole(&[&to]);
        let resumed = outcome.destinations[0].copy_stats.resumed;
        assert_eq!(resumed.blobs, u64::from(ranges));
        assert!(!ranges || resumed.bytes >= MIB, "{resumed:?}");
        assert!(said.text().contains("going on at byte"), "{}", said.text());
    }
}

/// A destination that says it has a manifest, and lacks what that names.
#[tokio::test]
async fn a_destination_with_holes_is_gone_through_once_more() {
    let [to] = started().await;
    let host = holding(Profile::plain()).await;
    let from = format!("{}/dev/web:1.4.0", host.host());
    done(
        promote(&from, &[&place(&to, "prod/web")], "refs/heads/main"),
        &context(),
    )
    .await;
    // The root and a child are gone, and a blob of a child that is still there.
    to.set_tags("prod/web", Default::default());
    let root = example_root().to_string();
    to.remove_manifest("prod/web", &root);
    let children = to.manifests("prod/web");
    let blob = {
        let (_, bytes) = to.manifest("prod/web", &children[0]).unwrap();
        let child: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        child["config"]["digest"].as_str().unwrap().to_owned()
    };
    to.remove_blob("prod/web", &blob);
    to.remove_manifest("prod/web", &children[1]);
    let mut request = promote(&from, &[&place(&to, "prod/web")], "refs/heads/main");
    request.rules = shipmark::tagging::TagRules::parse(["again"]).unwrap();
    to.fault(Fault::on(
        "PUT",
        &format!("/manifests/{}", children[1]),
        Effect::status_with(
            404,
            &[],
            r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}"#,
        ),
    ));
    let (context, said) = context_with(settings());
    done(request, &context).await;
    assert!(
        said.text().contains("copying the whole image again"),
        "{}",
        said.text()
    );
    assert_whole(&[&to]);
    assert!(to.has_blob("prod/web", &blob));
}

/// A destination that has the root, and lacks what is below it: it says so when the root is to get its
/// tags. All of the image is brought once more, and once for all of them.
#[tokio::test]
async fn a_tag_that_is_refused_for_holes_brings_the_whole_image_once_more() {
    let source = holding(Profile::plain()).await;
    let from = format!("{}/dev/web:1.4.0", source.host());
    for child_too in [true, false] {
        let [to] = started().await;
        let request = |tags: &[&str]| {
            let mut request = promote(&from, &[&place(&to, "prod/web")], "refs/heads/main");
            request.rules = shipmark::tagging::TagRules::parse(tags.iter().copied()).unwrap();
            request
        };
        done(request(&["first"]), &context()).await;
        to.set_tags("prod/web", Default::default());
        let root = example_root().to_string();
        let child = to.manifests("prod/web").into_iter().find(|it| *it != root);
        let child = child.unwrap();
        let (_, bytes) = to.manifest("prod/web", &child).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let blob = json["config"]["digest"].as_str().unwrap();
        to.remove_blob("prod/web", blob);
        if child_too {
            to.remove_manifest("prod/web", &child);
        } else {
            // This one looks deeper than others do.
            let says = r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}"#;
            let effect = Effect::status_with(404, &[], says);
            to.fault(Fault::on("PUT", "/manifests/one", effect));
        }
        to.clear_log();
        let (context, said) = context_with(settings());
        let tags = [
            "type=raw,value=frozen,immutable=true",
            "one",
            "two",
            "three",
        ];
        done(request(&tags), &context).await;
        assert!(
            said.text().contains("copying the whole image again"),
            "{}",
            said.text()
        );
        assert_whole(&[&to]);
        assert_eq!(to.tags("prod/web").len(), 4);
        assert!(to.has_blob("prod/web", blob));
        assert_eq!(to.count_of(&format!("HEAD /v2/prod/web/blobs/{blob}")), 1);
    }
}
