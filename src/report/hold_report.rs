//! Report of `hold` and `unhold`: which hold is on which image.

use serde_json::{Value, json};

use super::json_output::record_json;
use super::phrases::{digest_reference, record_phrase};
use super::rollback_report::without_null;
use super::styled_text::{StyledText, Tone};
use crate::release::{HoldOutcome, HoldTagChange};

/// Returns the report as text.
pub(super) fn to_text(outcome: &HoldOutcome) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(title_tone(outcome), title_word(outcome));
    text.push(&format!(" {} at {}\n", outcome.name, outcome.place));
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<9}  {value}\n"));
    if let Some(digest) = outcome.digest {
        fact("digest", &digest.to_string());
    }
    fact("tag", &tag_phrase(outcome));
    fact("reason", &outcome.reason);
    match (&outcome.record, outcome.recorded) {
        (Some(record), _) => fact("record", &record_phrase(record, outcome.dry_run)),
        (None, Some(recorded)) => fact("record", &format!("{recorded}, which said so already")),
        (None, None) => {}
    }
    text.trim_end();
    text
}

/// Returns what was done or would be, as a heading begins.
pub(super) fn title_word(outcome: &HoldOutcome) -> &'static str {
    match (outcome.dry_run && outcome.is_changed(), outcome.is_lifted) {
        (true, false) => "dry run, nothing was written: would place",
        (true, true) => "dry run, nothing was written: would lift",
        (false, _) => outcome_word(outcome),
    }
}

fn title_tone(outcome: &HoldOutcome) -> Tone {
    match outcome.dry_run {
        true => Tone::Title,
        false => Tone::Done,
    }
}

/// Returns what became of the tag, or would.
pub(super) fn tag_phrase(outcome: &HoldOutcome) -> String {
    let tag = &outcome.tag;
    match (outcome.tag_change, outcome.dry_run) {
        (HoldTagChange::Written, false) => format!("{tag}, written"),
        (HoldTagChange::Written, true) => format!("{tag}, would be written"),
        (HoldTagChange::Unchanged, _) => format!("{tag}, which was there already"),
        (HoldTagChange::Deleted, false) => format!("{tag}, deleted"),
        (HoldTagChange::Deleted, true) => format!("{tag}, would be deleted"),
        (HoldTagChange::Emptied, _) => format!("{tag}, which holds nothing now"),
        (HoldTagChange::Absent, _) => format!("{tag}, which was not there"),
    }
}

/// Returns the word of the outcome. A dry run is `unchanged`, also if it would change the hold.
pub(super) fn outcome_word(outcome: &HoldOutcome) -> &'static str {
    match (outcome.is_changed() && !outcome.dry_run, outcome.is_lifted) {
        (false, _) => "unchanged",
        (true, false) => "on-hold",
        (true, true) => "lifted",
    }
}

/// Returns the outputs of the step.
pub(super) fn to_outputs(outcome: &HoldOutcome) -> Vec<(&'static str, String)> {
    let digest = outcome.digest.map(|digest| digest.to_string());
    let record = outcome.record_id().map(|id| id.to_string());
    vec![
        ("digest", digest.unwrap_or_default()),
        ("record", record.unwrap_or_default()),
        ("json", to_json(outcome).to_string()),
        ("outcome", outcome_word(outcome).to_owned()),
    ]
}

fn to_json(outcome: &HoldOutcome) -> Value {
    let tag_change = match outcome.tag_change {
        HoldTagChange::Written => "written",
        HoldTagChange::Unchanged => "unchanged",
        HoldTagChange::Deleted => "deleted",
        HoldTagChange::Emptied => "emptied",
        HoldTagChange::Absent => "absent",
    };
    without_null(json!({
        "verb": if outcome.is_lifted { "unhold" } else { "hold" },
        "outcome": outcome_word(outcome),
        "dryRun": outcome.dry_run,
        "name": outcome.name.as_str(),
        "environment": outcome.environment.as_ref().map(|it| it.as_str()),
        "place": outcome.place.to_string(),
        "digest": outcome.digest.map(|digest| digest.to_string()),
        "tag": outcome.tag.as_str(),
        "tagChange": tag_change,
        "record": outcome.record.as_ref().map(record_json),
        "recorded": outcome.recorded.map(|id| id.to_string()),
        "reason": outcome.reason,
    }))
}

