use super::*;
use crate::report::environment_outputs::to_outputs;
use crate::report::output_schema::OutputSchema;
use crate::report::summary::{sample_environment, sample_refused_environment};

fn json(verified: &EnvironmentVerification) -> String {
    let outputs = to_outputs(verified).into_iter();
    let mut json = outputs.filter(|(name, _)| *name == "json");
    json.next().unwrap().1
}

#[test]
fn an_environment_has_a_report_for_each_service() {
    insta::assert_snapshot!(to_text(&sample_environment()).as_str(), @r"
    verified prod of ghcr.io/acme/web/prod
      current   ghcr.io/acme/web/prod@sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61 (1.4.1)
      since     2026-11-20 21:48:08 UTC
      scan      no scan gate: scan reports are not judged
    ");
    insta::assert_snapshot!(to_text(&sample_refused_environment()).as_str(), @r"
    not verified prod of ghcr.io/acme/web/prod (web)
      current   ghcr.io/acme/web/prod@sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61 (1.4.1)
      since     2026-11-20 21:48:08 UTC
      error     the tag prod names sha256:1f4dc096d58f, expected sha256:f0b672321a89
                hint: release the expected image again
      warning   the tag 1.4 is gone, expected sha256:f0b672321a89

    gates
      scan          failed   web.json of trivy 0.68.1 covers linux/amd64: 1 critical
                             CVE-2026-0001 in openssl <3.0.1> is critical

    not verified prod of ghcr.io/acme/api/prod (api)
      current   unknown: no record says it
      error     no record that counts says which image prod is on

    gates
      scan          unknown  the current image cannot be judged

    not read prod of ghcr.io/acme/worker/prod (worker)
      failed: ghcr.io/acme/worker/prod: the registry answered 500
       why:  it is down
       hint: repeat the run

    the scan report old.json is about no current image
    ");
}

#[test]
fn a_refusal_names_what_is_wrong_with_every_service() {
    assert_eq!(to_failure(&sample_environment()), None);
    let failure = to_failure(&sample_refused_environment()).unwrap();
    assert!(matches!(failure, Failure::Refused(_)));
    insta::assert_snapshot!(text_report::failure_text(&failure).as_str(), @r"
    refused: prod does not pass: 2 of 3 images
     why:  web: gate scan (failed): CVE-2026-0001 in openssl <3.0.1> is critical; web: the tag prod names sha256:1f4dc096d58f, expected sha256:f0b672321a89; api: gate scan (unknown): the current image cannot be judged; api: no record that counts says which image prod is on; the scan report old.json is about no current image
     hint: release the expected image again
    ");
}

#[test]
fn a_service_that_cannot_be_read_alone_is_a_failure_of_it() {
    let mut verified = sample_refused_environment();
    verified.places.drain(..2);
    verified.unmatched_reports.clear();
    let failure = to_failure(&verified).unwrap();
    assert!(matches!(failure, Failure::Service(_)));
    assert_eq!(outcome_word(&verified), "failed");
    assert_eq!(digests(&verified), "");
}

#[test]
fn a_report_about_no_image_refuses_alone() {
    let mut verified = sample_environment();
    verified.unmatched_reports.push("old.json".to_owned());
    assert!(!verified.has_passed());
    assert_eq!(outcome_word(&verified), "refused");
}

#[test]
fn objects_are_of_the_schema() {
    let mut schema = OutputSchema::load();
    schema.check("environmentVerification", &json(&sample_environment()));
    let refused = schema.check(
        "environmentVerification",
        &json(&sample_refused_environment()),
    );
    assert_eq!(refused["services"][0]["findings"][1]["level"], "warning");
    // Only the scan gate judges what an environment is on, and a freeze is what can be overridden.
    assert_eq!(schema.unseen(&["environmentVerification"]), ["overridden"]);
}
