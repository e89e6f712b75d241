//! The cases of the table of cases that are about content and rules, by the action and by the planner.

use super::cleanup_action::{CleanupOptions, CleanupRun};
use super::difference::{Difference, find_differences};
use super::{planned, translate};
use crate::retention::tests::evidence_cases::signed_pull_request;
use crate::retention::tests::support::*;
use crate::retention::*;

/// Options that delete tags, and images without any.
fn delete(tags: &str, older_than: &str) -> CleanupOptions {
    CleanupOptions {
        delete_tags: patterns(tags),
        older_than: Some(older_than.parse().unwrap()),
        delete_untagged: true,
        ..CleanupOptions::default()
    }
}

/// A case: the snapshot, what the planner deletes, and what the action deletes instead, with the reason.
struct Case {
    number: u8,
    snapshot: RetentionSnapshot,
    options: CleanupOptions,
    planned: &'static [&'static str],
    action: Option<(Difference, &'static [&'static str])>,
}

fn case(number: u8, options: CleanupOptions, build: impl FnOnce(&mut RetentionSnapshot)) -> Case {
    let mut snapshot = snapshot(repository());
    // Something stays in every case.
    snapshot.repositories[0].image("other", 90);
    snapshot.repositories[0].tag("main", "other");
    build(&mut snapshot);
    Case {
        number,
        snapshot,
        options,
        planned: &[],
        action: None,
    }
}

impl Case {
    fn deletes(mut self, planned: &'static [&'static str]) -> Self {
        self.planned = planned;
        self
    }

    fn but_the_action(mut self, difference: Difference, gone: &'static [&'static str]) -> Self {
        self.action = Some((difference, gone));
        self
    }
}

/// Returns the web repository.
fn web(snapshot: &mut RetentionSnapshot) -> &mut RepositorySnapshot {
    &mut snapshot.repositories[0]
}

/// Adds an index of two platforms.
fn add_index(web: &mut RepositorySnapshot, name: &str, children: [&str; 2], days: i64) {
    for child in children {
        web.image(child, days);
    }
    web.index(name, &children, days);
}

fn cases_of_indexes() -> Vec<Case> {
    vec![
        case(1, delete("pr-*", "7d"), |it| {
            add_index(web(it), "I", ["a", "b"], 90);
            web(it).tag("1.0", "I");
        }),
        case(2, delete("pr-*", "14d"), |it| {
            add_index(web(it), "I1", ["a", "b"], 30);
            add_index(web(it), "I2", ["a", "c"], 30);
            web(it).tag("pr-1", "I1");
            web(it).tag("2.0", "I2");
        })
        .deletes(&["I1", "b"]),
        case(3, delete("pr-*", "7d"), |it| {
            web(it).image("a", 200);
            web(it).index("I", &["a"], 0);
        }),
        case(4, delete("pr-*", "14d"), |it| {
            web(it).image("I", 30);
            web(it).tag("pr-1", "I");
            web(it).tag("1.4.0", "I");
        }),
        case(11, delete("pr-*", "7d"), |it| {
            web(it).image("a", 90);
            web(it).index("inner", &["a"], 90);
            web(it).index("middle", &["inner"], 90);
            web(it).index("outer", &["middle"], 80);
            web(it).tag("1.0", "outer");
        })
        .but_the_action(Difference::NestedIndex, &["a", "inner"]),
        case(
            12,
            CleanupOptions {
                keep_n_tagged: Some(10),
                ..CleanupOptions::default()
            },
            |it| {
                for number in 1..12 {
                    let [index, a, b] = ["I", "a", "b"].map(|name| format!("{name}{number:02}"));
                    add_index(web(it), &index, [&a, &b], 80 - number);
                    web(it).tag(&format!("1.{number}.0"), &index);
                }
            },
        )
        // The image that is in every case is the oldest.
        .deletes(&["I01", "a01", "b01", "other"]),
    ]
}

