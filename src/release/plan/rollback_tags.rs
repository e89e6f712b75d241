//! Decides where the moving tags of a withdrawn release go, as a pure function of what was observed.

use std::collections::BTreeSet;

use crate::image::{Digest, Tag};
use crate::record::RecordedTagKind;

/// Moving tag of the withdrawn release, or the tag of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MovingTag {
    pub(crate) tag: Tag,
    /// What it follows, by the record.
    pub(crate) kind: RecordedTagKind,
    /// What it names now.
    pub(crate) at: Option<Digest>,
    /// Highest release of its line that counts and is not withdrawn.
    pub(crate) line_goal: Option<RecordedVersion>,
    /// What it named before the withdrawn release, by the record.
    pub(crate) previous: Option<Digest>,
}

/// Version with a counted release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedVersion {
    pub(crate) version: String,
    pub(crate) root: Digest,
}

/// State that the tags are brought in line with.
#[derive(Debug, Clone)]
pub(crate) struct RollbackState {
    /// Roots that the tags are moved off.
    pub(crate) moved_off: BTreeSet<Digest>,
    /// Root that the environment is on after the rollback.
    pub(crate) current: Option<Digest>,
    /// Whether the environment's tag goes to that root whatever it names.
    pub(crate) moves_environment: bool,
    /// Previous roots that are there and not withdrawn.
    pub(crate) usable: BTreeSet<Digest>,
}

/// Tag of a rollback, and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackTag {
    /// The tag.
    pub tag: Tag,
    /// What it follows.
    pub kind: RecordedTagKind,
    /// What it named before.
    pub from: Option<Digest>,
    /// What happens to it.
    pub change: RollbackTagChange,
}

/// Change of a tag by a rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackTagChange {
    /// It names another image.
    Moved {
        /// New digest.
        to: Digest,
        /// What that image is.
        why: String,
    },
    /// It named another image than the withdrawn one already.
    Unchanged,
    /// It still names the withdrawn image.
    Stays {
        /// Reason.
        why: String,
    },
}

impl RollbackTag {
    /// Returns whether a version line still names the withdrawn image.
    pub fn is_staying_line(&self) -> bool {
        self.kind == RecordedTagKind::Line && self.is_staying()
    }

    /// Returns whether the tag still names the withdrawn image.
    pub fn is_staying(&self) -> bool {
        matches!(self.change, RollbackTagChange::Stays { .. })
    }

    /// Returns the digest that the tag is moved to.
    pub fn target(&self) -> Option<Digest> {
        match self.change {
            RollbackTagChange::Moved { to, .. } => Some(to),
            _ => None,
        }
    }
}

/// Plans the tags of a rollback. A tag that is not there is left out.
pub(crate) fn plan_rollback_tags(tags: &[MovingTag], state: &RollbackState) -> Vec<RollbackTag> {
    let there = tags.iter().filter_map(|tag| Some((tag, tag.at?)));
    let planned = there.map(|(moving, at)| RollbackTag {
        tag: moving.tag.clone(),
        kind: moving.kind,
        from: Some(at),
        change: plan_change(moving, at, state),
    });
    planned.collect()
}

fn plan_change(moving: &MovingTag, at: Digest, state: &RollbackState) -> RollbackTagChange {
    let is_environment = moving.kind == RecordedTagKind::Environment;
    let is_moved = state.moved_off.contains(&at) || (is_environment && state.moves_environment);
    if !is_moved {
        return RollbackTagChange::Unchanged;
    }
    let goal = match moving.kind {
        RecordedTagKind::Environment => environment_goal(state),
        RecordedTagKind::Line => line_goal(moving, state),
        RecordedTagKind::Immutable | RecordedTagKind::Moving => previous_goal(moving, state),
    };
    match goal {
        Ok((to, _)) if to == at => RollbackTagChange::Unchanged,
        Ok((to, why)) => RollbackTagChange::Moved { to, why },
        Err(why) => RollbackTagChange::Stays { why },
    }
}

fn environment_goal(state: &RollbackState) -> Result<(Digest, String), String> {
    let current = state.current.map(|root| (root, "current".to_owned()));
    current.ok_or_else(|| "no other release is current".to_owned())
}

fn line_goal(moving: &MovingTag, state: &RollbackState) -> Result<(Digest, String), String> {
    match &moving.line_goal {
        Some(goal) => Ok((goal.root, format!("{}, the highest release", goal.version))),
        None => previous_goal(moving, state)
            .map_err(|why| format!("no other release of its line is recorded, and {why}")),
    }
}

