use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::invocation::Invocation;
use super::load_policy::load_policy;
use super::record_options::record_time;
use super::recorded_timelines::{RecordedTimelines, recorded_timelines};
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::record::{HistoryFilter, RecordTime};
use crate::release::{self, Failure, HistoryRequest, TimelineLocation};
use crate::report::{FailedTimeline, HistoryReport, TimelineReport, VerbResult};

/// Entries that are shown if no input says it.
const DEFAULT_LIMIT: usize = 20;

/// Shows the records of an environment.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let policy = load_policy(invocation).await?;
    let RecordedTimelines {
        environment,
        timelines,
    } = recorded_timelines(invocation, policy.as_ref()).await?;
    let requests = timelines
        .into_iter()
        .map(|(service, location)| Ok((service, build_request(invocation, location)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let doing = format!("reading the history of {environment} in");
    let places: Vec<String> = requests
        .iter()
        .map(|(_, request)| request.location.destination.to_string())
        .collect();
    announcement::announce(invocation, &doing, &places.join(" and "));
    let context = context_inputs::build_context(invocation)?;
    let is_alone = requests.len() == 1;
    let (mut timelines, mut failed) = (Vec::new(), Vec::new());
    for (service, request) in requests {
        let place = request.location.destination.clone();
        match Box::pin(release::history(&request, &context)).await {
            Ok(history) => timelines.push(TimelineReport { service, history }),
            Err(failure) if is_alone => return Err(failure),
            Err(failure) => failed.push(FailedTimeline {
                service,
                place,
                failure,
            }),
        }
    }
    Ok(VerbResult::History(Box::new(HistoryReport {
        environment,
        tag: invocation.arguments.value(Input::Tag)?,
        has_policy: policy.is_some(),
        timelines,
        failed,
    })))
}

fn build_request(
    invocation: &Invocation,
    location: TimelineLocation,
) -> Result<HistoryRequest, Failure> {
    let arguments = &invocation.arguments;
    Ok(HistoryRequest {
        location,
        clock: record_time(invocation)?,
        limit: limit(invocation)?,
        reads_each: arguments.switch(Input::Verify)?,
        filter: HistoryFilter {
            since: since(invocation)?,
            version: arguments.text(Input::Version).map(str::to_owned),
            commit: arguments.value(Input::Commit)?,
            digest: arguments.value(Input::Digest)?,
        },
        tag: arguments.value(Input::Tag)?,
    })
}

/// Returns how many entries are shown; `None`: all.
fn limit(invocation: &Invocation) -> Result<Option<usize>, Failure> {
    let arguments = &invocation.arguments;
    let shows_all = arguments.switch(Input::All)?;
    let Some(entry) = arguments.entries(Input::Limit).first() else {
        let is_bounded = [Input::Since, Input::Tag]
            .iter()
            .any(|input| !arguments.entries(*input).is_empty());
        return Ok((!shows_all && !is_bounded).then_some(DEFAULT_LIMIT));
    };
    if shows_all {
        return Err(
            Failure::input("limit and all are both given").with_hint("leave one of them out")
        );
    }
    match entry.text.parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(arguments
            .entry_error(Input::Limit, entry, "is not a number from 1")
            .into()),
    }
}

fn since(invocation: &Invocation) -> Result<Option<RecordTime>, Failure> {
    let arguments = &invocation.arguments;
    let Some(entry) = arguments.entries(Input::Since).first() else {
        return Ok(None);
    };
    let day = entry
        .text
        .parse::<Date>()
        .ok()
        .filter(|_| entry.text.len() == 10);
    let time = match day {
        Some(day) => day
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|midnight| midnight.timestamp()),
        None => entry.text.parse::<Timestamp>().ok(),
    };
    match time.and_then(RecordTime::from_timestamp) {
        Some(time) => Ok(Some(time)),
        None => Err(arguments
            .entry_error(
                Input::Since,
                entry,
                "is not a time, such as 2026-11-20 or 2026-11-20T21:48:08Z",
            )
            .into()),
    }
}
