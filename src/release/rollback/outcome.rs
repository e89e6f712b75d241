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

    /// Returns the failure if a version line still names the withdrawn image: the rollback itself is done.
    pub fn to_failure(&self) -> Option<Failure> {
        let staying = self.tags.iter().filter(|tag| tag.is_staying_line());
        let reasons: Vec<String> = staying.clone().filter_map(staying_reason).collect();
        let lines: Vec<_> = staying.map(|tag| tag.tag.as_str()).collect();
        let (what, verb) = match lines.as_slice() {
            [] => return None,
            [line] => (format!("the version line {line}"), "names"),
            lines => (format!("the version lines {}", lines.join(", ")), "name"),
        };
        let place = &self.place;
        let failure = Failure::incomplete(format!(
            "{}, and {what} of {place} still {verb} the withdrawn {}",
            self.done_phrase(),
            self.withdrawn
        ));
        let ways = format!(
            "release another version of the line, or delete {}: whoever pulls it gets the withdrawn image",
            self.deletion_phrase(&lines)
        );
        let hint = match self.dry_run {
            true => ways,
            false => format!(
                "do not repeat it: another rollback would withdraw another release. To go on, {ways}"
            ),
        };
        Some(failure.with_reason(reasons.join("; ")).with_hint(hint))
    }

    fn done_phrase(&self) -> &'static str {
        match self.dry_run {
            true => "the rollback would be done",
            false => "the rollback is done",
        }
    }

    /// Returns how a line's tag is deleted without its image.
    fn deletion_phrase(&self, lines: &[&str]) -> String {
        let [line, ..] = lines else {
            return String::new();
        };
        match &self.place {
            Destination::Registry(repository) => format!(
                "the tag alone, such as with crane delete {repository}:{line} (a deletion by digest deletes the image)"
            ),
            Destination::Layout(_) => "the tag from index.json of the layout".to_owned(),
        }
    }
}

/// Returns why a tag stays.
fn staying_reason(tag: &RollbackTag) -> Option<String> {
    match &tag.change {
        RollbackTagChange::Stays { why } => Some(format!("{}: {why}", tag.tag)),
        _ => None,
    }
}
