//! Report of `adopt`: the releases that were recorded, oldest first.

use serde_json::{Value, json};

use super::phrases::count_phrase;
use super::rollback_report::{root_json, without_null};
use super::styled_text::{StyledText, Tone};
use super::text_report::push_note;
use crate::policy::Service;
use crate::release::{AdoptOutcome, AdoptedRelease};
use crate::tagging::EnvironmentName;

/// Adoption of an environment, of one service or several.
pub struct AdoptReport {
    /// Environment.
    pub environment: EnvironmentName,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Outcome at each repository.
    pub outcomes: Vec<(Option<Service>, AdoptOutcome)>,
}

impl AdoptReport {
    /// Returns the report as text.
    pub(super) fn to_text(&self) -> StyledText {
        let mut text = StyledText::default();
        for (_, outcome) in &self.outcomes {
            push_outcome(&mut text, outcome);
            text.push("\n");
        }
        text.trim_end();
        text
    }

    /// Returns the word of the outcome.
    pub(super) fn outcome_word(&self) -> &'static str {
        let has_new = self
            .outcomes
            .iter()
            .any(|(_, outcome)| !outcome.adopted.is_empty());
        match has_new && !self.dry_run {
            true => "adopted",
            false => "unchanged",
        }
    }

    /// Returns the outputs of the step.
    pub(super) fn to_outputs(&self) -> Vec<(&'static str, String)> {
        let mut outputs = Vec::new();
        if let [(_, outcome)] = self.outcomes.as_slice() {
            let current = outcome.current.as_ref().map(|root| root.digest.to_string());
            outputs.push(("digest", current.unwrap_or_default()));
        }
        let adopted = self
            .outcomes
            .iter()
            .flat_map(|(_, outcome)| &outcome.adopted);
        let records = adopted.filter_map(|release| Some(release.record?.to_string()));
        outputs.push(("record", records.collect::<Vec<_>>().join("\n")));
        outputs.push(("json", self.to_json().to_string()));
        outputs.push(("outcome", self.outcome_word().to_owned()));
        outputs
    }

    fn to_json(&self) -> Value {
        let outcomes = self.outcomes.iter();
        json!({
            "verb": "adopt",
            "outcome": self.outcome_word(),
            "dryRun": self.dry_run,
            "environment": self.environment.as_str(),
            "timelines": outcomes.map(|(service, outcome)| outcome_json(service.as_ref(), outcome)).collect::<Vec<_>>(),
        })
    }

    /// Returns the names that the user gave, which are not secret.
    pub(super) fn names(&self) -> Vec<String> {
        let outcomes = self.outcomes.iter();
        outcomes
            .map(|(_, outcome)| outcome.place.to_string())
            .collect()
    }
}

fn push_outcome(text: &mut StyledText, outcome: &AdoptOutcome) {
    text.push_toned(Tone::Title, adopted_word(outcome));
    text.push(&format!(" {}\n", counts_phrase(outcome)));
    if let Some(current) = &outcome.current {
        text.push(&format!("  current  {current}\n"));
    }
    for release in &outcome.adopted {
        text.push(&format!("    {}\n", release_phrase(release)));
    }
    for note in &outcome.notes {
        push_note(text, note);
        text.push("\n");
    }
}

/// Returns what was done, as a heading begins.
pub(super) fn adopted_word(outcome: &AdoptOutcome) -> &'static str {
    match outcome.dry_run {
        true => "would record",
        false => "recorded",
    }
}

/// Returns how many releases are recorded where.
pub(super) fn counts_phrase(outcome: &AdoptOutcome) -> String {
    let new = count_phrase(outcome.adopted.len() as u64, "release");
    let (environment, place) = (&outcome.environment, &outcome.place);
    let known = match outcome.known {
        0 => String::new(),
        known => format!(" ({known} had a record)"),
    };
    format!("{new} in {environment} of {place}{known}")
}

/// Returns version, digest and tags of a release.
pub(super) fn release_phrase(release: &AdoptedRelease) -> String {
    let version = release.version.as_deref().unwrap_or("no version");
    let tags: Vec<_> = release.tags.iter().map(|tag| tag.as_str()).collect();
    let tags = match tags.is_empty() {
        true => String::new(),
        false => format!("  {}", tags.join(" ")),
    };
    format!("{version}  {}{tags}", release.root.short())
}

fn outcome_json(service: Option<&Service>, outcome: &AdoptOutcome) -> Value {
    let adopted = outcome.adopted.iter().map(release_json);
    without_null(json!({
        "service": service.map(Service::as_str),
        "place": outcome.place.to_string(),
        "adopted": adopted.collect::<Vec<_>>(),
        "known": outcome.known,
        "current": outcome.current.as_ref().map(root_json),
        "notes": outcome.notes,
    }))
}

fn release_json(release: &AdoptedRelease) -> Value {
    let tags: Vec<_> = release.tags.iter().map(|tag| tag.as_str()).collect();
    without_null(json!({
        "digest": release.root.to_string(),
        "version": release.version,
        "tags": tags,
        "record": release.record.map(|id| id.to_string()),
    }))
}
