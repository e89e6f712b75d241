//! The account of an image: origin, evidence and environments.

use shipmark::record::{EntryState, RecordedBuild, ReleaseMark};
use shipmark::release::{
    InspectOutcome, InspectRequest, InspectSubject, MarkRequest, SignatureFormat, TimelineRequest,
    inspect, mark,
};
use shipmark::signing::Requirement;

use super::{Stage, commit};
use crate::registry::{Effect, Fault, Profile};
use crate::support::made_image::MadeImage;
use crate::support::recorded_stage::named;
use crate::support::records::*;
use crate::support::*;

fn request(subject: InspectSubject) -> InspectRequest {
    InspectRequest {
        subject,
        timelines: Vec::new(),
        finds_environments: true,
        signer: None,
        is_offline: false,
        clock: minute(60),
    }
}

async fn of_image(source: &str) -> InspectOutcome {
    let subject = InspectSubject::Image(source.parse().unwrap());
    inspect(&request(subject), &context()).await.unwrap()
}

async fn of_environment(place: &str) -> InspectOutcome {
    let subject = InspectSubject::Environment(location("prod", place));
    inspect(&request(subject), &context()).await.unwrap()
}

#[tokio::test]
async fn an_image_says_where_it_comes_from_and_where_it_is() {
    let stage = Stage::start(Profile::plain()).await;
    let first = stage.promote(1, "1.4.0").await.0.digest();
    let second = stage.promote(2, "1.4.1").await.0.digest();
    stage.registry.clear_log();
    let place = stage.place("prod");
    let shown = of_image(&format!("{place}:1.4.1")).await;
    let requests = stage.registry.requests();
    assert!(requests.len() <= 9, "{requests:#?}");
    assert_eq!(shown.image.root.to_string(), second);
    assert_eq!(shown.image.version.as_deref(), Some("1.4.1"));
    assert_eq!(shown.image.commit.as_ref().unwrap().sha, commit(2));
    assert_eq!(shown.image.origin_from, Some("record"));
    assert_eq!(shown.image.build, RecordedBuild::default());
    assert!(shown.evidence.is_empty(), "records are shown as releases");
    let [prod] = shown.environments.as_slice() else {
        panic!("{:?}", shown.environments);
    };
    assert_eq!(prod.environment.as_str(), "prod");
    assert_eq!(prod.state, Some(EntryState::Current));
    let release = prod.release.as_ref().unwrap();
    assert_eq!(release.predicate.planned_at, minute(2));
    let before = |it: &Option<(shipmark::image::Digest, Option<String>)>| {
        let (root, version) = it.clone().unwrap();
        (root.to_string(), version.unwrap())
    };
    let expected = (first.clone(), "1.4.0".to_owned());
    assert_eq!(before(&prod.before), expected);
    assert_eq!(before(&prod.good_before), expected);
    assert!(prod.unfinished.is_empty());
    let old = of_image(&format!("{place}@{first}")).await;
    assert_eq!(old.environments[0].state, Some(EntryState::Superseded));
    assert_eq!(old.environments[0].before, None);
    let current = of_environment(&place).await;
    assert_eq!(current.image.root.to_string(), second);
    assert_eq!(current.environments.len(), 1);
}

/// The version that the environment was on before an image, and the one that a rollback of it would put back.
async fn before_and_good(source: &str) -> [Option<String>; 2] {
    let shown = of_image(source).await;
    let [prod] = shown.environments.as_slice() else {
        panic!("{:?}", shown.environments);
    };
    [&prod.before, &prod.good_before].map(|it| it.clone().and_then(|(_, version)| version))
}

#[tokio::test]
async fn a_mark_of_another_release_says_where_a_rollback_goes() {
    let stage = Stage::start(Profile::plain()).await;
    for (number, version) in [(1, "1.3.0"), (2, "1.4.0"), (3, "1.4.1")] {
        stage.promote(number, version).await;
    }
    let source = format!("{}:1.4.1", stage.place("prod"));
    let versions = |good: &str| ["1.4.0", good].map(|it| Some(it.to_owned()));
    assert_eq!(before_and_good(&source).await, versions("1.4.0"));
    let marked = MarkRequest {
        timeline: TimelineRequest {
            location: location("prod", &stage.place("prod")),
            account: account(4, 4),
            signer: None,
            adds_summary: false,
        },
        state: ReleaseMark::Failed,
        release: Some(named("1.4.0")),
    };
    mark(&marked, &context()).await.unwrap();
    assert_eq!(before_and_good(&source).await, versions("1.3.0"));
}

