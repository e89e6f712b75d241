//! Decides the change of each tag of a destination, as a pure function of the observed state.

use super::next_version::next_free_version;
use super::observe::DestinationState;
use crate::image::{Destination, Digest, Tag};
use crate::release::Failure;
use crate::release::outcome::{TagChange, TagResult};
use crate::tagging::{LineMove, MovingTagSource, PlannedTag, TagKind};

/// The tags of one destination.
#[derive(Clone)]
pub(crate) struct TagPlan {
    pub(crate) steps: Vec<TagStep>,
    /// What they are to name, lines apart that are not for it.
    pub(crate) root: Digest,
}

/// One tag, and what happens to it.
#[derive(Clone)]
pub(crate) struct TagStep {
    pub(crate) planned: PlannedTag,
    pub(crate) change: TagChange,
}

impl TagPlan {
    pub(crate) fn writes(&self) -> bool {
        self.steps.iter().any(TagStep::writes)
    }

    /// Returns whether a tag names the root already, or is going to.
    pub(crate) fn has_root(&self) -> bool {
        self.writes() || self.names_root()
    }

    /// Returns whether a tag names the root already.
    pub(crate) fn names_root(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.change == TagChange::Unchanged)
    }

    /// Returns whether a tag is written for certain: one that follows a branch may give way to
    /// another run's.
    pub(crate) fn is_certain_to_write(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| {
            step.writes() && step.planned.kind != TagKind::Moving(MovingTagSource::Branch)
        })
    }

    pub(crate) fn into_results(self) -> Vec<TagResult> {
        let result = |TagStep { planned, change }| TagResult {
            tag: planned.tag,
            kind: planned.kind,
            rule: planned.rule,
            change,
        };
        self.steps.into_iter().map(result).collect()
    }
}

impl TagStep {
    pub(crate) fn writes(&self) -> bool {
        self.change.writes_root()
    }
}

/// Plans the tags of `place` for `root`.
///
/// # Errors
/// A refusal, where an immutable tag names another image.
pub(crate) fn plan_tags(
    place: &Destination,
    tags: &[PlannedTag],
    seen: &DestinationState,
    root: Digest,
) -> Result<TagPlan, Failure> {
    let steps = tags.iter().map(|planned| {
        Ok(TagStep {
            planned: planned.clone(),
            change: plan_change(place, planned, seen, root)?,
        })
    });
    Ok(TagPlan {
        steps: steps.collect::<Result<_, Failure>>()?,
        root,
    })
}

fn plan_change(
    place: &Destination,
    planned: &PlannedTag,
    seen: &DestinationState,
    root: Digest,
) -> Result<TagChange, Failure> {
    let there = seen.tag_digest(&planned.tag);
    if let Some(due) = line_target(planned, seen) {
        return Ok(line_change(due, there, root));
    }
    if there == Some(root) {
        return Ok(TagChange::Unchanged);
    }
    if let Some(why) = seen.lines.get(&planned.tag) {
        let why = why.clone();
        return Ok(TagChange::Stays { at: there, why });
    }
    match (&planned.kind, there) {
        (TagKind::Immutable(_), Some(other)) => {
            let refusal = immutable_tag_conflict(place, planned, other, root);
            Err(name_next_version(refusal, place, planned, seen))
        }
        (TagKind::Moving(MovingTagSource::Branch), Some(_)) => {
            Ok(match seen.newer_branches.get(&planned.tag) {
                Some(why) => TagChange::Stays {
                    at: there,
                    why: why.clone(),
                },
                None => created_or_moved(there),
            })
        }
        (_, at) => Ok(created_or_moved(at)),
    }
}

/// Target of the tag of a version line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineTarget {
    /// Our release: it is the highest of the line.
    OwnRelease,
    /// A higher one.
    OtherRelease { to: Digest, why: String },
    /// Nothing that is known: there is no release of the line.
    Unknown { why: String },
}

