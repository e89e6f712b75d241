//! Report of `rollback`: what is withdrawn, what the environment is on, and where each tag went.

use serde_json::{Value, json};

use super::image_matrix::image_matrix;
use super::json_output::record_json;
use super::phrases::{digest_reference, record_phrase};
use super::styled_text::{StyledText, Tone};
use super::text_report::push_note;
use crate::release::{Failure, NamedRoot, RollbackOutcome, RollbackTag, RollbackTagChange};

/// Returns the report as text.
pub(super) fn to_text(outcome: &RollbackOutcome) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(Tone::Title, title_word(outcome));
    let withdrawn = &outcome.withdrawn;
    let name = withdrawn.version.as_deref().unwrap_or("an image");
    let (environment, place) = (&outcome.environment, &outcome.place);
    text.push(&format!(" {name} from {environment} of {place}\n"));
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<9}  {value}\n"));
    fact("withdrawn", &withdrawn.digest.to_string());
    match (&outcome.current, &outcome.restored) {
        (Some(current), Some(restored)) if current.digest == restored.digest => {
            fact("back on", &reference(current));
        }
        (Some(current), _) => fact("still on", &reference(current)),
        (None, _) => fact("current", "none"),
    }
    if !outcome.between.is_empty() {
        fact("kept", &between_phrase(outcome));
    }
    if let Some(reason) = &outcome.reason {
        fact("reason", reason);
    }
    match (&outcome.record, outcome.recorded) {
        (Some(record), _) => fact("record", &record_phrase(record, outcome.dry_run)),
        (None, Some(recorded)) => fact("record", &format!("{recorded}, an earlier rollback")),
        (None, None) => {}
    }
    for tag in &outcome.tags {
        text.push("    ");
        text.push_toned(tag_tone(tag), &format!("{:<9}", change_word(tag, outcome)));
        text.push(&format!("  {}{}\n", tag.tag, tag_reason(tag)));
    }
    for note in &outcome.notes {
        push_note(&mut text, note);
    }
    text.trim_end();
    text
}

/// Returns the word of the outcome.
pub(super) fn outcome_word(outcome: &RollbackOutcome) -> &'static str {
    match (
        outcome.to_failure(),
        outcome.has_changes() && !outcome.dry_run,
    ) {
        (Some(_), _) => "incomplete",
        (None, true) => "withdrawn",
        (None, false) => "unchanged",
    }
}

/// Returns what was done, as a heading begins.
pub(super) fn title_word(outcome: &RollbackOutcome) -> &'static str {
    match (&outcome.record, outcome.dry_run) {
        (Some(_), true) => "would withdraw",
        (Some(_), false) => "withdrew",
        (None, _) if outcome.has_changes() => "repaired the withdrawal of",
        (None, _) => "already withdrawn:",
    }
}

/// Returns the releases that stay.
pub(super) fn between_phrase(outcome: &RollbackOutcome) -> String {
    let between = outcome.between.iter().map(ToString::to_string);
    format!(
        "{}, released in between",
        between.collect::<Vec<_>>().join(", ")
    )
}

/// Returns what happened to a tag, in one word.
pub(super) fn change_word(tag: &RollbackTag, outcome: &RollbackOutcome) -> &'static str {
    match (&tag.change, outcome.dry_run) {
        (RollbackTagChange::Moved { .. }, false) => "moved",
        (RollbackTagChange::Moved { .. }, true) => "moves",
        (RollbackTagChange::Unchanged, _) => "unchanged",
        (RollbackTagChange::Stays { .. }, _) => "stays",
    }
}

/// Returns the reason of what happened to a tag.
pub(super) fn tag_reason(tag: &RollbackTag) -> String {
    match &tag.change {
        RollbackTagChange::Moved { to, why } => format!(" to {}: {why}", to.short()),
        RollbackTagChange::Unchanged => String::new(),
        RollbackTagChange::Stays { why } => format!(": {why}"),
    }
}

