//! Output `json` of `history`.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::history_report::{FailedTimeline, HistoryReport, TimelineReport};
use super::json_output::service_failure_json;
use super::phrases::digest_reference;
use super::text_report;
use crate::image::{Destination, Digest};
use crate::policy::Service;
use crate::record::{EntryKnowledge, EntryRemark, HistoryLine, ReleaseMark, TagDrift, TagPeriod};
use crate::release::{ReleaseAccount, TimelineSigning};

/// Object of a report. Entries are made into values one at a time: there may be ten thousand.
pub(super) struct ReportJson<'a>(pub(super) &'a HistoryReport);

struct TimelineJson<'a>(&'a TimelineReport, Option<&'a str>);

struct EntriesJson<'a>(&'a [HistoryLine]);

impl Serialize for ReportJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(report) = self;
        let tag = report.tag.as_ref().map(|tag| tag.as_str());
        let timelines = report.timelines.iter();
        let timelines: Vec<_> = timelines.map(|it| TimelineJson(it, tag)).collect();
        let failed: Vec<Value> = report.failed.iter().map(failed_json).collect();
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("environment", report.environment.as_str())?;
        object.serialize_entry("failed", &failed)?;
        object.serialize_entry("timelines", &timelines)?;
        object.serialize_entry("verb", "history")?;
        object.end()
    }
}

impl Serialize for TimelineJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(timeline, tag) = self;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("entries", &EntriesJson(&timeline.history.lines))?;
        let members = timeline_json(timeline, *tag);
        for (name, value) in members.as_object().into_iter().flatten() {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl Serialize for EntriesJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(line_json))
    }
}

fn failed_json(failed: &FailedTimeline) -> Value {
    let outcome = text_report::failure_title(&failed.failure);
    let mut json = service_failure_json(outcome, Some(&failed.failure));
    json["service"] = failed.service.as_ref().map(Service::as_str).into();
    json["repository"] = failed.place.to_string().into();
    json
}

/// Returns the object of a timeline without its entries.
fn timeline_json(timeline: &TimelineReport, tag: Option<&str>) -> Value {
    let history = &timeline.history;
    let place = &history.place;
    let current = history.current.as_ref();
    let before = current.and_then(|current| current.good_before.as_ref());
    let periods = history.periods.as_ref().map(|periods| {
        let periods = periods.iter().map(|period| period_json(place, period));
        json!({"name": tag, "periods": periods.collect::<Vec<_>>()})
    });
    json!({
        "service": timeline.service.as_ref().map(|service| service.as_str()),
        "repository": place.to_string(),
        "entriesAt": history.entries_at.as_ref().map(ToString::to_string),
        "signed": history.signing == TimelineSigning::Verified,
        "signing": signing_word(history.signing),
        "current": current.map(|current| {
            let mut json = image_json(place, current.root, current.version.as_deref());
            json["since"] = current.since.to_string().into();
            json["record"] = current.record.to_string().into();
            json
        }),
        "goodBefore": before.map(|(root, version)| image_json(place, *root, version.as_deref())),
        "more": history.has_more,
        "drift": history.drift.iter().map(drift_json).collect::<Vec<_>>(),
        "unfinished": history.unfinished.iter().map(release_json).collect::<Vec<_>>(),
        "tag": periods,
    })
}

const fn signing_word(signing: TimelineSigning) -> &'static str {
    match signing {
        TimelineSigning::Verified => "verified",
        TimelineSigning::Unchecked => "unchecked",
        TimelineSigning::Unsigned => "unsigned",
    }
}

/// Returns an image by its digest, with its version.
pub(super) fn image_json(place: &Destination, root: Digest, version: Option<&str>) -> Value {
    json!({
        "image": digest_reference(place, root),
        "digest": root.to_string(),
        "version": version,
    })
}

/// Returns an entry.
pub(super) fn line_json(line: &HistoryLine) -> Value {
    let entry = line.entry.as_ref();
    let (known, by, reason) = match &line.known {
        EntryKnowledge::Verified(signer) => ("verified", Some(signer.clone()), None),
        EntryKnowledge::Unverified => ("unverified", None, None),
        EntryKnowledge::Vouched(record) => ("vouched", Some(record.to_string()), None),
        EntryKnowledge::NotCounted(reason) => ("notCounted", None, Some(reason)),
    };
    json!({
        "entry": line.name.to_string(),
        "time": line.name.planned_at.to_string(),
        "action": line.name.action.as_str(),
        "version": entry.and_then(|entry| entry.version.as_ref()),
        "digest": entry.map(|entry| entry.root.to_string()),
        "commit": entry.and_then(|entry| entry.commit.as_ref()),
        "actor": entry.and_then(|entry| entry.actor.as_ref()),
        "record": entry.map(|entry| entry.record.to_string()),
        "restores": entry.and_then(|entry| entry.restores).map(|root| root.to_string()),
        "hold": entry.and_then(|entry| entry.hold.as_ref()),
        "state": line.state.map(|state| state.to_string()),
        "mark": line.mark.map(|mark| match mark {
            ReleaseMark::Deployed => "deployed",
            ReleaseMark::Failed => "failed",
        }),
        "known": known,
        "by": by,
        "reason": reason,
        "statedReason": line.reason,
        "link": line.link,
        "remarks": line.remarks.iter().map(remark_json).collect::<Vec<_>>(),
    })
}

fn remark_json(remark: &EntryRemark) -> Value {
    let (kind, record) = match remark {
        EntryRemark::Gone => ("gone", None),
        EntryRemark::MissesPrevious(record) => ("missesPrevious", Some(record.to_string())),
        EntryRemark::Fork(record) => ("fork", Some(record.to_string())),
        EntryRemark::Stray => ("stray", None),
        EntryRemark::Replay(name) => {
            return json!({"kind": "replay", "entry": name.to_string()});
        }
        EntryRemark::Future => ("future", None),
    };
    match record {
        Some(record) => json!({"kind": kind, "record": record}),
        None => json!({"kind": kind}),
    }
}

/// Returns a tag that names something else than the records say.
pub(super) fn drift_json(drift: &TagDrift) -> Value {
    json!({
        "tag": drift.tag.as_str(),
        "expected": drift.expected.map(|root| root.to_string()),
        "found": drift.found.map(|root| root.to_string()),
        "expectedVersion": drift.expected_version,
        "foundVersion": drift.found_version,
        "immutable": drift.is_immutable,
    })
}

fn period_json(place: &Destination, period: &TagPeriod) -> Value {
    let mut json = image_json(place, period.root, period.version.as_deref());
    json["from"] = json!(period.from.map(|time| time.to_string()));
    json["until"] = json!(period.until.map(|time| time.to_string()));
    json["now"] = period.is_now.into();
    json["record"] = json!(period.by.as_ref().map(|entry| entry.record.to_string()));
    json
}

/// Returns a record; what it summarizes of others is in `entries`.
pub(super) fn release_json(release: &ReleaseAccount) -> Value {
    let mut predicate = json!(release.predicate);
    if let Some(members) = predicate.as_object_mut() {
        members.remove("past");
    }
    json!({
        "record": release.record.to_string(),
        "signer": release.signer,
        "predicate": predicate,
    })
}
