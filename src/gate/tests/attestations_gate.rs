use serde_json::{Value, json};

use super::*;
use crate::gate::GateState::{Failed, Passed};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const SBOM: &str = "https://cyclonedx.org/bom";

fn required(rule: &str, is_signed: bool) -> RequiredAttestation {
    RequiredAttestation {
        rule: rule.parse().unwrap(),
        is_signed,
    }
}

fn found(of: char, proof: AttestationProof<'_>) -> FoundAttestation<'_> {
    FoundAttestation {
        of: digest(of),
        digest: digest('e'),
        proof,
    }
}

fn signed<'a>(predicate_type: &'a str, predicate: &'a Value) -> AttestationProof<'a> {
    AttestationProof::Signed {
        by: "build.yml".to_owned(),
        predicate_type,
        predicate,
    }
}

fn unsigned(predicate_type: &str) -> AttestationProof<'_> {
    AttestationProof::Unsigned {
        predicate_type,
        predicate: None,
    }
}

#[track_caller]
fn judge(required: &RequiredAttestation, found: Vec<FoundAttestation<'_>>) -> GateVerdict {
    judge_attestations(&[AttestationFacts { required, found }], &index())
}

#[test]
fn an_attestation_of_the_root_or_of_every_platform_is_enough() {
    let nothing = json!({});
    let rule = required(PROVENANCE, true);
    let of = |manifests: &str| {
        let found = manifests
            .chars()
            .map(|of| found(of, signed(PROVENANCE, &nothing)));
        judge(&rule, found.collect())
    };
    let verdict = of("1");
    assert_verdict(&verdict, Passed, &[]);
    assert_eq!(
        verdict.facts(),
        [format!("{PROVENANCE}: signed by build.yml")]
    );
    let verdict = of("ab");
    assert_verdict(&verdict, Passed, &[]);
    let fact = format!("{PROVENANCE}: signed by build.yml, of linux/arm64");
    assert_eq!(verdict.facts()[1], fact);
    let reason = format!("linux/arm64 has no attestation that meets {PROVENANCE}");
    assert_verdict(&of("a"), Failed, &[&reason]);
    let root = digest('1').short();
    let reason = format!("{root} has no attestation that meets {PROVENANCE}");
    for other in ["", "9", "c"] {
        assert_verdict(&of(other), Failed, &[&reason]);
    }
    let mut partial = index();
    partial.platforms[1].is_released = false;
    let facts = AttestationFacts {
        required: &rule,
        found: vec![found('a', signed(PROVENANCE, &nothing))],
    };
    assert_verdict(
        &judge_attestations(std::slice::from_ref(&facts), &partial),
        Passed,
        &[],
    );
    partial.platforms[0].is_released = false;
    assert_eq!(judge_attestations(&[facts], &partial).state(), Failed);
}

#[test]
fn an_attestation_meets_the_conditions_of_its_entry() {
    let predicate = json!({"builder": {"id": "https://github.com/acme"}});
    for (rule, part) in [
        (
            "https://slsa.dev/provenance/*,/builder/id=https://github.com/*",
            None,
        ),
        (
            "https://slsa.dev/provenance/v1,/builder/id=x",
            Some("/builder/id in the predicate is https://github.com/acme, expected x"),
        ),
        (
            SBOM,
            Some("has no attestation that meets https://cyclonedx.org/bom"),
        ),
    ] {
        let verdict = judge(
            &required(rule, true),
            vec![found('1', signed(PROVENANCE, &predicate))],
        );
        let parts: Vec<&str> = part.into_iter().collect();
        let state = if parts.is_empty() { Passed } else { Failed };
        assert_verdict(&verdict, state, &parts);
    }
}