#[tokio::test]
async fn an_image_follows_a_release_that_its_run_did_not_see() {
    let stage = Stage::start(Profile::plain()).await;
    stage.promote(1, "1.3.0").await;
    let seen = stage.registry.tags("prod");
    stage.promote(2, "1.4.0").await;
    let mut tags = stage.registry.tags("prod");
    stage.registry.set_tags("prod", seen);
    stage.promote(3, "1.4.1").await;
    tags.extend(stage.registry.tags("prod"));
    stage.registry.set_tags("prod", tags);
    let source = format!("{}:1.4.1", stage.place("prod"));
    let expected = ["1.4.0"; 2].map(|it| Some(it.to_owned()));
    assert_eq!(before_and_good(&source).await, expected);
}

#[tokio::test]
async fn a_release_without_an_entry_is_unfinished() {
    let stage = Stage::start(Profile::plain()).await;
    let image = stage.promote(1, "1.4.0").await.0;
    let mut tags = stage.registry.tags("prod");
    tags.retain(|tag, _| !tag.starts_with("shipmark."));
    stage.registry.set_tags("prod", tags);
    let shown = of_image(&format!("{}@{}", stage.place("prod"), image.digest())).await;
    let [prod] = shown.environments.as_slice() else {
        panic!("{:?}", shown.environments);
    };
    assert_eq!((prod.state, prod.lines.len()), (None, 0));
    assert!(prod.release.is_none());
    let [unfinished] = prod.unfinished.as_slice() else {
        panic!("{:?}", prod.unfinished);
    };
    assert_eq!(unfinished.predicate.version.as_deref(), Some("1.4.0"));
    // The labels say what no record that counts says.
    assert_eq!(shown.image.commit.unwrap().sha, commit(1));
    assert_eq!(shown.image.origin_from, Some("labels"));
}

#[tokio::test]
async fn what_nothing_says_is_unknown() {
    let stage = Stage::start(Profile::plain()).await;
    let image = MadeImage::new(1, &[]);
    image.put(&stage.registry, "prod", &["prod"]);
    let place = stage.place("prod");
    let shown = of_environment(&place).await;
    assert_eq!(shown.image.root.to_string(), image.digest());
    assert_eq!((shown.image.version, shown.image.commit), (None, None));
    assert!(shown.environments.is_empty() && shown.evidence.is_empty());
    stage.registry.set_tags("prod", Default::default());
    let subject = InspectSubject::Environment(location("prod", &place));
    let failure = inspect(&request(subject), &context()).await.unwrap_err();
    let text = failure.diagnostic().unwrap().to_string();
    assert!(text.contains("nothing says which image prod of"), "{text}");
}

#[tokio::test]
async fn an_environment_shows_its_own_version_of_an_image() {
    let stage = Stage::start(Profile::plain()).await;
    let image = MadeImage::new(1, &[]);
    image.put(&stage.registry, "build", &["1.0.0"]);
    let (stages, prod) = (stage.place("stage"), stage.place("prod"));
    for (number, source, to, name) in [
        (
            1,
            format!("{}:1.0.0", stage.place("build")),
            &stages,
            "stage",
        ),
        (2, format!("{stages}:1.1.0"), &prod, "prod"),
    ] {
        let request = promote(&source, &[to], "refs/heads/main");
        let request = recorded(request, name, number, number.unsigned_abs());
        done(request, &context()).await;
        image.put(&stage.registry, "stage", &["1.1.0"]);
    }
    let timelines = vec![location("stage", &stages), location("prod", &prod)];
    for (name, place, version) in [("prod", &prod, "1.1.0"), ("stage", &stages, "1.0.0")] {
        let by_digest = format!("{place}@{}", image.digest());
        for subject in [
            InspectSubject::Environment(location(name, place)),
            InspectSubject::Image(by_digest.parse().unwrap()),
        ] {
            let request = InspectRequest {
                timelines: timelines.clone(),
                finds_environments: false,
                ..request(subject)
            };
            let shown = inspect(&request, &context()).await.unwrap();
            assert_eq!(shown.environments.len(), 2);
            assert_eq!(shown.image.version.as_deref(), Some(version));
        }
    }
}