fn previous_goal(moving: &MovingTag, state: &RollbackState) -> Result<(Digest, String), String> {
    match moving.previous {
        None => Err("no record says what it named before".to_owned()),
        Some(previous) if state.usable.contains(&previous) => {
            Ok((previous, "what it named before".to_owned()))
        }
        Some(previous) => Err(format!(
            "{}, which it named before, is withdrawn or gone",
            previous.short()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RecordedTagKind::{Environment, Line, Moving};

    fn root(name: &str) -> Digest {
        Digest::from_bytes(name.as_bytes())
    }

    fn moving(kind: RecordedTagKind, at: &str) -> MovingTag {
        MovingTag {
            tag: "tag".parse().unwrap(),
            kind,
            at: Some(root(at)),
            line_goal: None,
            previous: None,
        }
    }

    /// 1.4 is withdrawn, 1.3 is current after it, and 1.2 is there.
    fn state() -> RollbackState {
        RollbackState {
            moved_off: BTreeSet::from([root("1.4")]),
            current: Some(root("1.3")),
            moves_environment: true,
            usable: BTreeSet::from([root("1.2")]),
        }
    }

    fn planned(tag: MovingTag, state: &RollbackState) -> String {
        let planned = plan_rollback_tags(&[tag], state).remove(0);
        match planned.change {
            RollbackTagChange::Moved { to, why } => {
                let mut known = ["1.2", "1.3", "1.4", "1.5"].into_iter();
                let name = known.find(|name| root(name) == to).unwrap();
                format!("to {name}: {why}")
            }
            RollbackTagChange::Unchanged => "unchanged".to_owned(),
            RollbackTagChange::Stays { why } => format!("stays: {why}"),
        }
    }

    #[test]
    fn promise_4_the_environment_goes_to_the_current_release() {
        assert_eq!(
            planned(moving(Environment, "1.4"), &state()),
            "to 1.3: current"
        );
        assert_eq!(
            planned(moving(Environment, "1.5"), &state()),
            "to 1.3: current"
        );
        assert_eq!(planned(moving(Environment, "1.3"), &state()), "unchanged");
        let middle = RollbackState {
            moves_environment: false,
            ..state()
        };
        assert_eq!(planned(moving(Environment, "1.5"), &middle), "unchanged");
        assert_eq!(
            planned(moving(Environment, "1.4"), &middle),
            "to 1.3: current"
        );
        let none = RollbackState {
            current: None,
            ..state()
        };
        let stays = planned(moving(Environment, "1.4"), &none);
        assert_eq!(stays, "stays: no other release is current");
    }

    #[test]
    fn promise_4_a_line_goes_to_its_highest_release_else_back_else_stays() {
        let highest = MovingTag {
            line_goal: Some(RecordedVersion {
                version: "1.3.0".to_owned(),
                root: root("1.3"),
            }),
            previous: Some(root("1.2")),
            ..moving(Line, "1.4")
        };
        assert_eq!(
            planned(highest.clone(), &state()),
            "to 1.3: 1.3.0, the highest release"
        );
        let elsewhere = MovingTag {
            at: Some(root("1.5")),
            ..highest.clone()
        };
        assert_eq!(planned(elsewhere, &state()), "unchanged");
        let back = MovingTag {
            line_goal: None,
            ..highest
        };
        assert_eq!(
            planned(back.clone(), &state()),
            "to 1.2: what it named before"
        );
        let gone = RollbackState {
            usable: BTreeSet::new(),
            ..state()
        };
        let text = planned(back, &gone);
        assert!(
            text.starts_with("stays: no other release of its line is recorded"),
            "{text}"
        );
        assert!(text.ends_with("is withdrawn or gone"), "{text}");
        let alone = plan_rollback_tags(&[moving(Line, "1.4")], &state());
        assert!(alone[0].is_staying_line() && alone[0].target().is_none());
    }

    #[test]
    fn promise_4_any_other_tag_goes_back_or_stays_and_is_no_line() {
        let back = MovingTag {
            previous: Some(root("1.2")),
            ..moving(Moving, "1.4")
        };
        assert_eq!(planned(back, &state()), "to 1.2: what it named before");
        let stays = plan_rollback_tags(&[moving(Moving, "1.4")], &state());
        assert!(stays[0].is_staying() && !stays[0].is_staying_line());
        let absent = MovingTag {
            at: None,
            ..moving(Moving, "1.4")
        };
        assert_eq!(plan_rollback_tags(&[absent], &state()), []);
    }
}
