//! Random releases, with the facts and rules of all gates.

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use super::scan_scenario::{random_report, random_scan_rule, random_vex};
use crate::gate::tests::scan_support::place;
use crate::gate::tests::{digest, index, judged_platform, time};
use crate::gate::*;
use crate::record::{RecordAction, RecordId, RecordTime, Timeline, TimelineEntry};

/// Minutes of a scenario begin here, a Monday; it is now [`NOW`] of them later.
const START: &str = "2026-11-16T00:00:00Z";
pub const NOW: i64 = 3 * 1440 + 720;

/// Returns the time of a minute of a scenario.
pub fn minute(minute: i64) -> Timestamp {
    time(START) + jiff::SignedDuration::from_mins(minute)
}

/// Facts of a release.
pub struct Scenario {
    pub image: JudgedImage,
    pub reports: Vec<ConsideredReport>,
    pub vex: Vec<ConsideredVex>,
    pub signatures: Vec<FoundSignature>,
    pub attestations: Vec<(char, AttestationProof<'static>)>,
    pub timeline: Timeline,
    pub signed_at: HashMap<RecordId, RecordTime>,
    pub now: Timestamp,
}

/// Rules of an environment.
#[derive(Debug, Clone)]
pub struct Rules {
    pub scan: ScanRule,
    pub attestations: Vec<RequiredAttestation>,
    pub soak: SoakRule,
    pub freeze: Vec<FreezeWindow>,
    pub override_reason: Option<&'static str>,
    pub image: ImageRule,
}

pub const TYPES: [&str; 2] = ["https://a.example/one", "https://a.example/two"];
const NO_PREDICATE: Value = Value::Null;

pub fn one_of<T: Clone>(random: &mut Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())].clone()
}

/// Returns whether an event happens that happens once in `times`.
pub fn once_in(random: &mut Rng, times: u8) -> bool {
    random.u8(..times) == 0
}

pub fn some<T>(random: &mut Rng, make: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    random.bool().then(|| make(random))
}

impl Scenario {
    pub fn random(random: &mut Rng) -> Self {
        let mut image = index();
        for platform in &mut image.platforms {
            *platform = random_platform(random, platform.clone());
        }
        let reports = (0..random.usize(1..4)).map(|at| ConsideredReport {
            name: format!("r{at}"),
            content: match once_in(random, 30) {
                true => Err(ScanReportError::SbomOnly("x".to_owned())),
                false => Ok(Arc::new(random_report(random))),
            },
            attested_by: some(random, |random| one_of(random, &["A", "A", "B"]).to_owned()),
        });
        let reports = reports.collect();
        let (timeline, signed_at) = random_timeline(random);
        Self {
            image,
            reports,
            vex: (0..random.usize(..3))
                .map(|at| random_vex(random, at))
                .collect(),
            signatures: (0..random.usize(..4))
                .map(|_| random_signature(random))
                .collect(),
            attestations: (0..random.usize(..6))
                .map(|_| random_attestation(random))
                .collect(),
            timeline,
            signed_at,
            now: minute(NOW),
        }
    }

    /// Judges the release by all gates.
    pub fn judge(&self, rules: &Rules) -> GateReport {
        let root = self.image.root;
        let entries = rules.attestations.iter().map(|required| AttestationFacts {
            required,
            found: self.found_attestations(),
        });
        let scan = ScanFacts {
            image: &self.image,
            place: &place(),
            requires_attested: false,
            reports: &self.reports,
            vex: &self.vex,
            now: self.now,
        };
        let soak = SoakFacts {
            environment: "stage",
            root,
            timeline: &self.timeline,
            signed_at: &self.signed_at,
            now: self.now,
        };
        GateReport::new(vec![
            judge_image(&rules.image, &self.image, self.now),
            judge_freeze(&rules.freeze, rules.override_reason, self.now).verdict,
            judge_soak(&rules.soak, soak),
            judge_attestations(&entries.collect::<Vec<_>>(), &self.image),
            judge_signature(root, &self.signatures),
            judge_scan(&rules.scan, scan).verdict,
        ])
    }

    fn found_attestations(&self) -> Vec<FoundAttestation<'static>> {
        let found = self
            .attestations
            .iter()
            .map(|(of, proof)| FoundAttestation {
                of: digest(*of),
                digest: digest('e'),
                proof: proof.clone(),
            });
        found.collect()
    }
}

fn random_platform(random: &mut Rng, platform: JudgedPlatform) -> JudgedPlatform {
    let created = some(random, |random| minute(NOW - random.i64(-60..2000)));
    let user = one_of(random, &["", "0", "app", "app", "app:staff"]).to_owned();
    let content = JudgedConfig {
        user,
        created: created.or(Some(minute(NOW - 30))),
        ..platform.content.clone().unwrap_or_default()
    };
    JudgedPlatform {
        layers_size: random.u64(1..100),
        content: (!once_in(random, 20)).then_some(content),
        is_released: !once_in(random, 5),
        ..judged_platform(
            &platform.name(),
            if platform.manifest == digest('a') {
                'a'
            } else {
                'b'
            },
            if platform.config == digest('c') {
                'c'
            } else {
                'd'
            },
        )
    }
}

