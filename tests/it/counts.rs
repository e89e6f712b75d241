//! How often registries are asked, exactly: a change that adds a request shows here.
//!
//! The example image: an index of two platforms and their two attestations, so five manifests.

mod attached;
mod checked;
mod found_source;
mod gated;
mod inspected;
mod recorded;
mod rollback;

use shipmark::release::{ReleaseRequest, SignatureFormat};
use shipmark::tagging::TagRules;

use crate::registry::{Auth, Profile, Registry, TokenRules};
use crate::support::keys::*;
use crate::support::made_image::MadeImage;
use crate::support::*;

/// The requests of a registry since its log was cleared, by kind.
fn kinds(registry: &Registry) -> String {
    let mut kinds = std::collections::BTreeMap::new();
    for exchange in registry.log() {
        let path = exchange.path_and_query.as_str();
        let object = [
            "/manifests/",
            "/blobs/uploads/",
            "/blobs/",
            "/tags/",
            "/referrers/",
            "/token",
        ]
        .into_iter()
        .find(|part| path.contains(part))
        .unwrap_or(path)
        .trim_matches('/');
        let status = exchange
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        *kinds
            .entry(format!("{} {object} {status}", exchange.method))
            .or_insert(0) += 1;
    }
    kinds
        .into_iter()
        .map(|(kind, count)| format!("{count} x {kind}\n"))
        .collect()
}

#[tokio::test]
async fn a_cold_push() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    insta::assert_snapshot!(kinds(&registry), @r"
    1 x GET tags 404
    1 x HEAD manifests 200
    4 x HEAD manifests 404
    9 x POST blobs/uploads 202
    9 x PUT blobs/uploads 201
    6 x PUT manifests 201
    ");
}

#[tokio::test]
async fn a_push_that_changes_nothing() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    registry.clear_log();
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    insta::assert_snapshot!(kinds(&registry), @"2 x HEAD manifests 200");
}

/// Two registries, the image in the first.
async fn promoted_before() -> (Registry, Registry, String, String) {
    let dev = Registry::start(Profile::plain()).await;
    let prod = Registry::start(Profile::plain()).await;
    let [from, to] = [&dev, &prod].map(|registry| format!("{}/web", registry.host()));
    done(push(&example(), &[&from], "refs/heads/main"), &context()).await;
    dev.clear_log();
    (dev, prod, format!("{from}:main"), to)
}

