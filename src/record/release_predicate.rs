//! The predicate of a record. These types are the file format: docs/formats.md describes the members.

use serde::{Deserialize, Serialize};

use super::action::RecordAction;
use super::past_release::PastRelease;
use super::record_id::RecordId;
use super::record_time::RecordTime;
use super::text_members::{as_optional_text, as_text, as_text_list};
use crate::image::Digest;
use crate::tagging::EnvironmentName;

/// What happened to one root in one environment. A member of a wrong type is refused, an unknown one is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleasePredicate {
    /// Environment of the timeline.
    #[serde(with = "as_text")]
    pub environment: EnvironmentName,
    /// Repository of the root, as a reference without tag and digest.
    pub destination: String,
    /// What happened.
    #[serde(with = "as_text")]
    pub action: RecordAction,
    /// Version of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Tags that the run was going to write, with what each named before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<RecordedTag>,
    /// Where the image came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RecordedSource>,
    /// Commit that the image was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<RecordedCommit>,
    /// How the image was built.
    #[serde(default, skip_serializing_if = "RecordedBuild::is_unknown")]
    pub build: RecordedBuild,
    /// Documents that were considered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<RecordedEvidence>,
    /// Policy file that the run followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<RecordedPolicy>,
    /// Run that wrote the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RecordedRun>,
    /// Program that wrote the record, such as `shipmark 0.1.0`.
    pub tool: String,
    /// Why a person did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Address of more about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Record that a mark or a rollback speaks of.
    #[serde(
        default,
        with = "as_optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub about: Option<RecordId>,
    /// Root that a rollback puts back.
    #[serde(
        default,
        with = "as_optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub restores: Option<Digest>,
    /// Rollbacks that a reinstatement ends.
    #[serde(default, with = "as_text_list", skip_serializing_if = "Vec::is_empty")]
    pub reinstates: Vec<RecordId>,
    /// Name of the hold that begins or ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// Manifests that a deletion by rules of retention removed, the subject first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deletions: Vec<RecordedDeletion>,
    /// Time at which the run planned it.
    #[serde(with = "as_text")]
    pub planned_at: RecordTime,
    /// Newest records of the timeline that the run saw; several after concurrent runs.
    #[serde(default, with = "as_text_list")]
    pub previous: Vec<RecordId>,
    /// The newest counted records at that time, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<PastRelease>,
}

impl ReleasePredicate {
    /// Returns the names that the release has forever: its version and its immutable tags.
    pub fn release_names(&self) -> impl Iterator<Item = &str> {
        let tags = self.tags.iter();
        let immutable = tags.filter(|tag| tag.kind == RecordedTagKind::Immutable);
        let names = immutable.map(|tag| tag.name.as_str());
        names.chain(self.version.as_deref())
    }

    /// Returns the address of the run that wrote the record.
    pub fn run_uri(&self) -> Option<&str> {
        self.run.as_ref()?.uri.as_deref()
    }
}

/// Manifest that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedDeletion {
    /// Its digest.
    #[serde(with = "as_text")]
    pub digest: Digest,
    /// Whether the manifest stays, and the tags alone went.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tags_only: bool,
    /// Tags that went with it, or alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Rule that condemned it, as in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Reason, as in the plan.
    pub reason: String,
}

/// Tag of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedTag {
    /// The tag.
    pub name: String,
    /// Whether the tag moves.
    pub kind: RecordedTagKind,
    /// Root that the tag named before; `None` if the tag was not there.
    #[serde(
        default,
        with = "as_optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub previous: Option<Digest>,
}

/// Kind of a recorded tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordedTagKind {
    /// Names one root forever.
    Immutable,
    /// Follows the highest release of a version line.
    Line,
    /// Names the root that the environment is on.
    Environment,
    /// Follows something else, such as a branch.
    Moving,
}

/// Origin of a released image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSource {
    /// Reference that the run read.
    pub uri: String,
    /// Environment that the image came from.
    #[serde(
        default,
        with = "as_optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub environment: Option<EnvironmentName>,
    /// Record of that environment that the release rests on.
    #[serde(
        default,
        with = "as_optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub record: Option<RecordId>,
}

/// Commit of a released image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedCommit {
    /// Address of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Full SHA.
    pub sha: String,
    /// Git ref.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Time of the commit, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<String>,
}

/// How an image was built; what nothing says is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedBuild {
    /// Path of the Dockerfile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// Target of the Dockerfile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What says so: `inputs`, `provenance` or `labels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl RecordedBuild {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// Document that a run considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedEvidence {
    /// Kind of document, such as `sbom`.
    pub kind: String,
    /// Media type of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Digest of what was signed, or of the file.
    #[serde(with = "as_text")]
    pub digest: Digest,
    /// Size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where the document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Program that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What it led to, such as `passed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Who signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Policy file of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedPolicy {
    /// Path or address of the file.
    pub uri: String,
    /// Digest of its bytes.
    #[serde(with = "as_text")]
    pub digest: Digest,
    /// Commit that it was read at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// Run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRun {
    /// Address of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Number of the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// Account that triggered the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Workflow, as in the run's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Reviews of the run's deployments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<RecordedApproval>,
}

/// Review of a run's deployment to an environment of GitHub. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedApproval {
    /// Account of the reviewer.
    pub user: String,
    /// Environment.
    pub environment: String,
    /// Comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// State, such as `approved`.
    pub state: String,
}
