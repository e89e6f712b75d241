//! A model of runs at the same time: the arithmetic of lines, without a registry.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use semver::Version;

use super::{LineMove, ReleaseSeries, SeriesReleases, VersionLine};
use crate::image::Tag;

/// A repository: its versions, those taken back, and which version each line names.
#[derive(Default)]
struct ModelRepository {
    tags: BTreeSet<Tag>,
    withdrawn: BTreeSet<Tag>,
    lines: BTreeMap<String, Version>,
}

/// What a run does, one request after the other: decide, write its version, write its lines, and then
/// list and correct until a list finds nothing to do.
struct ModelRun {
    version: Version,
    withdraws: bool,
    decided: Vec<VersionLine>,
    at: ModelStep,
}

#[derive(PartialEq)]
enum ModelStep {
    Deciding,
    Version,
    Line(usize),
    Correcting,
    Over,
}

fn tag(version: &Version) -> Tag {
    version.to_string().parse().unwrap()
}

impl ModelRepository {
    fn releases(&self) -> SeriesReleases {
        SeriesReleases::from_tags(&self.tags, &ReleaseSeries::default(), &self.withdrawn)
    }

    /// What a line is to name, by what is there, and `own` that is being released.
    fn line_target(&self, line: VersionLine, own: &Version) -> Option<Version> {
        match self.releases().line_move(line, own) {
            LineMove::Moves => Some(own.clone()),
            LineMove::Stays { highest, .. } => highest.map(|highest| highest.version),
        }
    }
}

impl ModelRun {
    fn lines(&self) -> Vec<VersionLine> {
        VersionLine::lines_of(&self.version)
    }

    fn step(&mut self, there: &mut ModelRepository) {
        match self.at {
            ModelStep::Deciding => {
                let releases = there.releases();
                let moves = |line: &VersionLine| {
                    releases.line_move(*line, &self.version) == LineMove::Moves
                };
                self.decided = self.lines().into_iter().filter(moves).collect();
                self.at = ModelStep::Version;
            }
            ModelStep::Version if self.withdraws => {
                there.withdrawn.insert(tag(&self.version));
                self.at = ModelStep::Correcting;
            }
            ModelStep::Version => {
                there.tags.insert(tag(&self.version));
                self.at = ModelStep::Line(0);
            }
            ModelStep::Line(at) => match self.decided.get(at) {
                Some(line) => {
                    there.lines.insert(line.to_string(), self.version.clone());
                    self.at = ModelStep::Line(at + 1);
                }
                None => self.at = ModelStep::Correcting,
            },
            ModelStep::Correcting => self.correct(there),
            ModelStep::Over => {}
        }
    }

    /// One list, and the first line that it shows to be wrong.
    fn correct(&mut self, there: &mut ModelRepository) {
        for line in self.lines() {
            if let Some(due) = there.line_target(line, &self.version)
                && there.lines.get(&line.to_string()) != Some(&due)
            {
                there.lines.insert(line.to_string(), due);
                return;
            }
        }
        self.at = ModelStep::Over;
    }
}

/// Each line that has a release names the highest of those that count.
fn check_lines(there: &ModelRepository, released: &[Version]) -> Result<(), TestCaseError> {
    let counts =
        |version: &&Version| version.pre.is_empty() && !there.withdrawn.contains(&tag(version));
    for version in released.iter().filter(counts) {
        for line in VersionLine::lines_of(version) {
            let of_line = |other: &&Version| VersionLine::lines_of(other).contains(&line);
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
        let mut there = ModelRepository {
            tags: ["buildcache", "9.9.9-rc.1", "git-9999999", "9.9.9-alpine"]
                .map(|tag| tag.parse().unwrap())
                .into(),
            ..ModelRepository::default()
        };
        let mut released: Vec<Version> = Vec::new();
        for (versions, order) in rounds {
            let mut runs = begin_round(&there, &released, versions);
            let new = runs.iter().filter(|run| !run.withdraws);
            released.extend(new.map(|run| run.version.clone()));
            let count = runs.len();
            for at in order.into_iter().filter(|_| count > 0) {
                runs[at % count].step(&mut there);
            }
            for run in &mut runs {
                while run.at != ModelStep::Over {
                    run.step(&mut there);
                }
            }
            check_lines(&there, &released)?;
        }
    }
}

/// The runs of a round. What was never released is not taken back, and what was taken back is not
/// released again.
fn begin_round(
    there: &ModelRepository,
    released: &[Version],
    versions: Vec<(Version, bool)>,
) -> Vec<ModelRun> {
    let run = |(version, taken_back): (Version, bool)| {
        let withdraws = taken_back && released.contains(&version);
        let at = if withdraws {
            ModelStep::Version
        } else {
            ModelStep::Deciding
        };
        let is_gone = there.withdrawn.contains(&tag(&version));
        let decided = Vec::new();
        (!is_gone).then_some(ModelRun {
            version,
            withdraws,
            decided,
            at,
        })
    };
    versions.into_iter().filter_map(run).collect()
}
