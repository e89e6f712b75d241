//! Versions and version lines among the tags of a run: which tag is a version, and which one follows
//! the line of another tag's version, however the tags were given.

use super::expansion::ExpandedTag;
use super::rule_output::{RuleOutput, RuleOutputKind};
use crate::tagging::release_version::names_commit;
use crate::tagging::tag_plan::{ImmutableTagSource, LineTag, MovingTagSource, TagKind};
use crate::tagging::{NamedRelease, ReleaseSeries, ReleaseVersion, VersionLine};

/// Tag, and the version that it is about.
pub(super) struct VersionedTag {
    pub(super) tag: ExpandedTag,
    /// What the tag has around its version.
    pub(super) series: ReleaseSeries,
    /// Version that the rule read, if any.
    pub(super) version: Option<ReleaseVersion>,
    /// Whether the rule gives a name, whose form decides what the tag is.
    pub(super) is_name: bool,
}

/// Version of a run, and the series of the tag that names it.
#[derive(Clone)]
struct RunVersion {
    series: ReleaseSeries,
    version: ReleaseVersion,
}

impl RunVersion {
    fn new(series: &ReleaseSeries, version: ReleaseVersion) -> Self {
        let series = series.clone().with_builds_of(&version);
        Self { series, version }
    }

    /// Returns the line of a variant that has no version in this run: `1-alpine` beside 1.4.1.
    fn variant_line(&self, text: &str) -> Option<LineTag> {
        VersionLine::lines_of(&self.version)
            .into_iter()
            .find_map(|line| {
                let suffix = text.strip_prefix(&self.series.tag_text(&line.to_string()))?;
                let series = ReleaseSeries {
                    suffix: suffix.to_owned(),
                    ..self.series.clone()
                };
                suffix.starts_with('-').then(|| LineTag {
                    line,
                    series: series.clone(),
                    release_series: series,
                    version: self.version.clone(),
                })
            })
    }
}

/// Returns the kind of a tag by what its rule knows.
pub(super) fn tag_kind(made: &RuleOutput, text: &str, series: &ReleaseSeries) -> TagKind {
    let version = || NamedRelease::parse(text).map(|release| release.version);
    let of_name = || match version() {
        Some(_) => TagKind::Immutable(ImmutableTagSource::Version),
        None => TagKind::Moving(MovingTagSource::Other),
    };
    let is_full = |version: ReleaseVersion| version.numbers().len() > 2;
    match (&made.content, &made.release) {
        (RuleOutputKind::Certain(kind), _) => kind.clone(),
        (RuleOutputKind::BranchName, _) if !version().is_some_and(is_full) => {
            TagKind::Moving(MovingTagSource::Branch)
        }
        (RuleOutputKind::BranchName, _) => TagKind::Immutable(ImmutableTagSource::Version),
        (RuleOutputKind::Name | RuleOutputKind::PartOfRelease, None) => of_name(),
        (RuleOutputKind::Name | RuleOutputKind::PartOfRelease, Some(release)) => {
            match line_tag(text, series, release, series) {
                Some(line) => TagKind::Moving(MovingTagSource::Line(Box::new(line))),
                None if names_whole_version(text, release) => {
                    TagKind::Immutable(ImmutableTagSource::Version)
                }
                None => of_name(),
            }
        }
    }
}

fn names_whole_version(text: &str, version: &ReleaseVersion) -> bool {
    let numbers = version.numbers().iter().map(ToString::to_string);
    text.contains(&numbers.collect::<Vec<_>>().join("."))
}

/// Returns the line of `version` that `text` is the tag of, with `series` around its name.
fn line_tag(
    text: &str,
    series: &ReleaseSeries,
    version: &ReleaseVersion,
    release_series: &ReleaseSeries,
) -> Option<LineTag> {
    let name = text.strip_prefix(series.prefix.as_str())?;
    let name = name.strip_suffix(series.suffix.as_str())?;
    Some(LineTag {
        line: VersionLine::named(name, version)?,
        series: series.clone().with_builds_of(version),
        release_series: release_series.clone(),
        version: version.clone(),
    })
}

