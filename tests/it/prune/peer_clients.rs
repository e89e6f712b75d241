//! The deletions of one plan by `apply`, crane and regctl, on a real registry: what each leaves. Left out of a plain
//! `cargo test`; scripts/interop.sh starts the registry and runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::{Client, Reference};
use serde_json::Value;
use shipmark::image::{Digest, TagOrDigest};
use shipmark::prune::{apply_prune, plan_prune};
use shipmark::registry::RepositoryAccess;
use shipmark::retention::{DeletionStep, RetentionRules};

use super::stage::*;
use crate::registry::Profile;
use crate::support::*;

/// Clients that delete what they are told, with the words for a tag and for a digest.
const PEERS: [(&str, [&[&str]; 2]); 2] = [
    (
        "crane",
        [&["delete", "--insecure"], &["delete", "--insecure"]],
    ),
    ("regctl", [&["tag", "delete"], &["manifest", "delete"]]),
];

/// What a repository has: manifests by the names of the stage, and tags.
type Left = (BTreeSet<String>, BTreeMap<String, String>);

/// Repository of the real registry with the content of the stage.
struct RealRepository<'a> {
    stage: &'a PruneStage,
    place: String,
}

impl<'a> RealRepository<'a> {
    /// Copies the content of the stage, by another client.
    async fn fill(stage: &'a PruneStage, name: &str) -> Self {
        let address = std::env::var("SHIPMARK_TEST_REGISTRY");
        let address = address.expect("SHIPMARK_TEST_REGISTRY is set by scripts/interop.sh");
        let place = format!("{address}/prune-{name}-{}/web", std::process::id());
        // oci-client takes the process's provider; a second call is no harm.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::new(ClientConfig {
            protocol: ClientProtocol::Http,
            ..Default::default()
        });
        let mut manifests = stage.registry.manifests(WEB);
        let content = |digest: &String| stage.registry.manifest(WEB, digest).unwrap();
        // An index is taken after its children.
        manifests.sort_by_key(|digest| content(digest).0.contains("index"));
        for digest in manifests {
            let (media_type, bytes) = content(&digest);
            let manifest: Value = serde_json::from_slice(&bytes).unwrap();
            let layers = manifest["layers"].as_array().into_iter().flatten();
            for blob in layers.chain(manifest.get("config")) {
                let named = blob["digest"].as_str().unwrap();
                let bytes = stage.registry.blob(WEB, named).unwrap();
                let target: Reference = place.parse().unwrap();
                client.push_blob(&target, bytes, named).await.unwrap();
            }
            let tags = stage.registry.tags(WEB).into_iter();
            let tags = tags.filter(|(_, target)| *target == digest);
            let targets = tags.map(|(tag, _)| format!("{place}:{tag}"));
            for target in targets.chain([format!("{place}@{digest}")]) {
                let target: Reference = target.parse().unwrap();
                let media_type = media_type.parse().unwrap();
                let pushed = client.push_manifest_raw(&target, bytes.clone(), media_type);
                pushed.await.unwrap();
            }
        }
        Self { stage, place }
    }

    async fn left(&self) -> Left {
        let context = context();
        let repository = self.place.parse().unwrap();
        let client = &context.registry;
        let remote = client.open_repository(&repository, RepositoryAccess::Pull, &[]);
        let mut manifests = BTreeSet::new();
        for (name, digest) in &self.stage.names {
            let target = TagOrDigest::Digest(digest.parse::<Digest>().unwrap());
            if remote.get_manifest(&target).await.unwrap().is_some() {
                manifests.insert(name.clone());
            }
        }
        let mut tags = BTreeMap::new();
        for tag in remote.tags().await.unwrap() {
            let target = TagOrDigest::Tag(tag.clone());
            let head = remote.head_manifest(&target).await.unwrap().unwrap();
            tags.insert(tag.to_string(), self.stage.name_of(head.digest));
        }
        (manifests, tags)
    }

    async fn plan(&self, rules: &RetentionRules) -> Vec<DeletionStep> {
        let request = request_for(&self.place, rules.clone());
        let plan = plan_prune(&request, &context()).await.unwrap();
        assert_eq!(stops(&plan), [""; 0]);
        plan.groups[0].plan.repositories[0].steps().to_vec()
    }

    async fn apply(&self, rules: &RetentionRules) {
        let request = request_for(&self.place, rules.clone());
        let file = to_file(&plan_prune(&request, &context()).await.unwrap());
        let outcome = apply_prune(&request, &file, &context()).await.unwrap();
        let applied = &outcome.repositories[0];
        assert!(applied.failure.is_none() && applied.refusals.is_empty());
        assert_eq!(applied.holes, []);
    }

    /// Has a peer delete what the steps name.
    fn delete(&self, (program, words): (&str, [&[&str]; 2]), steps: &[DeletionStep]) {
        let config = tempfile::tempdir().unwrap();
        let (host, _) = self.place.split_once('/').unwrap();
        let settings = serde_json::json!({"hosts": {host: {"tls": "disabled"}}}).to_string();
        std::fs::write(config.path().join("config.json"), settings).unwrap();
        for step in steps {
            let (words, target) = match step {
                DeletionStep::Tag { tag, .. } => (words[0], format!("{}:{tag}", self.place)),
                DeletionStep::Manifest { digest, .. } => {
                    (words[1], format!("{}@{digest}", self.place))
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
        repository.delete(peer, &steps);
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
        repository.delete(peer, &tags);
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
        repository.delete(peer, &by_digest.collect::<Vec<_>>());
        let (left, tags) = repository.left().await;
        assert!(!left.contains("other"), "{}", peer.0);
        assert!(!tags.contains_key("1.0.0"), "{}: {tags:?}", peer.0);
    }
}
