//! Snapshots, rules and timelines in short form, and a registry that carries out plans.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::image::{Digest, Tag};
use crate::record::{RecordAction, RecordId, RecordTime, Timeline, TimelineEntry};
use crate::retention::*;
use crate::tagging::TagPattern;

/// Time of all plans, in seconds.
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// Returns the time some days before the plan.
pub fn days_ago(days: i64) -> RecordTime {
    hours_ago(24 * days)
}

/// Returns the time some hours before the plan.
pub fn hours_ago(hours: i64) -> RecordTime {
    let time = Timestamp::from_second(NOW - hours * DAY / 24).unwrap();
    RecordTime::from_timestamp(time).unwrap()
}

/// Returns the digest that stands for a name of at most 32 characters; their order is that of the names.
pub fn digest(name: &str) -> Digest {
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex:0<64}").parse().unwrap()
}

/// Returns the name for which a digest stands.
pub fn name(digest: Digest) -> String {
    let bytes = digest.as_bytes().iter().take_while(|byte| **byte > 0);
    bytes.map(|byte| char::from(*byte)).collect()
}

pub fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// Returns a snapshot of one repository, `web`.
pub fn snapshot(repository: RepositorySnapshot) -> RetentionSnapshot {
    RetentionSnapshot {
        repositories: vec![repository],
        ..RetentionSnapshot::default()
    }
}

/// Returns an empty repository with the name `web`.
pub fn repository() -> RepositorySnapshot {
    RepositorySnapshot {
        name: "web".to_owned(),
        ..RepositorySnapshot::default()
    }
}

impl RepositorySnapshot {
    /// Adds an image that was pushed some days ago.
    pub fn image(&mut self, name: &str, days: i64) -> &mut ObservedManifest {
        self.index(name, &[], days)
    }

    /// Adds an index.
    pub fn index(&mut self, name: &str, children: &[&str], days: i64) -> &mut ObservedManifest {
        let links = ManifestLinks {
            children: children.iter().map(|child| digest(child)).collect(),
            ..ManifestLinks::default()
        };
        self.manifest(name, ObservedContent::Read(links), days)
    }

    /// Adds a referrer.
    pub fn referrer(&mut self, name: &str, subject: &str, days: i64) -> &mut ObservedManifest {
        let links = ManifestLinks {
            subject: Some(digest(subject)),
            ..ManifestLinks::default()
        };
        self.manifest(name, ObservedContent::Read(links), days)
    }

    /// Adds a manifest.
    pub fn manifest(
        &mut self,
        name: &str,
        content: ObservedContent,
        days: i64,
    ) -> &mut ObservedManifest {
        let manifest = ObservedManifest {
            content,
            size: 1,
            times: ObservedTimes {
                pushed: Some(days_ago(days)),
                ..ObservedTimes::default()
            },
            refusal: None,
        };
        let entry = self.manifests.entry(digest(name));
        entry.insert_entry(manifest).into_mut()
    }

    /// Adds a tag, or moves it.
    pub fn tag(&mut self, text: &str, target: &str) {
        let target = ObservedTag {
            digest: digest(target),
            pushed: None,
        };
        self.tags.insert(tag(text), target);
    }

    /// Adds a tag that is made of the digest of its subject.
    pub fn evidence_tag(&mut self, subject: &str, ending: &str, target: &str) {
        self.tag(&evidence_tag(subject, ending), target);
    }

    /// Deletes as a registry does.
    pub fn delete(&mut self, step: &DeletionStep) {
        match step {
            DeletionStep::Tag { tag, digest } => {
                let target = self.tags.remove(tag);
                assert_eq!(target.map(|target| target.digest), Some(*digest));
            }
            DeletionStep::Manifest { digest, .. } => {
                assert!(self.manifests.remove(digest).is_some());
                self.tags.retain(|_, target| target.digest != *digest);
                self.referrers.values_mut().for_each(|list| {
                    list.remove(digest);
                });
                self.absent.insert(*digest);
            }
        }
    }
}

/// Returns the tag `sha256-<hex><ending>` of a manifest.
pub fn evidence_tag(subject: &str, ending: &str) -> String {
    format!("sha256-{}{ending}", digest(subject).to_hex())
}

