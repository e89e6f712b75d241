//! Plan file: the deletions that a person has seen, for a later run that confirms and applies them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::prune_plan::PrunePlan;
use crate::image::{Digest, Tag};
use crate::notices::to_printable;
use crate::record::RecordTime;
use crate::retention::{
    DeletionReason, DeletionStep, PlannedDeletion, PlannedDeletions, RepositoryDeletions,
    RepositoryPlan,
};
use crate::strict_json::{JsonLimits, check_json};

/// Version of the format.
const VERSION: u32 = 1;
/// Time for which a plan is valid.
const VALIDITY: Duration = Duration::from_secs(24 * 3600);
/// How far the clocks of two machines may differ.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5 * 60);
const LIMITS: JsonLimits = JsonLimits {
    bytes: 64 << 20,
    depth: 12,
};

/// Plan that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFile {
    /// Time of the plan.
    pub created: RecordTime,
    /// Digests of the files of the policy.
    pub policy: Vec<Digest>,
    /// Deletions by the name of the repository.
    pub deletions: PlannedDeletions,
    /// The same deletions with the reasons that were shown, by the name of the repository.
    pub reasons: BTreeMap<String, Vec<ShownDeletion>>,
    /// Blobs that nothing named, by the name of the layout.
    pub blobs: BTreeMap<String, Vec<Digest>>,
}

/// Deletion with the reason that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownDeletion {
    /// What goes.
    pub step: DeletionStep,
    /// Rule of the policy that describes it.
    pub rule: Option<String>,
    /// Reason.
    pub reason: String,
}

/// Reason why a plan file cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanFileError {
    /// It cannot be read as a plan.
    #[error("is damaged: {0}")]
    Damaged(String),
    /// Another version of this program wrote it.
    #[error("has the version {0}, expected {VERSION}")]
    Version(u64),
    /// It is too old.
    #[error("is of {created}, and was valid until {until}")]
    Expired {
        /// Time of the plan.
        created: RecordTime,
        /// End of its validity.
        until: String,
    },
    /// Its time has not come.
    #[error("is of {0}, which is in the future")]
    Future(RecordTime),
    /// It was made by other rules.
    #[error("was made by another policy: {planned}, expected {current}")]
    OtherPolicy {
        /// Digests of the policy of the plan.
        planned: String,
        /// Digests of the policy now.
        current: String,
    },
}

impl PlanFileError {
    /// Returns what the person at the failed job can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Damaged(_) | Self::Version(_) => {
                "write it again with plan-file, and do not edit it: rules belong in the policy"
            }
            Self::Expired { .. } | Self::Future(_) => {
                "write it again with plan-file, and apply it within 24 hours"
            }
            Self::OtherPolicy { .. } => "write it again with plan-file, by the policy of this run",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PlanFileJson {
    version: u64,
    /// Digest of the member `plan`, written without white space.
    digest: String,
    plan: PlanJson,
}

#[derive(Deserialize)]
struct VersionJson {
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PlanJson {
    created: String,
    valid_until: String,
    policy: Vec<String>,
    repositories: Vec<RepositoryJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RepositoryJson {
    name: String,
    /// Digest of everything that the plan was made from.
    snapshot: String,
    deletions: Vec<DeletionJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unnamed_blobs: Vec<String>,
}

/// One deletion, in its order: of a tag alone, or of a manifest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeletionJson {
    /// Tag that goes alone; absent for a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    digest: String,
    /// Tags that go with the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    reason: String,
    /// Rule of the policy that describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// Name by which the registry's own API deletes and restores the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Whether neither a tag nor another manifest named it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bare: bool,
}

impl PlanFile {
    /// Reads the text of a plan file.
    ///
    /// # Errors
    /// Text that is not a whole plan of this version.
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanFileError> {
        let damaged = |error: &dyn std::fmt::Display| {
            PlanFileError::Damaged(to_printable(&error.to_string(), 200))
        };
        let text = check_json(bytes, LIMITS).map_err(|error| damaged(&error))?;
        let VersionJson { version } =
            serde_json::from_str(text).map_err(|error| damaged(&error))?;
        if version != u64::from(VERSION) {
            return Err(PlanFileError::Version(version));
        }
        let json: PlanFileJson = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        if plan_digest(&json.plan).to_string() != json.digest {
            return Err(damaged(&"its digest is that of another plan"));
        }
        json.plan.parse().map_err(|reason| damaged(&reason))
    }

