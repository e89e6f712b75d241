//! What stands beside an image travels with it.

use serde_json::{Value, json};
use shipmark::referrers::{ReferrerKind, ReferrerSelection, SkipReason};
use shipmark::release::{Failure, ReleaseOutcome, ReleaseRequest};
use shipmark::signing::PublicKey;
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry, digest};
use crate::support::process::{Place, peak};
use crate::support::*;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry with the example image under `web:it`, and what a test puts beside it.
struct Source {
    registry: Registry,
    /// Whether lists have to be kept under tags.
    by_tag: bool,
}

impl Source {
    async fn start(profile: Profile, by_tag: bool) -> Self {
        let registry = Registry::start(profile).await;
        let place = format!("{}/team/web", registry.host());
        let mut request = push(&example(), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        let (context, _) = context_with(logged_in_to(&[&registry]));
        done(request, &context).await;
        Self { registry, by_tag }
    }

    fn reference(&self) -> String {
        format!("{}/team/web:it", self.registry.host())
    }

    /// The digest of the first platform.
    fn child(&self) -> String {
        let root = example_root().to_string();
        let (_, bytes) = self.registry.manifest("team/web", &root).unwrap();
        let index: Value = serde_json::from_slice(&bytes).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().to_owned()
    }

    /// Puts a referrer of `subject` in place, and tells its digest.
    fn attach(&self, subject: &str, kind: &str, predicate: &str, content: &str) -> String {
        let blobs = ["{}", content].map(|blob| self.registry.put_blob("team/web", blob.to_owned()));
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": blobs[0], "size": 2},
            "layers": [{"mediaType": kind, "digest": blobs[1], "size": content.len()}],
            "subject": {"mediaType": INDEX, "digest": subject, "size": 1},
        });
        if !predicate.is_empty() {
            manifest["annotations"] = json!({"dev.sigstore.bundle.predicateType": predicate});
        }
        self.put(subject, kind, manifest)
    }

    fn put(&self, subject: &str, kind: &str, manifest: Value) -> String {
        let bytes = manifest.to_string();
        let digest = digest(bytes.as_bytes());
        self.registry
            .put_manifest("team/web", &digest, MANIFEST, bytes.clone());
        if self.by_tag {
            let tag = subject.replace(':', "-");
            let list = self.registry.manifest("team/web", &tag);
            let mut list = list.map_or(
                json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}),
                |(_, bytes)| serde_json::from_slice(&bytes).unwrap(),
            );
            let mut entry = json!({
                "mediaType": MANIFEST, "digest": digest, "size": bytes.len(), "artifactType": kind,
            });
            if !manifest["annotations"].is_null() {
                entry["annotations"] = manifest["annotations"].clone();
            }
            list["manifests"].as_array_mut().unwrap().push(entry);
            self.registry
                .put_manifest("team/web", &tag, INDEX, list.to_string());
        }
        digest
    }

    /// Puts an image of cosign's older form under a tag, a layer for each text.
    fn tag(&self, subject: &str, ending: &str, layers: &[(&str, &str)]) -> String {
        put_tagged(&self.registry, subject, ending, layers)
    }

    /// All that the tests of pairs look for: its digests, and its tags.
    fn decorate(&self) -> (Vec<String>, Vec<String>) {
        let root = example_root().to_string();
        let child = self.child();
        let sign = "https://sigstore.dev/cosign/sign/v1";
        let sbom = self.attach(&child, "application/spdx+json", "", "an sbom");
        let referrers = vec![
            self.attach(&root, BUNDLE, sign, "a signature"),
            self.attach(
                &root,
                BUNDLE,
                "https://slsa.dev/provenance/v1",
                "how it was built",
            ),
            self.attach(&sbom, BUNDLE, sign, "a signature of the sbom"),
            sbom,
        ];
        let record = "https://shipmark.dev/attestation/release/v0.1";
        self.attach(&root, BUNDLE, record, "a record");
        self.attach(&root, "application/vnd.acme.coffee", "", "a cup");
        self.tag(&root, ".sig", &[("payload", "c2ln")]);
        self.tag(&child, ".att", &[("an attestation", "")]);
        let tags = vec![
            format!("{}.sig", root.replace(':', "-")),
            format!("{}.att", child.replace(':', "-")),
        ];
        (referrers, tags)
    }
}

