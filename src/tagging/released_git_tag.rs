//! Checks of the git tag that a promotion releases: its commit, and its name.

use super::printable_name::printable_name;
use super::promoted_version::released_tag;
use super::{ImageOrigin, NamedRelease, TaggingError};
use crate::event::EventFacts;

/// Returns a warning if the released git tag names another commit than the image was built from.
pub(super) fn other_commit_warning(
    facts: &EventFacts,
    source: &ImageOrigin,
) -> Result<Option<String>, TaggingError> {
    let Some((tag, _)) = released_tag(facts)? else {
        return Ok(None);
    };
    Ok(match (&facts.commit, &source.revision) {
        (Some(named), Some(built)) if named != built => Some(format!(
            "the tag {} names the commit {named}, but the image was built from {built}: the release has another content than the git tag",
            printable_name(tag)
        )),
        _ => None,
    })
}

/// Returns the name of the released git tag if it is no version. Printable.
///
/// # Errors
/// A release that is not published.
pub fn released_tag_without_version(facts: &EventFacts) -> Result<Option<String>, TaggingError> {
    let tag = released_tag(facts)?.map(|(tag, _)| tag);
    let tag = tag.filter(|tag| NamedRelease::parse(tag).is_none());
    Ok(tag.map(printable_name))
}
