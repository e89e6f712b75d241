use super::*;
use crate::report::github_report::{add_to_json, sample as sample_github};
use crate::report::output_schema::OutputSchema;
use crate::report::summary::{sample_mark_services, sample_rollback_services};

fn output(outputs: &[(&'static str, String)], wanted: &str) -> String {
    let found = outputs.iter().find(|(name, _)| *name == wanted);
    found.unwrap().1.clone()
}

#[test]
fn a_rollback_of_services_has_a_line_and_a_report_for_each() {
    insta::assert_snapshot!(to_text(&sample_rollback_services()).as_str(), @r"
    rollback in prod of 3 services: 1 incomplete, 1 refused, 1 not begun
      web     incomplete
      api     refused
      worker  not begun

    web: withdrew 1.5.0 from prod of ghcr.io/acme/web/prod
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

    api: refused: prod has no release to go back to from sha256:1f4dc096d58f
     why:  no release before it is recorded that is neither withdrawn nor marked as failed
     hint: release another image, or name a release with to
    ");
    let (failure, text) = to_failure(&sample_rollback_services()).unwrap();
    assert!(matches!(failure, Failure::Refused(_)), "{text}");
    for part in [
        "refused: 3 services: 1 incomplete, 1 refused, 1 not begun\n api: prod has no release",
        "\n web: the rollback is done, and the version line 1.5",
        "\n to do the rest, run it for the other services alone, with services: api, worker",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_line_that_stays_is_told_after_what_failed() {
    let mut batch = sample_rollback_services();
    batch.services.truncate(1);
    let (failure, text) = to_failure(&batch).unwrap();
    assert!(matches!(failure, Failure::Incomplete(_)), "{text}");
    assert_eq!(outcome_word(&batch), "incomplete");
    batch.services.clear();
    assert_eq!(outcome_word(&batch), "unchanged");
}

#[test]
fn outputs_are_over_all_services() {
    let mut schema = OutputSchema::load();
    let mut batch = sample_rollback_services();
    if let (_, ServiceOutcome::Completed(outcome)) = &mut batch.services[0] {
        outcome.recorded = outcome.record.as_ref().and_then(|record| record.id);
    }
    let outputs = to_outputs(&batch);
    schema.check("recordBatch", &output(&outputs, "json"));
    assert_eq!(output(&outputs, "outcome"), "refused");
    let matrix: Value = serde_json::from_str(&output(&outputs, "matrix")).unwrap();
    assert_eq!(matrix["include"].as_array().unwrap().len(), 1);
    assert_eq!(matrix["include"][0]["service"], "web");
    let marked = to_outputs(&sample_mark_services());
    schema.check("recordBatch", &output(&marked, "json"));
    let told = add_to_json(&output(&marked, "json"), &sample_github());
    schema.check("recordBatch", &told);
    assert_eq!(output(&marked, "outcome"), "marked");
    assert_eq!(output(&marked, "record").lines().count(), 2);
    // Only a release is superseded or gated, and only a policy file has further problems.
    let gates = [
        "facts",
        "gate",
        "gates",
        "overridden",
        "reasons",
        "verdict",
        "warnings",
    ];
    let unseen = schema.unseen(&["recordBatch"]);
    let unseen = unseen.iter().map(String::as_str);
    let unseen: Vec<&str> = unseen.filter(|name| !gates.contains(name)).collect();
    assert_eq!(unseen, ["further", "superseded"]);
}