fn put_tagged(registry: &Registry, subject: &str, ending: &str, layers: &[(&str, &str)]) -> String {
    let config = registry.put_blob("team/web", format!("{{\"of\":\"{}\"}}", layers.len()));
    let layers: Vec<Value> = layers
        .iter()
        .map(|(content, signature)| {
            json!({
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": registry.put_blob("team/web", (*content).to_owned()),
                "size": content.len(),
                "annotations": {"dev.cosignproject.cosign/signature": signature},
            })
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 10},
        "layers": layers,
    });
    let tag = format!("{}{ending}", subject.replace(':', "-"));
    registry.put_manifest("team/web", &tag, MANIFEST, manifest.to_string())
}

fn request(source: &Source, to: &str) -> ReleaseRequest {
    let mut request = promote(&source.reference(), &[to], "refs/heads/main");
    request.rules = TagRules::parse(["released"]).unwrap();
    request.referrers = ReferrerSelection::Known;
    request
}

fn writes(registry: &Registry) -> Vec<String> {
    let is_write = |line: &String| !line.starts_with("GET ") && !line.starts_with("HEAD ");
    registry.requests().into_iter().filter(is_write).collect()
}

fn counts(outcome: &ReleaseOutcome) -> (u64, u64) {
    let beside = &outcome.destinations[0].referrers;
    let sum = |counts: &std::collections::BTreeMap<ReferrerKind, u64>| counts.values().sum();
    (sum(&beside.copied), sum(&beside.present))
}

/// What a registry lists about `subject`, by its own list or the one under a tag.
fn listed(registry: &Registry, by_tag: bool, subject: &str) -> Vec<Value> {
    if !by_tag {
        return registry.referrers("team/web", subject);
    }
    let list = registry.manifest("team/web", &subject.replace(':', "-"));
    let list: Value = list.map_or(json!({}), |(_, list)| {
        serde_json::from_slice(&list).unwrap()
    });
    list["manifests"].as_array().cloned().unwrap_or_default()
}

/// Registries by name, and whether their referrers are listed under tags.
fn profiles() -> Vec<(&'static str, Profile, bool)> {
    vec![
        ("plain", Profile::plain(), false),
        ("distribution", Profile::distribution(), true),
        ("ghcr", Profile::ghcr(), true),
        ("gitlab", Profile::gitlab(), true),
        ("artifactory", Profile::artifactory(), true),
        ("harbor", Profile::harbor(), false),
    ]
}

