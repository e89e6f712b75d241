//! What a reader of a rollback's report should know: where it goes against a mark or forward, what it passed over,
//! and which tags stay.

use super::withdrawn::WithdrawnRelease;
use crate::record::{RecordedTagKind, ReleaseMark, Timeline, TimelineEntry};
use crate::release::named_root::NamedRoot;
use crate::release::plan::rollback_tags::RollbackTag;
use crate::tagging::ReleaseVersion;

/// Planned rollback, as far as its notes depend on it.
pub(super) struct NotedRollback<'a> {
    pub(super) withdrawn: &'a WithdrawnRelease,
    /// Whether the withdrawn image is not there any more.
    pub(super) is_gone: bool,
    pub(super) target: Option<&'a TimelineEntry>,
    /// Whether the request names the target.
    pub(super) is_named: bool,
    /// Timeline after the rollback.
    pub(super) forecast: &'a Timeline,
    pub(super) tags: &'a [RollbackTag],
}

impl NotedRollback<'_> {
    /// Returns the notes.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.withdrawn.release.is_none() {
            notes.push(format!(
                "no record is about {} but this one: which tags its release wrote is unknown",
                self.withdrawn.root
            ));
        }
        if self.is_gone {
            notes.push(format!(
                "{} is gone from the repository: the record is in the timeline alone, with no referrer",
                self.withdrawn.root
            ));
        }
        if let Some(target) = self.target {
            notes.extend(self.failed_target(target));
            notes.extend(self.higher_target(target));
            notes.extend(self.passed_over(target));
        }
        notes.extend(self.failed_lines());
        let others = self
            .tags
            .iter()
            .filter(|tag| tag.is_staying() && !tag.is_staying_line());
        notes.extend(
            others.map(|tag| format!("the tag {} still names the withdrawn image", tag.tag)),
        );
        notes
    }

    fn failed_target(&self, target: &TimelineEntry) -> Option<String> {
        let name = NamedRoot::of_entry(target);
        (self.forecast.mark(target.root) == Some(ReleaseMark::Failed))
            .then(|| format!("the rollback goes to {name}, which is marked as failed"))
    }

    fn higher_target(&self, target: &TimelineEntry) -> Option<String> {
        let withdrawn = self.withdrawn.release.as_ref()?;
        let version = |entry: &TimelineEntry| ReleaseVersion::parse(entry.version.as_deref()?);
        let is_higher = version(target)?
            .cmp_precedence(&version(withdrawn)?)
            .is_gt();
        is_higher.then(|| {
            format!(
                "the rollback goes forward: to {}, from {}. To go to another release, name it with to",
                NamedRoot::of_entry(target),
                NamedRoot::of_entry(withdrawn)
            )
        })
    }

    /// Names the newest release that was not chosen because an older one is marked as deployed.
    fn passed_over(&self, target: &TimelineEntry) -> Option<String> {
        if self.is_named || self.forecast.mark(target.root) != Some(ReleaseMark::Deployed) {
            return None;
        }
        let between = self
            .forecast
            .releases_between(target, self.withdrawn.root)
            .filter(|entry| entry.root != target.root && self.forecast.mark(entry.root).is_none());
        let passed = NamedRoot::of_entry(between.last()?);
        Some(format!(
            "{passed} was passed over: it has no mark, and {} is marked as deployed. To go to it, name it with to",
            NamedRoot::of_entry(target)
        ))
    }

    fn failed_lines(&self) -> Vec<String> {
        let lines = self
            .tags
            .iter()
            .filter(|tag| tag.kind == RecordedTagKind::Line);
        let failed = lines.filter_map(|tag| {
            let root = tag.target()?;
            let is_failed = self.forecast.mark(root) == Some(ReleaseMark::Failed);
            is_failed.then(|| {
                let name = NamedRoot::find(self.forecast, root);
                format!(
                    "the version line {} goes to {name}, which is marked as failed",
                    tag.tag
                )
            })
        });
        failed.collect()
    }
}
