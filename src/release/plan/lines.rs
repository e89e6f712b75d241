//! Decides whether the tag of a version line moves, as a pure function of the observed state (promise 4).
//!
//! A line moves to the image of this run and to no other, and forward only. What a line names is found
//! among the versions that are higher than ours. A higher version that the line does not name is in
//! progress, and its own run moves the line, or it is none, and the line passes it. Records tell these two
//! apart: a version with a record or an intent is a release, and a withdrawn one is as if it were not there
//! (`recorded.rs`). Where no records are kept, only the creation times of the images do.

mod odd_names;
mod recorded;
mod two_numbers;

use super::creation_time::CreationTime;
use super::destination_state::DestinationState;
use super::line_question::LineQuestion;
use crate::image::{Digest, Tag};
use crate::tagging::{
    LineTag, PlannedTag, SeriesReleases, TaggedRelease, VersionLine, higher_variants,
};

/// The most version tags whose digests are read to find what a line names.
pub(crate) const VERSION_LOOKUP_LIMIT: usize = 16;

/// Decision on the tag of a version line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineDecision {
    /// The tag is written with our image, or names it already. `passed` is the highest version that
    /// is higher and is no release in progress.
    OwnImage { passed: Option<TaggedRelease> },
    /// The tag names our image, written before a higher release was there: it moves to that one.
    HigherRelease(TaggedRelease, Digest),
    /// The tag is not moved.
    Stays(LineHold),
    /// The decision depends on facts that are not known yet.
    Needs(LineQuestion),
}

impl LineDecision {
    /// Returns whether the line names an image that no listed version names, so that a list that is read
    /// behind the line may decide otherwise.
    pub(crate) fn is_unexplained(&self) -> bool {
        let Self::Stays(hold) = self else {
            return false;
        };
        matches!(hold, LineHold::UnknownImage(_) | LineHold::TwoNumberRelease)
    }
}

/// Reason why a line stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineHold {
    /// The release is never for this line, or the line names a higher release.
    Decided(String),
    /// A higher version is in progress.
    InProgress(TaggedRelease),
    /// The line names an image that no version tag names, and a higher version is there.
    UnknownImage(TaggedRelease),
    /// The tag is a release of two numbers.
    TwoNumberRelease,
    /// The line names our image, and the higher version is in progress, or came long after. Only where an
    /// earlier attempt of this run may have written the line does it move to that version.
    AtOwnImage(TaggedRelease),
    /// The line names none of the highest versions, and there are too many to look further.
    LookupLimit(TaggedRelease),
    /// The line names a higher tag that reads as a pre-release, though not by a usual word.
    NamesOddTag(TaggedRelease),
    /// Such a tag is higher, and what the line names is not known.
    OddTag(TaggedRelease),
    /// The line belongs to the releases without the text around ours.
    OtherSeries(TaggedRelease),
}

/// Line of a destination, with the releases that it is compared with.
struct ComparedLine<'a> {
    tag: &'a Tag,
    line: &'a LineTag,
    releases: SeriesReleases,
    seen: &'a DestinationState,
    root: Digest,
}

/// Decides on the line of `planned`; `None` if the tag is not the tag of a line.
pub(crate) fn decide_line(
    planned: &PlannedTag,
    seen: &DestinationState,
    root: Digest,
) -> Option<LineDecision> {
    let line = planned.line()?;
    let releases = seen.releases(&line.series);
    let compared = ComparedLine {
        tag: &planned.tag,
        line,
        releases: seen.compared_releases(line),
        seen,
        root,
    };
    if line.series.is_same_as(&line.release_series) {
        return Some(compared.decide());
    }
    if let Some(highest) = releases.highest(&VersionLine::Latest) {
        return Some(LineDecision::Stays(LineHold::OtherSeries(highest.clone())));
    }
    Some(match compared.find_higher_variant() {
        Err(question) => LineDecision::Needs(question),
        Ok(Some(release)) => LineDecision::Stays(LineHold::OtherSeries(release)),
        Ok(None) => compared.decide(),
    })
}