#[tokio::test]
async fn promise_2_what_stands_beside_an_image_travels_before_a_tag_names_it() {
    for (from, profile, by_tag) in profiles() {
        let source = Source::start(profile, by_tag).await;
        let (referrers, tags) = source.decorate();
        for (to, profile, by_tag) in profiles() {
            let target = Registry::start(profile).await;
            let place = format!("{}/team/web", target.host());
            let (context, _) = context_with(logged_in_to(&[&source.registry, &target]));
            let outcome = done(request(&source, &place), &context).await;
            assert_eq!(counts(&outcome), (6, 0), "{from} to {to}");
            let left = outcome.destinations[0].referrers.skipped.iter();
            let left: Vec<_> = left.map(|left| (left.kind.id(), left.reason)).collect();
            assert_eq!(
                left,
                [
                    ("record", SkipReason::ReleaseRecord),
                    ("application/vnd.acme.coffee", SkipReason::UnknownKind)
                ]
            );
            let log = target.requests();
            let written = |digest: &str| {
                let put = format!("PUT /v2/team/web/manifests/{digest} ");
                log.iter().position(|line| line.starts_with(&put))
            };
            for digest in &referrers {
                let bytes = |registry: &Registry| registry.manifest("team/web", digest);
                assert_eq!(bytes(&target), bytes(&source.registry), "{from} to {to}");
                let manifest: Value = serde_json::from_slice(&bytes(&target).unwrap().1).unwrap();
                let subject = manifest["subject"]["digest"].as_str().unwrap();
                assert!(
                    written(subject) < written(digest),
                    "{from} to {to}: {log:#?}"
                );
                let list = listed(&target, by_tag, subject);
                let entry = list.iter().find(|entry| entry["digest"] == **digest);
                let entry =
                    entry.unwrap_or_else(|| panic!("{from} to {to}: {digest} of {subject}"));
                assert_eq!(entry["artifactType"], manifest["artifactType"]);
                assert_eq!(entry["annotations"], manifest["annotations"]);
            }
            for tag in &tags {
                let named = |registry: &Registry| registry.manifest("team/web", tag);
                assert_eq!(
                    named(&target),
                    named(&source.registry),
                    "{from} to {to}: {tag}"
                );
            }
            let last = log
                .iter()
                .rposition(|line| line.starts_with("PUT"))
                .unwrap();
            assert!(log[last].contains("/manifests/released "), "{log:#?}");
            assert_eq!(target.dangling(), Vec::<String>::new());
            assert_eq!(target.open_uploads(), 0);
            // Nothing travels twice, and nothing is written.
            target.clear_log();
            let again = done(request(&source, &place), &context).await;
            assert!(!again.has_changes(), "{from} to {to}");
            assert_eq!(counts(&again), (0, 6), "{from} to {to}");
            assert_eq!(writes(&target), Vec::<String>::new(), "{from} to {to}");
        }
    }
}

#[tokio::test]
async fn unreadable_is_not_none() {
    let source = Source::start(Profile::plain(), false).await;
    source.decorate();
    let html = Effect::status_with(
        200,
        &[("content-type", "text/html")],
        "<html>sign in</html>",
    );
    // A list that says nothing of what is in it was taken for an empty one.
    let bare = Effect::status_with(200, &[], r#"{"schemaVersion":2}"#);
    for (part, effect, said) in [
        ("/referrers/", Effect::status(429), "429"),
        ("/referrers/", Effect::status(403), "403"),
        ("/referrers/", Effect::status(500), "500"),
        (
            "/referrers/",
            html.clone(),
            "does not say whether it lists referrers",
        ),
        ("/referrers/", bare, "not a list of referrers"),
        ("/tags/list", Effect::status(503), "503"),
        (".sig", Effect::status(403), "403"),
        (".att", html, "answered with a web page"),
    ] {
        let target = Registry::start(Profile::plain()).await;
        let place = format!("{}/team/web", target.host());
        source
            .registry
            .fault(Fault::on("GET", part, effect).always());
        let (failure, text) = failed(request(&source, &place), &context()).await;
        source.registry.clear_faults();
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains(said) && text.contains("source"), "{text}");
        assert_eq!(writes(&target), Vec::<String>::new(), "{part}");
    }
    // A registry that lists no tags is asked for each of them.
    source
        .registry
        .fault(Fault::on("GET", "/tags/list", Effect::status(403)).always());
    let target = Registry::start(Profile::plain()).await;
    let place = format!("{}/team/web", target.host());
    let outcome = done(request(&source, &place), &context()).await;
    assert_eq!(counts(&outcome), (6, 0));
}

