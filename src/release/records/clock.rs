//! Clock of the records: this machine's, held against the registry's.

use std::time::Duration;

use jiff::Timestamp;

use super::timeline_view::TimelineView;
use crate::image::Destination;
use crate::notices::Notices;
use crate::record::{DigestPrefix, FutureEntryError, RecordTime};
use crate::release::Failure;
use crate::transfer::ImageStore;

/// How far the two clocks may differ before the registry's counts.
const DIFFERENCE_LIMIT: Duration = Duration::from_secs(60);

/// Returns the time that a record is planned at: `now`, or the registry's time if the two differ by more than a
/// minute, which warns.
pub(crate) fn planning_time(
    now: RecordTime,
    place: &Destination,
    store: &ImageStore,
    notices: &Notices,
) -> RecordTime {
    let Some(registry_time) = registry_time(store) else {
        return now;
    };
    let difference = now.since(registry_time).max(registry_time.since(now));
    // The registry's time is in whole seconds.
    if difference <= DIFFERENCE_LIMIT {
        return now;
    }
    notices.warning(format!(
        "{place}: this machine's clock says {now}, the registry's {registry_time}: the record takes the registry's time"
    ));
    registry_time
}

fn registry_time(store: &ImageStore) -> Option<RecordTime> {
    let ImageStore::Registry(remote) = store else {
        return None;
    };
    let time = Timestamp::from_second(remote.server_time()?).ok()?;
    RecordTime::from_timestamp(time)
}

/// Returns the failure for a counted entry of `view` that is planned after the clock.
pub(crate) fn future_entry_failure(view: &TimelineView, error: FutureEntryError) -> Failure {
    let location = view.location();
    let record = DigestPrefix::from_digest(error.record.digest());
    let mut names = view.names().iter();
    let name = names.find(|name| name.planned_at == error.planned_at && name.record == record);
    let entry = match name {
        Some(name) => format!("delete its tag, {name}"),
        None => "delete the tag of that entry".to_owned(),
    };
    Failure::refused(format!(
        "{}: the timeline of {} has a record of a later time: {error}",
        location.entries(),
        location.environment
    ))
    .with_reason("the order of records is that of their times, and the next record comes after all others")
    .with_hint(format!("set the clock that is wrong; if it was that of the other run, wait until its time, or {entry}"))
}