/// Returns rules with the default grace and without limits.
pub fn rules(prune: impl IntoIterator<Item = PruneRule>) -> RetentionRules {
    RetentionRules {
        keep: KeepRules::default(),
        prune: prune.into_iter().collect(),
        grace: "24h".parse().unwrap(),
        limits: DeletionLimits {
            share: 100,
            images: usize::MAX,
        },
        apis: Vec::new(),
    }
}

pub fn patterns(text: &str) -> Vec<TagPattern> {
    let patterns = text.split(' ').map(TagPattern::parse);
    patterns.collect::<Result<_, _>>().unwrap()
}

pub fn tags(text: &str) -> PruneRule {
    rule(PruneSelector::Tags(patterns(text)))
}

pub fn versions(text: &str) -> PruneRule {
    rule(PruneSelector::Versions(patterns(text)))
}

pub fn untagged() -> PruneRule {
    rule(PruneSelector::Untagged { orphans: false })
}

pub fn orphans() -> PruneRule {
    rule(PruneSelector::Untagged { orphans: true })
}

fn rule(selector: PruneSelector) -> PruneRule {
    PruneRule {
        selector,
        older_than: None,
        keep_last: None,
    }
}

impl PruneRule {
    /// Returns the rule for images older than this.
    pub fn older(mut self, age: &str) -> Self {
        self.older_than = Some(age.parse().unwrap());
        self
    }

    /// Returns the rule that leaves this many.
    pub fn last(mut self, number: usize) -> Self {
        self.keep_last = Some(number);
        self
    }
}

/// Returns a timeline of releases of `prod` to `web`: action, root, root that it restores, days before the plan.
pub fn releases(entries: &[(&str, &str, Option<&str>, i64)]) -> EnvironmentReleases {
    let entries = entries.iter().enumerate();
    let entries = entries.map(|(at, (action, root, restores, days))| TimelineEntry {
        deletions: Vec::new(),
        record: RecordId::from_blob(&at.to_le_bytes()),
        root: digest(root),
        action: action.parse::<RecordAction>().unwrap(),
        planned_at: days_ago(*days),
        restores: restores.map(digest),
        reinstates: Vec::new(),
        hold: None,
        previous: Vec::new(),
        version: None,
        commit: None,
        actor: None,
        is_summary: false,
    });
    EnvironmentReleases {
        environment: "prod".parse().unwrap(),
        repository: "web".to_owned(),
        timeline: Timeline::new(entries.collect()),
        uncounted: Vec::new(),
    }
}

pub fn plan(snapshot: &RetentionSnapshot, rules: &RetentionRules) -> RetentionPlan {
    plan_retention(snapshot, rules, days_ago(0), None)
}

/// Plans for one repository that nothing else is known of.
pub fn plan_web(repository: &RepositorySnapshot, rules: &RetentionRules) -> RepositoryPlan {
    let mut plan = plan(&snapshot(repository.clone()), rules);
    assert_eq!(plan.stops, []);
    plan.repositories.remove(0)
}

impl RepositoryPlan {
    /// Returns the names of the manifests that go.
    pub fn gone(&self) -> Vec<String> {
        let gone = self.manifests.iter().filter(|(_, fate)| fate.goes());
        gone.map(|(digest, _)| name(*digest)).collect()
    }

    /// Returns the tags that go.
    pub fn gone_tags(&self) -> Vec<&str> {
        let gone = self
            .tags
            .iter()
            .filter(|(_, fate)| matches!(fate, TagFate::Goes(_)));
        gone.map(|(tag, _)| tag.as_str()).collect()
    }

    /// Returns the deletions as tags and names.
    pub fn order(&self) -> Vec<String> {
        let steps = self.steps().iter();
        let steps = steps.map(|step| match step {
            DeletionStep::Tag { tag, .. } => tag.to_string(),
            DeletionStep::Manifest { digest, .. } => name(*digest),
        });
        steps.collect()
    }

    /// Returns why a manifest stays.
    pub fn reasons(&self, name: &str) -> &[KeepReason] {
        &self.manifests[&digest(name)].keep_reasons
    }

    /// Returns why a tag stays; `None` if it goes.
    pub fn tag_reason(&self, text: &str) -> Option<&KeepReason> {
        match &self.tags[&tag(text)] {
            TagFate::Stays(reason) => Some(reason),
            TagFate::Goes(_) => None,
        }
    }
}

/// Returns the names of all manifests of a repository.
pub fn names(repository: &RepositorySnapshot) -> BTreeSet<String> {
    repository.manifests.keys().copied().map(name).collect()
}
