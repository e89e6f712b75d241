//! The gates against a plain restatement, on random releases and rules.

mod restatement;
mod scan_scenario;
mod scenario;
mod tightening;

use fastrand::Rng;

use scenario::{Rules, Scenario};

use super::*;

/// Random releases that are compared.
const SCENARIOS: u64 = 2_000;

#[test]
fn all_gates_decide_as_their_restatement() {
    // Gates that rest on GitHub's answers have tables of their own.
    let mut passed = [0; 6];
    for seed in 0..SCENARIOS {
        let mut random = Rng::with_seed(seed);
        let scenario = Scenario::random(&mut random);
        let rules = Rules::random(&mut random);
        let report = scenario.judge(&rules);
        let expected = restatement::gates_that_pass(&scenario, &rules);
        for (at, verdict) in report.verdicts().iter().enumerate() {
            let is_expected = expected[at];
            assert_eq!(
                verdict.has_passed(),
                is_expected,
                "seed {seed}: {rules:#?} {verdict:#?}"
            );
            assert_eq!(verdict.has_passed(), verdict.reasons().is_empty());
            passed[at] += u64::from(is_expected);
        }
        assert_eq!(
            report.has_passed(),
            expected.iter().all(|it| *it),
            "seed {seed}"
        );
    }
    // Each gate passes and fails often enough for the comparison to mean something.
    for (gate, passed) in GateName::ALL.iter().zip(passed) {
        let share = passed * 100 / SCENARIOS;
        assert!((2..=95).contains(&share), "{gate}: {share} %");
    }
}
