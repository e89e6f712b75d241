//! A rule that is tightened in one value never lets pass what it refused.

use super::scenario::{NOW, Rules, Scenario, TYPES, minute};
use super::*;
use crate::record::RecordTime;

/// Random rules that are tightened, each in every value.
const SCENARIOS: u64 = 600;

/// Tightens one value of the rules; returns whether the rules have it.
type Tightening = fn(&mut Rules) -> bool;

const TIGHTENINGS: [(&str, Tightening); 19] = [
    ("fail-on", |rules| {
        let lower = Severity::ALL
            .into_iter()
            .find(|it| *it < rules.scan.fail_on.severity());
        let lower = lower.and_then(|it| it.name().parse().ok());
        set(&mut rules.scan.fail_on, lower)
    }),
    ("ignore-unfixed", |rules| {
        set(&mut rules.scan.ignore_unfixed, Some(false))
    }),
    ("scan max-age", |rules| {
        set(&mut rules.scan.max_age, Some("30m".parse().ok()))
    }),
    ("unbound", |rules| {
        set(&mut rules.scan.allows_unbound, Some(false))
    }),
    ("suppressed", |rules| {
        set(&mut rules.scan.denies_suppressed, Some(true))
    }),
    ("ignore", |rules| rules.scan.ignore.pop().is_some()),
    ("until", |rules| {
        let ended = RecordTime::from_timestamp(minute(NOW - 1));
        let exception = rules.scan.ignore.first_mut();
        exception.is_some_and(|it| set(&mut it.until, Some(ended)))
    }),
    ("platform of an exception", |rules| {
        let exception = rules
            .scan
            .ignore
            .first_mut()
            .filter(|it| it.platform.is_none());
        exception.is_some_and(|it| set(&mut it.platform, Some("linux/arm64".parse().ok())))
    }),
    ("an attestation", |rules| {
        rules.attestations.push(RequiredAttestation {
            rule: TYPES[1].parse().unwrap(),
            is_signed: false,
        });
        true
    }),
    ("signed", |rules| {
        let entry = rules.attestations.first_mut();
        entry.is_some_and(|entry| set(&mut entry.is_signed, Some(true)))
    }),
    ("for", |rules| {
        set(&mut rules.soak.duration, "49h".parse().ok())
    }),
    ("still-current", |rules| {
        set(&mut rules.soak.is_still_current, Some(true))
    }),
    ("a window", |rules| {
        let [from, to] = ["thu 12:00", "thu 13:00"].map(|it| it.parse().unwrap());
        let window = FreezeWindow::new(from, to, "UTC".parse().unwrap(), false);
        rules.freeze.extend(window);
        true
    }),
    ("override-freeze", |rules| {
        set(&mut rules.override_reason, Some(None))
    }),
    ("platforms", |rules| {
        rules.image.platforms.push("linux/arm64".parse().unwrap());
        true
    }),
    ("user", |rules| {
        set(&mut rules.image.user, Some("app:staff".parse().ok()))
    }),
    ("max-size", |rules| {
        set(&mut rules.image.max_size, Some("40B".parse().ok()))
    }),
    ("image max-age", |rules| {
        set(&mut rules.image.max_age, Some("30m".parse().ok()))
    }),
    ("labels", |rules| {
        rules.image.labels.push("no.such".parse().unwrap());
        true
    }),
];

/// Sets a value, if there is a new one.
fn set<T>(value: &mut T, new: Option<T>) -> bool {
    new.map(|new| *value = new).is_some()
}

/// Returns whether no value of `tight` is weaker than that of `base`, as for the overrides of services. Exceptions
/// and the reason of a run are not compared there.
fn is_at_least_as_strict(tight: &Rules, base: &Rules) -> bool {
    let mut attestations = base.attestations.iter();
    let mut windows = base.freeze.iter();
    tight.scan.keys_weaker_than(&base.scan).is_empty()
        && tight.image.keys_weaker_than(&base.image).is_empty()
        && tight.soak.keys_weaker_than(&base.soak).is_empty()
        && attestations.all(|entry| {
            let mut own = tight.attestations.iter();
            own.any(|own| own.is_at_least_as_strict_as(entry))
        })
        && windows.all(|window| {
            let mut own = tight.freeze.iter();
            own.any(|own| own.is_at_least_as_strict_as(window))
        })
}

/// Returns the gates that pass.
fn gates_that_pass(report: &GateReport) -> Vec<GateName> {
    let verdicts = report.verdicts().iter();
    let passed = verdicts.filter(|verdict| verdict.has_passed());
    passed.map(GateVerdict::gate).collect()
}

#[test]
fn tightening_one_value_never_turns_a_fail_into_a_pass() {
    let mut decisive = [0; TIGHTENINGS.len()];
    for seed in 0..SCENARIOS {
        let mut random = Rng::with_seed(seed);
        let scenario = Scenario::random(&mut random);
        let base = Rules::random(&mut random);
        let passed = gates_that_pass(&scenario.judge(&base));
        for (at, (name, tighten)) in TIGHTENINGS.iter().enumerate() {
            let mut tight = base.clone();
            if !tighten(&mut tight) {
                continue;
            }
            assert!(is_at_least_as_strict(&tight, &base), "seed {seed}: {name}");
            let after = gates_that_pass(&scenario.judge(&tight));
            let is_subset = after.iter().all(|gate| passed.contains(gate));
            assert!(is_subset, "seed {seed}: {name}: {passed:?}, {after:?}");
            decisive[at] += usize::from(after.len() < passed.len());
        }
    }
    for ((name, _), decisive) in TIGHTENINGS.iter().zip(decisive) {
        assert!(decisive > 0, "{name} decides nothing in any scenario");
    }
}

#[test]
fn what_is_at_least_as_strict_lets_pass_no_more() {
    let (mut compared, mut stricter) = (0, 0);
    for seed in 0..SCENARIOS {
        let mut random = Rng::with_seed(seed);
        let scenario = Scenario::random(&mut random);
        let [one, two] = [0, 1].map(|_| Rules::random(&mut random));
        let parts: [fn(&mut Rules, &Rules); 5] = [
            |rules, other| {
                let ignore = rules.scan.ignore.clone();
                rules.scan = ScanRule {
                    ignore,
                    ..other.scan.clone()
                };
            },
            |rules, other| rules.image = other.image.clone(),
            |rules, other| rules.soak = other.soak.clone(),
            |rules, other| rules.attestations = other.attestations.clone(),
            |rules, other| rules.freeze = other.freeze.clone(),
        ];
        for replace in parts {
            let mut other = one.clone();
            replace(&mut other, &two);
            compared += 1;
            if is_at_least_as_strict(&other, &one) {
                stricter += 1;
                let [passed, after] =
                    [&one, &other].map(|rules| gates_that_pass(&scenario.judge(rules)));
                let is_subset = after.iter().all(|gate| passed.contains(gate));
                assert!(is_subset, "seed {seed}: {one:#?} {other:#?}");
            }
        }
    }
    assert!(stricter * 20 > compared, "{stricter} of {compared}");
}