#[tokio::test]
async fn a_cold_copy_between_registries() {
    let (dev, prod, from, to) = promoted_before().await;
    done(promote(&from, &[&to], "refs/tags/v1.4.0"), &context()).await;
    insta::assert_snapshot!(kinds(&dev), @r"
    9 x GET blobs 200
    5 x GET manifests 200
    1 x GET tags 200
    1 x HEAD manifests 200
    ");
    insta::assert_snapshot!(kinds(&prod), @r"
    2 x GET tags 200
    1 x GET tags 404
    6 x HEAD manifests 200
    7 x HEAD manifests 404
    9 x POST blobs/uploads 202
    9 x PUT blobs/uploads 201
    9 x PUT manifests 201
    ");
}

#[tokio::test]
async fn a_copy_that_changes_nothing() {
    let (dev, prod, from, to) = promoted_before().await;
    done(promote(&from, &[&to], "refs/tags/v1.4.0"), &context()).await;
    dev.clear_log();
    prod.clear_log();
    done(promote(&from, &[&to], "refs/tags/v1.4.0"), &context()).await;
    insta::assert_snapshot!(kinds(&dev), @r"
    1 x GET blobs 200
    2 x GET manifests 200
    1 x GET tags 200
    1 x HEAD manifests 200
    ");
    insta::assert_snapshot!(kinds(&prod), @r"
    1 x GET tags 200
    5 x HEAD manifests 200
    ");
}

#[tokio::test]
async fn a_copy_within_a_registry_mounts() {
    let registry = Registry::start(Profile::plain()).await;
    let [from, to] = ["dev", "prod"].map(|path| format!("{}/{path}", registry.host()));
    done(push(&example(), &[&from], "refs/heads/main"), &context()).await;
    registry.clear_log();
    done(
        promote(&format!("{from}:main"), &[&to], "refs/tags/v1.4.0"),
        &context(),
    )
    .await;
    insta::assert_snapshot!(kinds(&registry), @r"
    1 x GET blobs 200
    5 x GET manifests 200
    3 x GET tags 200
    1 x GET tags 404
    7 x HEAD manifests 200
    7 x HEAD manifests 404
    9 x POST blobs/uploads 201
    9 x PUT manifests 201
    ");
}

#[tokio::test]
async fn a_login_costs_one_refusal_and_one_token() {
    let rules = TokenRules::new("test").anonymous("*", &["pull", "push"]);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    registry.clear_log();
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    insta::assert_snapshot!(kinds(&registry), @r"
    2 x HEAD manifests 200
    1 x HEAD manifests 401
    ");
    assert_eq!(registry.token_server().count(), 2, "one a run");
}

/// Asked for by its SHA tag, with a version by the event: the source repository is not listed.
#[tokio::test]
async fn a_copy_of_which_every_name_is_known() {
    let (dev, _prod, from, to) = promoted_before().await;
    let source = from.replace(":main", ":git-9f3c2a1");
    done(promote(&source, &[&to], "refs/tags/v1.4.0"), &context()).await;
    insta::assert_snapshot!(kinds(&dev), @r"
    9 x GET blobs 200
    5 x GET manifests 200
    ");
}

/// An unlabelled image by its digest: one list, and the sixteen highest versions at once.
#[tokio::test]
async fn a_copy_of_which_only_version_tags_say_the_version() {
    let (dev, prod) = (
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    );
    let other = MadeImage::new(2, &[]);
    let image = MadeImage::new(1, &[]);
    for minor in 0..30 {
        let tag = format!("1.{minor}.0");
        if minor == 17 { &image } else { &other }.put(&dev, "web", &[&tag]);
    }
    let from = format!("{}/web@{}", dev.host(), image.digest());
    let to = format!("{}/web", prod.host());
    let outcome = done(promote(&from, &[&to], "refs/heads/main"), &context()).await;
    assert_eq!(outcome.version.as_deref(), Some("1.17.0"));
    insta::assert_snapshot!(kinds(&dev), @r"
    2 x GET blobs 200
    1 x GET manifests 200
    1 x GET tags 200
    16 x HEAD manifests 200
    ");
}

/// A backport: the release that its lines stay at is looked up once.
#[tokio::test]
async fn a_backport() {
    let (_dev, prod, from, to) = promoted_before().await;
    done(promote(&from, &[&to], "refs/tags/v2.0.0"), &context()).await;
    prod.clear_log();
    done(promote(&from, &[&to], "refs/tags/v1.4.0"), &context()).await;
    insta::assert_snapshot!(kinds(&prod), @r"
    3 x GET tags 200
    8 x HEAD manifests 200
    4 x HEAD manifests 404
    3 x PUT manifests 201
    ");
}

/// The content is there: only names are new.
#[tokio::test]
async fn a_patch_release_of_what_is_there() {
    let (_dev, prod, from, to) = promoted_before().await;
    done(promote(&from, &[&to], "refs/tags/v1.4.0"), &context()).await;
    prod.clear_log();
    done(promote(&from, &[&to], "refs/tags/v1.4.1"), &context()).await;
    insta::assert_snapshot!(kinds(&prod), @r"
    3 x GET tags 200
    10 x HEAD manifests 200
    2 x HEAD manifests 404
    1 x PUT manifests 201
    ");
}

/// For the summary of a job, the labels of the image that `main` named are read: root, one platform, config.
#[tokio::test]
async fn a_push_over_an_image_whose_labels_are_read() {
    let labels = [("revision", COMMIT)];
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("image.tar");
    MadeImage::new(1, &labels).write_archive(&archive);
    let source = format!("oci-archive:{}", archive.display());
    let mut counts = Vec::new();
    for reads_previous in [false, true] {
        let registry = Registry::start(Profile::plain()).await;
        put_example(&registry, "web", "main");
        let place = format!("{}/web", registry.host());
        let request = ReleaseRequest {
            reads_previous,
            ..push(&source, &[&place], "refs/heads/main")
        };
        let outcome = done(request, &context()).await;
        let previous = outcome.destinations[0].previous.as_ref().unwrap();
        assert_eq!(previous.digest, example_root());
        counts.push(kinds(&registry));
    }
    let more: Vec<&str> = counts[1]
        .lines()
        .filter(|line| !counts[0].contains(line))
        .collect();
    assert_eq!(
        more,
        ["1 x GET blobs 200", "2 x GET manifests 200"],
        "{counts:?}"
    );
    assert_eq!(counts[1].lines().count(), counts[0].lines().count() + 2);
}

/// Signing an image that is there and has its tag: the first request is for the image.
async fn signed_in_place(profile: Profile, forms: &[SignatureFormat]) -> String {
    signed_in_place_as(profile, forms, false).await
}

async fn signed_in_place_as(
    profile: Profile,
    forms: &[SignatureFormat],
    recursive: bool,
) -> String {
    let registry = Registry::start(profile).await;
    let place = format!("{}/web", registry.host());
    let mut request = push(&example(), &[&place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    done(request.clone(), &context()).await;
    registry.clear_log();
    let mut request = promote(&format!("{place}:it"), &[&place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    let mut signing = signing(&key());
    signing.formats = forms.to_vec();
    signing.recursive = recursive;
    request.signing = Some(signing);
    done(request, &context()).await;
    kinds(&registry)
}

const BUNDLE: &[SignatureFormat] = &[SignatureFormat::Bundle];
const BOTH: &[SignatureFormat] = &[SignatureFormat::Bundle, SignatureFormat::Legacy];

/// The config of a bundle's manifest is that of the example's attestations, so it is there.
#[tokio::test]
async fn signing_where_the_registry_lists_referrers() {
    insta::assert_snapshot!(signed_in_place(Profile::plain(), BUNDLE).await, @r"
    1 x GET blobs 200
    1 x GET manifests 200
    1 x GET referrers 200
    1 x HEAD blobs 200
    1 x POST blobs/uploads 201
    1 x PUT manifests 201
    ");
    insta::assert_snapshot!(signed_in_place(Profile::plain(), BOTH).await, @r"
    2 x GET blobs 200
    2 x GET manifests 200
    2 x GET manifests 404
    1 x GET referrers 200
    1 x HEAD blobs 200
    3 x POST blobs/uploads 201
    2 x PUT manifests 201
    ");
}

/// The index and its four manifests: the registry is asked once whether it lists referrers.
#[tokio::test]
async fn signing_each_manifest_of_an_index() {
    let recursive = |profile| signed_in_place_as(profile, BUNDLE, true);
    insta::assert_snapshot!(recursive(Profile::plain()).await, @r"
    5 x GET blobs 200
    1 x GET manifests 200
    5 x GET referrers 200
    1 x HEAD blobs 200
    5 x POST blobs/uploads 201
    5 x PUT manifests 201
    ");
    insta::assert_snapshot!(recursive(Profile::distribution()).await, @r"
    5 x GET blobs 200
    6 x GET manifests 200
    10 x GET manifests 404
    1 x GET referrers 404
    1 x HEAD blobs 200
    5 x POST blobs/uploads 202
    5 x PUT blobs/uploads 201
    10 x PUT manifests 201
    ");
}

/// Some registries have no list of referrers for a repository that has nothing yet: they are asked
/// while the first manifests are written, and again where they say then that they list one. They get
/// no tag in place of the list.
#[tokio::test]
async fn signing_what_is_pushed_to_a_new_repository() {
    for (profile, most, tags) in [
        (Profile::plain(), 1, 0),
        (Profile::plain().late_referrers(), 2, 0),
        (Profile::distribution(), 1, 1),
    ] {
        let registry = Registry::start(profile).await;
        let place = format!("{}/web", registry.host());
        let mut request = push(&example(), &[&place], "refs/heads/main");
        let mut signing = signing(&key());
        signing.formats = BUNDLE.to_vec();
        request.signing = Some(signing);
        done(request, &context()).await;
        let lines = registry.requests();
        let asked = lines.iter().filter(|line| line.contains("/referrers/"));
        let lists = registry.tags("web").into_keys();
        let lists = lists.filter(|tag| tag.starts_with("sha256-"));
        assert!((1..=most).contains(&asked.count()), "{lines:#?}");
        assert_eq!(lists.count(), tags, "{lines:#?}");
    }
}

/// Quay, and go-containerregistry's registry.
#[tokio::test]
async fn signing_where_the_registry_does_not_say_that_it_lists_referrers() {
    let profile = Profile::plain().oci_subject(false);
    insta::assert_snapshot!(signed_in_place(profile, BUNDLE).await, @r"
    1 x GET blobs 200
    1 x GET manifests 200
    2 x GET referrers 200
    1 x HEAD blobs 200
    1 x POST blobs/uploads 201
    1 x PUT manifests 201
    ");
}

#[tokio::test]
async fn signing_where_the_registry_takes_blobs_in_sessions_alone() {
    let profile = Profile::plain().single_posts(false);
    insta::assert_snapshot!(signed_in_place(profile, BUNDLE).await, @r"
    1 x GET blobs 200
    1 x GET manifests 200
    1 x GET referrers 200
    1 x HEAD blobs 200
    1 x POST blobs/uploads 202
    1 x PUT blobs/uploads 201
    1 x PUT manifests 201
    ");
}

#[tokio::test]
async fn signing_where_referrers_are_listed_under_a_tag() {
    insta::assert_snapshot!(signed_in_place(Profile::distribution(), BUNDLE).await, @r"
    1 x GET blobs 200
    2 x GET manifests 200
    2 x GET manifests 404
    1 x GET referrers 404
    1 x HEAD blobs 200
    1 x POST blobs/uploads 202
    1 x PUT blobs/uploads 201
    2 x PUT manifests 201
    ");
    insta::assert_snapshot!(signed_in_place(Profile::distribution(), BOTH).await, @r"
    2 x GET blobs 200
    3 x GET manifests 200
    3 x GET manifests 404
    1 x GET referrers 404
    1 x HEAD blobs 200
    3 x POST blobs/uploads 202
    3 x PUT blobs/uploads 201
    3 x PUT manifests 201
    ");
}
