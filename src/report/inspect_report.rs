//! Report of `inspect`: where an image comes from, its evidence, and its environments.

use super::drift_text::{drift_phrase, immutable_way, unfinished_phrase};
use super::history_report::{known_word, line_remarks};
use super::inspect_evidence::push_evidence;
use super::phrases::digest_reference;
use super::record_words::{minutes, seconds, versioned, word};
use super::styled_text::{StyledText, Tone};
use crate::image::Digest;
use crate::notices::to_printable;
use crate::policy::Service;
use crate::record::{EntryState, HistoryLine, RecordAction};
use crate::release::{CarriedRecord, EnvironmentAccount, InspectOutcome, KnownImage};

/// Accounts of images: of one, or of the services of an environment.
pub struct InspectReport {
    /// Whether a policy says where the records are.
    pub has_policy: bool,
    /// Images.
    pub images: Vec<ImageReport>,
}

/// Account of one image.
pub struct ImageReport {
    /// Service, if the environment has several.
    pub service: Option<Service>,
    /// The account.
    pub outcome: InspectOutcome,
}

/// Most characters of an address, a path or a reason of a record.
const TEXT_LIMIT: usize = 300;
const UNKNOWN: &str = "unknown";

impl InspectReport {
    /// Returns the report as text.
    pub(super) fn to_text(&self) -> StyledText {
        let mut text = StyledText::default();
        for image in &self.images {
            push_image(&mut text, &image.outcome, self.has_policy);
            text.push("\n");
        }
        text.trim_end();
        text
    }

    /// Returns `repository@digest` of each image, one per line.
    pub(super) fn image_references(&self) -> String {
        let images = self.images.iter();
        let references = images.map(|image| image_reference(&image.outcome.image));
        references.collect::<Vec<_>>().join("\n")
    }

    /// Returns the names that the user gave, which are not secret.
    pub(super) fn names(&self) -> Vec<String> {
        let images = self.images.iter();
        let images = images.map(|image| &image.outcome.image);
        images
            .flat_map(|image| [image.source.to_string(), image.place.to_string()])
            .collect()
    }
}

/// Returns the image by its digest.
pub(super) fn image_reference(image: &KnownImage) -> String {
    digest_reference(&image.place, image.root)
}

fn push_image(text: &mut StyledText, outcome: &InspectOutcome, has_policy: bool) {
    let image = &outcome.image;
    let title = match &outcome.environment {
        Some(environment) => format!("{environment} of {}", image.place),
        None => image.source.to_string(),
    };
    text.push_toned(Tone::Title, &title);
    text.push("\n");
    for (name, value) in image_facts(image) {
        text.push(&format!("  {name:<11}  {value}\n"));
    }
    push_evidence(text, outcome);
    text.push("\n  environments\n");
    if outcome.environments.is_empty() {
        text.push("    no record names this image\n");
    }
    for account in &outcome.environments {
        push_account(text, account, has_policy);
    }
}

/// Returns what is known of an image: names and values.
pub(super) fn image_facts(image: &KnownImage) -> Vec<(&'static str, String)> {
    let by = match image.origin_from {
        Some("record") => " (by its record)",
        Some(_) => " (by its labels)",
        None => "",
    };
    let commit = image.commit.as_ref().map(|commit| {
        let repository = commit.repository.as_deref();
        let of = repository.map(|it| format!(" of {}", printable(it)));
        format!(
            "{}{}{by}",
            word_of_commit(&commit.sha),
            of.unwrap_or_default()
        )
    });
    let version = image.version.as_deref().map(word);
    let unknown = || UNKNOWN.to_owned();
    vec![
        ("image", image_reference(image)),
        ("version", version.unwrap_or_else(unknown)),
        ("commit", commit.unwrap_or_else(unknown)),
        ("dockerfile", dockerfile_phrase(image)),
    ]
}

fn word_of_commit(sha: &str) -> String {
    to_printable(sha, 64)
}

fn printable(text: &str) -> String {
    to_printable(text, TEXT_LIMIT)
}

fn dockerfile_phrase(image: &KnownImage) -> String {
    let build = &image.build;
    let file = build
        .dockerfile
        .as_deref()
        .map_or_else(|| UNKNOWN.to_owned(), printable);
    let target = match &build.target {
        Some(target) => format!(", target {}", printable(target)),
        None => ", target unknown".to_owned(),
    };
    match (&build.dockerfile, &build.target) {
        (None, None) => UNKNOWN.to_owned(),
        _ => format!("{file}{target}"),
    }
}