#[tokio::test]
async fn a_moved_tag_is_named() {
    let stage = Stage::start(Profile::plain()).await;
    let first = stage.promote(1, "1.4.0").await.0.digest();
    let second = stage.promote(2, "1.4.1").await.0.digest();
    let foreign = MadeImage::new(9, &[]);
    foreign.put(&stage.registry, "prod", &["1.4"]);
    let place = stage.place("prod");
    let mut tags = stage.registry.tags("prod");
    tags.insert("1.4.0".to_owned(), second.clone());
    tags.insert("prod".to_owned(), first.clone());
    tags.insert("latest".to_owned(), first.clone());
    stage.registry.set_tags("prod", tags);
    for (tag, expected, found) in [
        ("1.4.0", &first, &second),
        ("1.4", &second, &foreign.digest()),
        ("latest", &second, &first),
        ("prod", &second, &first),
    ] {
        let shown = of_image(&format!("{place}:{tag}")).await;
        let [prod] = shown.environments.as_slice() else {
            panic!("{tag}: {:?}", shown.environments);
        };
        let drift = prod.tag_drift.as_ref().unwrap();
        assert_eq!(drift.tag.as_str(), tag);
        assert_eq!(&drift.expected.unwrap().to_string(), expected, "{tag}");
        assert_eq!(&drift.found.unwrap().to_string(), found, "{tag}");
    }
    for name in [format!("{place}:1.4.1"), format!("{place}@{second}")] {
        let shown = of_image(&name).await;
        assert_eq!(shown.environments[0].tag_drift, None, "{name}");
    }
}

/// A registry that has begun to list referrers itself, and does not list those of the index under a tag.
#[tokio::test]
async fn a_signature_in_an_earlier_list_is_found() {
    let stage = Stage::start(Profile::plain()).await;
    let image = MadeImage::new(1, &[("version", "1.4.0")]);
    image.put(&stage.registry, "stage", &["1.4.0"]);
    let (source, place) = (stage.place("stage"), stage.place("prod"));
    let key = keys::key();
    let mut promotion = promote(&format!("{source}:1.4.0"), &[&place], "refs/heads/main");
    let mut signing = keys::signing(&key);
    signing.formats = vec![SignatureFormat::Bundle];
    promotion.signing = Some(signing);
    done(promotion, &context()).await;
    let by_digest = format!("{place}@{}", image.digest());
    let mut inspection = request(InspectSubject::Image(by_digest.parse().unwrap()));
    inspection.signer = Some(Requirement::Key {
        key: key.public().clone(),
        log: None,
    });
    let listed = inspect(&inspection, &context()).await.unwrap();
    let [bundle] = listed.evidence.as_slice() else {
        panic!("{:?}", listed.evidence);
    };
    let (kind, manifest) = stage.registry.manifest("prod", &bundle.at).unwrap();
    let index = "application/vnd.oci.image.index.v1+json";
    let list = |entries: serde_json::Value| {
        serde_json::json!({"schemaVersion": 2, "mediaType": index, "manifests": entries})
            .to_string()
    };
    let entry = serde_json::json!([{
        "mediaType": kind, "digest": bundle.at, "size": manifest.len(),
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    }]);
    let tag = image.digest().replace(':', "-");
    stage
        .registry
        .put_manifest("prod", &tag, index, list(entry));
    let none = list(serde_json::json!([]));
    let answer = Effect::status_with(200, &[("content-type", index)], &none);
    let asked = format!("/referrers/{}", image.digest());
    stage
        .registry
        .fault(Fault::on("GET", &asked, answer).always());
    let shown = inspect(&inspection, &context()).await.unwrap();
    assert!(shown.verification.unwrap().passed());
}