impl ComparedLine<'_> {
    fn decide(&self) -> LineDecision {
        self.try_decide().unwrap_or_else(LineDecision::Needs)
    }

    fn try_decide(&self) -> Result<LineDecision, LineQuestion> {
        let (line, ours) = (&self.line.line, &self.line.version);
        if let Some(reason) = self.releases.unmovable_reason(line, ours) {
            return Ok(self.hold_with_reason(reason));
        }
        if self.seen.is_withdrawn(self.root)? {
            return Ok(self.hold_with_reason("is withdrawn"));
        }
        let higher: Vec<&TaggedRelease> = self
            .releases
            .higher_than(line, ours)
            .take(VERSION_LOOKUP_LIMIT)
            .collect();
        let at = self.seen.tag_digest(self.tag);
        if higher.is_empty() {
            return self.decide_on_highest(at);
        }
        let Some(at) = at else {
            return self.decide_on_absent(higher[0]);
        };
        self.seen.is_withdrawn(at)?;
        match self.names_higher(at, &higher)? {
            true => self.decide_on_higher(at, &higher),
            false => self.decide_on_unnamed(at, &higher),
        }
    }

    /// Returns whether the line, which names `at`, names one of the higher versions.
    fn names_higher(&self, at: Digest, higher: &[&TaggedRelease]) -> Result<bool, LineQuestion> {
        // One request is enough for a backport.
        let (highest, others) = (&higher[..1], &higher[1..]);
        if self.find_digest(at, highest)? && !self.is_given_by_hand(at, highest[0])? {
            return Ok(true);
        }
        if !self.find_digest(at, others)? {
            return Ok(false);
        }
        for release in others {
            let is_named = self.seen.tag_digest(&release.tag) == Some(at);
            if is_named && !self.is_given_by_hand(at, release)? {
                return Ok(true);
            }
        }
        match self.unknown_digests(others) {
            unknown if unknown.is_empty() => Ok(false),
            unknown => Err(LineQuestion::Digests(unknown)),
        }
    }

    /// Decides on a line of which our version is the highest.
    fn decide_on_highest(&self, at: Option<Digest>) -> Result<LineDecision, LineQuestion> {
        let is_at_withdrawn = at.map_or(Ok(false), |at| self.seen.is_withdrawn(at))?;
        if !is_at_withdrawn && let Some(hold) = self.find_odd_tag(at)? {
            return Ok(LineDecision::Stays(hold));
        }
        Ok(match self.is_two_number_release(at)? {
            true => LineDecision::Stays(LineHold::TwoNumberRelease),
            false => LineDecision::OwnImage { passed: None },
        })
    }

    /// Decides on a line that names a higher version. It stays, unless this is the repetition of a run that
    /// may have moved the line to that version over a still higher one, and have died.
    fn decide_on_higher(
        &self,
        at: Digest,
        higher: &[&TaggedRelease],
    ) -> Result<LineDecision, LineQuestion> {
        let stays = || self.hold_with_reason(self.backport_reason(higher[0]));
        let is_above = |it: &&&TaggedRelease| self.seen.tag_digest(&it.tag) != Some(at);
        let above: Vec<&TaggedRelease> = higher.iter().take_while(is_above).copied().collect();
        if above.is_empty() || !self.is_repetition() {
            return Ok(stays());
        }
        let unknown = self.unknown_digests(&above);
        if !unknown.is_empty() {
            return Err(LineQuestion::Digests(unknown));
        }
        let overwritten = self.find_overwritten(&above)?;
        let digest = overwritten.and_then(|it| self.seen.tag_digest(&it.tag));
        Ok(match overwritten.zip(digest) {
            Some((release, digest)) => LineDecision::HigherRelease(release.clone(), digest),
            None => stays(),
        })
    }

    /// Returns whether an earlier attempt of this run has written our version's tag.
    fn is_repetition(&self) -> bool {
        let mut given = self.seen.immutable_tags.iter();
        given.any(|tag| self.is_own_version(tag) && self.seen.tag_digest(tag) == Some(self.root))
    }

    fn is_own_version(&self, tag: &Tag) -> bool {
        let version = self.line.release_series.version(tag);
        version.is_some_and(|it| it.cmp_precedence(&self.line.version).is_eq())
    }

    /// Decides on a line that names none of the higher versions.
    fn decide_on_unnamed(
        &self,
        at: Digest,
        higher: &[&TaggedRelease],
    ) -> Result<LineDecision, LineQuestion> {
        let highest = higher[0];
        let is_at_withdrawn = self.seen.is_withdrawn(at)?;
        if let Some(release) = self.find_in_progress(higher)? {
            return match at == self.root {
                true => self.decide_on_own_image(release),
                false if is_at_withdrawn => Ok(self.decide_on_withdrawn(at, release)),
                false => Ok(LineDecision::Stays(LineHold::InProgress(release.clone()))),
            };
        }
        let passed = Some(highest.clone());
        if at == self.root || is_at_withdrawn {
            return Ok(LineDecision::OwnImage { passed });
        }
        let lower: Vec<&TaggedRelease> = self
            .releases
            .lower_than(&self.line.line, &self.line.version)
            .take(VERSION_LOOKUP_LIMIT - higher.len())
            .collect();
        Ok(match self.find_digest(at, &lower)? {
            true => LineDecision::OwnImage { passed },
            false if higher.len() == VERSION_LOOKUP_LIMIT => {
                LineDecision::Stays(LineHold::LookupLimit(highest.clone()))
            }
            false => LineDecision::Stays(LineHold::UnknownImage(highest.clone())),
        })
    }

    /// Decides on a line that names our image, while a higher version may be in progress. It moves only as
    /// a correction: where an earlier attempt of this run may have written it over that version. Who set
    /// the line back by hand, with the version's tag gone or long after that version came, keeps it.
    fn decide_on_own_image(&self, higher: &TaggedRelease) -> Result<LineDecision, LineQuestion> {
        let stays = || LineDecision::Stays(LineHold::AtOwnImage(higher.clone()));
        if !self.is_repetition() {
            return Ok(stays());
        }
        let digest = self.seen.tag_digest(&higher.tag);
        Ok(match self.find_overwritten(&[higher])?.and(digest) {
            Some(digest) => LineDecision::HigherRelease(higher.clone(), digest),
            None => stays(),
        })
    }

    /// Finds the release of another variant that the line names, where that is higher than ours.
    fn find_higher_variant(&self) -> Result<Option<TaggedRelease>, LineQuestion> {
        let at = self.seen.tag_digest(self.tag);
        let Some(at) = at.filter(|at| *at != self.root) else {
            return Ok(None);
        };
        if self.seen.is_withdrawn(at)? {
            return Ok(None);
        }
        let mut variants = higher_variants(self.line, &self.seen.tags);
        let excluded = &self.seen.excluded;
        variants.retain(|it| excluded.excluding(&it.version, Some(&it.tag)).is_none());
        variants.truncate(VERSION_LOOKUP_LIMIT);
        let is_named = |it: &&TaggedRelease| self.seen.tag_digest(&it.tag) == Some(at);
        if let Some(named) = variants.iter().find(is_named) {
            return Ok(Some(named.clone()));
        }
        let all: Vec<&TaggedRelease> = variants.iter().collect();
        let unknown = self.unknown_digests(&all);
        match unknown.is_empty() {
            true => Ok(None),
            false => Err(LineQuestion::Digests(unknown)),
        }
    }

    fn hold_with_reason(&self, reason: &str) -> LineDecision {
        let (line, version) = (&self.line.line, &self.line.version);
        let highest = self.releases.highest(line);
        let at = highest.map_or_else(String::new, |highest| format!(" at {}", highest.version));
        LineDecision::Stays(LineHold::Decided(format!(
            "{} stays{at}: {version} {reason}",
            self.tag
        )))
    }

    fn backport_reason(&self, highest: &TaggedRelease) -> &'static str {
        let (ours, theirs) = (self.line.version.numbers(), highest.version.numbers());
        match ours[..2] == theirs[..2] {
            true => "is lower",
            false => "is a backport",
        }
    }

    /// Returns whether one of the releases has the digest.
    fn find_digest(&self, at: Digest, among: &[&TaggedRelease]) -> Result<bool, LineQuestion> {
        if among
            .iter()
            .any(|it| self.seen.tag_digest(&it.tag) == Some(at))
        {
            return Ok(true);
        }
        let unknown = self.unknown_digests(among);
        match unknown.is_empty() {
            true => Ok(false),
            false => Err(LineQuestion::Digests(unknown)),
        }
    }

    fn unknown_digests(&self, among: &[&TaggedRelease]) -> Vec<Tag> {
        let unknown = among
            .iter()
            .filter(|it| !self.seen.tag_digests.contains_key(&it.tag));
        unknown.map(|it| it.tag.clone()).collect()
    }

    /// Returns the highest version that is in progress: a record or an intent releases it. Without records:
    /// its image was created at most 24 hours before ours, or later, or one of the two times is not known.
    fn find_in_progress<'a>(
        &self,
        higher: &[&'a TaggedRelease],
    ) -> Result<Option<&'a TaggedRelease>, LineQuestion> {
        if self.has_records() {
            return self.find_release(higher);
        }
        self.find_by_time(higher, |time, own| !time.is_a_day_before(own))
    }

    /// Returns the highest version that an earlier attempt of this run may have overwritten: a release by its
    /// record or intent. Without records: its image was created at most 24 hours before or after ours, or at a
    /// time that is not known.
    fn find_overwritten<'a>(
        &self,
        higher: &[&'a TaggedRelease],
    ) -> Result<Option<&'a TaggedRelease>, LineQuestion> {
        if self.has_records() {
            return self.find_release(higher);
        }
        self.find_by_time(higher, |time, own| {
            !time.is_a_day_before(own) && !own.is_a_day_before(time)
        })
    }

    /// Returns the highest version whose image's creation time fits ours, or is not known.
    fn find_by_time<'a>(
        &self,
        higher: &[&'a TaggedRelease],
        fits: impl Fn(CreationTime, CreationTime) -> bool,
    ) -> Result<Option<&'a TaggedRelease>, LineQuestion> {
        let times = &self.seen.creation_times;
        let tags = || higher.iter().map(|it| it.tag.clone()).collect();
        let Some(own) = times.get(&self.root) else {
            return Err(LineQuestion::CreationTimes(tags()));
        };
        let Some(own) = own else {
            return Ok(higher.first().copied());
        };
        for release in higher {
            let Some(digest) = self.seen.tag_digest(&release.tag) else {
                continue;
            };
            match times.get(&digest) {
                None => return Err(LineQuestion::CreationTimes(tags())),
                Some(Some(time)) if fits(*time, *own) => return Ok(Some(release)),
                Some(None) => return Ok(Some(release)),
                Some(Some(_)) => {}
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
