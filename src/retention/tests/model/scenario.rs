//! Random repositories, timelines and rules.

use fastrand::Rng;

use crate::retention::tests::support::*;
use crate::retention::*;
use crate::rule_duration::RuleDuration;

const TAGS: [&str; 14] = [
    "pr-1",
    "pr-2",
    "pr-3",
    "sha-a",
    "sha-b",
    "sha-c",
    "1.0.0",
    "1.1.0",
    "1.2.0",
    "1.1.0-rc.1",
    "1.2.0-rc.1",
    "lts-1",
    "latest",
    "hold.x",
];
const AGES: [i64; 8] = [0, 1, 2, 5, 10, 20, 40, 80];
const ENDINGS: [&str; 4] = ["", ".sig", ".att", ".sbom"];

/// Snapshot with rules.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub snapshot: RetentionSnapshot,
    pub rules: RetentionRules,
}

fn one_of<T: Clone>(random: &mut Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())].clone()
}

fn once_in(random: &mut Rng, times: u8) -> bool {
    random.u8(..times) == 0
}

impl Scenario {
    pub fn random(random: &mut Rng) -> Self {
        let mut web = random_repository(random);
        web.name = "web".to_owned();
        let mut snapshot = snapshot(web);
        if once_in(random, 3) {
            let mut other = random_repository(random);
            other.name = "other".to_owned();
            snapshot.repositories.push(other);
        }
        if once_in(random, 3) {
            snapshot.environments.push(random_releases(random));
        }
        if once_in(random, 8) {
            snapshot.pins.push(PinnedDigest {
                pattern: "deploy/*".to_owned(),
                file: "deploy/x".to_owned(),
                repository: "web".to_owned(),
                digest: digest(&random_name(random)),
            });
        }
        if once_in(random, 8) {
            snapshot.holds.push(RecordedHold {
                name: "x".to_owned(),
                digest: digest(&random_name(random)),
            });
        }
        Self {
            snapshot,
            rules: random_rules(random),
        }
    }

    pub fn plan(&self) -> RetentionPlan {
        plan(&self.snapshot, &self.rules)
    }
}

fn random_name(random: &mut Rng) -> String {
    format!("m{:02}", random.u8(..12))
}

fn random_repository(random: &mut Rng) -> RepositorySnapshot {
    let mut repository = repository();
    repository.absent.insert(digest("gone"));
    let count = random.usize(4..13);
    let names: Vec<String> = (0..count).map(|at| format!("m{at:02}")).collect();
    for at in 0..count {
        let content = random_content(random, &names[..at]);
        let manifest = repository.manifest(&names[at], content, 0);
        manifest.times = random_times(random);
        if once_in(random, 40) {
            manifest.refusal = Some("locked".to_owned());
        }
        if at > 0 && once_in(random, 8) {
            let subject = digest(&one_of(random, &names));
            let listed = repository.referrers.entry(subject).or_default();
            listed.insert(digest(&names[at]));
        }
    }
    for _ in 0..random.usize(2..9) {
        repository.tag(one_of(random, &TAGS), &one_of(random, &names));
    }
    for _ in 0..random.usize(..4) {
        let subject = match once_in(random, 4) {
            true => "gone".to_owned(),
            false => one_of(random, &names),
        };
        let target = one_of(random, &names);
        repository.evidence_tag(&subject, one_of(random, &ENDINGS), &target);
    }
    repository.registry = RegistryDeletion {
        deletes_tags_with_manifest: once_in(random, 3),
        refuses_last_tagged: false,
        deletes_children_with_index: false,
        order: one_of(
            random,
            &[
                DeletionOrder::ReferrersFirst,
                DeletionOrder::IndexesFirst,
                DeletionOrder::RootsFirst,
            ],
        ),
    };
    repository
}

/// Returns content that names manifests made before it, as content does.
fn random_content(random: &mut Rng, earlier: &[String]) -> ObservedContent {
    if once_in(random, 60) {
        return ObservedContent::Unreadable("HTTP 500".to_owned());
    }
    if once_in(random, 60) {
        return ObservedContent::UnknownType("application/x".to_owned());
    }
    let mut links = ManifestLinks::default();
    if !earlier.is_empty() && once_in(random, 2) {
        let children = 1 + random.usize(..3);
        let children = (0..children).map(|_| digest(&one_of(random, earlier)));
        links.children = children.collect();
    }
    if once_in(random, 30) {
        links.children.push(digest("gone"));
    }
    if !earlier.is_empty() && once_in(random, 4) {
        links.subject = Some(digest(&one_of(random, earlier)));
    } else if once_in(random, 20) {
        links.subject = Some(digest("gone"));
    }
    if once_in(random, 25) {
        links.artifact_type = Some(UNHOLD_TYPE.to_owned());
    }
    ObservedContent::Read(links)
}

