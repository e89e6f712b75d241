//! What the public instance is today: a repository of TUF that is in order, that gives no answer, and
//! that answers with what does not hold.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use shipmark::gate::WildcardPattern;
use shipmark::signing::{
    FileRequirement, FileSigner, Identity, SignedArtifact, TrustRoot, TufError, TufRepository,
};

use crate::registry::{Effect, Fault};
use crate::sigstore::forge::{Forge, Record, identity, statement, valid};
use crate::sigstore::tuf::*;
use crate::sigstore::{ISSUER, Kind, Leaf};
use crate::support::*;

const TARGET: &str = "trusted_root.json";
const FILE: &[u8] = b"a file\n";

/// A repository that publishes a trusted root, and a bundle that is good under it alone.
async fn published() -> (Repository, Vec<u8>) {
    let forge = Forge::default();
    let signer = forge.certified(Leaf::new(Kind::P256), &valid());
    let bundle = forge.bundle(Record::Hashed2, &signer, &signer.sign(&statement(FILE)));
    let repository = Repository::start().await;
    repository.publish(1, &[(TARGET, &forge.trusted_root().to_string())]);
    (repository, bundle.to_string().into_bytes())
}

fn tuf(repository: &Repository, kept: Option<&Path>) -> TufRepository {
    TufRepository {
        address: repository.url(),
        root: repository.first_root().into(),
        now: "2029-12-31T12:00:00Z".parse().unwrap(),
        timeout: Duration::from_secs(5),
        cache_dir: kept.map(Path::to_owned),
    }
}

/// What comes of asking, and what is said of it.
async fn ask(tuf: &TufRepository) -> (Result<TrustRoot, TufError>, String) {
    let (context, said) = context_with(settings());
    let root = tuf
        .load_trust_root(context.registry.http(), &context.notices)
        .await;
    (root, said.text())
}

fn is_good(bundle: &[u8], root: TrustRoot) -> bool {
    let requirement = FileRequirement {
        signer: FileSigner::Identity(Identity {
            subject: WildcardPattern::new(identity()),
            issuer: ISSUER.to_owned(),
            conditions: Vec::new(),
        }),
        trust_root: root.into(),
        requires_log: true,
    };
    let digest = shipmark::image::Digest::from_bytes(FILE);
    let checked = requirement.check(bundle, &mut SignedArtifact::Digest(digest));
    checked.is_ok()
}

#[tokio::test]
async fn what_it_says_counts_and_is_asked_for_once() {
    let (repository, bundle) = published().await;
    let (root, said) = ask(&tuf(&repository, None)).await;
    assert!(is_good(&bundle, root.unwrap()));
    assert!(
        said.contains("current keys and services, by TUF from http://"),
        "{said}"
    );
    let asked = repository.asked();
    let asked: Vec<_> = asked
        .iter()
        .map(|line| line.split('/').next_back().unwrap())
        .collect();
    assert_eq!(asked.len(), 5, "{asked:?}");
    for (line, name) in asked.iter().zip([
        "2.root.json",
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
        TARGET,
    ]) {
        assert!(line.contains(name), "{asked:?}");
    }
}

#[tokio::test]
async fn what_was_kept_is_not_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, bundle) = published().await;
    let tuf = tuf(&repository, Some(folder.path()));
    ask(&tuf).await.0.unwrap();
    repository.asked();
    let (root, said) = ask(&tuf).await;
    assert!(is_good(&bundle, root.unwrap()));
    assert!(said.contains("current keys and services"), "{said}");
    assert_eq!(repository.asked().len(), 2);
    // Something newer is.
    repository.publish(2, &[(TARGET, &Forge::default().trusted_root().to_string())]);
    let (root, _) = ask(&tuf).await;
    assert!(!is_good(&bundle, root.unwrap()));
    assert_eq!(repository.asked().len(), 5);
}

