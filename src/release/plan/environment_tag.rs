//! Decides what the tag of an environment names where records are kept: the current root by the timeline.

use std::collections::BTreeSet;

use crate::image::Digest;

/// What a run knows when it decides on the environment's tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentFacts<'a> {
    /// Root that this run releases or withdraws.
    pub(crate) root: Digest,
    /// Root that the entry of this run sets: its root, or what a rollback puts back.
    pub(crate) sets: Digest,
    /// Whether that root is withdrawn, by this run or meanwhile.
    pub(crate) is_withdrawn: bool,
    /// Root that the environment is on once the entry of this run counts; `None`: nothing that is not
    /// withdrawn.
    pub(crate) current: Option<Digest>,
    /// What the tag names; `None`: no such tag.
    pub(crate) at: Option<Digest>,
    /// What this run wrote the tag with, apart from these.
    pub(crate) written: &'a BTreeSet<Digest>,
}

/// What happens to the tag of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnvironmentTagGoal {
    /// The tag names the current root.
    Right,
    /// The tag is written with the root that this run sets, which is current.
    OwnRoot(Digest),
    /// The tag is written with the current root, which is another: this run, or an earlier attempt of it, had
    /// written the tag before that release, or this run's root is withdrawn.
    OtherRoot(Digest),
    /// The tag stays with a newer release.
    Superseded,
    /// The tag names a withdrawn root, and nothing that is not withdrawn is there.
    NoRoot,
}

/// Decides on the tag of the environment that a run releases to.
///
/// A run that sets the current root writes it, and one whose root is withdrawn what is current then. Any other
/// run leaves the tag to the run that made another root current, and takes back only what it wrote itself.
pub(crate) fn environment_tag_goal(facts: EnvironmentFacts<'_>) -> EnvironmentTagGoal {
    if facts.current.is_some() && facts.at == facts.current {
        return EnvironmentTagGoal::Right;
    }
    if facts.current == Some(facts.sets) {
        return EnvironmentTagGoal::OwnRoot(facts.sets);
    }
    let Some(at) = facts.at else {
        return EnvironmentTagGoal::Superseded;
    };
    let is_own_write = [facts.root, facts.sets].contains(&at) || facts.written.contains(&at);
    match facts.current {
        Some(current) if is_own_write || facts.is_withdrawn => {
            EnvironmentTagGoal::OtherRoot(current)
        }
        None if is_own_write => EnvironmentTagGoal::NoRoot,
        _ => EnvironmentTagGoal::Superseded,
    }
}

#[cfg(test)]
mod tests;
