//! A repository of a real registry with the content of a stage.

use std::collections::{BTreeMap, BTreeSet};

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::{Client, Reference};
use serde_json::Value;
use shipmark::image::{Digest, TagOrDigest};
use shipmark::prune::{apply_prune, plan_prune};
use shipmark::registry::RepositoryAccess;
use shipmark::retention::{DeletionStep, RetentionRules};

use super::stage::*;
use crate::support::*;

/// What a repository has: manifests by the names of the stage, and tags.
pub type Left = (BTreeSet<String>, BTreeMap<String, String>);

/// Repository of the real registry with the content of the stage.
pub struct RealRepository<'a> {
    pub stage: &'a PruneStage,
    pub place: String,
}

impl<'a> RealRepository<'a> {
    /// Copies the content of the stage to the registry of scripts/interop.sh, by another client.
    pub async fn fill(stage: &'a PruneStage, name: &str) -> Self {
        let address = std::env::var("SHIPMARK_TEST_REGISTRY");
        let address = address.expect("SHIPMARK_TEST_REGISTRY is set by scripts/interop.sh");
        Self::fill_at(stage, &address, name).await
    }

    /// Copies the content of the stage to a registry, by another client.
    pub async fn fill_at(stage: &'a PruneStage, address: &str, name: &str) -> Self {
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

    pub async fn left(&self) -> Left {
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

    pub async fn plan(&self, rules: &RetentionRules) -> Vec<DeletionStep> {
        let request = request_for(&self.place, rules.clone());
        let plan = plan_prune(&request, &context()).await.unwrap();
        assert_eq!(stops(&plan), [""; 0]);
        plan.groups[0].plan.repositories[0].steps().to_vec()
    }

    pub async fn apply(&self, rules: &RetentionRules) {
        let request = request_for(&self.place, rules.clone());
        let file = to_file(&plan_prune(&request, &context()).await.unwrap());
        let outcome = apply_prune(&request, &file, &context()).await.unwrap();
        let applied = &outcome.repositories[0];
        assert!(applied.failure.is_none() && applied.refusals.is_empty());
        assert_eq!(applied.holes, []);
    }
}