/// Returns the target of the tag of a version line; `None` for other tags.
pub(crate) fn line_target(planned: &PlannedTag, seen: &DestinationState) -> Option<LineTarget> {
    let TagKind::Moving(MovingTagSource::Line {
        line,
        series,
        version,
    }) = &planned.kind
    else {
        return None;
    };
    let (highest, why) = match seen.releases(series).line_move(*line, version) {
        LineMove::Moves => return Some(LineTarget::OwnRelease),
        LineMove::Stays { highest, why } => (highest, why),
    };
    let to = highest.and_then(|highest| seen.tag_digest(&highest.tag));
    Some(match to {
        Some(to) => LineTarget::OtherRelease { to, why },
        None => LineTarget::Unknown { why },
    })
}

/// Returns the change of a line: it moves only to its highest release, and is corrected if it points
/// to another one.
fn line_change(due: LineTarget, at: Option<Digest>, root: Digest) -> TagChange {
    match due {
        LineTarget::OwnRelease if at == Some(root) => TagChange::Unchanged,
        LineTarget::OwnRelease => created_or_moved(at),
        LineTarget::OtherRelease { to, why } if at != Some(to) => {
            TagChange::Corrected { from: at, to, why }
        }
        LineTarget::OtherRelease { why, .. } | LineTarget::Unknown { why } => {
            TagChange::Stays { at, why }
        }
    }
}

fn created_or_moved(at: Option<Digest>) -> TagChange {
    at.map_or(TagChange::Created, |from| TagChange::Moved { from })
}

/// Returns the refusal to move an immutable tag (promise 3).
pub(crate) fn immutable_tag_conflict(
    place: &Destination,
    planned: &PlannedTag,
    other: Digest,
    root: Digest,
) -> Failure {
    let tag = &planned.tag;
    Failure::refused(format!(
        "tag {tag} of {place} points to {other}, expected {root}"
    ))
    .with_reason(format!("{tag} is an immutable tag ({})", planned.rule))
    .with_hint(format!(
        "release under a new version, or release the existing image: --source {}",
        tag_reference(place, tag)
    ))
}

/// Names the next free version, where the tag is one and the list of tags is known.
fn name_next_version(
    refusal: Failure,
    place: &Destination,
    planned: &PlannedTag,
    seen: &DestinationState,
) -> Failure {
    let next = match seen.tags.is_empty() {
        true => None,
        false => next_free_version(&planned.tag, &seen.tags),
    };
    match next {
        Some(next) => refusal.with_hint(format!(
            "release under the next free version, {next}, or release the existing image: --source {}",
            tag_reference(place, &planned.tag)
        )),
        None => refusal,
    }
}