#[tokio::test]
async fn a_new_root_counts_if_the_old_one_signed_it() {
    let (mut repository, bundle) = published().await;
    let first = tuf(&repository, None);
    let next = (Key::new(), Key::new());
    let rotated = root(2, &next.0, &next.1);
    repository.put(
        "2.root.json",
        &signed(&rotated, &[&repository.root_key, &next.0]),
    );
    repository.online_key = next.1;
    let text = Forge::default().trusted_root().to_string();
    repository.publish(2, &[(TARGET, &text)]);
    let (found, said) = ask(&first).await;
    assert!(!is_good(&bundle, found.unwrap()), "{said}");
    // Without the old key it is nobody's.
    repository.put("2.root.json", &signed(&rotated, &[&next.0]));
    let (refused, _) = ask(&first).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("threshold not met for role root"),
        "{refused}"
    );
}

/// How a repository answers nothing, or nothing in time.
#[tokio::test]
async fn without_an_answer_the_copies_do_and_it_is_said() {
    for (effect, why) in [
        (Effect::status(503), "503"),
        (Effect::status(404), "timestamp.json not found"),
        (Effect::ResetBefore, "timestamp.json"),
        (Effect::ResetInBody(9), "timestamp.json"),
        (Effect::NeverAnswered, "timestamp.json"),
    ] {
        for kept in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let (repository, bundle) = published().await;
            let tuf = tuf(&repository, kept.then(|| folder.path()));
            if kept {
                ask(&tuf).await.0.unwrap();
            }
            repository.fault(Fault::on("GET", "timestamp.json", effect.clone()).always());
            let (root, said) = ask(&tuf).await;
            assert_eq!(is_good(&bundle, root.unwrap()), kept, "{effect:?} {said}");
            let copy = match kept {
                true => "cached keys and services, which are still valid, since http://",
                false => "the keys and services built into this program, since http://",
            };
            assert!(said.contains(copy), "{effect:?} {said}");
            assert!(said.contains(why), "{effect:?} {said}");
        }
    }
}

#[tokio::test]
async fn a_repository_that_is_slow_is_not_waited_for() {
    let (repository, _) = published().await;
    let impatient = TufRepository {
        timeout: Duration::from_millis(200),
        ..tuf(&repository, None)
    };
    repository.fault(Fault::on("GET", "", Effect::Delay(Duration::from_millis(90))).always());
    let (root, said) = ask(&impatient).await;
    assert!(root.is_ok());
    assert!(
        said.contains("does not answer: none within 0.2 s"),
        "{said}"
    );
}

#[tokio::test]
async fn what_was_kept_does_not_outlive_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, bundle) = published().await;
    let mut tuf = tuf(&repository, Some(folder.path()));
    ask(&tuf).await.0.unwrap();
    repository.fault(Fault::on("GET", "", Effect::status(500)).always());
    tuf.now = "2030-01-02T00:00:00Z".parse().unwrap();
    let (root, said) = ask(&tuf).await;
    assert!(!is_good(&bundle, root.unwrap()));
    assert!(
        said.contains("the keys and services built into this program"),
        "{said}"
    );
}

type Wrong = fn(&Repository);

