//! Outputs `json` and `matrix`.

use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use super::gate_report::{GateVerdictJson, gate_verdicts_json};
use super::image_matrix::image_matrix;
use super::{batch_phrases, phrases, text_report};
use crate::gate::GateReport;
use crate::image::{Digest, NamedCommit, Tag};
use crate::policy::Service;
use crate::referrers::{CopiedReferrers, ReferrerKind, SkipReason};
use crate::release::{
    BatchOutcome, DestinationOutcome, Diagnostic, Failure, RecordResult, ReleaseOutcome,
    ServiceOutcome, TagChange, TagResult,
};
use crate::tagging::{CommitTagOrigin, VersionOrigin};
use crate::transfer::CopyStats;

/// Output `json` of a release.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeJson<'a> {
    outcome: &'a str,
    verb: &'a str,
    dry_run: bool,
    source: String,
    /// Commit by which the source was found, if the user did not name the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_from_commit: Option<&'a str>,
    digest: String,
    media_type: &'a str,
    /// Source and platforms, if the image has only some platforms of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    subset: Option<PlatformSelectionJson<'a>>,
    /// Requested digest, if another image was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_digest: Option<String>,
    version: Option<&'a str>,
    /// Source of the version, if no rule gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_from: Option<&'static str>,
    commit: Option<&'a str>,
    /// Source of the SHA tag's spelling, if no rule gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha_tag_from: Option<&'static str>,
    /// Verdicts of the gates, if the release has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gates: Vec<GateVerdictJson<'a>>,
    destinations: Vec<DestinationJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlatformSelectionJson<'a> {
    source_digest: String,
    platforms: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DestinationJson<'a> {
    place: String,
    image: String,
    tags: Vec<TagJson<'a>>,
    content: CopyStatsJson,
    /// Referrers of the image, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    referrers: Option<ReferrersJson<'a>>,
    /// Signatures and attestations, if the release is signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<SignatureJson<'a>>,
    /// Record, if this run wrote or repaired it.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordJson<'a> {
    environment: &'a str,
    action: &'a str,
    planned_at: String,
    /// Digest of the stored record; absent on a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    /// Tag of the timeline entry; absent on a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    /// Whether the entry is new; otherwise the referrer was repaired.
    made: bool,
    /// Reason why the environment's tag stays with a newer release.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<&'a str>,
}

/// Number of referrers of each kind.
#[derive(Serialize)]
struct ReferrersJson<'a> {
    copied: BTreeMap<&'a str, u64>,
    present: BTreeMap<&'a str, u64>,
    left: Vec<SkippedReferrerJson<'a>>,
}

#[derive(Serialize)]
struct SkippedReferrerJson<'a> {
    kind: &'a str,
    count: u64,
    why: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignatureJson<'a> {
    /// Digest of the signed manifest.
    of: String,
    /// Predicate type of an attestation.
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<&'static str>,
    form: &'static str,
    reference: Option<String>,
    /// URL of the attestation on GitHub, if this run uploaded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    made: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TagJson<'a> {
    tag: &'a str,
    reference: String,
    immutable: bool,
    rule: &'a str,
    change: &'a str,
    /// Digest that the tag pointed to before, or still points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CopyStatsJson {
    manifests_written: u64,
    blobs_moved: u64,
    blobs_mounted: u64,
    blobs_present: u64,
    /// Blobs that the run had already copied for another image or destination.
    blobs_shared: u64,
    bytes_moved: u64,
    bytes_mounted: u64,
    bytes_present: u64,
    bytes_shared: u64,
    /// Bytes that were not sent again after an interruption.
    bytes_resumed: u64,
}

#[derive(Serialize)]
struct RefusalJson<'a> {
    outcome: &'a str,
    what: &'a str,
    why: Option<&'a str>,
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    further: Vec<FurtherProblemJson<'a>>,
    /// Verdicts of the gates, if they were judged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gates: Vec<GateVerdictJson<'a>>,
}

/// Problem that was found with another one.
#[derive(Serialize)]
struct FurtherProblemJson<'a> {
    what: &'a str,
    why: Option<&'a str>,
    hint: Option<&'a str>,
}

/// Output `json` of a batch.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchJson<'a> {
    outcome: &'a str,
    verb: &'a str,
    dry_run: bool,
    services: Vec<ServiceJson<'a>>,
}

#[derive(Serialize)]
struct ServiceJson<'a> {
    service: &'a str,
    #[serde(flatten)]
    end: ServiceOutcomeJson<'a>,
}