#[tokio::test]
async fn what_others_have_put_at_the_destination_stays() {
    for (profile, by_tag) in [(Profile::plain(), false), (Profile::distribution(), true)] {
        let source = Source::start(Profile::plain(), false).await;
        source.decorate();
        let target = Source::start(profile, by_tag).await;
        let root = example_root().to_string();
        let others = target.attach(&root, "application/spdx+json", "", "another sbom");
        target.tag(&root, ".sig", &[("another payload", "b3RoZXI=")]);
        target.tag(&target.child(), ".att", &[("an attestation", "")]);
        let place = format!("{}/team/web", target.registry.host());
        let outcome = done(request(&source, &place), &context()).await;
        assert_eq!(counts(&outcome), (5, 1), "one attestation was there");
        let list = listed(&target.registry, by_tag, &root);
        assert_eq!(list.len(), 3, "{list:?}");
        assert!(list.iter().any(|entry| entry["digest"] == *others));
        let sig = format!("{}.sig", root.replace(':', "-"));
        let (_, sig) = target.registry.manifest("team/web", &sig).unwrap();
        let sig: Value = serde_json::from_slice(&sig).unwrap();
        let signatures: Vec<&str> = sig["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| {
                let signature = &layer["annotations"]["dev.cosignproject.cosign/signature"];
                signature.as_str().unwrap()
            })
            .collect();
        assert_eq!(
            signatures,
            ["b3RoZXI=", "c2ln"],
            "others' first, ours appended"
        );
        assert_eq!(target.registry.dangling(), Vec::<String>::new());
        target.registry.clear_log();
        let again = done(request(&source, &place), &context()).await;
        assert_eq!(counts(&again), (0, 6));
        assert_eq!(writes(&target.registry), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_sbom_under_a_tag_is_not_written_over() {
    let source = Source::start(Profile::plain(), false).await;
    let root = example_root().to_string();
    source.tag(&root, ".sbom", &[("an sbom", "")]);
    let target = Source::start(Profile::plain(), false).await;
    let there = target.tag(&root, ".sbom", &[("another", "")]);
    let place = format!("{}/team/web", target.registry.host());
    let outcome = done(request(&source, &place), &context()).await;
    assert_eq!(counts(&outcome), (0, 0));
    let left = &outcome.destinations[0].referrers.skipped;
    assert_eq!((left[0].reason, left.len()), (SkipReason::TagConflict, 1));
    let tag = format!("{}.sbom", root.replace(':', "-"));
    assert_eq!(target.registry.tags("team/web")[&tag], there);
}

#[tokio::test]
async fn a_registry_of_immutable_tags_is_found_out_before_anything_is_written() {
    for (profile, by_tag) in [
        (Profile::plain(), false),
        (Profile::distribution(), true),
        (Profile::harbor(), false),
    ] {
        let source = Source::start(Profile::plain(), false).await;
        source.decorate();
        let target = Source::start(profile.immutable_tags("sha256-*"), by_tag).await;
        let root = example_root().to_string();
        target.attach(&root, "application/spdx+json", "", "another sbom");
        target.tag(&root, ".sig", &[("another payload", "b3RoZXI=")]);
        let elsewhere = Registry::start(Profile::plain()).await;
        let places = [&target.registry, &elsewhere].map(|at| format!("{}/team/web", at.host()));
        let mut request = request(&source, &places[0]);
        request.destinations.push(places[1].parse().unwrap());
        let (context, _) = context_with(logged_in_to(&[&target.registry]));
        let (failure, text) = failed(request, &context).await;
        assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
        assert!(text.contains("exclude tags that match sha256-*"), "{text}");
        assert!(!target.registry.tags("team/web").contains_key("released"));
        assert_eq!(elsewhere.tags("team/web").len(), 0);
    }
}

#[tokio::test]
async fn a_layout_takes_and_gives_what_stands_beside_an_image() {
    let source = Source::start(Profile::distribution(), true).await;
    let (referrers, tags) = source.decorate();
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("layout").display());
    let outcome = done(request(&source, &layout), &context()).await;
    assert_eq!(counts(&outcome), (6, 0));
    let index = || std::fs::read(disk.path().join("layout/index.json")).unwrap();
    let before = index();
    let again = done(request(&source, &layout), &context()).await;
    assert_eq!((counts(&again), again.has_changes()), ((0, 6), false));
    assert_eq!(index(), before);
    // And on from there, pushed or promoted, as a directory or an archive.
    let archive = disk.path().join("layout.tar");
    let file = std::fs::File::create(&archive).unwrap();
    let mut tar = tar::Builder::new(file);
    tar.append_dir_all(".", disk.path().join("layout")).unwrap();
    tar.finish().unwrap();
    for from in [
        format!("{layout}:released"),
        format!("oci-archive:{}:released", archive.display()),
    ] {
        for (profile, by_tag) in [(Profile::plain(), false), (Profile::distribution(), true)] {
            let target = Registry::start(profile).await;
            let place = format!("{}/team/web", target.host());
            let mut request = push(&from, &[&place], "refs/heads/main");
            request.rules = TagRules::parse(["it"]).unwrap();
            request.referrers = ReferrerSelection::Known;
            let outcome = done(request, &context()).await;
            assert_eq!(counts(&outcome), (6, 0), "{from}");
            for digest in &referrers {
                let (_, bytes) = target.manifest("team/web", digest).unwrap();
                let manifest: Value = serde_json::from_slice(&bytes).unwrap();
                let subject = manifest["subject"]["digest"].as_str().unwrap();
                let list = listed(&target, by_tag, subject);
                assert!(list.iter().any(|entry| entry["digest"] == **digest));
            }
            for tag in &tags {
                let at_source = &source.registry.tags("team/web")[tag];
                assert_eq!(&target.tags("team/web")[tag], at_source);
            }
        }
    }
}

/// A layout that regctl wrote, with signatures that cosign made: a `.sig` tag, a bundle that an index
/// under a tag lists.
#[tokio::test]
async fn signatures_that_cosign_made_are_good_where_they_travel_to() {
    let pem = std::fs::read_to_string(image("regctl-layout-signed.pub")).unwrap();
    let key = PublicKey::parse(&pem).unwrap();
    let layout = format!("oci:{}:1.4.2", image("regctl-layout-signed").display());
    for profile in [Profile::plain(), Profile::distribution()] {
        let [dev, prod] = [
            Registry::start(profile.clone()).await,
            Registry::start(profile).await,
        ];
        let places = [&dev, &prod].map(|registry| format!("{}/web", registry.host()));
        let mut first = push(&layout, &[&places[0]], "refs/heads/main");
        first.rules = TagRules::parse(["it"]).unwrap();
        first.referrers = ReferrerSelection::Known;
        done(first.clone(), &context()).await;
        let mut second = promote(
            &format!("{}:it", places[0]),
            &[&places[1]],
            "refs/heads/main",
        );
        second.rules = first.rules;
        second.referrers = ReferrerSelection::Known;
        let outcome = done(second, &context()).await;
        let kinds: Vec<_> = outcome.destinations[0].referrers.copied.iter().collect();
        assert_eq!(kinds, [(&ReferrerKind::Signature, &2)]);
        let request = shipmark::release::VerifyRequest {
            source: format!("{}:it", places[1]).parse().unwrap(),
            recursive: false,
        };
        let check = async { Ok(keys::signed_by(&key)) };
        let found = shipmark::release::verify(&request, check, &context())
            .await
            .unwrap();
        let good: Vec<_> = found
            .signatures
            .iter()
            .map(|one| one.result.is_ok())
            .collect();
        assert_eq!(good, [true, true], "{found:?}");
    }
}

#[tokio::test]
async fn nothing_is_looked_for_where_nothing_is_to_travel() {
    let source = Source::start(Profile::plain(), false).await;
    source.decorate();
    let asked = |registry: &Registry| {
        registry
            .requests()
            .iter()
            .filter(|line| line.contains("/referrers/") || line.contains("/sha256-"))
            .count()
    };
    // Another tag in the same repository: all of it is there.
    let place = format!("{}/team/web", source.registry.host());
    done(request(&source, &place), &context()).await;
    assert_eq!(asked(&source.registry), 0);
    let target = Registry::start(Profile::plain()).await;
    let place = format!("{}/team/web", target.host());
    let mut none = request(&source, &place);
    none.referrers = ReferrerSelection::None;
    done(none, &context()).await;
    assert_eq!(asked(&source.registry) + asked(&target), 0);
}

#[tokio::test]
async fn all_takes_along_what_is_not_known_and_never_a_record() {
    let source = Source::start(Profile::plain(), false).await;
    source.decorate();
    let target = Registry::start(Profile::plain()).await;
    let place = format!("{}/team/web", target.host());
    let mut all = request(&source, &place);
    all.referrers = ReferrerSelection::All;
    let outcome = done(all, &context()).await;
    assert_eq!(counts(&outcome), (7, 0));
    let left = &outcome.destinations[0].referrers.skipped;
    assert_eq!((left.len(), left[0].reason), (1, SkipReason::ReleaseRecord));
}

/// 1,000 tags in the source, 5,000 referrers of one image.
#[tokio::test]
async fn more_than_can_travel_is_said() {
    let source = Source::start(Profile::plain().page_size(500), false).await;
    let root = example_root().to_string();
    for number in 0..1_000 {
        let digest = root.clone();
        let (kind, bytes) = source.registry.manifest("team/web", &digest).unwrap();
        let tag = format!("build-{number}");
        source.registry.put_manifest("team/web", &tag, &kind, bytes);
    }
    for number in 0..5_000 {
        source.attach(
            &root,
            "application/sarif+json",
            "",
            &format!("scan {number}"),
        );
    }
    source.attach(
        &root,
        BUNDLE,
        "https://sigstore.dev/cosign/sign/v1",
        "a signature",
    );
    let target = Registry::start(Profile::plain()).await;
    let place = format!("{}/team/web", target.host());
    let (context, said) = context_with(settings());
    let mut request = request(&source, &place);
    request.dry_run = true;
    let outcome = done(request, &context).await;
    let beside = &outcome.destinations[0].referrers;
    assert_eq!(
        beside.copied[&ReferrerKind::Signature],
        1,
        "signatures go first"
    );
    assert_eq!(beside.copied[&ReferrerKind::Scan], 999);
    assert_eq!(
        (beside.skipped[0].reason, beside.skipped[0].count),
        (SkipReason::LimitExceeded, 4_001)
    );
    assert!(
        said.text()
            .contains("4001 scan reports, more than 1000 referrers")
    );
    assert_eq!(
        source
            .registry
            .count_of(&format!("GET /v2/team/web/referrers/{root}")),
        11
    );
}

/// 5,000 about one image, in a repository with 1,000 tags, page by page: by default memory is bounded
/// by how many may travel. With `all` it grows with their number, by some 8 KiB each.
#[tokio::test(flavor = "multi_thread")]
async fn the_memory_for_referrers_is_bounded_by_how_many_may_travel() {
    let mut peaks = Vec::new();
    for many in [10, 5_000] {
        let source = Source::start(Profile::plain().page_size(500), false).await;
        let root = example_root().to_string();
        let (kind, bytes) = source.registry.manifest("team/web", &root).unwrap();
        for number in 0..1_000 {
            let tag = format!("build-{number}");
            let bytes = bytes.clone();
            source.registry.put_manifest("team/web", &tag, &kind, bytes);
        }
        for number in 0..many {
            let scan = format!("scan {number}");
            source.attach(&root, "application/sarif+json", "", &scan);
        }
        let target = Registry::start(Profile::plain()).await;
        let place = Place::new();
        let mut command = place.command();
        command
            .arg("promote")
            .arg(format!("--source={}", source.reference()))
            .arg(format!("--images={}/team/web", target.host()))
            .args(["--tags=released", "--ref=refs/heads/main"])
            .args(["--referrers=known", "--dry-run"]);
        let ran = tokio::task::spawn_blocking(move || peak(command));
        let (status, most) = ran.await.unwrap();
        assert_eq!(status.code(), Some(0));
        peaks.push(most);
    }
    let (few, many) = (peaks[0], peaks[1]);
    assert!(many < few + (20 << 10), "{few} KiB, then {many} KiB");
}