/// What does not hold, and why.
const WRONG: &[(&str, Wrong, &str)] = &[
    (
        "an expired timestamp",
        |repository| repository.publish_until(4, "2029-12-01T00:00:00Z", &[]),
        "timestamp metadata expired at 2029-12-01T00:00:00Z",
    ),
    (
        "an older timestamp",
        |repository| repository.publish(1, &[]),
        "rollback detected for timestamp",
    ),
    (
        "an older list under a new timestamp",
        |repository| {
            let meta = json!({"snapshot.json": {"version": 1}});
            let timestamp = metadata("timestamp", 9, EXPIRES, "meta", meta);
            repository.put(
                "timestamp.json",
                &signed(&timestamp, &[&repository.online_key]),
            );
        },
        "rollback detected for snapshot",
    ),
    (
        "a timestamp of another key",
        |repository| {
            let meta = json!({"snapshot.json": {"version": 9}});
            let timestamp = metadata("timestamp", 9, EXPIRES, "meta", meta);
            repository.put("timestamp.json", &signed(&timestamp, &[&Key::new()]));
        },
        "threshold not met for role timestamp",
    ),
    (
        "a list of another version than the timestamp says",
        |repository| {
            let meta = json!({"snapshot.json": {"version": 9}});
            let timestamp = metadata("timestamp", 9, EXPIRES, "meta", meta);
            let key = &[&repository.online_key];
            repository.put("timestamp.json", &signed(&timestamp, key));
            let meta = json!({"targets.json": {"version": 5}});
            let snapshot = metadata("snapshot", 8, EXPIRES, "meta", meta);
            repository.put("9.snapshot.json", &signed(&snapshot, key));
        },
        "snapshot",
    ),
    (
        "a target of other bytes",
        |repository| {
            repository.publish(9, &[(TARGET, "as it was announced")]);
            change(repository, 9, b"as it was denounced");
        },
        "integrity check failed",
    ),
    (
        "a target that is longer",
        |repository| {
            repository.publish(9, &[(TARGET, "as it was announced")]);
            change(repository, 9, b"as it was announced, and more");
        },
        "is longer than 19 bytes",
    ),
    (
        "a target that is shorter",
        |repository| {
            repository.publish(9, &[(TARGET, "as it was announced")]);
            change(repository, 9, b"as it was");
        },
        "integrity check failed",
    ),
    (
        "a target that is not there any more",
        |repository| repository.publish(9, &[("other.json", "{}")]),
        "not listed by any trusted targets role",
    ),
    (
        "a target that is announced as huge",
        |repository| {
            let listed = json!({TARGET: {"length": 1u64 << 40, "hashes": {"sha256": "00"}}});
            repository.publish(9, &[]);
            let targets = metadata("targets", 9, EXPIRES, "targets", listed);
            repository.put(
                "9.targets.json",
                &signed(&targets, &[&repository.online_key]),
            );
        },
        "exceeds configured max",
    ),
    (
        "an answer without end",
        |repository| repository.fault(Fault::on("GET", "timestamp.json", Effect::EndlessBody)),
        "timestamp.json is longer than 16384 bytes",
    ),
    (
        "a page of somebody between",
        |repository| repository.put("timestamp.json", b"<html>please log in</html>"),
        "failed to parse JSON",
    ),
    (
        "a target that is not a trusted root",
        |repository| repository.publish(9, &[(TARGET, "{}")]),
        "missing field `mediaType`",
    ),
];

/// Puts other bytes where the one target of a version is.
fn change(repository: &Repository, version: u64, content: &[u8]) {
    let listed = repository.get(&format!("{version}.targets.json"));
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    let digest = &listed["signed"]["targets"][TARGET]["hashes"]["sha256"];
    repository.put(
        &format!("targets/{}.{TARGET}", digest.as_str().unwrap()),
        content,
    );
}

/// No copy takes the place of what does not hold: who could look at a warning in time?
#[tokio::test]
async fn an_answer_that_does_not_hold_is_refused_for_what_it_is() {
    for (what, wrong, reason) in WRONG {
        let folder = tempfile::tempdir().unwrap();
        let (repository, _) = published().await;
        repository.publish(3, &[(TARGET, &Forge::default().trusted_root().to_string())]);
        let tuf = tuf(&repository, Some(folder.path()));
        ask(&tuf).await.0.unwrap();
        wrong(&repository);
        let (refused, said) = ask(&tuf).await;
        let refused = refused.expect_err(what).to_string();
        assert!(refused.contains(reason), "{what}: {refused}");
        assert!(!said.contains("as it was"), "{what}: {said}");
    }
}

/// What somebody changed in the folder is as if it were not there.
#[tokio::test]
async fn what_was_kept_is_proven_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (repository, bundle) = published().await;
    let tuf = tuf(&repository, Some(folder.path()));
    ask(&tuf).await.0.unwrap();
    for name in ["targets/trusted_root.json", "timestamp.json", "root.json"] {
        std::fs::write(folder.path().join(name), "{}").unwrap();
        let (root, _) = ask(&tuf).await;
        assert!(is_good(&bundle, root.unwrap()), "{name}");
    }
    std::fs::write(folder.path().join("targets/trusted_root.json"), "{}").unwrap();
    repository.fault(Fault::on("GET", "", Effect::status(500)).always());
    let (root, said) = ask(&tuf).await;
    assert!(!is_good(&bundle, root.unwrap()));
    assert!(
        said.contains("the keys and services built into this program"),
        "{said}"
    );
}
