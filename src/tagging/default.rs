//! The tags that more than one row of the default table gives.

use semver::Version;

use super::derived::{Derived, Follows, Kind, Names};
use super::{Line, Series, TaggingError};
use crate::event::{Facts, GitRef, Release};
use crate::image::{Commit, Tag};
use crate::notice::printable;

/// How much of a name from outside is shown.
const SHOWN: usize = 80;

/// A name from outside, as it may stand in a note or rule.
pub(super) fn shown(name: &str) -> String {
    printable(name, SHOWN)
}

/// `git-<sha7>`.
pub(super) fn commit_tag(derived: &mut Derived, commit: &Commit, rule: &str) {
    let tag = format!("git-{}", commit.short());
    if let Ok(tag) = tag.parse() {
        derived.plan(tag, Kind::Immutable(Names::Commit), rule);
    }
}

/// The tag of a version itself, which cannot hold the build part.
pub(super) fn version_tag(
    derived: &mut Derived,
    version: &Version,
    rule: &str,
) -> Result<(), TaggingError> {
    let mut plain = version.clone();
    plain.build = semver::BuildMetadata::EMPTY;
    let text = plain.to_string();
    let tag: Tag = text
        .parse()
        .map_err(|_| TaggingError::LongVersion(plain.clone()))?;
    if plain != *version {
        derived.note(format!(
            "the build part of {} is left out: no tag can hold a +",
            shown(&version.to_string())
        ));
    }
    derived.version = Some(text);
    derived.plan(tag, Kind::Immutable(Names::Version), rule);
    Ok(())
}

/// The tags of the version's lines, none for a pre-release.
pub(super) fn line_tags(derived: &mut Derived, version: &Version, prerelease: bool) {
    if prerelease || !version.pre.is_empty() {
        let version = shown(&version.to_string());
        derived.note(format!("{version} is a pre-release: no version line moves"));
        return;
    }
    for line in Line::all_of(version) {
        let rule = match line {
            Line::Latest => "the highest release".to_owned(),
            _ => format!("the highest release of {line}"),
        };
        let kind = Kind::Moving(Follows::Line {
            line,
            series: Series::default(),
            version: version.clone(),
        });
        if let Ok(tag) = line.to_string().parse() {
            derived.plan(tag, kind, rule);
        }
    }
}

/// The release, if it is out.
pub(super) fn published(release: &Release) -> Result<&str, TaggingError> {
    let state = match release.action.as_deref() {
        _ if release.draft => "a draft",
        Some("published" | "released" | "prereleased") => {
            return release
                .tag
                .as_deref()
                .ok_or(TaggingError::ReleaseWithoutTag);
        }
        Some(action) => action,
        None => "in a state that no payload tells",
    };
    Err(TaggingError::ReleaseNotOut(shown(state)))
}

/// Refuses events about refs that are gone.
pub(super) fn not_deleted(facts: &Facts) -> Result<(), TaggingError> {
    if !facts.deleted {
        return Ok(());
    }
    let what = match &facts.git_ref {
        Some(GitRef::Branch(name)) => format!("the branch {}", shown(name)),
        Some(GitRef::Tag(name)) => format!("the tag {}", shown(name)),
        _ => "a branch or tag".to_owned(),
    };
    Err(TaggingError::Deleted {
        event: shown(facts.event.as_str()),
        what,
    })
}
