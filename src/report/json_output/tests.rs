use super::*;
use crate::gate::{GateName, GateReport, GateVerdict};
use crate::image::Digest;
use crate::record::{RecordAction, RecordId};
use crate::release::{PlatformSelection, SignatureFormat, SignatureResult};
use crate::report::github_report::{add_to_json, sample as sample_github};
use crate::report::output_schema::OutputSchema;
use crate::report::sample_outcomes;
use crate::report::summary::sample_gates;
use crate::report::tags_report::TagsResult;

/// Returns an outcome with everything that an outcome can have.
fn full_outcome() -> ReleaseOutcome {
    let mut outcome = sample_outcomes::promoted_outcome();
    outcome.sought_commit = Some(NamedCommit::Abbreviated("2b2e927".to_owned()));
    let mut verdict = GateVerdict::new(GateName::Scan);
    verdict.add_fact("a.json: no findings");
    verdict.add_warning("an exception ends on 2026-12-01");
    outcome.gates = GateReport::new(vec![verdict]);
    outcome.requested_digest = Some(Digest::from_bytes(b"requested"));
    outcome.platform_selection = Some(PlatformSelection {
        of: Digest::from_bytes(b"source"),
        platforms: vec!["linux/amd64".to_owned()],
    });
    outcome.destinations[0].signatures.push(SignatureResult {
        of: outcome.root,
        predicate_type: Some("https://slsa.dev/provenance/v1"),
        format: SignatureFormat::Bundle,
        at: None,
        url: Some(
            "https://github.com/acme/web/attestations/1"
                .parse()
                .unwrap(),
        ),
        is_new: true,
    });
    outcome.destinations[0].record = Some(RecordResult {
        environment: "prod".parse().unwrap(),
        action: RecordAction::Promote,
        reason: None,
        link: None,
        planned_at: "2026-11-20T21:48:08.123Z".parse().unwrap(),
        id: Some(RecordId::from_blob(b"record")),
        entry: Some(
            "shipmark.prod.20261120t214808123z.promote.0123456789ab.cdef01234567"
                .parse()
                .unwrap(),
        ),
        is_new: true,
        is_intent_new: true,
        superseded: Some("1.5.0 was released after it".to_owned()),
    });
    outcome
}

#[test]
fn the_schema_names_every_member_and_no_other() {
    let mut schema = OutputSchema::load();
    let hostile = sample_outcomes::hostile_outcome();
    for outcome in [full_outcome(), sample_outcomes::dry_run_outcome(), hostile] {
        schema.check("release", &outcome_json(&outcome));
    }
    let released = outcome_json(&sample_outcomes::promoted_outcome());
    schema.check("release", &add_to_json(&released, &sample_github()));
    schema.check("batch", &batch_json(&sample_outcomes::batch_outcome()));
    let batch = batch_json(&sample_outcomes::batch_outcome());
    schema.check("batch", &add_to_json(&batch, &sample_github()));
    let by_gates = batch_json(&sample_gates());
    let json = schema.check("batch", &by_gates);
    assert_eq!(json["services"][0]["gates"][1]["verdict"], "unknown");
    assert_eq!(json["services"][1]["gates"][0]["verdict"], "passed");
    let failures = [
        sample_outcomes::refused_failure(),
        Failure::input("x"),
        Failure::service("x"),
        Failure::input("x").with_further([Failure::input("y")]),
    ];
    for failure in failures {
        schema.check("failure", &failure_json(&failure));
    }
    schema.check("interruption", &failure_json(&Failure::Cancelled));
    let tags = TagsResult::default().to_outputs();
    let json = tags.iter().find(|(name, _)| *name == "json").unwrap();
    schema.check("tags", &json.1);
    let kinds = ["release", "batch", "failure", "interruption", "tags"];
    assert_eq!(schema.unseen(&kinds), [""; 0]);
}
