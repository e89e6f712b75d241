use serde::Serialize;

use super::words;
use crate::release::{Change, Complaint, Outcome, Released, TagResult};
use crate::transfer::Content;

/// The output `json`: all of the outcome.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    outcome: &'a str,
    verb: &'a str,
    dry_run: bool,
    source: String,
    digest: String,
    media_type: &'a str,
    /// The digest that was asked for, where another was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_digest: Option<String>,
    version: Option<&'a str>,
    commit: Option<&'a str>,
    destinations: Vec<Destination<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination<'a> {
    place: String,
    image: String,
    tags: Vec<Tag<'a>>,
    content: Copied,
    /// Where the signatures are, where the release is signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<Signature>,
}

#[derive(Serialize)]
struct Signature {
    form: &'static str,
    reference: Option<String>,
    made: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tag<'a> {
    tag: &'a str,
    reference: String,
    immutable: bool,
    rule: &'a str,
    change: &'a str,
    /// What it named before, or goes on naming.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Copied {
    manifests_written: u64,
    blobs_moved: u64,
    blobs_mounted: u64,
    blobs_present: u64,
    bytes_moved: u64,
    bytes_present: u64,
}

#[derive(Serialize)]
struct Refusal<'a> {
    outcome: &'a str,
    what: &'a str,
    why: Option<&'a str>,
    hint: Option<&'a str>,
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    write(&Document {
        outcome: words::state(outcome),
        verb: words::verb(outcome.verb),
        dry_run: outcome.dry_run,
        source: outcome.source.to_string(),
        digest: outcome.root.to_string(),
        media_type: outcome.media_type.as_str(),
        asked_digest: outcome.kept.map(|digest| digest.to_string()),
        version: outcome.version.as_deref(),
        commit: outcome.commit.as_ref().map(|commit| commit.as_str()),
        destinations: outcome
            .destinations
            .iter()
            .map(|released| destination(outcome, released))
            .collect(),
        notes: &outcome.notes,
    })
}

pub(super) fn refusal(complaint: &Complaint) -> String {
    write(&Refusal {
        outcome: "refused",
        what: &complaint.what,
        why: complaint.why.as_deref(),
        hint: complaint.hint.as_deref(),
    })
}

fn destination<'a>(outcome: &Outcome, released: &'a Released) -> Destination<'a> {
    Destination {
        place: released.place.to_string(),
        image: words::by_digest(&released.place, outcome.root),
        tags: released
            .tags
            .iter()
            .map(|result| tag(released, result))
            .collect(),
        content: copied(&released.content),
        signatures: released
            .signatures
            .iter()
            .map(|signed| Signature {
                form: words::form(signed.form),
                reference: words::signature(&released.place, signed),
                made: signed.made,
            })
            .collect(),
    }
}

fn tag<'a>(released: &Released, result: &'a TagResult) -> Tag<'a> {
    let (change, previous, why) = match &result.change {
        Change::Created => ("created", None, None),
        Change::Moved { from } => ("moved", Some(*from), None),
        Change::Unchanged => ("unchanged", None, None),
        Change::Stays { at, why } => ("stays", *at, Some(why.as_str())),
        Change::Corrected { from, why, .. } => ("corrected", *from, Some(why.as_str())),
    };
    Tag {
        tag: result.tag.as_str(),
        reference: words::by_tag(&released.place, &result.tag),
        immutable: result.kind.is_immutable(),
        rule: &result.rule,
        change,
        previous: previous.map(|digest| digest.to_string()),
        why,
    }
}

fn copied(content: &Content) -> Copied {
    Copied {
        manifests_written: content.manifests_written,
        blobs_moved: content.moved.blobs,
        blobs_mounted: content.mounted.blobs + content.shared.blobs,
        blobs_present: content.present.blobs,
        bytes_moved: content.moved.bytes,
        bytes_present: content.spared().bytes,
    }
}

/// One line: there are only texts, numbers and lists in it, so this cannot fail.
fn write(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}