/// Makes names such as `1.4`, `1` and `latest` the tags of version lines, where the run or the event
/// is about a version.
pub(super) fn link_version_lines(tags: &mut [VersionedTag], of_event: Option<ReleaseVersion>) {
    let mut versions = run_versions(tags, of_event.as_ref());
    if !versions.iter().any(|it| it.version.numbers().len() > 2) {
        versions.splice(
            0..0,
            of_event.map(|version| RunVersion::new(&ReleaseSeries::default(), version)),
        );
    }
    for tag in tags.iter_mut().filter(|it| it.is_name) {
        let line = line_among(&tag.tag.text, &tag.series, &versions).or_else(|| {
            let is_open = tag.tag.kind == TagKind::Moving(MovingTagSource::Other);
            versions
                .first()
                .filter(|_| is_open)?
                .variant_line(&tag.tag.text)
        });
        if let Some(line) = line {
            tag.tag.kind = TagKind::Moving(MovingTagSource::Line(Box::new(line)));
        }
    }
}

/// Returns the versions that the tags name, the one with the most numbers and the highest first, so
/// that `1.4` beside `1.4.0` is the tag of a line.
fn run_versions(tags: &[VersionedTag], of_event: Option<&ReleaseVersion>) -> Vec<RunVersion> {
    let named = tags.iter().filter_map(|it| match &it.version {
        Some(version) => Some(RunVersion::new(&it.series, version.clone())),
        None if it.is_name => named_version(it, tags, of_event),
        None => None,
    });
    let mut versions: Vec<RunVersion> = named.collect();
    versions.sort_by(|a, b| {
        let form = |it: &RunVersion| (!it.version.is_prerelease(), it.version.numbers().len() > 2);
        let order = form(b).cmp(&form(a));
        order.then_with(|| b.version.cmp_precedence(&a.version))
    });
    versions
}

/// Returns the version that a plain name reads as. In `1.4.1-alpine` the text behind the numbers is part
/// of the series, if the event's version has these numbers or if the run names a line so: `1-alpine`.
fn named_version(
    named: &VersionedTag,
    tags: &[VersionedTag],
    of_event: Option<&ReleaseVersion>,
) -> Option<RunVersion> {
    let text = &named.tag.text;
    let in_series = text.parse().ok().and_then(|tag| named.series.version(&tag));
    let version = match in_series {
        Some(version) => version,
        None => NamedRelease::parse(text)?.version,
    };
    let whole = RunVersion::new(&named.series, version.clone());
    if !version.is_prerelease() || version.has_prerelease_word() {
        return Some(whole);
    }
    let (release, variant) = version.split_prerelease();
    let series = ReleaseSeries {
        suffix: format!("-{variant}{}", named.series.suffix),
        ..named.series.clone()
    };
    let is_line = |it: &VersionedTag| {
        it.is_name && line_tag(&it.tag.text, &series, &release, &series).is_some()
    };
    let is_of_event =
        of_event.is_some_and(|it| it.cmp_precedence(&release).is_eq()) && !names_commit(variant);
    match is_of_event || tags.iter().any(is_line) {
        true => Some(RunVersion::new(&series, release)),
        false => Some(whole),
    }
}

/// Returns the line that a name is the tag of: in the series of a version with the same text around
/// it, else of the first version.
fn line_among(text: &str, own: &ReleaseSeries, versions: &[RunVersion]) -> Option<LineTag> {
    let of_version = |series: &ReleaseSeries, it: &RunVersion| {
        let pre_latest = || {
            let is_latest = text == series.tag_text("latest") && it.version.is_prerelease();
            is_latest.then(|| LineTag {
                line: VersionLine::Latest,
                series: series.clone(),
                release_series: it.series.clone(),
                version: it.version.clone(),
            })
        };
        line_tag(text, series, &it.version, &it.series).or_else(pre_latest)
    };
    let in_series = versions
        .iter()
        .find_map(|it| of_version(&it.series, it).filter(|_| it.series.is_same_as(own)));
    in_series
        .or_else(|| versions.iter().find_map(|it| of_version(&it.series, it)))
        .or_else(|| versions.iter().find_map(|it| of_version(own, it)))
}