/// Outcome of a service.
#[derive(Serialize)]
#[serde(untagged)]
enum ServiceOutcomeJson<'a> {
    Completed(Box<OutcomeJson<'a>>),
    Failed(RefusalJson<'a>),
    NotStarted {
        outcome: &'a str,
        /// Verdicts of the gates, if they were judged.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        gates: Vec<GateVerdictJson<'a>>,
    },
}

impl<'a> ServiceOutcomeJson<'a> {
    fn without_gates(outcome: &'a str) -> Self {
        Self::NotStarted {
            outcome,
            gates: Vec::new(),
        }
    }
}

pub(super) fn batch_json(batch: &BatchOutcome) -> String {
    to_json_line(&BatchJson {
        outcome: batch_phrases::outcome_word(batch),
        verb: phrases::verb_name(batch.verb),
        dry_run: batch.dry_run,
        services: batch
            .services
            .iter()
            .zip(&batch.gates)
            .map(|((service, end), gates)| service_json(service, end, gates))
            .collect(),
    })
}

fn service_json<'a>(
    service: &'a Service,
    end: &'a ServiceOutcome,
    gates: &'a GateReport,
) -> ServiceJson<'a> {
    let state = batch_phrases::service_state(end);
    let diagnostic = match end {
        ServiceOutcome::Failed(failure) => failure.diagnostic(),
        _ => None,
    };
    ServiceJson {
        service: service.as_str(),
        end: match (end, diagnostic) {
            (ServiceOutcome::Completed(outcome), _) => {
                ServiceOutcomeJson::Completed(Box::new(to_outcome_json(outcome)))
            }
            (_, Some(diagnostic)) => ServiceOutcomeJson::Failed(to_refusal_json(state, diagnostic)),
            _ => ServiceOutcomeJson::NotStarted {
                outcome: state,
                gates: gate_verdicts_json(gates),
            },
        },
    }
}

pub(super) fn matrix_json<'a>(
    images: impl IntoIterator<Item = (Option<&'a Service>, &'a ReleaseOutcome)>,
) -> String {
    image_matrix(images.into_iter().flat_map(|(service, outcome)| {
        let released = outcome.destinations.iter();
        released.map(move |released| (service, &released.place, outcome.root))
    }))
}

pub(super) fn outcome_json(outcome: &ReleaseOutcome) -> String {
    to_json_line(&to_outcome_json(outcome))
}

fn to_outcome_json(outcome: &ReleaseOutcome) -> OutcomeJson<'_> {
    OutcomeJson {
        outcome: phrases::outcome_word(outcome),
        verb: phrases::verb_name(outcome.verb),
        dry_run: outcome.dry_run,
        source: outcome.source.to_string(),
        source_from_commit: outcome.sought_commit.as_ref().map(NamedCommit::digits),
        digest: outcome.root.to_string(),
        media_type: outcome.media_type.as_str(),
        subset: outcome
            .platform_selection
            .as_ref()
            .map(|subset| PlatformSelectionJson {
                source_digest: subset.of.to_string(),
                platforms: &subset.platforms,
            }),
        asked_digest: outcome.requested_digest.map(|digest| digest.to_string()),
        version: outcome.version.as_deref(),
        version_from: outcome.provenance.version.map(VersionOrigin::name),
        commit: outcome.commit.as_ref().map(|commit| commit.as_str()),
        sha_tag_from: outcome.provenance.commit_tag.map(CommitTagOrigin::name),
        gates: gate_verdicts_json(&outcome.gates),
        destinations: outcome
            .destinations
            .iter()
            .map(|released| to_destination_json(outcome, released))
            .collect(),
        notes: &outcome.notes,
    }
}

/// Returns the object of a failure, for the command line.
pub(super) fn failure_json(failure: &Failure) -> String {
    let outcome = text_report::failure_title(failure);
    match failure.diagnostic() {
        Some(diagnostic) => to_json_line(&to_refusal_json(outcome, diagnostic)),
        None => to_json_line(&ServiceOutcomeJson::without_gates(outcome)),
    }
}

/// Returns what became of a service that is not done.
pub(super) fn service_failure_json(outcome: &str, failure: Option<&Failure>) -> serde_json::Value {
    let end = match failure.and_then(Failure::diagnostic) {
        Some(diagnostic) => ServiceOutcomeJson::Failed(to_refusal_json(outcome, diagnostic)),
        None => ServiceOutcomeJson::without_gates(outcome),
    };
    serde_json::to_value(end).unwrap_or_default()
}

pub(super) fn refusal_json(diagnostic: &Diagnostic) -> String {
    to_json_line(&to_refusal_json("refused", diagnostic))
}

/// Returns the object of a diagnostic that was found with others.
pub(super) fn refusal_value(outcome: &str, diagnostic: &Diagnostic) -> serde_json::Value {
    serde_json::to_value(to_refusal_json(outcome, diagnostic)).unwrap_or_default()
}

fn to_refusal_json<'a>(outcome: &'a str, diagnostic: &'a Diagnostic) -> RefusalJson<'a> {
    RefusalJson {
        outcome,
        what: &diagnostic.what,
        why: diagnostic.why.as_deref(),
        hint: diagnostic.hint.as_deref(),
        further: diagnostic.further.iter().map(to_further_json).collect(),
        gates: diagnostic
            .gates
            .as_deref()
            .map(gate_verdicts_json)
            .unwrap_or_default(),
    }
}

