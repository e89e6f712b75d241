//! Report of `mark`: which release is marked as what.

use serde_json::{Value, json};

use super::image_matrix::image_matrix;
use super::json_output::record_json;
use super::phrases::{digest_reference, record_phrase};
use super::rollback_report::{root_json, without_null};
use super::styled_text::{StyledText, Tone};
use crate::record::ReleaseMark;
use crate::release::MarkOutcome;

/// Returns the report as text.
pub(super) fn to_text(outcome: &MarkOutcome) -> StyledText {
    let mut text = StyledText::default();
    let tone = match outcome.state {
        ReleaseMark::Deployed => Tone::Done,
        ReleaseMark::Failed => Tone::Refused,
    };
    text.push_toned(tone, state_word(outcome.state));
    let name = outcome.release.version.as_deref().unwrap_or("an image");
    let (environment, place) = (&outcome.environment, &outcome.place);
    text.push(&format!(" {name} in {environment} of {place}\n"));
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<9}  {value}\n"));
    fact("digest", &outcome.release.digest.to_string());
    if let Some(reason) = &outcome.reason {
        fact("reason", reason);
    }
    if let Some(link) = &outcome.link {
        fact("link", link);
    }
    match (&outcome.record, outcome.recorded) {
        (Some(record), _) => fact("record", &record_phrase(record, false)),
        (None, Some(recorded)) => fact("record", &format!("{recorded}, which said so already")),
        (None, None) => {}
    }
    text.trim_end();
    text
}

/// Returns the word of a mark.
pub(super) fn state_word(state: ReleaseMark) -> &'static str {
    match state {
        ReleaseMark::Deployed => "deployed",
        ReleaseMark::Failed => "failed",
    }
}

/// Returns the word of the outcome.
pub(super) fn outcome_word(outcome: &MarkOutcome) -> &'static str {
    match outcome.record {
        Some(_) => "marked",
        None => "unchanged",
    }
}

/// Returns the outputs of the step.
pub(super) fn to_outputs(outcome: &MarkOutcome) -> Vec<(&'static str, String)> {
    let record = outcome.record_id().map(|id| id.to_string());
    vec![
        ("digest", outcome.release.digest.to_string()),
        ("record", record.unwrap_or_default()),
        ("json", to_json(outcome).to_string()),
        ("outcome", outcome_word(outcome).to_owned()),
        (
            "matrix",
            image_matrix([(None, &outcome.place, outcome.release.digest)]),
        ),
    ]
}

/// Returns the outcome as JSON.
pub(super) fn to_json(outcome: &MarkOutcome) -> Value {
    without_null(json!({
        "verb": "mark",
        "outcome": outcome_word(outcome),
        "environment": outcome.environment.as_str(),
        "place": outcome.place.to_string(),
        "release": root_json(&outcome.release),
        "state": state_word(outcome.state),
        "record": outcome.record.as_ref().map(record_json),
        "recorded": outcome.recorded.map(|id| id.to_string()),
        "reason": outcome.reason,
        "link": outcome.link,
    }))
}

/// Returns the image that is marked.
pub(super) fn image_reference(outcome: &MarkOutcome) -> String {
    digest_reference(&outcome.place, outcome.release.digest)
}