#[test]
fn presence_is_enough_only_where_the_entry_asks_for_no_signature() {
    let verdict = judge(&required(SBOM, false), vec![found('1', unsigned(SBOM))]);
    assert_verdict(&verdict, Passed, &[]);
    assert_eq!(verdict.facts(), [format!("{SBOM}: present, unsigned")]);
    let verdict = judge(&required(SBOM, true), vec![found('1', unsigned(SBOM))]);
    assert_verdict(&verdict, Failed, &["it is not signed"]);
    let with_condition = required("https://cyclonedx.org/bom,/a=b", false);
    let verdict = judge(&with_condition, vec![found('1', unsigned(SBOM))]);
    assert_verdict(&verdict, Failed, &["its predicate was not read"]);
    let predicate = json!({"a": "b"});
    let read = AttestationProof::Unsigned {
        predicate_type: SBOM,
        predicate: Some(&predicate),
    };
    assert_verdict(&judge(&with_condition, vec![found('1', read)]), Passed, &[]);
    let by = signed(SBOM, &predicate);
    let verdict = judge(
        &required(SBOM, false),
        vec![found('1', unsigned(SBOM)), found('1', by)],
    );
    assert_eq!(verdict.facts(), [format!("{SBOM}: signed by build.yml")]);
}

#[test]
fn promise_6_an_attestation_that_does_not_verify_counts_as_none() {
    for is_signed in [true, false] {
        let rejected = (0..5).map(|_| {
            let reason = "signed by x\n, expected y".to_owned();
            found('1', AttestationProof::Rejected(reason))
        });
        let verdict = judge(&required(SBOM, is_signed), rejected.collect());
        assert_verdict(&verdict, Failed, &["signed by x\u{fffd}, expected y"]);
        assert!(verdict.reasons()[0].ends_with("; and 2 more"));
    }
}

#[test]
fn every_entry_must_be_met() {
    let nothing = json!({});
    let [first, second] = [PROVENANCE, SBOM].map(|rule| required(rule, true));
    let facts = |kinds: &[&'static str]| {
        let found: Vec<_> = kinds
            .iter()
            .map(|kind| found('1', signed(kind, &nothing)))
            .collect();
        [&first, &second].map(|required| AttestationFacts {
            required,
            found: found.clone(),
        })
    };
    assert_verdict(
        &judge_attestations(&facts(&[PROVENANCE, SBOM]), &index()),
        Passed,
        &[],
    );
    let verdict = judge_attestations(&facts(&[PROVENANCE]), &index());
    assert_verdict(&verdict, Failed, &["meets https://cyclonedx.org/bom"]);
    assert_eq!(verdict.facts().len(), 1);
    assert_eq!(judge_attestations(&facts(&[]), &index()).reasons().len(), 2);
}

#[test]
fn an_override_of_an_entry_may_only_tighten_it() {
    let strict = required("https://slsa.dev/provenance/v1,/a=b,/c=d", true);
    let base = required("https://slsa.dev/provenance/v1,/a=b", false);
    assert!(strict.is_at_least_as_strict_as(&base));
    assert!(base.is_at_least_as_strict_as(&base));
    assert!(!base.is_at_least_as_strict_as(&strict));
    let unsigned = required("https://slsa.dev/provenance/v1,/a=b,/c=d", false);
    assert!(!unsigned.is_at_least_as_strict_as(&strict));
    assert!(!required(SBOM, true).is_at_least_as_strict_as(&base));
}

fn signature(of: char, result: Result<&str, &str>) -> FoundSignature {
    FoundSignature {
        of: digest(of),
        digest: digest('e'),
        result: result.map(str::to_owned).map_err(str::to_owned),
    }
}

#[test]
fn promise_6_the_root_needs_a_signature_of_an_accepted_signer() {
    let root = digest('1');
    let short = root.short();
    let judge = |found: &[FoundSignature]| judge_signature(root, found);
    let bad = signature('1', Err("signed by x, expected y"));
    let verdict = judge(&[bad.clone(), signature('1', Ok("build.yml"))]);
    assert_verdict(&verdict, Passed, &[]);
    assert_eq!(verdict.facts(), [format!("{short} is signed by build.yml")]);
    let reason = format!(
        "{short} has no signature of an accepted signer: signature {}: signed by x, expected y",
        digest('e').short()
    );
    assert_verdict(&judge(&[bad]), Failed, &[&reason]);
    let reason = format!("{short} has no signature");
    assert_verdict(&judge(&[]), Failed, &[&reason]);
    assert_verdict(
        &judge(&[signature('a', Ok("build.yml"))]),
        Failed,
        &[&reason],
    );
}
