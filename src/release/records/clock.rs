//! Clock of the records: this machine's, held against the registry's.

use std::time::Duration;

use jiff::Timestamp;

use super::timeline_view::TimelineView;
use crate::image::Destination;
use crate::notices::Notices;
use crate::record::{FutureEntryError, RecordTime};
use crate::release::Failure;
use crate::transfer::ImageStore;

/// How far the two clocks may differ before the registry's counts.
const DIFFERENCE_LIMIT: Duration = Duration::from_secs(60);

/// How far the two clocks may differ before nothing is written: one of them is wrong, and a record of a wrong time
/// in the future would keep all others from being written.
const TRUSTED_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the time that a record is planned at: `now`, or the registry's time if the two differ by more than a
/// minute, which warns.
///
/// # Errors
/// Times that differ by more than a day.
pub(crate) fn planning_time(
    now: RecordTime,
    place: &Destination,
    store: &ImageStore,
    notices: &Notices,
) -> Result<RecordTime, Failure> {
    let Some(registry_time) = registry_time(store) else {
        return Ok(now);
    };
    let difference = now.since(registry_time).max(registry_time.since(now));
    // The registry's time is in whole seconds.
    if difference <= DIFFERENCE_LIMIT {
        return Ok(now);
    }
    if difference > TRUSTED_LIMIT {
        return Err(Failure::service(format!(
            "{place}: this machine's clock says {now}, the registry's {registry_time}"
        ))
        .with_reason("they differ by more than a day, so that the time of a record would be wrong")
        .with_hint("set the clock that is wrong, and repeat the run"));
    }
    notices.warning(format!(
        "{place}: this machine's clock says {now}, the registry's {registry_time}: the record takes the registry's time"
    ));
    Ok(registry_time)
}

fn registry_time(store: &ImageStore) -> Option<RecordTime> {
    let ImageStore::Registry(remote) = store else {
        return None;
    };
    let time = Timestamp::from_second(remote.server_time()?).ok()?;
    RecordTime::from_timestamp(time)
}

/// Returns the failure for a counted entry that is planned after the clock.
pub(crate) fn future_entry_failure(view: &TimelineView, error: FutureEntryError) -> Failure {
    let location = view.location();
    let mut names = view.names().iter().rev();
    let entry = names.find(|name| name.record.is_of(error.record.digest()));
    let tag = entry.map_or_else(|| "of that entry".to_owned(), ToString::to_string);
    Failure::refused(format!(
        "{}: the timeline of {} has a record of a later time: {error}",
        location.entries(),
        location.environment
    ))
    .with_reason("the order of records is that of their times, and the next record comes after all others")
    .with_hint(format!(
        "set the clock that is wrong; if it was that of the other run, wait until its time, or delete the tag {tag}"
    ))
}
