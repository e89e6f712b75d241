//! Random scan reports, VEX documents and scan rules.

use std::sync::Arc;

use fastrand::Rng;

use super::scenario::{NOW, minute, once_in, one_of, some};
use crate::gate::tests::scan_support::{finding, report};
use crate::gate::tests::{digest, platform};
use crate::gate::*;
use crate::record::RecordTime;

const IDS: [&str; 2] = ["CVE-1", "CVE-2"];
const PACKAGES: [(&str, &str); 2] = [("liba", "pkg:apk/liba@1"), ("libb", "pkg:apk/libb@1")];

pub fn random_report(random: &mut Rng) -> ScanReport {
    let repo = one_of(
        random,
        &[
            "1", "1", "1", "1", "1", "1", "1", "1", "a", "b", "", "9", "1a",
        ],
    );
    let config = one_of(
        random,
        &['c', 'c', 'c', 'c', 'd', 'd', 'd', 'd', '9', '-', '-', '-'],
    );
    let manifest = one_of(random, &['-', '-', '-', '-', '-', '-', 'a', 'b', '9']);
    let name = one_of(random, &["", "linux/amd64", "linux/arm64"]);
    let findings: Vec<ScanFinding<'_>> = (0..random.usize(..3))
        .map(|_| random_finding(random))
        .collect();
    let digit = |it: char| (it != '-').then(|| digest(it));
    ScanReport {
        created_at: (!once_in(random, 20)).then(|| minute(NOW - random.i64(-5..300))),
        subject: match once_in(random, 6) {
            true => ScanSubject::default(),
            false => ScanSubject {
                repo_digests: repo.chars().map(digest).collect(),
                manifest_digest: digit(manifest),
                config_digest: digit(config),
                layers: Vec::new(),
            },
        },
        platform: Some(name).filter(|name| !name.is_empty()).map(platform),
        findings: findings.into_iter().collect(),
        filters: once_in(random, 8)
            .then(|| "only-fixed".to_owned())
            .into_iter()
            .collect(),
        ..report('c')
    }
}

fn random_finding(random: &mut Rng) -> ScanFinding<'static> {
    let (package, purl) = one_of(random, &PACKAGES);
    let severity = one_of(random, &Severity::ALL);
    let fix = one_of(
        random,
        &[FixState::Unfixed, FixState::NotStated, FixState::Fixable],
    );
    ScanFinding {
        package,
        purl: if once_in(random, 5) { "" } else { purl },
        ..finding(one_of(random, &IDS), severity, fix)
    }
}

pub fn random_vex(random: &mut Rng, number: usize) -> ConsideredVex {
    let unreachable = VexJustification::ComponentNotPresent;
    let statuses = [
        VexStatus::NotAffected(Some(unreachable)),
        VexStatus::NotAffected(Some(unreachable)),
        VexStatus::Fixed,
        VexStatus::NotAffected(None),
        VexStatus::Affected,
        VexStatus::UnderInvestigation,
    ];
    let statements = (0..random.usize(1..4)).map(|_| VexStatement {
        vulnerability: [one_of(random, &IDS).to_owned()].into(),
        products: vec![VexProduct {
            component: VexComponent {
                digests: [digest(one_of(random, &['1', '1', 'a', 'd', '9']))].into(),
                ..VexComponent::default()
            },
            subcomponents: some(random, |random| VexComponent {
                identifiers: [one_of(random, &PACKAGES).1.to_owned()].into(),
                ..VexComponent::default()
            })
            .into_iter()
            .collect(),
        }],
        status: one_of(random, &statuses),
        timestamp: minute(NOW - one_of(random, &[20, 10, -10])),
    });
    let document = VexDocument {
        id: String::new(),
        author: String::new(),
        statements: statements.collect(),
    };
    ConsideredVex {
        name: format!("v{number}"),
        content: match once_in(random, 30) {
            true => Err(VexError::Malformed("x".to_owned())),
            false => Ok(Arc::new(document)),
        },
    }
}

pub fn random_scan_rule(random: &mut Rng) -> ScanRule {
    let severities = [
        "critical",
        "critical",
        "critical",
        "high",
        "medium",
        "low",
        "negligible",
    ];
    let exception = |random: &mut Rng| ScanException {
        id: one_of(random, &IDS).to_owned(),
        package: once_in(random, 3)
            .then(|| WildcardPattern::new(one_of(random, &["liba", "pkg:apk/*"]))),
        platform: once_in(random, 4).then(|| "linux/amd64".parse().unwrap()),
        until: once_in(random, 3).then(|| {
            RecordTime::from_timestamp(minute(NOW + one_of(random, &[-60, 0, 60]))).unwrap()
        }),
        reason: "x".to_owned(),
    };
    ScanRule {
        fail_on: one_of(random, &severities).parse().unwrap(),
        ignore_unfixed: random.bool(),
        max_age: some(random, |random| {
            one_of(random, &["1h", "4h"]).parse().unwrap()
        }),
        allows_unbound: random.bool(),
        denies_suppressed: random.bool(),
        ignore: (0..random.usize(..4)).map(|_| exception(random)).collect(),
    }
}
