//! The deletions of one plan by `apply`, crane and regctl, on a real registry: what each leaves. Left out of a plain
//! `cargo test`; scripts/interop.sh starts the registry and runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use shipmark::retention::{DeletionStep, RetentionRules};

use super::real_repository::RealRepository;
use super::stage::*;
use crate::registry::Profile;

/// Clients that delete what they are told, with the words for a tag and for a digest.
const PEERS: [(&str, [&[&str]; 2]); 2] = [
    (
        "crane",
        [&["delete", "--insecure"], &["delete", "--insecure"]],
    ),
    ("regctl", [&["tag", "delete"], &["manifest", "delete"]]),
];

/// Has a peer delete what the steps name.
fn delete(
    repository: &RealRepository<'_>,
    (program, words): (&str, [&[&str]; 2]),
    steps: &[DeletionStep],
) {
    let config = tempfile::tempdir().unwrap();
    let (host, _) = repository.place.split_once('/').unwrap();
    let settings = serde_json::json!({"hosts": {host: {"tls": "disabled"}}}).to_string();
    std::fs::write(config.path().join("config.json"), settings).unwrap();
    for step in steps {
        let (words, target) = match step {
            DeletionStep::Tag { tag, .. } => (words[0], format!("{}:{tag}", repository.place)),
            DeletionStep::Manifest { digest, .. } => {
                (words[1], format!("{}@{digest}", repository.place))
            }
        };
        let mut command = Command::new(program);
        command.env("REGCTL_CONFIG", config.path().join("config.json"));
        let output = command.args(words).arg(&target).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{program} {words:?} {target}: {errors}"
        );
    }
}

/// Case 7 with the referrers tag schema, and a tag that goes from an image that stays.
async fn stage_and_rules() -> (PruneStage, RetentionRules) {
    let profile = Profile::plain().referrers(false);
    let stage = PruneStage::signed_pull_request(profile, true).await;
    stage.tag("pr-2", "other");
    (stage, rules([tagged("pr-*", Some(14))]))
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and regctl: scripts/interop.sh"]
async fn crane_and_regctl_leave_what_apply_leaves_if_they_follow_the_steps_of_its_plan() {
    let (stage, rules) = stage_and_rules().await;
    let own = RealRepository::fill(&stage, "own").await;
    own.apply(&rules).await;
    let expected = own.left().await;
    let tags = BTreeMap::from([("1.0.0".to_owned(), "other".to_owned())]);
    assert_eq!(expected, (BTreeSet::from(["other".to_owned()]), tags));
    for peer in PEERS {
        let repository = RealRepository::fill(&stage, peer.0).await;
        let steps = repository.plan(&rules).await;
        delete(&repository, peer, &steps);
        assert_eq!(repository.left().await, expected, "{}", peer.0);
    }
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and regctl: scripts/interop.sh"]
async fn crane_and_regctl_leave_all_manifests_where_they_delete_the_tags_alone() {
    let (stage, rules) = stage_and_rules().await;
    for peer in PEERS {
        let repository = RealRepository::fill(&stage, &format!("tags-{}", peer.0)).await;
        let (manifests, _) = repository.left().await;
        let steps = repository.plan(&rules).await.into_iter();
        let tags: Vec<DeletionStep> = steps
            .filter(|step| matches!(step, DeletionStep::Tag { .. }))
            .collect();
        delete(&repository, peer, &tags);
        let (left, tags) = repository.left().await;
        assert_eq!(left, manifests, "{}", peer.0);
        assert_eq!(tags.keys().collect::<Vec<_>>(), ["1.0.0"], "{}", peer.0);
    }
}

#[tokio::test]
#[ignore = "needs a distribution registry, crane and regctl: scripts/interop.sh"]
async fn crane_and_regctl_delete_an_image_by_its_digest_with_the_tag_that_stays() {
    let (stage, rules) = stage_and_rules().await;
    for peer in PEERS {
        let repository = RealRepository::fill(&stage, &format!("digest-{}", peer.0)).await;
        let steps = repository.plan(&rules).await.into_iter();
        // What `pr-2` names, by its digest: `1.0.0` names it too.
        let by_digest = steps.filter_map(|step| match step {
            DeletionStep::Tag { tag, digest } if tag.as_str() == "pr-2" => {
                Some(DeletionStep::Manifest {
                    digest,
                    tags: Vec::new(),
                })
            }
            _ => None,
        });
        delete(&repository, peer, &by_digest.collect::<Vec<_>>());
        let (left, tags) = repository.left().await;
        assert!(!left.contains("other"), "{}", peer.0);
        assert!(!tags.contains_key("1.0.0"), "{}: {tags:?}", peer.0);
    }
}
