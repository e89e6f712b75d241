//! Entries that a timeline left in the repository of its images, when its records went to another one.

use std::collections::BTreeSet;

use super::timeline_view::TimelineView;
use crate::image::Tag;
use crate::record::EntryName;
use crate::release::Failure;

/// Refuses to begin a timeline anew: entries are to be in another repository, which has none, and `tags` of the
/// images' repository have some.
///
/// # Errors
/// Entries that were left behind.
pub(crate) fn refuse_left_entries(
    view: &TimelineView,
    tags: &BTreeSet<Tag>,
) -> Result<(), Failure> {
    let location = view.location();
    let Some(records) = &location.entries_at else {
        return Ok(());
    };
    let prefix = EntryName::environment_prefix(&location.environment);
    let is_entry =
        |tag: &&Tag| tag.as_str().starts_with(&prefix) && tag.as_str().parse::<EntryName>().is_ok();
    let left = tags.iter().filter(is_entry).count();
    if left == 0 || !view.names().is_empty() {
        return Ok(());
    }
    let (place, environment) = (&location.destination, &location.environment);
    Err(Failure::refused(format!(
        "{records} has no timeline entry of {environment}, and {place} has {left}"
    ))
    .with_reason(
        "records names another repository than the one that has the entries: what is current and withdrawn would be forgotten",
    )
    .with_hint(format!(
        "copy each tag that begins with {prefix} from {place} to {records}, such as with crane copy; or delete these tags to begin anew"
    )))
}