fn random_times(random: &mut Rng) -> ObservedTimes {
    let mut times = ObservedTimes::default();
    let age = |random: &mut Rng| Some(days_ago(one_of(random, &AGES)));
    match random.u8(..20) {
        0 => {}
        1 => times.config_created = Some(days_ago(20_000)),
        2 => times.pushed = Some(days_ago(-2)),
        3..6 => times.config_created = age(random),
        6 => times.annotation_created = age(random),
        7 => times.first_seen_untagged = age(random),
        8 => {
            times.pushed = age(random);
            times.updated = age(random);
        }
        _ => times.pushed = Some(days_ago(one_of(random, &AGES[2..]))),
    }
    times
}

fn random_releases(random: &mut Rng) -> EnvironmentReleases {
    let mut days = 90;
    let mut entries = Vec::new();
    for _ in 0..random.usize(1..6) {
        days -= random.i64(1..18);
        let action = one_of(random, &["push", "promote", "rollback", "failed"]);
        let restores = (action == "rollback").then(|| random_name(random));
        entries.push((action, random_name(random), restores, days.max(0)));
    }
    let entries: Vec<_> = entries
        .iter()
        .map(|(action, root, restores, days)| (*action, root.as_str(), restores.as_deref(), *days))
        .collect();
    releases(&entries)
}

fn random_rules(random: &mut Rng) -> RetentionRules {
    let all = [
        tags("pr-*"),
        tags("sha-*"),
        tags("* x"),
        tags("latest pr-1"),
        versions("*"),
        versions("1.*"),
        untagged(),
        orphans(),
    ];
    let prune = (0..random.usize(..5)).map(|_| {
        let mut rule = one_of(random, &all);
        if random.bool() {
            rule = rule.older(one_of(random, &["1d", "3d", "15d", "30d"]));
        }
        match once_in(random, 3) {
            true => rule.last(random.usize(1..4)),
            false => rule,
        }
    });
    let mut rules = rules(prune.collect::<Vec<_>>());
    let keep = &mut rules.keep;
    keep.released = once_in(random, 4).then(|| duration(one_of(random, &["10d", "40d"])));
    keep.rollback = once_in(random, 4).then(|| random.usize(1..4));
    if once_in(random, 4) {
        keep.tags = patterns(one_of(random, &["lts-*", "1.*", "*-rc.* latest"]));
    }
    rules.grace = duration(one_of(random, &["1h", "24h", "36h"]));
    rules
}

fn duration(text: &str) -> RuleDuration {
    text.parse().unwrap()
}

/// Returns the same snapshot with a rule that keeps more.
pub fn tighten(loose: &Scenario, random: &mut Rng) -> Scenario {
    let mut tight = loose.clone();
    let rules = &mut tight.rules;
    let longer = |own: &RuleDuration, random: &mut Rng| {
        let other = duration(one_of(random, &["2d", "12d", "35d", "60d"]));
        other.max(own.clone())
    };
    match random.u8(..8) {
        0 => rules
            .keep
            .tags
            .extend(patterns(one_of(random, &["pr-1", "sha-*", "1.1.0"]))),
        1 => rules.keep.released = Some(duration("90d")),
        2 => rules.keep.rollback = Some(rules.keep.rollback.unwrap_or(0) + 2),
        3 => rules.grace = longer(&rules.grace, random),
        4 => tight.snapshot.holds.push(RecordedHold {
            name: "y".to_owned(),
            digest: digest(&random_name(random)),
        }),
        5 => {
            if let Some(rule) = rules.prune.first_mut() {
                rule.keep_last = Some(rule.keep_last.unwrap_or(0) + 1);
            }
        }
        6 => {
            if let Some(rule) = rules.prune.first_mut() {
                let day = duration("1d");
                let own = rule.older_than.clone().unwrap_or(day);
                rule.older_than = Some(longer(&own, random));
            }
        }
        _ => {
            // One with `keep-last` keeps something.
            let prune = &mut rules.prune;
            if prune.last().is_some_and(|rule| rule.keep_last.is_none()) {
                prune.pop();
            }
        }
    }
    tight
}
