//! Decides what the records of an environment decide: which versions are withdrawn, and which are releases.

use super::{ComparedLine, LineDecision, LineHold};
use crate::image::Digest;
use crate::release::plan::line_question::LineQuestion;
use crate::release::plan::record_facts::RecordedRelease;
use crate::tagging::TaggedRelease;

impl ComparedLine<'_> {
    /// Returns whether records decide what is a release here.
    pub(super) fn has_records(&self) -> bool {
        self.seen.records.is_some()
    }

    /// Refuses to move a line that is absent while a higher version is there, unless that is withdrawn.
    pub(super) fn decide_on_absent(
        &self,
        highest: &TaggedRelease,
    ) -> Result<LineDecision, LineQuestion> {
        let records = self.seen.records.as_ref();
        if records.is_some_and(|records| !records.rollbacks.is_empty()) {
            match self.seen.tag_digests.get(&highest.tag) {
                None => return Err(LineQuestion::Digests(vec![highest.tag.clone()])),
                // A withdrawn version would be none of the line's once that is known.
                Some(root) => root.map_or(Ok(false), |root| self.seen.is_withdrawn(root))?,
            };
        }
        Ok(self.hold_with_reason("is not the highest release, and the tag does not exist"))
    }

    /// Returns whether somebody gave a version to an image that was released as others only: then a line that names
    /// the image names these.
    pub(super) fn is_given_by_hand(
        &self,
        root: Digest,
        version: &TaggedRelease,
    ) -> Result<bool, LineQuestion> {
        let Some(records) = &self.seen.records else {
            return Ok(false);
        };
        let Some(recorded) = records.roots.get(&root) else {
            return Err(LineQuestion::Records(vec![root]));
        };
        if recorded.released.is_empty() {
            return Ok(false);
        }
        let release = recorded.release(version);
        let release = release.ok_or(LineQuestion::Intents(root))?;
        Ok(release == RecordedRelease::Unrecorded)
    }

    /// Finds the highest of the versions that is a release by its record or intent.
    pub(super) fn find_release<'a>(
        &self,
        higher: &[&'a TaggedRelease],
    ) -> Result<Option<&'a TaggedRelease>, LineQuestion> {
        let found = self
            .seen
            .find_recorded(higher, RecordedRelease::is_release)?;
        Ok(found.map(|(release, _)| release))
    }

    /// Decides on a line that names a withdrawn root, while a higher version is a release. Its own run moves
    /// the line, or that of the rollback; this one does only where an earlier attempt of it may have written
    /// the withdrawn root over that release.
    pub(super) fn decide_on_withdrawn(&self, at: Digest, higher: &TaggedRelease) -> LineDecision {
        let digest = self.seen.tag_digest(&higher.tag);
        let is_own_write = self.is_repetition() && self.names_higher_version(at);
        match digest.filter(|_| is_own_write) {
            Some(digest) => LineDecision::HigherRelease(higher.clone(), digest),
            None => LineDecision::Stays(LineHold::InProgress(higher.clone())),
        }
    }

    /// Returns whether a version that is higher than ours, withdrawn or not, names the image.
    fn names_higher_version(&self, at: Digest) -> bool {
        let line = &self.line.line;
        let naming = self
            .seen
            .tags
            .iter()
            .filter(|tag| self.seen.tag_digest(tag) == Some(at));
        let mut versions = naming.filter_map(|tag| self.line.series.version(tag));
        versions.any(|it| line.contains(&it) && it.is_higher_than(&self.line.version))
    }
}