/// Returns the image that is or was on hold; empty where there is none.
pub(super) fn image_reference(outcome: &HoldOutcome) -> String {
    let digest = outcome.digest;
    digest.map_or_else(String::new, |digest| {
        digest_reference(&outcome.place, digest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;
    use crate::record::{RecordAction, RecordId};
    use crate::release::RecordResult;
    use crate::report::output_schema::OutputSchema;
    use crate::report::summary::sample_mark;

    fn sample(is_lifted: bool, tag_change: HoldTagChange) -> HoldOutcome {
        let name: crate::retention::HoldName = "case-7".parse().unwrap();
        HoldOutcome {
            dry_run: false,
            tag: name.to_tag(),
            name,
            place: "prod.example.com/team/web".parse().unwrap(),
            environment: Some("prod".parse().unwrap()),
            is_lifted,
            digest: Some(Digest::from_bytes(b"web")),
            tag_change,
            record: None,
            recorded: Some(RecordId::from_blob(b"record")),
            reason: "audit of 2026".to_owned(),
        }
    }

    #[test]
    fn the_schema_has_what_a_hold_gives() {
        let mut schema = OutputSchema::load();
        let recorded = HoldOutcome {
            record: sample_mark().record,
            ..sample(false, HoldTagChange::Written)
        };
        schema.check("hold", &to_json(&recorded).to_string());
        use HoldTagChange::{Absent, Deleted, Emptied, Unchanged, Written};
        for (is_lifted, tag_change, word) in [
            (false, Written, "on-hold"),
            (false, Unchanged, "unchanged"),
            (true, Deleted, "lifted"),
            (true, Emptied, "lifted"),
            (true, Absent, "unchanged"),
        ] {
            let outcome = sample(is_lifted, tag_change);
            assert_eq!(outcome_word(&outcome), word);
            schema.check("hold", &to_json(&outcome).to_string());
        }
        let unseen = schema.unseen(&["hold"]);
        let unseen = unseen.iter().map(String::as_str);
        let unseen: Vec<_> = unseen.filter(|name| *name != "superseded").collect();
        assert_eq!(unseen, [""; 0]);
    }

    #[test]
    fn a_dry_run_reads_as_what_it_would_do() {
        let record = sample_mark().record.map(|record| RecordResult {
            action: RecordAction::Unhold,
            ..record
        });
        let outcome = HoldOutcome {
            dry_run: true,
            digest: None,
            record,
            recorded: None,
            ..sample(true, HoldTagChange::Deleted)
        };
        assert_eq!(outcome_word(&outcome), "unchanged");
        insta::assert_snapshot!(to_text(&outcome).as_str(), @r"
        dry run, nothing was written: would lift case-7 at prod.example.com/team/web
          tag        hold.case-7, would be deleted
          reason     audit of 2026
          record     would be recorded in prod as unhold
        ");
    }

    #[test]
    fn a_hold_reads_as_what_stays_and_why() {
        let outcome = sample(false, HoldTagChange::Written);
        let text = to_text(&outcome).as_str().to_owned();
        let digest = outcome.digest.unwrap().to_string();
        let text = text.replace(&digest, "DIGEST");
        let text = text.replace(&outcome.recorded.unwrap().to_string(), "RECORD");
        insta::assert_snapshot!(text, @r"
        on-hold case-7 at prod.example.com/team/web
          digest     DIGEST
          tag        hold.case-7, written
          reason     audit of 2026
          record     RECORD, which said so already
        ");
    }
}
