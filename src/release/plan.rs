//! What is to happen to each tag of a destination. Pure: from what was seen to what to write.

use super::look::Seen;
use super::{Change, Failure, TagResult};
use crate::image::{Digest, Place, Tag};
use crate::tagging::{Follows, Kind, Move, PlannedTag};

/// The tags of one destination.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What they are to name, lines apart that are not for it.
    pub(super) root: Digest,
}

/// One tag, and what happens to it.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) planned: PlannedTag,
    pub(super) change: Change,
}

impl Plan {
    pub(super) fn writes(&self) -> bool {
        self.steps.iter().any(Step::writes)
    }

    /// Whether a tag names the root already.
    pub(super) fn names_root(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.change == Change::Unchanged)
    }

    /// Whether a tag is written whatever else happens: one that follows a branch may give way to
    /// another run's.
    pub(super) fn is_sure_to_write(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.writes() && step.planned.kind != Kind::Moving(Follows::Branch))
    }

    pub(super) fn into_results(self) -> Vec<TagResult> {
        let result = |Step { planned, change }| TagResult {
            tag: planned.tag,
            kind: planned.kind,
            rule: planned.rule,
            change,
        };
        self.steps.into_iter().map(result).collect()
    }
}

impl Step {
    pub(super) fn writes(&self) -> bool {
        self.change.writes()
    }
}

/// Plans the tags of `place` for `root`.
///
/// # Errors
/// A refusal, where an immutable tag names another image.
pub(super) fn plan(
    place: &Place,
    tags: &[PlannedTag],
    seen: &Seen,
    root: Digest,
) -> Result<Plan, Failure> {
    let steps = tags.iter().map(|planned| {
        Ok(Step {
            planned: planned.clone(),
            change: change(place, planned, seen, root)?,
        })
    });
    Ok(Plan {
        steps: steps.collect::<Result<_, Failure>>()?,
        root,
    })
}

fn change(
    place: &Place,
    planned: &PlannedTag,
    seen: &Seen,
    root: Digest,
) -> Result<Change, Failure> {
    let there = seen.named(&planned.tag);
    if let Some(due) = due(planned, seen) {
        return Ok(line_change(due, there, root));
    }
    if there == Some(root) {
        return Ok(Change::Unchanged);
    }
    if let Some(why) = seen.lines.get(&planned.tag) {
        let why = why.clone();
        return Ok(Change::Stays { at: there, why });
    }
    match (&planned.kind, there) {
        (Kind::Immutable(_), Some(other)) => Err(taken(place, planned, other, root)),
        (Kind::Moving(Follows::Branch), Some(_)) => Ok(match seen.newer.get(&planned.tag) {
            Some(why) => Change::Stays {
                at: there,
                why: why.clone(),
            },
            None => written(there),
        }),
        (_, at) => Ok(written(at)),
    }
}

/// What the tag of a version line is to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// Our release: it is the highest of the line.
    Ours,
    /// A higher one.
    Other { to: Digest, why: String },
    /// Nothing that is known: there is no release of the line.
    Unknown { why: String },
}

/// What the tag of a version line is to name; `None` for other tags.
pub(super) fn due(planned: &PlannedTag, seen: &Seen) -> Option<Due> {
    let Kind::Moving(Follows::Line {
        line,
        series,
        version,
    }) = &planned.kind
    else {
        return None;
    };
    let (highest, why) = match seen.releases(series).line_move(*line, version) {
        Move::Moves => return Some(Due::Ours),
        Move::Stays { highest, why } => (highest, why),
    };
    let to = highest.and_then(|highest| seen.named(&highest.tag));
    Some(match to {
        Some(to) => Due::Other { to, why },
        None => Due::Unknown { why },
    })
}

/// A line moves only to its highest release; where it names another one than that, it is put right.
fn line_change(due: Due, at: Option<Digest>, root: Digest) -> Change {
    match due {
        Due::Ours if at == Some(root) => Change::Unchanged,
        Due::Ours => written(at),
        Due::Other { to, why } if at != Some(to) => Change::Corrected { from: at, to, why },
        Due::Other { why, .. } | Due::Unknown { why } => Change::Stays { at, why },
    }
}

fn written(at: Option<Digest>) -> Change {
    at.map_or(Change::Created, |from| Change::Moved { from })
}

/// Promise 3: an immutable tag is not moved by us.
pub(super) fn taken(place: &Place, planned: &PlannedTag, other: Digest, root: Digest) -> Failure {
    let tag = &planned.tag;
    Failure::refused(format!("tag {tag} of {place} names {other}, not {root}"))
        .why(format!("{tag} is an immutable tag ({})", planned.rule))
        .hint(format!(
            "release under a new version, or release the image that {tag} names: --source {}",
            named(place, tag)
        ))
}

