use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use super::words;
use crate::policy::Service;
use crate::referrers::{Kind, Reason, Travelled};
use crate::release::{Change, Complaint, End, FleetOutcome, Outcome, Released, TagResult};
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
    /// What it was made of, where it is some platforms of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    subset: Option<Subset<'a>>,
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
struct Subset<'a> {
    source_digest: String,
    platforms: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination<'a> {
    place: String,
    image: String,
    tags: Vec<Tag<'a>>,
    content: Copied,
    /// What stood beside the image, where there was anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    referrers: Option<Referrers<'a>>,
    /// Where the signatures and attestations are, where the release is signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<Signature<'a>>,
}

/// How many of each kind.
#[derive(Serialize)]
struct Referrers<'a> {
    copied: BTreeMap<&'a str, u64>,
    present: BTreeMap<&'a str, u64>,
    left: Vec<Left<'a>>,
}

#[derive(Serialize)]
struct Left<'a> {
    kind: &'a str,
    count: u64,
    why: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signature<'a> {
    /// The manifest that it is of.
    of: String,
    /// The type of what it attests, where it is more than a signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<&'static str>,
    form: &'static str,
    reference: Option<String>,
    /// Where GitHub shows it, where this run had it kept there.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
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
    /// Of those that another image or destination of the run had brought.
    blobs_shared: u64,
    bytes_moved: u64,
    bytes_mounted: u64,
    bytes_present: u64,
    bytes_shared: u64,
    /// What did not go twice where a transfer broke off.
    bytes_resumed: u64,
}

#[derive(Serialize)]
struct Refusal<'a> {
    outcome: &'a str,
    what: &'a str,
    why: Option<&'a str>,
    hint: Option<&'a str>,
}

/// The output `json` of several services.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fleet<'a> {
    outcome: &'a str,
    verb: &'a str,
    dry_run: bool,
    services: Vec<Share<'a>>,
}

#[derive(Serialize)]
struct Share<'a> {
    service: &'a str,
    #[serde(flatten)]
    end: Told<'a>,
}

/// What became of a service.
#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Done(Box<Document<'a>>),
    Failed(Refusal<'a>),
    NotBegun { outcome: &'a str },
}

/// The output `matrix`, for `strategy: matrix:` of a later job.
#[derive(Serialize)]
struct Matrix<'a> {
    include: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    image: String,
    digest: String,
}

pub(super) fn fleet(fleet: &FleetOutcome) -> String {
    write(&Fleet {
        outcome: super::fleet::word(fleet),
        verb: words::verb(fleet.verb),
        dry_run: fleet.dry_run,
        services: fleet.services.iter().map(share).collect(),
    })
}

fn share((service, end): &(Service, End)) -> Share<'_> {
    let state = super::fleet::state(end);
    let complaint = match end {
        End::Failed(failure) => failure.complaint(),
        _ => None,
    };
    Share {
        service: service.as_str(),
        end: match (end, complaint) {
            (End::Done(outcome), _) => Told::Done(Box::new(document(outcome))),
            (_, Some(complaint)) => Told::Failed(refused(state, complaint)),
            _ => Told::NotBegun { outcome: state },
        },
    }
}

pub(super) fn matrix<'a>(
    images: impl IntoIterator<Item = (Option<&'a Service>, &'a Outcome)>,
) -> String {
    let cells = images.into_iter().flat_map(|(service, outcome)| {
        let cell = move |released: &Released| Cell {
            service: service.map(Service::as_str),
            image: words::by_digest(&released.place, outcome.root),
            digest: outcome.root.to_string(),
        };
        outcome.destinations.iter().map(cell)
    });
    write(&Matrix {
        include: cells.collect(),
    })
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    write(&document(outcome))
}