fn push_account(text: &mut StyledText, account: &EnvironmentAccount, has_policy: bool) {
    text.push(&format!("    {} of {}", account.environment, account.place));
    if let Some(state) = account.state {
        text.push(": ");
        let tone = match state {
            EntryState::Current => Tone::Done,
            EntryState::Withdrawn => Tone::Refused,
            EntryState::Superseded => Tone::Caution,
        };
        text.push_toned(tone, &state.to_string());
    }
    text.push("\n");
    for line in &account.lines {
        text.push(&format!("      {}\n", line_phrase(line)));
        for remark in line_remarks(line) {
            text.push("        ");
            text.push_toned(Tone::Caution, &remark);
            text.push("\n");
        }
    }
    for (name, value) in account_facts(account) {
        text.push(&format!("      {name:<11}  {value}\n"));
    }
    for phrase in account_cautions(account, has_policy) {
        text.push("      ");
        text.push_toned(Tone::Caution, &phrase);
        text.push("\n");
    }
}

/// Returns what is odd about an image in an environment.
pub(super) fn account_cautions(account: &EnvironmentAccount, has_policy: bool) -> Vec<String> {
    let drift = account.tag_drift.iter();
    let drift = drift.flat_map(|it| [Some(drift_phrase(it)), immutable_way(it)]);
    let unfinished = account.unfinished.iter();
    let unfinished = unfinished.map(|release| unfinished_phrase(release, has_policy));
    drift.flatten().chain(unfinished).collect()
}

/// Returns a record that a release rests on, and whether it counts.
fn carried_phrase(carried: &CarriedRecord) -> String {
    let release = &carried.release;
    let record = &release.predicate;
    let version = record.version.as_deref();
    let version = version.map_or_else(String::new, |version| format!(" {}", word(version)));
    let known = match (&carried.rejection, &release.signer) {
        (Some(reason), _) => format!("does not count: {}", printable(reason)),
        (None, Some(signer)) => format!("verified, signed by {}", printable(signer)),
        (None, None) => "not verified: no signer is given".to_owned(),
    };
    format!(
        "{} of {}: {}{version}, {}, {known}",
        record.environment,
        printable(&record.destination),
        record.action,
        seconds(record.planned_at)
    )
}

/// Returns an entry as one line: time, action, version, account, and how it is known.
pub(super) fn line_phrase(line: &HistoryLine) -> String {
    let entry = line.entry.as_ref();
    let version = entry.and_then(|entry| entry.version.as_deref());
    let actor = entry.and_then(|entry| entry.actor.as_deref());
    let withdrawn = entry.filter(|entry| entry.action == RecordAction::Rollback);
    let withdrawn = withdrawn.map(|_| format!(" of {}", line.name.root));
    let version = version.map(|version| format!("  {}", word(version)));
    let actor = actor.map(|actor| format!("  by {}", word(actor)));
    format!(
        "{}  {}{}{}{}  {}",
        minutes(line.name.planned_at),
        line.name.action,
        withdrawn.unwrap_or_default(),
        version.unwrap_or_default(),
        actor.unwrap_or_default(),
        known_word(&line.known)
    )
}

/// Returns facts about the newest release: names and values.
pub(super) fn account_facts(account: &EnvironmentAccount) -> Vec<(&'static str, String)> {
    let Some(release) = &account.release else {
        return Vec::new();
    };
    let record = &release.predicate;
    let image = |before: Option<&(Digest, Option<String>)>| {
        before.map(|(root, version)| {
            let reference = digest_reference(&account.place, *root);
            versioned(&reference, version.as_deref())
        })
    };
    let run = record.run.as_ref().and_then(|run| run.uri.as_deref());
    let from = record.source.as_ref().map(|source| source.uri.as_str());
    let facts = [
        ("record", Some(release.record.to_string())),
        ("signed by", release.signer.as_deref().map(printable)),
        ("from", from.map(printable)),
        ("run", run.map(printable)),
        ("since", account.since.map(seconds)),
    ];
    let known = facts.into_iter();
    let known = known.filter_map(|(name, value)| Some((name, value?)));
    let before = image(account.before.as_ref()).unwrap_or_else(|| UNKNOWN.to_owned());
    let good = image(account.good_before.as_ref()).unwrap_or_else(|| UNKNOWN.to_owned());
    let carried = account.carried.iter();
    let carried = carried.map(|record| ("rests on", carried_phrase(record)));
    known
        .chain(carried)
        .chain([("before", before), ("good before", good)])
        .collect()
}