/// `tag` of `place`, as a source is written.
pub(super) fn named(place: &Place, tag: &Tag) -> String {
    format!("{place}:{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagging::{Line, Names, Series};
    use std::collections::BTreeMap;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn planned(tag: &str, kind: Kind) -> PlannedTag {
        PlannedTag {
            tag: tag.parse().unwrap(),
            kind,
            rule: "a rule".to_owned(),
        }
    }

    fn line(line: Line, version: &str) -> Kind {
        Kind::Moving(Follows::Line {
            line,
            series: Series::default(),
            version: version.parse().unwrap(),
        })
    }

    /// A destination with these tags, each naming the digest of the text beside it.
    fn seen(tags: &[(&str, &str)]) -> Seen {
        let named: BTreeMap<Tag, Option<Digest>> = tags
            .iter()
            .map(|(tag, of)| (tag.parse().unwrap(), Some(digest(of))))
            .collect();
        let tags = named.keys().cloned().collect();
        Seen {
            named,
            tags,
            ..Seen::default()
        }
    }

    fn changed(tag: &PlannedTag, seen: &Seen) -> Result<Change, String> {
        let place = "registry.example/team/web".parse().unwrap();
        let plan = plan(&place, std::slice::from_ref(tag), seen, digest("root"));
        plan.map(|plan| plan.into_results().remove(0).change)
            .map_err(|failure| failure.complaint().unwrap().to_string())
    }

    #[test]
    fn promise_3_an_immutable_tag_is_not_moved() {
        let tag = planned("1.4.0", Kind::Immutable(Names::Version));
        assert_eq!(changed(&tag, &seen(&[])), Ok(Change::Created));
        assert_eq!(
            changed(&tag, &seen(&[("1.4.0", "root")])),
            Ok(Change::Unchanged)
        );
        let refused = changed(&tag, &seen(&[("1.4.0", "other")])).unwrap_err();
        let lines: Vec<&str> = refused.lines().collect();
        assert_eq!(
            lines,
            [
                format!(
                    "tag 1.4.0 of registry.example/team/web names {}, not {}",
                    digest("other"),
                    digest("root")
                )
                .as_str(),
                " why:  1.4.0 is an immutable tag (a rule)",
                " hint: release under a new version, or release the image that 1.4.0 names: --source registry.example/team/web:1.4.0",
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
        let moved = Change::Moved { from: digest("a") };
        assert_eq!(
            changed(&planned("1.4", line(Line::Minor(1, 4), "1.4.1")), &there),
            Ok(moved)
        );
        let why = || "latest stays at 2.0.0: 1.4.1 is a backport".to_owned();
        let latest = planned("latest", line(Line::Latest, "1.4.1"));
        let stays = Change::Stays {
            at: Some(digest("b")),
            why: why(),
        };
        assert_eq!(changed(&latest, &there), Ok(stays));
        // A run that died left it behind.
        for from in [Some("a"), Some("root"), None] {
            let latest_at = from.map(|from| ("latest", from));
            let there = [("2.0.0", "b")].into_iter().chain(latest_at);
            let there = seen(&there.collect::<Vec<_>>());
            let corrected = Change::Corrected {
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
        let latest = planned("latest", line(Line::Latest, "1.4.1"));
        let moved = Change::Moved { from: digest("b") };
        assert_eq!(changed(&latest, &there), Ok(moved));
        let again = planned("latest", line(Line::Latest, "2.0.0"));
        let back = Change::Corrected {
            from: Some(digest("b")),
            to: digest("a"),
            why: "latest stays at 1.4.0: 2.0.0 is withdrawn".to_owned(),
        };
        assert_eq!(changed(&again, &there), Ok(back));
    }

    #[test]
    fn a_branch_stays_where_git_says_that_it_is_newer() {
        let main = planned("main", Kind::Moving(Follows::Branch));
        let mut there = seen(&[("main", "a")]);
        let why = "main stays: it is newer".to_owned();
        there.newer.insert(main.tag.clone(), why.clone());
        let at = Some(digest("a"));
        assert_eq!(changed(&main, &there), Ok(Change::Stays { at, why }));
    }

    #[test]
    fn other_moving_tags_follow() {
        let tag = planned("main", Kind::Moving(Follows::Branch));
        assert_eq!(
            changed(&tag, &seen(&[("main", "a")])),
            Ok(Change::Moved { from: digest("a") })
        );
        assert_eq!(
            changed(&tag, &seen(&[("main", "root")])),
            Ok(Change::Unchanged)
        );
    }
}