fn to_further_json(diagnostic: &Diagnostic) -> FurtherProblemJson<'_> {
    FurtherProblemJson {
        what: &diagnostic.what,
        why: diagnostic.why.as_deref(),
        hint: diagnostic.hint.as_deref(),
    }
}

fn to_destination_json<'a>(
    outcome: &ReleaseOutcome,
    released: &'a DestinationOutcome,
) -> DestinationJson<'a> {
    DestinationJson {
        place: released.place.to_string(),
        image: phrases::digest_reference(&released.place, outcome.root),
        tags: released
            .tags
            .iter()
            .map(|result| to_tag_json(released, result))
            .collect(),
        content: to_copy_stats_json(&released.copy_stats),
        referrers: to_referrers_json(&released.referrers),
        signatures: released
            .signatures
            .iter()
            .map(|signed| SignatureJson {
                of: signed.of.to_string(),
                predicate_type: signed.predicate_type,
                form: phrases::format_name(signed.format),
                reference: phrases::signature_reference(&released.place, signed),
                url: signed.url.as_ref().map(Url::as_str),
                made: signed.is_new,
            })
            .collect(),
        record: released.record.as_ref().map(to_record_json),
    }
}

/// Returns a record as JSON.
pub(super) fn record_json(record: &RecordResult) -> serde_json::Value {
    serde_json::to_value(to_record_json(record)).unwrap_or_default()
}

fn to_record_json(record: &RecordResult) -> RecordJson<'_> {
    RecordJson {
        environment: record.environment.as_str(),
        action: record.action.as_str(),
        planned_at: record.planned_at.to_string(),
        record: record.id.map(|id| id.to_string()),
        entry: record.entry.as_ref().map(Tag::as_str),
        made: record.is_new,
        superseded: record.superseded.as_deref(),
    }
}

/// Returns the members that say what happens to a tag.
pub(super) fn tag_change_json(change: &TagChange) -> serde_json::Map<String, serde_json::Value> {
    let (word, previous, why) = change_facts(change);
    let previous = previous.map(|digest| ("previous", digest.to_string()));
    let why = why.map(|why| ("why", why.to_owned()));
    let members = [("change", word.to_owned())]
        .into_iter()
        .chain(previous)
        .chain(why);
    members
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect()
}

/// Returns the word for a change of a tag, the digest before it, and its reason.
fn change_facts(change: &TagChange) -> (&'static str, Option<Digest>, Option<&str>) {
    match change {
        TagChange::Created => ("created", None, None),
        TagChange::Moved { from } => ("moved", Some(*from), None),
        TagChange::Unchanged => ("unchanged", None, None),
        TagChange::Stays { at, why } => ("stays", *at, Some(why.as_str())),
        TagChange::Corrected { from, why, .. } => ("corrected", *from, Some(why.as_str())),
    }
}

fn to_tag_json<'a>(released: &DestinationOutcome, result: &'a TagResult) -> TagJson<'a> {
    let (change, previous, why) = change_facts(&result.change);
    TagJson {
        tag: result.tag.as_str(),
        reference: phrases::tag_reference(&released.place, &result.tag),
        immutable: result.kind.is_immutable(),
        rule: &result.rule,
        change,
        previous: previous.map(|digest| digest.to_string()),
        why,
    }
}

fn to_referrers_json(referrers: &CopiedReferrers) -> Option<ReferrersJson<'_>> {
    let skipped = referrers.skipped.iter().map(|skipped| SkippedReferrerJson {
        kind: skipped.kind.id(),
        count: skipped.count,
        why: match skipped.reason {
            SkipReason::ReleaseRecord => "record",
            SkipReason::UnknownKind => "unknown",
            SkipReason::LimitExceeded => "cap",
            SkipReason::Missing => "gone",
            SkipReason::OtherSubject => "foreign",
            SkipReason::Unreadable => "unreadable",
            SkipReason::TagConflict => "taken",
            SkipReason::Rejected => "rejected",
        },
    });
    (*referrers != CopiedReferrers::default()).then(|| ReferrersJson {
        copied: kind_counts(&referrers.copied),
        present: kind_counts(&referrers.present),
        left: skipped.collect(),
    })
}

fn kind_counts(counts: &BTreeMap<ReferrerKind, u64>) -> BTreeMap<&str, u64> {
    let counts = counts.iter();
    counts.map(|(kind, count)| (kind.id(), *count)).collect()
}

fn to_copy_stats_json(content: &CopyStats) -> CopyStatsJson {
    CopyStatsJson {
        manifests_written: content.manifests_written,
        blobs_moved: content.moved.blobs,
        blobs_mounted: content.mounted.blobs,
        blobs_present: content.present.blobs,
        blobs_shared: content.shared.blobs,
        bytes_moved: content.moved.bytes,
        bytes_mounted: content.mounted.bytes,
        bytes_present: content.present.bytes,
        bytes_shared: content.shared.bytes,
        bytes_resumed: content.resumed.bytes,
    }
}

/// Returns the document as one line. Texts, numbers and lists always serialize.
pub(super) fn to_json_line(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

#[cfg(test)]
mod tests;
