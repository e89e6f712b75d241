//! Reads a timeline from its first entry on.

use super::history_request::HistoryRequest;
use super::read_history::read_history;
use crate::record::{EntryName, HistoryFilter, RecordTime, Timeline};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::location::TimelineLocation;

/// Returns all counted entries of a timeline, and the names of those that do not count.
///
/// # Errors
/// A store that cannot tell, or too many entries that do not count.
pub(crate) async fn read_whole_timeline(
    location: &TimelineLocation,
    clock: RecordTime,
    context: &ReleaseContext,
) -> Result<(Timeline, Vec<EntryName>), Failure> {
    let request = HistoryRequest {
        location: location.clone(),
        clock,
        limit: None,
        reads_each: false,
        filter: HistoryFilter::default(),
        tag: None,
    };
    let mut read = read_history(&request, context).await?;
    // Holds are read themselves, also those that a summary names.
    let names = read.listed.view.names().iter();
    let holds: Vec<&EntryName> = names.filter(|name| name.action.is_about_hold()).collect();
    read.listed
        .view
        .read_into(holds, &mut read.readings)
        .await?;
    let uncounted = read.readings.passed_over().keys().cloned();
    Ok((read.to_history(&request).timeline, uncounted.collect()))
}