fn cases_of_evidence() -> Vec<Case> {
    vec![
        case(5, delete("pr-*", "1d"), |it| {
            web(it).image("a", 90);
            web(it).index("I", &["a"], 90);
            web(it).tag("1.0", "I");
            web(it).referrer("S", "I", 90);
            web(it).referrer("bundle", "a", 90);
        }),
        case(6, delete("pr-*", "1d"), |it| {
            web(it).image("I", 90);
            web(it).tag("1.0", "I");
            web(it).referrer("S1", "I", 90);
            web(it).referrer("S2", "S1", 90);
        }),
        case(7, delete("pr-*", "14d"), |it| {
            *web(it) = signed_pull_request()
        })
        .deletes(&["I", "S(I)", "S(a)", "a", "b", "list"])
        .but_the_action(Difference::EvidenceOfPart, &["I", "S(I)", "a", "b", "list"]),
        case(8, delete("sha256-*", "30d"), |it| {
            web(it).image("x", 90);
            web(it).tag("1.0", "x");
            web(it).image("signature", 90);
            web(it).evidence_tag("x", ".sig", "signature");
        }),
        case(9, delete("*", "30d"), |it| {
            web(it).image("signature", 90);
            web(it).evidence_tag("gone", ".att", "signature");
            web(it).absent.insert(digest("gone"));
            web(it).image("new", 1);
            web(it).tag("1.0", "new");
        })
        .deletes(&["other"])
        .but_the_action(Difference::MissingSubject, &["other", "signature"]),
        case(10, delete("pr-*", "7d"), |it| {
            web(it).image("a", 90);
            web(it).referrer("attestation", "a", 90);
            web(it).index("I", &["a", "attestation"], 90);
            web(it).tag("1.0", "I");
        }),
    ]
}

fn cases_of_use() -> Vec<Case> {
    vec![
        case(14, delete("git-*", "30d"), |it| {
            web(it).image("a", 400);
            web(it).tag("git-1", "a");
            it.environments.push(releases(&[("promote", "a", None, 3)]));
        })
        .but_the_action(Difference::RecordedUse, &["a"]),
        case(15, delete("pr-*", "7d"), |it| {
            web(it).image("a", 90);
            it.pins.push(PinnedDigest {
                pattern: "deploy/*".to_owned(),
                file: "deploy/web.yaml".to_owned(),
                repository: "web".to_owned(),
                digest: digest("a"),
            });
        })
        .but_the_action(Difference::RecordedUse, &["a"]),
        case(18, delete("pr-* hold.*", "7d"), |it| {
            web(it).image("a", 90);
            web(it).tag("pr-1", "a");
            web(it).tag("hold.case-7", "a");
        })
        .but_the_action(Difference::ReservedTag, &["a"]),
    ]
}

#[test]
fn the_cases_of_the_table_go_alike_or_differ_for_a_known_reason() {
    let cases = [cases_of_indexes(), cases_of_evidence(), cases_of_use()];
    for case in cases.into_iter().flatten() {
        let number = case.number;
        let web = &case.snapshot.repositories[0];
        let plan = plan(&case.snapshot, &translate(&case.options));
        let (gone, untied) = planned(web, &plan.repositories[0]);
        let run = CleanupRun::new(web, &case.options);
        let named = |gone: &std::collections::BTreeSet<_>| -> Vec<String> {
            gone.iter().copied().map(name).collect()
        };
        assert_eq!(named(&gone), case.planned, "case {number}");
        let expected = case.action.map_or(case.planned, |(_, gone)| gone);
        assert_eq!(named(&run.gone), expected, "case {number}");
        match case.action {
            Some((difference, _)) => {
                let differences = find_differences(&case.snapshot, &case.options);
                assert!(
                    differences.contains(&difference),
                    "case {number}: {differences:?}"
                );
            }
            None => assert_eq!(run.untied, untied, "case {number}"),
        }
    }
}
