//! Records in registries that make it hard.

use serde_json::{Value, json};
use shipmark::layout::LayoutDirectory;
use shipmark::record::ReleaseMark;
use shipmark::release::{MarkRequest, ReleaseVerb, SignatureFormat, TimelineRequest, mark};
use shipmark::tagging::TagRules;

use super::*;
use crate::registry::{Auth, TokenRules};

/// Names that do not move.
fn without_moving_tags(mut request: ReleaseRequest, version: &str) -> ReleaseRequest {
    request.rules = TagRules::parse([version]).unwrap();
    request
}

#[tokio::test]
async fn a_registry_of_immutable_tags_takes_records_where_the_rules_leave_moving_tags_out() {
    for profile in [Profile::plain(), Profile::ecr(), Profile::harbor()] {
        let profile = profile.auth(Auth::None).immutable_tags("*");
        let stage = Stage::start(profile).await;
        for (number, version) in [(1, "1.4.0"), (2, "1.4.1"), (3, "1.5.0")] {
            stage.build(number, version);
            let now = i64::from(number);
            let request = stage.promotion(version, now, u64::from(number));
            let request = without_moving_tags(request, version);
            done(request.clone(), &context()).await;
            assert!(!done(request, &context()).await.has_changes(), "{version}");
        }
        let entries = stage.entries();
        assert_eq!(entries.len(), 3);
        let newest = record(&stage.registry, "prod", &entries[2]).predicate;
        assert_eq!(newest.past.len(), 2);
        assert_eq!(newest.previous, [newest.past[0].record]);
    }
}

/// The list under a tag is written once, with the signature and the record.
#[tokio::test]
async fn a_registry_of_immutable_lists_takes_a_record_with_a_signature() {
    let profile = Profile::plain().referrers(false);
    let stage = Stage::start(profile.immutable_tags("sha256-*")).await;
    let image = stage.build(1, "1.4.0");
    let mut request = stage.promotion("1.4.0", 0, 1);
    let mut signing = keys::signing(&keys::key());
    signing.formats = vec![SignatureFormat::Bundle];
    request.signing = Some(signing);
    done(request, &context()).await;
    let list = image.digest().replace(':', "-");
    let (_, list) = stage.registry.manifest("prod", &list).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list["manifests"].as_array().unwrap().len(), 2, "{list}");
    assert_eq!(stage.entries().len(), 1);
}