    /// Requires that the plan is valid now, by this policy.
    ///
    /// # Errors
    /// A plan that is too old, of the future, or of another policy.
    pub fn check(&self, now: RecordTime, policy: &[Digest]) -> Result<(), PlanFileError> {
        if self.created.since(now) > CLOCK_DIFFERENCE {
            return Err(PlanFileError::Future(self.created));
        }
        if now.since(self.created) > VALIDITY {
            return Err(PlanFileError::Expired {
                created: self.created,
                until: valid_until(self.created),
            });
        }
        if self.policy != policy {
            return Err(PlanFileError::OtherPolicy {
                planned: join_digests(&self.policy),
                current: join_digests(policy),
            });
        }
        Ok(())
    }
}

impl PlanJson {
    fn parse(self) -> Result<PlanFile, String> {
        let mut file = PlanFile {
            created: self.created.parse().map_err(|_| "created is no time")?,
            policy: parse_all(&self.policy)?,
            deletions: PlannedDeletions::default(),
            reasons: BTreeMap::new(),
            blobs: BTreeMap::new(),
        };
        for repository in self.repositories {
            let mut deletions = RepositoryDeletions::default();
            let mut shown = Vec::with_capacity(repository.deletions.len());
            for deletion in repository.deletions {
                shown.push(deletion.add_to(&mut deletions)?);
            }
            file.reasons.insert(repository.name.clone(), shown);
            let blobs = parse_all(&repository.unnamed_blobs)?;
            file.blobs.insert(repository.name.clone(), blobs);
            let known = file.deletions.0.insert(repository.name, deletions);
            if known.is_some() {
                return Err("a repository is there twice".to_owned());
            }
        }
        Ok(file)
    }
}

impl DeletionJson {
    fn new(
        step: &DeletionStep,
        plan: &RepositoryPlan,
        known: &RepositoryDeletions,
        ids: &BTreeMap<Digest, String>,
    ) -> Self {
        let reason = plan.deletion_reason(step);
        let rule = reason.and_then(DeletionReason::rule).map(str::to_owned);
        let reason = reason.map(ToString::to_string).unwrap_or_default();
        match step {
            DeletionStep::Tag { tag, digest } => Self {
                tag: Some(tag.to_string()),
                digest: digest.to_string(),
                tags: Vec::new(),
                reason,
                rule,
                id: None,
                bare: false,
            },
            DeletionStep::Manifest { digest, tags } => Self {
                tag: None,
                digest: digest.to_string(),
                tags: tags.iter().map(Tag::to_string).collect(),
                reason,
                rule,
                id: ids.get(digest).cloned(),
                bare: known.manifests.get(digest).is_some_and(|it| it.was_bare),
            },
        }
    }

    /// Adds the deletion to those of its repository, and returns it with its reason.
    fn add_to(self, deletions: &mut RepositoryDeletions) -> Result<ShownDeletion, String> {
        let digest: Digest = parse_one(&self.digest)?;
        let mut tags = Vec::with_capacity(self.tags.len());
        for tag in &self.tags {
            let tag: Tag = parse_one(tag)?;
            deletions.tags.insert(tag.clone(), digest);
            tags.push(tag);
        }
        let step = match &self.tag {
            Some(tag) => {
                let tag: Tag = parse_one(tag)?;
                deletions.tags.insert(tag.clone(), digest);
                DeletionStep::Tag { tag, digest }
            }
            None => {
                let was_bare = self.bare;
                let planned = PlannedDeletion { was_bare };
                deletions.manifests.insert(digest, planned);
                DeletionStep::Manifest { digest, tags }
            }
        };
        Ok(ShownDeletion {
            step,
            rule: self.rule,
            reason: self.reason,
        })
    }
}

/// Returns the text of the plan file of a plan.
pub fn plan_file_text(plan: &PrunePlan, policy: &[Digest]) -> String {
    let mut repositories = Vec::new();
    for group in &plan.groups {
        let deletions = group.plan.deletions();
        for (planned, more) in group.plan.repositories.iter().zip(&group.repositories) {
            let nothing = RepositoryDeletions::default();
            let known = deletions.0.get(&planned.name).unwrap_or(&nothing);
            let steps = planned.steps().iter();
            let is_stopped = group.plan.is_stopped() || !planned.stops.is_empty();
            let blobs = more.unnamed_blobs.iter().filter(|_| !is_stopped);
            repositories.push(RepositoryJson {
                name: planned.name.clone(),
                snapshot: more.snapshot.to_string(),
                deletions: steps
                    .map(|step| DeletionJson::new(step, planned, known, &more.ids))
                    .collect(),
                unnamed_blobs: blobs.map(|blob| blob.digest.to_string()).collect(),
            });
        }
    }
    let plan = PlanJson {
        created: plan.planned_at.to_string(),
        valid_until: valid_until(plan.planned_at),
        policy: policy.iter().map(Digest::to_string).collect(),
        repositories,
    };
    let file = PlanFileJson {
        version: VERSION.into(),
        digest: plan_digest(&plan).to_string(),
        plan,
    };
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes a plan file in one step: a reader finds the whole file or none.
///
/// # Errors
/// A file that cannot be written.
pub fn write_plan_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = format!(".{name}.{:016x}", fastrand::u64(..));
    let temporary = folder.unwrap_or(Path::new(".")).join(temporary);
    let written = File::create_new(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&temporary, path));
    if placed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    placed
}

fn plan_digest(plan: &PlanJson) -> Digest {
    Digest::from_bytes(&serde_json::to_vec(plan).unwrap_or_default())
}

fn valid_until(created: RecordTime) -> String {
    let until = created.to_timestamp().checked_add(VALIDITY);
    let until = until.ok().and_then(RecordTime::from_timestamp);
    until.unwrap_or(created).to_string()
}

fn join_digests(digests: &[Digest]) -> String {
    let texts: Vec<String> = digests.iter().map(Digest::to_string).collect();
    texts.join(" and ")
}

fn parse_one<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{} is neither a digest nor a tag", to_printable(text, 80)))
}

fn parse_all(texts: &[String]) -> Result<Vec<Digest>, String> {
    texts.iter().map(|text| parse_one(text)).collect()
}
