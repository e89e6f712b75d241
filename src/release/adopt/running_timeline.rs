//! What an adoption respects in a timeline that has releases already.

use std::collections::BTreeSet;

use crate::image::Digest;
use crate::record::{DigestPrefix, EntryName, RecordAction, TimelineEntry};
use crate::release::Failure;
use crate::release::adopt::plan::PlannedAdoption;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::release_name::is_same_version;

/// Reads all releases and rollbacks of the timeline, or a record that summarizes them: a version that an adoption
/// would record may be of any of them.
///
/// # Errors
/// A store that cannot tell, and too many entries that do not count.
pub(super) async fn read_all_releases(timeline: &OpenTimeline) -> Result<(), Failure> {
    loop {
        let known = timeline.known();
        let records = known.entries().iter();
        let records: BTreeSet<DigestPrefix> = records
            .map(|entry| DigestPrefix::from_digest(entry.record.digest()))
            .collect();
        let is_unknown = |name: &EntryName| {
            let sets_root = name.action.is_release() || name.action == RecordAction::Rollback;
            sets_root && !records.contains(&name.record)
        };
        // The newest is likely to summarize the others.
        let Some(newest) = timeline.view.unread_names(is_unknown).next_back() else {
            return Ok(());
        };
        timeline.view.read(&newest).await?;
        timeline.view.check_strays()?;
    }
}

/// Refuses to record an image as a version that another image was released as: somebody moved the version's tag.
///
/// # Errors
/// The first such version, and a store that cannot tell.
pub(super) async fn refuse_moved_versions(
    timeline: &OpenTimeline,
    planned: &[PlannedAdoption],
) -> Result<(), Failure> {
    for adoption in planned {
        let Some(released) = find_released(timeline, adoption).await? else {
            continue;
        };
        let location = timeline.view.location();
        let tag = adoption.tags.first().map_or("", |tag| tag.name.as_str());
        return Err(Failure::refused(format!(
            "the tag {tag} of {} names {}, and the timeline of {} has that version as {released}",
            location.destination, adoption.root, location.environment
        ))
        .with_reason("somebody moved the tag of a recorded release: an adoption would make the other image a release")
        .with_hint(format!(
            "move the tag back, or leave the version out with exclude-versions: {}",
            adoption.version.as_deref().unwrap_or(tag)
        )));
    }
    Ok(())
}

/// Returns another image that a counted release has as the version.
async fn find_released(
    timeline: &OpenTimeline,
    adoption: &PlannedAdoption,
) -> Result<Option<Digest>, Failure> {
    let Some(version) = &adoption.version else {
        return Ok(None);
    };
    let known = timeline.known();
    let is_other = |entry: &&TimelineEntry| {
        let named = entry.version.as_deref();
        entry.action.is_release()
            && entry.root != adoption.root
            && named.is_some_and(|named| is_same_version(named, version))
    };
    for entry in known.entries().iter().filter(is_other) {
        timeline.read_root(entry.root).await?;
        if names_adopted(timeline, entry, adoption) {
            return Ok(Some(entry.root));
        }
    }
    Ok(None)
}

/// Returns whether a release has one of the tags, as far as its record is still there: `1.4.0` and `v1.4.0` may
/// name two images.
fn names_adopted(
    timeline: &OpenTimeline,
    release: &TimelineEntry,
    adoption: &PlannedAdoption,
) -> bool {
    let reading = timeline.view.record_read(release.record);
    let Some(record) = reading.as_ref().and_then(|reading| reading.counted()) else {
        return true;
    };
    let mut names = record.record().predicate.release_names();
    names.any(|name| adoption.tags.iter().any(|tag| tag.name == name))
}