fn document(outcome: &Outcome) -> Document<'_> {
    Document {
        outcome: words::state(outcome),
        verb: words::verb(outcome.verb),
        dry_run: outcome.dry_run,
        source: outcome.source.to_string(),
        digest: outcome.root.to_string(),
        media_type: outcome.media_type.as_str(),
        subset: outcome.subset.as_ref().map(|subset| Subset {
            source_digest: subset.of.to_string(),
            platforms: &subset.platforms,
        }),
        asked_digest: outcome.kept.map(|digest| digest.to_string()),
        version: outcome.version.as_deref(),
        commit: outcome.commit.as_ref().map(|commit| commit.as_str()),
        destinations: outcome
            .destinations
            .iter()
            .map(|released| destination(outcome, released))
            .collect(),
        notes: &outcome.notes,
    }
}

pub(super) fn refusal(complaint: &Complaint) -> String {
    write(&refused("refused", complaint))
}

fn refused<'a>(outcome: &'a str, complaint: &'a Complaint) -> Refusal<'a> {
    Refusal {
        outcome,
        what: &complaint.what,
        why: complaint.why.as_deref(),
        hint: complaint.hint.as_deref(),
    }
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
        referrers: referrers(&released.beside),
        signatures: released
            .signatures
            .iter()
            .map(|signed| Signature {
                of: signed.of.to_string(),
                predicate_type: signed.attests,
                form: words::form(signed.form),
                reference: words::signature(&released.place, signed),
                url: signed.shown.as_ref().map(Url::as_str),
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

fn referrers(beside: &Travelled) -> Option<Referrers<'_>> {
    let left = beside.left.iter().map(|left| Left {
        kind: left.kind.id(),
        count: left.count,
        why: match left.reason {
            Reason::Record => "record",
            Reason::Unknown => "unknown",
            Reason::Cap => "cap",
            Reason::Gone => "gone",
            Reason::Foreign => "foreign",
            Reason::Taken => "taken",
        },
    });
    (*beside != Travelled::default()).then(|| Referrers {
        copied: counts(&beside.copied),
        present: counts(&beside.present),
        left: left.collect(),
    })
}

fn counts(counts: &BTreeMap<Kind, u64>) -> BTreeMap<&str, u64> {
    let counts = counts.iter();
    counts.map(|(kind, count)| (kind.id(), *count)).collect()
}

fn copied(content: &Content) -> Copied {
    Copied {
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

/// One line: there are only texts, numbers and lists in it, so this cannot fail.
fn write(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// Returns `json` with `change` applied to every text in it. Keys that are words are ours, and stay.
pub(super) fn with_texts(json: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(begin) = rest.find('"') {
        let length = quoted_length(&rest[begin..]);
        let (quoted, after) = rest[begin..].split_at(length);
        let text: String = serde_json::from_str(quoted).unwrap_or_default();
        let is_word = text.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
        let changed = match after.starts_with(':') && is_word {
            true => text.clone(),
            false => change(&text),
        };
        out += &rest[..begin];
        match changed == text {
            true => out += quoted,
            false => out += &write(&changed),
        }
        rest = after;
    }
    out + rest
}

/// Returns how long the text is that begins with a quote, with both quotes.
fn quoted_length(json: &str) -> usize {
    let mut is_escaped = false;
    let end = json.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(json.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_changed_and_json_stays_json() {
        let json = r#"{"note":"a \"note\" \\","null":null,"x/note":["note",1,true,"\\\""]}"#;
        let change = |text: &str| text.replace("note", "\"").replace("null", "*");
        assert_eq!(
            with_texts(json, change),
            r#"{"note":"a \"\"\" \\","null":null,"x/\"":["\"",1,true,"\\\""]}"#
        );
        assert_eq!(with_texts(json, str::to_owned), json);
        let pretty = format!("{:#}", serde_json::json!({"note": {"b": "note"}}));
        assert_eq!(
            with_texts(&pretty, change),
            "{\n  \"note\": {\n    \"b\": \"\\\"\"\n  }\n}"
        );
    }
}