fn tag_tone(tag: &RollbackTag) -> Tone {
    match &tag.change {
        RollbackTagChange::Stays { .. } if tag.is_staying_line() => Tone::Refused,
        RollbackTagChange::Moved { .. } => Tone::Done,
        _ => Tone::Caution,
    }
}

fn reference(root: &NamedRoot) -> String {
    match &root.version {
        Some(version) => format!("{version}, {}", root.digest),
        None => root.digest.to_string(),
    }
}

/// Returns the outputs of the step.
pub(super) fn to_outputs(outcome: &RollbackOutcome) -> Vec<(&'static str, String)> {
    let current = outcome.current.as_ref().map(|root| root.digest.to_string());
    let record = outcome.record_id().map(|id| id.to_string());
    vec![
        ("digest", current.unwrap_or_default()),
        ("previous-digest", outcome.withdrawn.digest.to_string()),
        ("image", image_reference(outcome)),
        ("record", record.unwrap_or_default()),
        ("json", to_json(outcome).to_string()),
        ("outcome", outcome_word(outcome).to_owned()),
        ("matrix", to_matrix(outcome)),
    ]
}

fn to_matrix(outcome: &RollbackOutcome) -> String {
    let current = outcome.current.as_ref();
    image_matrix(current.map(|root| (None, &outcome.place, root.digest)))
}

/// Returns the image that the environment is on.
pub(super) fn image_reference(outcome: &RollbackOutcome) -> String {
    let current = outcome.current.as_ref();
    let reference = current.map(|root| digest_reference(&outcome.place, root.digest));
    reference.unwrap_or_default()
}

pub(super) fn to_json(outcome: &RollbackOutcome) -> Value {
    let failure = outcome.to_failure();
    let diagnostic = failure.as_ref().and_then(Failure::diagnostic);
    let tags = outcome.tags.iter().map(|tag| tag_json(tag, outcome));
    without_null(json!({
        "verb": "rollback",
        "outcome": outcome_word(outcome),
        "what": diagnostic.map(|it| &it.what),
        "why": diagnostic.and_then(|it| it.why.as_ref()),
        "hint": diagnostic.and_then(|it| it.hint.as_ref()),
        "dryRun": outcome.dry_run,
        "environment": outcome.environment.as_str(),
        "place": outcome.place.to_string(),
        "withdrawn": root_json(&outcome.withdrawn),
        "restored": outcome.restored.as_ref().map(root_json),
        "current": outcome.current.as_ref().map(root_json),
        "between": outcome.between.iter().map(root_json).collect::<Vec<_>>(),
        "tags": tags.collect::<Vec<_>>(),
        "record": outcome.record.as_ref().map(record_json),
        "recorded": outcome.recorded.map(|id| id.to_string()),
        "reason": outcome.reason,
        "notes": outcome.notes,
    }))
}

fn tag_json(tag: &RollbackTag, outcome: &RollbackOutcome) -> Value {
    let why = match &tag.change {
        RollbackTagChange::Moved { why, .. } | RollbackTagChange::Stays { why } => Some(why),
        RollbackTagChange::Unchanged => None,
    };
    let change = match &tag.change {
        RollbackTagChange::Moved { .. } => "moved",
        _ => change_word(tag, outcome),
    };
    without_null(json!({
        "tag": tag.tag.as_str(),
        "kind": tag.kind,
        "change": change,
        "previous": tag.from.map(|digest| digest.to_string()),
        "digest": tag.target().or(tag.from).map(|digest| digest.to_string()),
        "why": why,
    }))
}

/// Returns a root with its version.
pub(super) fn root_json(root: &NamedRoot) -> Value {
    without_null(json!({"digest": root.digest.to_string(), "version": root.version}))
}