/// Returns `tag` of `place` in the syntax of a source.
pub(crate) fn tag_reference(place: &Destination, tag: &Tag) -> String {
    format!("{place}:{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagging::{ImmutableTagSource, ReleaseSeries, VersionLine};
    use std::collections::BTreeMap;

    fn digest(text: &str) -> Digest {
        Digest::from_bytes(text.as_bytes())
    }

    fn planned(tag: &str, kind: TagKind) -> PlannedTag {
        PlannedTag {
            tag: tag.parse().unwrap(),
            kind,
            rule: "a rule".to_owned(),
        }
    }

    fn line(line: VersionLine, version: &str) -> TagKind {
        TagKind::Moving(MovingTagSource::Line {
            line,
            series: ReleaseSeries::default(),
            version: version.parse().unwrap(),
        })
    }

    /// A destination with these tags, each with the digest of a text.
    fn seen(tags: &[(&str, &str)]) -> DestinationState {
        let named: BTreeMap<Tag, Option<Digest>> = tags
            .iter()
            .map(|(tag, of)| (tag.parse().unwrap(), Some(digest(of))))
            .collect();
        let tags = named.keys().cloned().collect();
        DestinationState {
            tag_digests: named,
            tags,
            ..DestinationState::default()
        }
    }

    fn changed(tag: &PlannedTag, seen: &DestinationState) -> Result<TagChange, String> {
        let place = "registry.example/team/web".parse().unwrap();
        let plan = plan_tags(&place, std::slice::from_ref(tag), seen, digest("root"));
        plan.map(|plan| plan.into_results().remove(0).change)
            .map_err(|failure| failure.diagnostic().unwrap().to_string())
    }

    #[test]
    fn promise_3_an_immutable_tag_is_not_moved() {
        let tag = planned("1.4.0", TagKind::Immutable(ImmutableTagSource::Version));
        assert_eq!(changed(&tag, &seen(&[])), Ok(TagChange::Created));
        assert_eq!(
            changed(&tag, &seen(&[("1.4.0", "root")])),
            Ok(TagChange::Unchanged)
        );
        let refused = changed(&tag, &seen(&[("1.4.0", "other")])).unwrap_err();
        let lines: Vec<&str> = refused.lines().collect();
        assert_eq!(
            lines,
            [
                format!(
                    "tag 1.4.0 of registry.example/team/web points to {}, expected {}",
                    digest("other"),
                    digest("root")
                )
                .as_str(),
                " why:  1.4.0 is an immutable tag (a rule)",
                " hint: release under the next free version, 1.4.1, or release the existing image: --source registry.example/team/web:1.4.0",
            ]
        );
    }

    #[test]
    fn promise_4_a_line_goes_only_forward() {
        let there = seen(&[
            ("1.4.0", "a"),
            ("1.4", "a"),
            ("2.0.0", "b"),
            ("latest", "b"),
        ]);
        let moved = TagChange::Moved { from: digest("a") };
        assert_eq!(
            changed(
                &planned("1.4", line(VersionLine::Minor(1, 4), "1.4.1")),
                &there
            ),
            Ok(moved)
        );
        let why = || "latest stays at 2.0.0: 1.4.1 is a backport".to_owned();
        let latest = planned("latest", line(VersionLine::Latest, "1.4.1"));
        let stays = TagChange::Stays {
            at: Some(digest("b")),
            why: why(),
        };
        assert_eq!(changed(&latest, &there), Ok(stays));
        // A run that died left it behind.
        for from in [Some("a"), Some("root"), None] {
            let latest_at = from.map(|from| ("latest", from));
            let there = [("2.0.0", "b")].into_iter().chain(latest_at);
            let there = seen(&there.collect::<Vec<_>>());
            let corrected = TagChange::Corrected {
                from: from.map(digest),
                to: digest("b"),
                why: why(),
            };
            assert_eq!(changed(&latest, &there), Ok(corrected), "{from:?}");
        }
    }

    #[test]
    fn withdrawn_releases_do_not_hold_a_line() {
        let mut there = seen(&[("1.4.0", "a"), ("2.0.0", "b"), ("latest", "b")]);
        there.withdrawn = ["2.0.0".parse().unwrap()].into();
        let latest = planned("latest", line(VersionLine::Latest, "1.4.1"));
        let moved = TagChange::Moved { from: digest("b") };
        assert_eq!(changed(&latest, &there), Ok(moved));
        let again = planned("latest", line(VersionLine::Latest, "2.0.0"));
        let back = TagChange::Corrected {
            from: Some(digest("b")),
            to: digest("a"),
            why: "latest stays at 1.4.0: 2.0.0 is withdrawn".to_owned(),
        };
        assert_eq!(changed(&again, &there), Ok(back));
    }

    #[test]
    fn a_branch_stays_where_git_says_that_it_is_newer() {
        let main = planned("main", TagKind::Moving(MovingTagSource::Branch));
        let mut there = seen(&[("main", "a")]);
        let why = "main stays: it is newer".to_owned();
        there.newer_branches.insert(main.tag.clone(), why.clone());
        let at = Some(digest("a"));
        assert_eq!(changed(&main, &there), Ok(TagChange::Stays { at, why }));
    }

    #[test]
    fn other_moving_tags_follow() {
        let tag = planned("main", TagKind::Moving(MovingTagSource::Branch));
        assert_eq!(
            changed(&tag, &seen(&[("main", "a")])),
            Ok(TagChange::Moved { from: digest("a") })
        );
        assert_eq!(
            changed(&tag, &seen(&[("main", "root")])),
            Ok(TagChange::Unchanged)
        );
    }
}
