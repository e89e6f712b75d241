//! The tags that more than one row of the default table gives.

use super::printable_name::printable_name;
use super::tag_plan::{DerivedTags, ImmutableTagSource, LineTag, MovingTagSource, TagKind};
use super::{NamedRelease, TaggingError, VersionLine};
use crate::event::{EventFacts, GitRef, GithubRelease};
use crate::image::{CommitId, Tag};

/// Plans the tag `git-<sha7>`.
pub(super) fn plan_commit_tag(derived: &mut DerivedTags, commit: &CommitId, rule: &str) {
    let tag = format!("git-{}", commit.short());
    if let Ok(tag) = tag.parse() {
        derived.add_tag(tag, TagKind::Immutable(ImmutableTagSource::Commit), rule);
    }
}

/// Plans the tag of a release: its component and its version, a build part with `-` for `+`.
pub(super) fn plan_version_tag(
    derived: &mut DerivedTags,
    release: &NamedRelease,
    rule: &str,
) -> Result<(), TaggingError> {
    let version = release.version.to_string();
    let text = release.to_tag_text();
    let tag: Tag = text
        .parse()
        .map_err(|_| TaggingError::LongVersion(printable_name(&version)))?;
    if version.contains('+') {
        derived.add_note(format!(
            "the tag of {} is {tag}: no tag can contain a +",
            printable_name(&version)
        ));
    }
    derived.version = Some(text);
    derived.add_tag(tag, TagKind::Immutable(ImmutableTagSource::Version), rule);
    Ok(())
}

/// Plans the tags of the version lines, none for a pre-release.
pub(super) fn plan_line_tags(derived: &mut DerivedTags, release: &NamedRelease, prerelease: bool) {
    let version = &release.version;
    if prerelease || version.is_prerelease() {
        let version = printable_name(&version.to_string());
        derived.add_note(format!("{version} is a pre-release: no version line moves"));
        return;
    }
    let series = release.series();
    for line in VersionLine::lines_of(version) {
        let rule = match line {
            VersionLine::Latest => "the highest release".to_owned(),
            _ => format!("the highest release of {line}"),
        };
        let tag = series.tag_text(&line.to_string()).parse();
        let kind = TagKind::Moving(MovingTagSource::Line(Box::new(LineTag {
            line,
            series: series.clone(),
            release_series: series.clone(),
            version: version.clone(),
        })));
        if let Ok(tag) = tag {
            derived.add_tag(tag, kind, rule);
        }
    }
}

/// Returns the git tag of a release, and refuses a release that is not published.
pub(super) fn require_published(release: &GithubRelease) -> Result<&str, TaggingError> {
    let state = match release.action.as_deref() {
        _ if release.draft => "a draft",
        Some("published" | "released" | "prereleased") => {
            return release
                .tag
                .as_deref()
                .ok_or(TaggingError::ReleaseWithoutTag);
        }
        Some(action) => action,
        None => "in an unknown state (no event payload)",
    };
    Err(TaggingError::ReleaseNotOut(printable_name(state)))
}

/// Refuses an event that deleted its ref.
///
/// # Errors
/// Names the ref.
pub fn refuse_deleted(facts: &EventFacts) -> Result<(), TaggingError> {
    if !facts.deleted {
        return Ok(());
    }
    let what = match &facts.git_ref {
        Some(GitRef::Branch(name)) => format!("the branch {}", printable_name(name)),
        Some(GitRef::Tag(name)) => format!("the tag {}", printable_name(name)),
        _ => "a branch or tag".to_owned(),
    };
    Err(TaggingError::DeletedRef {
        event: printable_name(facts.event.as_str()),
        what,
    })
}