fn random_signature(random: &mut Rng) -> FoundSignature {
    FoundSignature {
        of: digest(one_of(random, &['1', '1', '1', 'a'])),
        digest: digest('e'),
        result: match random.bool() {
            true => Ok("build.yml".to_owned()),
            false => Err("signed by x".to_owned()),
        },
    }
}

fn random_attestation(random: &mut Rng) -> (char, AttestationProof<'static>) {
    let predicate_type = one_of(random, &TYPES);
    let proof = match random.u8(..4) {
        0 | 1 => AttestationProof::Signed {
            by: "build.yml".to_owned(),
            predicate_type,
            predicate: &NO_PREDICATE,
        },
        2 => AttestationProof::Unsigned {
            predicate_type,
            predicate: None,
        },
        _ => AttestationProof::Rejected("signed by x".to_owned()),
    };
    (one_of(random, &['1', '1', 'a', 'b']), proof)
}

/// Returns promotions, rollbacks and marks at whole hours; of some a signature is proven, minutes later.
fn random_timeline(random: &mut Rng) -> (Timeline, HashMap<RecordId, RecordTime>) {
    let mut entries = Vec::new();
    let mut signed_at = HashMap::new();
    let mut at = 0;
    for number in 0..random.usize(1..7) {
        at += random.i64(1..30);
        if 60 * at >= NOW {
            break;
        }
        let record = RecordId::from_blob(format!("record {number}").as_bytes());
        let planned_at = RecordTime::from_timestamp(minute(60 * at)).unwrap();
        let (action, root, restores) = match random.u8(..10) {
            0..7 => (
                RecordAction::Promote,
                one_of(random, &['1', '1', '2']),
                None,
            ),
            7 => (RecordAction::Rollback, '2', Some(digest('1'))),
            8 if random.bool() => (RecordAction::Rollback, '1', None),
            _ => (
                one_of(random, &[RecordAction::Failed, RecordAction::Deployed]),
                '1',
                None,
            ),
        };
        if random.bool() {
            let late = minute(60 * at + 60 * random.i64(-3..6));
            signed_at.insert(record, RecordTime::from_timestamp(late).unwrap());
        }
        entries.push(TimelineEntry {
            deletions: Vec::new(),
            record,
            root: digest(root),
            action,
            planned_at,
            restores,
            reinstates: Vec::new(),
            hold: None,
            previous: Vec::new(),
            version: None,
            commit: None,
            actor: None,
            is_summary: once_in(random, 8),
        });
    }
    (Timeline::new(entries), signed_at)
}

impl Rules {
    pub fn random(random: &mut Rng) -> Self {
        let times = [
            "mon 00:00",
            "tue 10:00",
            "thu 11:00",
            "thu 12:00",
            "thu 13:00",
            "fri 00:00",
        ];
        let window = |random: &mut Rng| {
            let [from, to] = [0, 1].map(|_| one_of(random, &times).parse().unwrap());
            FreezeWindow::new(from, to, "UTC".parse().unwrap(), random.bool()).ok()
        };
        let required = |random: &mut Rng| RequiredAttestation {
            rule: one_of(random, &TYPES).parse().unwrap(),
            is_signed: random.bool(),
        };
        Self {
            scan: random_scan_rule(random),
            attestations: (0..random.usize(..3)).map(|_| required(random)).collect(),
            soak: SoakRule {
                duration: one_of(random, &["1h", "10h", "24h", "48h"])
                    .parse()
                    .unwrap(),
                is_still_current: random.bool(),
            },
            freeze: (0..random.usize(..3))
                .filter_map(|_| window(random))
                .collect(),
            override_reason: some(random, |_| "urgent"),
            image: random_image_rule(random),
        }
    }
}

fn random_image_rule(random: &mut Rng) -> ImageRule {
    let platforms = ["linux/amd64", "linux/arm64", "linux/arm"];
    ImageRule {
        platforms: some(random, |random| one_of(random, &platforms).parse().unwrap())
            .into_iter()
            .collect(),
        user: some(random, |random| {
            one_of(random, &["non-root", "app", "app:staff"])
                .parse()
                .unwrap()
        }),
        max_size: some(random, |random| {
            one_of(random, &["50B", "90B"]).parse().unwrap()
        }),
        max_age: some(random, |random| {
            one_of(random, &["1h", "20h"]).parse().unwrap()
        }),
        labels: some(random, |random| {
            one_of(random, &["org.opencontainers.image.revision", "no.such"])
                .parse()
                .unwrap()
        })
        .into_iter()
        .collect(),
    }
}