/// No answer of a registry tells before a write that its rule holds a moving tag. The run ends before its entry,
/// says what to exclude, and its repetition completes the same record.
#[tokio::test]
async fn a_rule_of_the_registry_that_holds_the_environments_tag_is_named() {
    let stage = Stage::start(Profile::plain().immutable_tags("prod")).await;
    let old = stage.build(1, "1.4.0");
    let new = stage.build(2, "1.5.0");
    stage.promote("1.4.0", 0, 1).await;
    let failure = run(&stage.promotion("1.5.0", 1, 2), &context()).await;
    let Err(Failure::Refused(diagnostic)) = failure else {
        panic!("{failure:?}");
    };
    let text = diagnostic.to_string();
    for part in [
        "exclude it from the registry's rule",
        "or leave it out by the tag rules; then repeat the run",
        "By now the image is there as 1.5.0",
        "and the release has no record yet",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(stage.entries().len(), 1, "the entry is last");
    assert_eq!(stage.registry.tags("prod")["prod"], old.digest());
    assert_eq!(stage.registry.dangling(), Vec::<String>::new());
    // The rules leave it out from now on.
    let mut request = stage.promotion("1.5.0", 9, 2);
    request.environment = None;
    let outcome = done(request, &context()).await;
    let result = outcome.destinations[0].record.clone().unwrap();
    assert!(result.is_new && !result.is_intent_new);
    assert_eq!(result.planned_at, minute(1), "the intent's time");
    assert_eq!(stage.entries().len(), 2);
    assert_eq!(stage.registry.referrers("prod", &new.digest()).len(), 1);
    assert_eq!(stage.registry.tags("prod")["prod"], old.digest());
}

/// Without the referrers API each further record of an image is added to a tag, which such a rule holds.
#[tokio::test]
async fn a_rule_of_the_registry_that_holds_the_list_of_referrers_is_named_before_the_entry() {
    let profile = Profile::plain().referrers(false).immutable_tags("*");
    let stage = Stage::start(profile).await;
    stage.build(1, "1.4.0");
    let request = stage.promotion("1.4.0", 0, 1);
    done(without_moving_tags(request, "1.4.0"), &context()).await;
    let before = stage.registry.tags("prod");
    let again = MarkRequest {
        timeline: TimelineRequest {
            location: location("prod", &stage.place("prod")),
            account: account(1, 2),
            signer: None,
            adds_summary: false,
        },
        state: ReleaseMark::Deployed,
        release: None,
    };
    let failure = mark(&again, &context()).await.unwrap_err();
    let Failure::Refused(diagnostic) = failure else {
        panic!("{failure:?}");
    };
    let text = diagnostic.to_string();
    for part in ["signatures and records", "exclude tags that match sha256-*"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(stage.registry.tags("prod"), before, "no entry");
}

#[tokio::test]
async fn a_release_with_moving_tags_only_is_warned_about() {
    for (tags, is_warned) in [(&["edge"][..], true), (&["edge", "1.4.0"], false)] {
        let stage = Stage::start(Profile::plain()).await;
        stage.build(1, "1.4.0");
        let mut request = stage.promotion("1.4.0", 0, 1);
        request.rules = TagRules::parse(tags.iter().copied()).unwrap();
        let (context, said) = context_with(settings());
        done(request, &context).await;
        let warning = "only moving tags (edge) name this release";
        assert_eq!(said.text().contains(warning), is_warned, "{tags:?}");
    }
}

/// The answer to the entry's PUT is lost, and the same PUT again is refused, though the tag names just this.
#[tokio::test]
async fn promise_2_an_entry_whose_answer_was_lost_is_ours() {
    for profile in [Profile::plain(), Profile::ecr(), Profile::harbor()] {
        let stage = Stage::start(profile.auth(Auth::None).immutable_tags("*")).await;
        stage.build(1, "1.4.0");
        let lost = Fault::on("PUT", "/manifests/shipmark.", Effect::ResetAfter);
        stage.registry.fault(lost);
        stage.promote("1.4.0", 0, 1).await;
        assert_eq!(stage.entries().len(), 1);
    }
}

#[tokio::test]
async fn a_registry_that_lists_referrers_late_or_not_at_all_gets_records() {
    for profile in [
        Profile::plain().late_referrers(),
        Profile::plain().referrers(false),
        Profile::plain().oci_subject(false),
        Profile::distribution(),
    ] {
        let stage = Stage::start(profile.auth(Auth::None)).await;
        for (number, version) in [(1, "1.4.0"), (2, "1.5.0")] {
            stage.build(number, version);
            let (now, run) = (i64::from(number), u64::from(number));
            stage.promote(version, now, run).await;
            let again = stage.promote(version, now + 1, run + 10).await;
            assert!(!again.has_changes(), "{version}: the intent is found");
        }
        assert_eq!(stage.entries().len(), 2);
    }
}

#[tokio::test]
async fn entries_may_be_in_another_repository() {
    let rules = TokenRules::new("test").anonymous("*", &["pull", "push"]);
    for auth in [Auth::None, Auth::TokenHost(rules)] {
        let stage = Stage::start(Profile::plain().auth(auth)).await;
        let elsewhere = |version: &str, now, run| {
            let mut request = stage.promotion(version, now, run);
            let options = request.record.as_mut().unwrap();
            options.entries_at = Some(stage.place("records").parse().unwrap());
            request
        };
        for (number, version) in [(1, "1.4.0"), (2, "1.5.0")] {
            stage.build(number, version);
            let (now, run) = (i64::from(number), u64::from(number));
            done(elsewhere(version, now, run), &context()).await;
            let again = done(elsewhere(version, now + 1, run + 10), &context()).await;
            assert!(!again.has_changes());
        }
        assert_eq!(stage.entries(), [] as [&str; 0]);
        let entries = entries(&stage.registry, "records");
        let newest = record(&stage.registry, "records", &entries[1]).predicate;
        assert_eq!(newest.destination, stage.place("prod"));
        assert_eq!(newest.past.len(), 1);
        assert_eq!(stage.registry.dangling(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_layout_has_a_timeline_of_its_own() {
    let stage = Stage::start(Profile::plain()).await;
    let disk = tempfile::tempdir().unwrap();
    let folder = disk.path().join("prod");
    let place = format!("oci:{}", folder.display());
    let mut newest = None;
    for (number, version) in [(1, "1.4.0"), (2, "1.5.0")] {
        stage.build(number, version);
        let source = format!("{}:{version}", stage.place("stage"));
        let request = promote(&source, &[&place], "refs/heads/main");
        let request = recorded(request, "prod", i64::from(number), u64::from(number));
        let outcome = done(request.clone(), &context()).await;
        newest = outcome.destinations[0].record.clone();
        let mut again = request;
        again.record = Some(options("prod", 5, 9));
        assert!(!done(again, &context()).await.has_changes(), "{version}");
    }
    let layout = LayoutDirectory::open(&folder).await.unwrap();
    let tags = layout.tags().await.unwrap();
    let entries: Vec<_> = tags
        .iter()
        .filter(|tag| tag.as_str().starts_with("shipmark."))
        .collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(Some(entries[1]), newest.unwrap().entry.as_ref());
    // The image is still found by its tag, and everything below it is there.
    for tag in ["prod", "1.5.0"] {
        let source = format!("{place}:{tag}");
        let copy = format!("{}/copy", stage.registry.host());
        done(promote(&source, &[&copy], "refs/heads/main"), &context()).await;
    }
}

/// What registries answer where a quota is reached: Quay, Harbor, Amazon ECR, and storage that is full.
const QUOTA_ANSWERS: [(u16, &str, &str); 7] = [
    (403, "DENIED", "Quota has been exceeded on namespace"),
    (
        403,
        "DENIED",
        "adding 2.1 MiB of storage resource, which when updated to current usage of 8.3 MiB will exceed the configured upper limit of 10.0 MiB.",
    ),
    (
        403,
        "DENIED",
        "The repository with name 'prod' exceeded the maximum number of images allowed",
    ),
    (
        403,
        "DENIED",
        "Adding tag '1.4.0' to an image in the repository with name 'prod' exceeds the maximum allowed number of tags per image which is '1000'",
    ),
    (413, "DENIED", "the storage quota of team is reached"),
    (
        429,
        "TOOMANYREQUESTS",
        "the storage limit of team is reached",
    ),
    (507, "UNKNOWN", ""),
];

#[tokio::test]
async fn promise_2_a_quota_that_is_reached_ends_the_run_before_any_tag() {
    for (status, code, message) in QUOTA_ANSWERS {
        let body = json!({"errors": [{"code": code, "message": message}]}).to_string();
        for (method, part) in [
            ("POST", "/v2/prod/blobs/uploads/"),
            ("PUT", "/v2/prod/manifests/sha256:"),
        ] {
            let stage = Stage::start(Profile::plain().mounts(false)).await;
            stage.build(1, "1.4.0");
            let headers = [("content-type", "application/json")];
            let effect = Effect::status_with(status, &headers, &body);
            stage
                .registry
                .fault(Fault::on(method, part, effect).always());
            let failure = run(&stage.promotion("1.4.0", 0, 1), &context()).await;
            let Err(Failure::Service(diagnostic)) = failure else {
                panic!("{status} {method}: {failure:?}");
            };
            let text = diagnostic.to_string();
            assert!(
                text.contains("raise the quota"),
                "{status} {method}: {text}"
            );
            assert_eq!(diagnostic.access_problem, None);
            assert_eq!(stage.registry.tags("prod").len(), 0, "{status} {method}");
        }
    }
}

/// A registry with a limit of tags per repository takes the image and refuses a tag, or the entry after all tags.
#[tokio::test]
async fn promise_2_a_limit_of_tags_is_named_and_a_repetition_completes_the_record() {
    const ANSWER: &str =
        r#"{"errors":[{"code":"DENIED","message":"the limit of 100 tags is exceeded"}]}"#;
    for part in ["/v2/prod/manifests/1.4.0", "/v2/prod/manifests/shipmark."] {
        let stage = Stage::start(Profile::plain()).await;
        let image = stage.build(1, "1.4.0");
        let effect = Effect::status_with(413, &[("content-type", "application/json")], ANSWER);
        stage
            .registry
            .fault(Fault::on("PUT", part, effect).always());
        let failure = run(&stage.promotion("1.4.0", 0, 1), &context()).await;
        let Err(Failure::Service(diagnostic)) = failure else {
            panic!("{part}: {failure:?}");
        };
        let text = diagnostic.to_string();
        assert!(text.contains("raise the quota"), "{part}: {text}");
        assert!(text.contains("delete tags"), "{part}: {text}");
        assert!(!text.contains("the tags still point"), "{part}: {text}");
        assert_eq!(stage.entries(), [] as [&str; 0]);
        stage.registry.clear_faults();
        let mut again = stage.promotion("1.4.0", 9, 1);
        let account = &mut again.record.as_mut().unwrap().account;
        account.run.as_mut().unwrap().attempt = Some(2);
        let outcome = done(again, &context()).await;
        let result = outcome.destinations[0].record.clone().unwrap();
        assert!(result.is_new && !result.is_intent_new, "{part}");
        assert_eq!(stage.registry.tags("prod")["prod"], image.digest());
    }
}

/// An image that `docker/build-push-action` has pushed by digest gets its names and its record in place.
#[tokio::test]
async fn a_push_of_a_digest_that_is_in_the_repository_is_recorded_in_place() {
    let stage = Stage::start(Profile::plain()).await;
    let image = MadeImage::new(1, &[("revision", COMMIT)]);
    image.put(&stage.registry, "dev", &[]);
    let place = stage.place("dev");
    let source = format!("{place}@{}", image.digest());
    let request = request(
        ReleaseVerb::Push,
        &source,
        &[&place],
        pushed("refs/heads/main"),
    );
    done(recorded(request, "dev", 0, 1), &context()).await;
    let tags = stage.registry.tags("dev");
    assert_eq!(tags["main"], image.digest());
    let entries = entries(&stage.registry, "dev");
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    let record = record(&stage.registry, "dev", entry);
    assert_eq!(record.root.to_string(), image.digest());
    assert_eq!(record.predicate.action, RecordAction::Push);
    assert_eq!(record.predicate.commit.unwrap().sha, COMMIT);
    let uploads = stage.registry.count_of("POST /v2/dev/blobs/uploads/");
    assert_eq!(uploads, 2, "the record and its empty config");
}

/// A list of 20,000 referrers, of which one is the intent.
#[tokio::test]
async fn the_intent_is_found_among_20000_referrers() {
    let stage = Stage::start(Profile::plain().page_size(5_000)).await;
    let image = stage.build(1, "1.4.0");
    let fault = Effect::status(500);
    stage
        .registry
        .fault(Fault::on("PUT", "manifests/shipmark.", fault).always());
    let died = run(&stage.promotion("1.4.0", 0, 1), &context()).await;
    assert!(died.is_err());
    stage.registry.clear_faults();
    for number in 1..20_000 {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/spdx+json",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": EMPTY, "size": 2},
            "layers": [],
            "subject": {"mediaType": "x/y", "digest": image.digest(), "size": 1},
            "annotations": {"number": number.to_string()},
        });
        put_referrer(&stage, &manifest);
    }
    assert_eq!(
        stage.registry.referrers("prod", &image.digest()).len(),
        20_000
    );
    let mut again = stage.promotion("1.4.0", 9, 1);
    again
        .record
        .as_mut()
        .unwrap()
        .account
        .run
        .as_mut()
        .unwrap()
        .attempt = Some(2);
    let mut patient = settings();
    patient.http.timing.stall = std::time::Duration::from_secs(60);
    let outcome = done(again, &context_with(patient).0).await;
    let result = outcome.destinations[0].record.clone().unwrap();
    assert!(result.is_new && !result.is_intent_new);
    assert_eq!(result.planned_at, minute(0));
}

const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn put_referrer(stage: &Stage, manifest: &Value) {
    let bytes = manifest.to_string();
    let digest = crate::registry::digest(bytes.as_bytes());
    let kind = manifest["mediaType"].as_str().unwrap();
    stage.registry.put_manifest("prod", &digest, kind, bytes);
}
