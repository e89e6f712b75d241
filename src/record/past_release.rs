use serde::{Deserialize, Serialize};

use super::action::RecordAction;
use super::record_id::RecordId;
use super::record_time::RecordTime;
use super::text_members::{as_optional_text, as_text};
use crate::image::Digest;

/// Most entries that a record summarizes.
pub const PAST_LIMIT: usize = 32;

/// Summary of an earlier record of the same timeline.
///
/// It finds records and fills the history after a cleanup. Decisions rest on the records themselves while
/// they exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastRelease {
    /// Record that it summarizes.
    #[serde(with = "as_text")]
    pub record: RecordId,
    /// What happened.
    #[serde(with = "as_text")]
    pub action: RecordAction,
    /// Root that it was about.
    #[serde(with = "as_text")]
    pub root: Digest,
    /// Time at which the run planned it.
    #[serde(with = "as_text")]
    pub planned_at: RecordTime,
    /// Version of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Full SHA of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Account that triggered the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Root that a rollback put back.
    #[serde(
        default,
        with = "as_optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub restores: Option<Digest>,
    /// Name of the hold that began or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
}
