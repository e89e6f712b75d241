//! Age of an image, with its source.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::manifest_graph::ManifestGraph;
use super::observed_manifest::ObservedTimes;
use super::snapshot::RepositorySnapshot;
use crate::record::RecordTime;

/// Time from which the age of an image counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestAge {
    /// Time.
    pub time: RecordTime,
    /// Source of the time.
    pub source: AgeSource,
}

/// Source of the age of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeSource {
    /// Push of a tag, as the registry says.
    TagPushed,
    /// Push of the manifest, as the registry says.
    Pushed,
    /// Last change of the manifest, as the registry says.
    Updated,
    /// First run that saw the manifest without a tag.
    FirstSeenUntagged,
    /// Record of a release.
    Recorded,
    /// Config of the image, or of the newest of its platforms.
    ConfigCreated,
    /// Annotation of the image, or of the newest of its platforms.
    AnnotationCreated,
}

/// Earliest time that says when an image was made, in seconds: the first release of Docker, in March 2013. Earlier
/// ones are those of reproducible builds.
const EARLIEST_CREATION: i64 = 1_362_096_000;
/// How far a time may be in the future: clocks differ.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5 * 60);

impl ManifestAge {
    /// Returns whether the time is in the future, beyond the difference of two clocks.
    pub(super) fn is_in_future(&self, now: RecordTime) -> bool {
        self.time.since(now) > CLOCK_DIFFERENCE
    }
}

impl fmt::Display for AgeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TagPushed => "push of the tag",
            Self::Pushed => "push",
            Self::Updated => "last change",
            Self::FirstSeenUntagged => "first seen without a tag",
            Self::Recorded => "record of a release",
            Self::ConfigCreated => "created in the config",
            Self::AnnotationCreated => "created in the annotations",
        })
    }
}

impl ObservedTimes {
    /// Returns the latest change of the manifest itself that the registry knows.
    pub(super) fn latest_change(&self) -> Option<ManifestAge> {
        latest([
            (self.pushed, AgeSource::Pushed),
            (self.updated, AgeSource::Updated),
        ])
    }
}

/// Returns the age of a manifest: the latest time that the registry knows, else the latest that the image itself
/// states, and in either case a later record of a release. `None` if no source has a time.
pub(super) fn find_age(
    graph: &ManifestGraph<'_>,
    repository: &RepositorySnapshot,
    node: usize,
    recorded: Option<RecordTime>,
) -> Option<ManifestAge> {
    let own = graph.manifest(node).map(|manifest| &manifest.times);
    let tags = graph.tags(node).iter();
    let tag_pushed = tags.filter_map(|tag| repository.tags.get(tag)?.pushed);
    let registry = latest([
        (own.and_then(|times| times.pushed), AgeSource::Pushed),
        (own.and_then(|times| times.updated), AgeSource::Updated),
        (tag_pushed.max(), AgeSource::TagPushed),
        (
            own.and_then(|times| times.first_seen_untagged),
            AgeSource::FirstSeenUntagged,
        ),
    ]);
    let known = registry.or_else(|| find_creation(graph, node));
    let recorded = recorded.map(|time| ManifestAge {
        time,
        source: AgeSource::Recorded,
    });
    known.into_iter().chain(recorded).max_by_key(|age| age.time)
}

/// Returns the latest creation of the manifest and of all below it.
fn find_creation(graph: &ManifestGraph<'_>, node: usize) -> Option<ManifestAge> {
    let below = graph.find_descendants(node).into_iter();
    let times = below.filter_map(|node| Some(&graph.manifest(node)?.times));
    times
        .filter_map(creation)
        .max_by_key(|creation| creation.time)
}

fn creation(times: &ObservedTimes) -> Option<ManifestAge> {
    let is_plausible = |time: &RecordTime| {
        let earliest = Timestamp::from_second(EARLIEST_CREATION);
        earliest.is_ok_and(|earliest| time.to_timestamp() >= earliest)
    };
    latest([
        (
            times.config_created.filter(is_plausible),
            AgeSource::ConfigCreated,
        ),
        (
            times.annotation_created.filter(is_plausible),
            AgeSource::AnnotationCreated,
        ),
    ])
}

/// Returns the latest time; of equal ones the first.
fn latest<const N: usize>(times: [(Option<RecordTime>, AgeSource); N]) -> Option<ManifestAge> {
    let known = times.into_iter().rev();
    known
        .filter_map(|(time, source)| time.map(|time| ManifestAge { time, source }))
        .max_by_key(|age| age.time)
}
