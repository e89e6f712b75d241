//! A repository with a timeline: releases of versions, and what changes after them.

use std::collections::BTreeMap;

use shipmark::release::{
    Failure, NamedRoot, ReleaseName, ReleaseRequest, RollbackOutcome, RollbackRequest,
    TimelineRequest, rollback,
};

use super::made_image::MadeImage;
use super::records::*;
use super::*;
use crate::registry::Profile;

/// A repository with a timeline, and the images that are released to it.
pub struct Stage {
    pub registry: Registry,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(Profile::plain()).await
    }

    pub async fn with(profile: Profile) -> Self {
        Self {
            registry: Registry::start(profile.date("unknown")).await,
        }
    }

    /// Releases of versions, one a minute.
    pub async fn released(versions: &[&str]) -> Self {
        let stage = Self::start().await;
        for (number, version) in versions.iter().enumerate() {
            stage.release(version, i64::try_from(number).unwrap()).await;
        }
        stage
    }

    pub fn place(&self) -> String {
        format!("{}/prod", self.registry.host())
    }

    pub fn promotion(&self, version: &str, now: i64) -> ReleaseRequest {
        let number = u32::try_from(now).unwrap();
        let revision = format!("{:07x}{}", image_number(version), "0".repeat(33));
        let labels = [("revision", revision.as_str()), ("version", version)];
        let image = MadeImage::new(image_number(version), &labels);
        image.put(&self.registry, "stage", &[version]);
        let source = format!("{}/stage:{version}", self.registry.host());
        let request = promote(&source, &[&self.place()], "refs/heads/main");
        recorded(request, "prod", now, 100 + u64::from(number))
    }

    pub async fn release(&self, version: &str, now: i64) {
        done(self.promotion(version, now), &context()).await;
    }

    /// The release of a withdrawn version again.
    pub fn reinstatement(&self, version: &str, now: i64) -> ReleaseRequest {
        let mut again = self.promotion(version, now);
        let options = again.record.as_mut().unwrap();
        options.reinstates = true;
        options.account.reason = Some("it was not the image".to_owned());
        again
    }

    pub fn timeline(&self, now: i64, run: u64) -> TimelineRequest {
        TimelineRequest {
            location: location("prod", &self.place()),
            account: account(now, run),
            signer: None,
            adds_summary: false,
        }
    }

    pub fn request(&self, now: i64, run: u64) -> RollbackRequest {
        RollbackRequest {
            timeline: self.timeline(now, run),
            withdraw: None,
            to: None,
            excluded_versions: Default::default(),
            dry_run: false,
        }
    }

    pub async fn roll_back(&self, now: i64) -> RollbackOutcome {
        let run = 1_000 + u64::try_from(now).unwrap();
        rolled_back(self.request(now, run)).await
    }

    pub async fn withdraw(&self, name: &str, now: i64) -> RollbackOutcome {
        let mut request = self.request(now, 1_000 + u64::try_from(now).unwrap());
        request.withdraw = Some(named(name));
        rolled_back(request).await
    }

    pub async fn refused(&self, request: RollbackRequest) -> String {
        self.registry.clear_log();
        let failure = rollback(&request, &context()).await.unwrap_err();
        self.refusal(failure)
    }

    /// Returns the words of a refusal before any write.
    pub fn refusal(&self, failure: Failure) -> String {
        assert_eq!(writes(&self.registry), 0, "a refusal writes nothing");
        match failure {
            Failure::Refused(diagnostic) | Failure::Input(diagnostic) => diagnostic.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// What each tag names, by version; entries and lists of referrers apart.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let tags = self.registry.tags("prod");
        let names: BTreeMap<String, String> = self
            .registry
            .tags("stage")
            .into_iter()
            .map(|(version, digest)| (digest, version))
            .collect();
        let own = tags
            .into_iter()
            .filter(|(tag, _)| !tag.starts_with("shipmark.") && !tag.starts_with("sha256-"));
        own.map(|(tag, digest)| (tag, names.get(&digest).cloned().unwrap_or(digest)))
            .collect()
    }

    pub fn tag(&self, tag: &str) -> String {
        self.tags().remove(tag).unwrap_or_default()
    }

    pub fn digest(&self, version: &str) -> String {
        self.registry.tags("stage")[version].clone()
    }

    pub fn set_tag(&self, tag: &str, digest: &str) {
        let mut tags = self.registry.tags("prod");
        tags.insert(tag.to_owned(), digest.to_owned());
        self.registry.set_tags("prod", tags);
    }
}

/// Returns a number that tells the image of a version from others.
pub fn image_number(version: &str) -> u32 {
    version.bytes().fold(7, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u32::from(byte)) % 0x0fff_ffff
    })
}

pub fn named(name: &str) -> ReleaseName {
    name.parse().unwrap()
}

pub async fn rolled_back(request: RollbackRequest) -> RollbackOutcome {
    match rollback(&request, &context()).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure:?}"),
    }
}

pub fn writes(registry: &Registry) -> usize {
    let requests = registry.requests();
    let reads = |line: &&String| line.starts_with("GET") || line.starts_with("HEAD");
    requests.iter().filter(|line| !reads(line)).count()
}

pub fn version(outcome: &Option<NamedRoot>) -> &str {
    outcome
        .as_ref()
        .and_then(|root| root.version.as_deref())
        .unwrap_or_default()
}