/// Returns an object without the members that have no value.
pub(super) fn without_null(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::adopt_report::AdoptReport;
    use crate::report::github_report;
    use crate::report::mark_report;
    use crate::report::output_schema::OutputSchema;
    use crate::report::summary::{sample_adoption, sample_mark, sample_rollback};

    fn json(outputs: Vec<(&'static str, String)>) -> String {
        let found = outputs.into_iter().find(|(name, _)| *name == "json");
        found.unwrap().1
    }

    #[test]
    fn the_schema_names_every_member_and_no_other() {
        let mut schema = OutputSchema::load();
        let mut outcome = sample_rollback();
        assert_eq!(outcome_word(&outcome), "incomplete");
        outcome.recorded = outcome.record.as_ref().and_then(|record| record.id);
        schema.check("rollback", &json(to_outputs(&outcome)));
        let mut marked = sample_mark();
        marked.recorded = marked.record.as_ref().and_then(|record| record.id);
        schema.check("mark", &json(mark_report::to_outputs(&marked)));
        for (kind, outputs) in [
            ("rollback", to_outputs(&outcome)),
            ("mark", mark_report::to_outputs(&marked)),
        ] {
            let told = github_report::add_to_json(&json(outputs), &github_report::sample());
            schema.check(kind, &told);
        }
        let adoption: AdoptReport = sample_adoption();
        schema.check("adoption", &json(adoption.to_outputs()));
        let unseen = schema.unseen(&["rollback", "mark", "adoption"]);
        let elsewhere = ["superseded", "service"];
        let unseen = unseen.iter().map(String::as_str);
        let unseen: Vec<_> = unseen.filter(|name| !elsewhere.contains(name)).collect();
        assert_eq!(unseen, [""; 0]);
    }

    #[test]
    fn a_rollback_reads_as_what_went_where() {
        insta::assert_snapshot!(to_text(&sample_rollback()).as_str(), @r"
        withdrew 1.5.0 from prod of ghcr.io/acme/web/prod
          withdrawn  sha256:1f4dc096d58f7d21e3875671aee6f29b120ab84218fa47db2cb53bc9eb5b4dac
          back on    1.3.0, sha256:59296d23d623ce0adf7675d22156e83b1248c8508135a65dd8a9e38c497e94a8
          kept       1.4.0 (sha256:74b860b32706), released in between
          reason     orders fail | see <b>INC-17</b>
          record     recorded in prod as rollback: sha256:da25480fb483e6ce3d30f1a179c3c07e9f3b045425b0ac54acc6758a97e2db62
            moved      prod to sha256:59296d23d623: current
            moved      1 to sha256:74b860b32706: 1.4.0, the highest release
            stays      1.5: no other release of its line is recorded, and no record says what it named before
            unchanged  edge

        note: the tag nightly still names the withdrawn image
        ");
        let outputs = to_outputs(&sample_rollback());
        let names: Vec<_> = outputs.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "digest",
                "previous-digest",
                "image",
                "record",
                "json",
                "outcome",
                "matrix"
            ]
        );
    }

    #[test]
    fn a_mark_and_an_adoption_read_as_what_is_recorded() {
        insta::assert_snapshot!(mark_report::to_text(&sample_mark()).as_str(), @r"
        failed 1.5.0 in prod of ghcr.io/acme/web/prod
          digest     sha256:1f4dc096d58f7d21e3875671aee6f29b120ab84218fa47db2cb53bc9eb5b4dac
          reason     orders fail
          link       https://status.example.com/17
          record     recorded in prod as failed: sha256:5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826
        ");
        insta::assert_snapshot!(sample_adoption().to_text().as_str(), @r"
        recorded 2 releases in prod of ghcr.io/acme/web/prod (1 had a record)
          current  1.4.0 (sha256:74b860b32706)
            1.3.0  sha256:59296d23d623  1.3.0 1.3
            1.4.0  sha256:74b860b32706  1.4.0 1.4 1 prod

        note: the tag prod names an image that is withdrawn
        ");
    }
}
