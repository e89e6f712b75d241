//! Clock of the records: this machine's, held against the registry's.

use std::time::Duration;

use jiff::Timestamp;

use crate::image::Destination;
use crate::notices::Notices;
use crate::record::RecordTime;
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
