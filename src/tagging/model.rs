//! A model of runs at the same time: the arithmetic of lines, without a registry.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use semver::Version;

use super::{Line, Move, Releases, Series};
use crate::image::Tag;

/// A repository: its versions, those taken back, and which version each line names.
#[derive(Default)]
struct Repository {
    tags: BTreeSet<Tag>,
    withdrawn: BTreeSet<Tag>,
    lines: BTreeMap<String, Version>,
}

/// What a run does, one request after the other: decide, write its version, write its lines, and then
/// list and correct until a list finds nothing to do.
struct Run {
    version: Version,
    withdraws: bool,
    decided: Vec<Line>,
    at: At,
}

#[derive(PartialEq)]
enum At {
    Deciding,
    Version,
    Line(usize),
    Settling,
    Over,
}

fn tag(version: &Version) -> Tag {
    version.to_string().parse().unwrap()
}

impl Repository {
    fn releases(&self) -> Releases {
        Releases::among(&self.tags, &Series::default(), &self.withdrawn)
    }

    /// What a line is to name, by what is there, and `own` that is being released.
    fn due(&self, line: Line, own: &Version) -> Option<Version> {
        match self.releases().line_move(line, own) {
            Move::Moves => Some(own.clone()),
            Move::Stays { highest, .. } => highest.map(|highest| highest.version),
        }
    }
}

impl Run {
    fn lines(&self) -> Vec<Line> {
        Line::all_of(&self.version)
    }

    fn step(&mut self, there: &mut Repository) {
        match self.at {
            At::Deciding => {
                let releases = there.releases();
                let moves = |line: &Line| releases.line_move(*line, &self.version) == Move::Moves;
                self.decided = self.lines().into_iter().filter(moves).collect();
                self.at = At::Version;
            }
            At::Version if self.withdraws => {
                there.withdrawn.insert(tag(&self.version));
                self.at = At::Settling;
            }
            At::Version => {
                there.tags.insert(tag(&self.version));
                self.at = At::Line(0);
            }
            At::Line(at) => match self.decided.get(at) {
                Some(line) => {
                    there.lines.insert(line.to_string(), self.version.clone());
                    self.at = At::Line(at + 1);
                }
                None => self.at = At::Settling,
            },
            At::Settling => self.settle(there),
            At::Over => {}
        }
    }

    /// One list, and the first line that it shows to be wrong.
    fn settle(&mut self, there: &mut Repository) {
        for line in self.lines() {
            if let Some(due) = there.due(line, &self.version)
                && there.lines.get(&line.to_string()) != Some(&due)
            {
                there.lines.insert(line.to_string(), due);
                return;
            }
        }
        self.at = At::Over;
    }
}

/// Each line that has a release names the highest of those that count.
fn check(there: &Repository, released: &[Version]) -> Result<(), TestCaseError> {
    let counts =
        |version: &&Version| version.pre.is_empty() && !there.withdrawn.contains(&tag(version));
    for version in released.iter().filter(counts) {
        for line in Line::all_of(version) {
            let of_line = |other: &&Version| Line::all_of(other).contains(&line);
            let highest = released.iter().filter(counts).filter(of_line).max();
            prop_assert_eq!(there.lines.get(&line.to_string()), highest, "{}", line);
        }
    }
    Ok(())
}

fn any_version() -> impl Strategy<Value = Version> {
    (0..3u64, 0..3u64, 0..3u64, 0..5u8).prop_map(|(major, minor, patch, kind)| {
        let end = if kind == 0 { "-rc.1" } else { "" };
        format!("{major}.{minor}.{patch}{end}").parse().unwrap()
    })
}

proptest! {
    /// Rounds of runs at the same time: releases, backports, pre-releases and repeats, and releases of
    /// earlier rounds that are taken back.
    #[test]
    fn a_line_ends_at_its_highest_release(
        rounds in prop::collection::vec(
            (
                prop::collection::vec((any_version(), prop::bool::weighted(0.3)), 1..6),
                prop::collection::vec(0..5usize, 0..60),
            ),
            1..8,
        ),
    ) {
        let mut there = Repository {
            tags: ["buildcache", "9.9.9-rc.1", "git-9999999", "9.9.9-alpine"]
                .map(|tag| tag.parse().unwrap())
                .into(),
            ..Repository::default()
        };
        let mut released: Vec<Version> = Vec::new();
        for (versions, order) in rounds {
            let mut runs = begin(&there, &released, versions);
            let new = runs.iter().filter(|run| !run.withdraws);
            released.extend(new.map(|run| run.version.clone()));
            let count = runs.len();
            for at in order.into_iter().filter(|_| count > 0) {
                runs[at % count].step(&mut there);
            }
            for run in &mut runs {
                while run.at != At::Over {
                    run.step(&mut there);
                }
            }
            check(&there, &released)?;
        }
    }
}

/// The runs of a round. What was never released is not taken back, and what was taken back is not
/// released again.
fn begin(there: &Repository, released: &[Version], versions: Vec<(Version, bool)>) -> Vec<Run> {
    let run = |(version, taken_back): (Version, bool)| {
        let withdraws = taken_back && released.contains(&version);
        let at = if withdraws { At::Version } else { At::Deciding };
        let is_gone = there.withdrawn.contains(&tag(&version));
        let decided = Vec::new();
        (!is_gone).then_some(Run {
            version,
            withdraws,
            decided,
            at,
        })
    };
    versions.into_iter().filter_map(run).collect()
}
