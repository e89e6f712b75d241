use crate::image::Destination;
use crate::record::RecordId;
use crate::release::Failure;
use crate::release::named_root::NamedRoot;
use crate::release::outcome::RecordResult;
use crate::release::plan::rollback_tags::{RollbackTag, RollbackTagChange};
use crate::tagging::EnvironmentName;

/// Outcome of a rollback; on a dry run, the planned one.
#[derive(Debug, Clone)]
pub struct RollbackOutcome {
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository.
    pub place: Destination,
    /// Withdrawn release.
    pub withdrawn: NamedRoot,
    /// Release that the rollback puts back; `None` if the withdrawn one was not current.
    pub restored: Option<NamedRoot>,
    /// Release that the environment is on after it.
    pub current: Option<NamedRoot>,
    /// Releases between the two, newest last, which stay as they are.
    pub between: Vec<NamedRoot>,
    /// Moving tags of the withdrawn release, and the tag of the environment.
    pub tags: Vec<RollbackTag>,
    /// Record; `None` if an earlier rollback withdrew the release.
    pub record: Option<RecordResult>,
    /// Record of that earlier rollback.
    pub recorded: Option<RecordId>,
    /// Why a person did it.
    pub reason: Option<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl RollbackOutcome {
    /// Returns whether anything was written, or on a dry run would be.
    pub fn has_changes(&self) -> bool {
        let moves = |tag: &RollbackTag| matches!(tag.change, RollbackTagChange::Moved { .. });
        self.record.is_some() || self.tags.iter().any(moves)
    }

    /// Returns the record of the withdrawal; `None` on a dry run of a new one.
    pub fn record_id(&self) -> Option<RecordId> {
        let written = self.record.as_ref().and_then(|record| record.id);
        written.or(self.recorded)
    }

    /// Returns the failure if a version line still names the withdrawn image.
    pub fn to_refusal(&self) -> Option<Failure> {
        let staying = self.tags.iter().filter(|tag| tag.is_staying_line());
        let lines: Vec<_> = staying.map(|tag| tag.tag.as_str()).collect();
        let place = &self.place;
        let (what, verb) = match lines.as_slice() {
            [] => return None,
            [line] => (format!("the version line {line}"), "names"),
            lines => (format!("the version lines {}", lines.join(", ")), "name"),
        };
        let failure = Failure::refused(format!(
            "{what} of {place} still {verb} the withdrawn {}",
            self.withdrawn
        ));
        Some(failure.with_reason("no other release of the line is recorded, and the image that it named before is withdrawn or gone").with_hint(
            "release another version of the line, or delete the tag: whoever pulls it gets the withdrawn image",
        ))
    }
}
