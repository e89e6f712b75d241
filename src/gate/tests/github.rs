//! The gates that GitHub's answers decide: each way in which a check or an approval does not count.

use super::super::*;

const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

fn unknown(permission: &'static str) -> UnknownFact {
    UnknownFact {
        reason: "GitHub's API answers 403".to_owned(),
        permission: Some(permission),
    }
}

fn run(id: u64, conclusion: Option<&str>) -> FoundCheckRun {
    FoundCheckRun {
        id,
        name: "test".to_owned(),
        app: Some(GITHUB_ACTIONS_APP.to_owned()),
        status: if conclusion.is_some() {
            "completed"
        } else {
            "queued"
        }
        .to_owned(),
        conclusion: conclusion.map(str::to_owned),
        started_at: Some(format!("2026-11-20T10:00:{:02}Z", id % 60)),
    }
}

fn workflow_run(jobs: &[u64]) -> FoundWorkflowRun {
    FoundWorkflowRun {
        path: ".github/workflows/ci.yml".to_owned(),
        event: "push".to_owned(),
        branch: Some("develop".to_owned()),
        commit: SHA.to_owned(),
        is_own_repository: true,
        jobs: jobs
            .iter()
            .map(|id| FoundJob {
                id: *id,
                has_succeeded: true,
            })
            .collect(),
    }
}

fn facts(runs: Vec<FoundCheckRun>, workflow: Vec<FoundWorkflowRun>) -> CheckFacts {
    CheckFacts {
        commit: SHA.to_owned(),
        check_runs: Ok(runs),
        workflow_runs: [("ci.yml".to_owned(), Ok(workflow))].into(),
        statuses: Ok(Vec::new()),
    }
}

fn job(branches: &[&str]) -> RequiredCheck {
    let patterns = branches.iter().map(|text| text.parse_pattern());
    let patterns: Vec<_> = patterns.collect();
    RequiredCheck::Job(RequiredJob {
        name: "test".to_owned(),
        workflow: "ci.yml".to_owned(),
        branches: match patterns.is_empty() {
            true => Vec::new(),
            false => vec![crate::event::RefFilter::new(patterns).unwrap()],
        },
    })
}

trait ParsePattern {
    fn parse_pattern(&self) -> crate::event::RefPattern;
}

impl ParsePattern for &str {
    fn parse_pattern(&self) -> crate::event::RefPattern {
        crate::event::RefPattern::parse(self).unwrap()
    }
}

#[test]
fn only_completed_success_passes() {
    for (conclusion, state) in [
        (Some("success"), GateState::Passed),
        (Some("failure"), GateState::Failed),
        (Some("skipped"), GateState::Failed),
        (Some("neutral"), GateState::Failed),
        (Some("stale"), GateState::Failed),
        (Some("cancelled"), GateState::Failed),
        (Some("timed_out"), GateState::Failed),
        (Some("action_required"), GateState::Failed),
        (Some("SUCCESS"), GateState::Failed),
        (Some(""), GateState::Failed),
        (None, GateState::Failed),
    ] {
        let facts = facts(vec![run(1, conclusion)], vec![workflow_run(&[1])]);
        assert_eq!(
            judge_checks(&[job(&[])], &facts).state(),
            state,
            "{conclusion:?}"
        );
    }
    // A conclusion before the end is none.
    let mut early = run(1, Some("success"));
    early.status = "in_progress".to_owned();
    let facts = facts(vec![early], vec![workflow_run(&[1])]);
    assert_eq!(judge_checks(&[job(&[])], &facts).state(), GateState::Failed);
}

#[test]
fn the_newest_run_decides() {
    for (older, newer, passes) in [("success", "failure", false), ("failure", "success", true)] {
        let runs = vec![run(2, Some(newer)), run(1, Some(older))];
        let facts = facts(runs, vec![workflow_run(&[1]), workflow_run(&[2])]);
        assert_eq!(judge_checks(&[job(&[])], &facts).has_passed(), passes);
    }
}

#[test]
fn a_run_that_has_not_started_is_newer_than_all_that_have() {
    let mut queued = run(1, None);
    queued.started_at = None;
    let runs = vec![run(2, Some("success")), queued];
    let facts = facts(runs, vec![workflow_run(&[1, 2])]);
    assert_eq!(judge_checks(&[job(&[])], &facts).state(), GateState::Failed);
}

#[test]
fn a_check_run_that_was_changed_does_not_hide_its_job() {
    let mut workflow = workflow_run(&[1]);
    workflow.jobs[0].has_succeeded = false;
    let facts = facts(vec![run(1, Some("success"))], vec![workflow]);
    assert_eq!(judge_checks(&[job(&[])], &facts).state(), GateState::Failed);
}

/// Nothing but completed success passes, in any mix of runs; a fact less never makes a failed gate pass.
#[test]
fn random_runs_pass_only_by_a_newest_success() {
    for seed in 0..3000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut runs = Vec::new();
        for id in 1..=random.u64(0..4) {
            let conclusions = [Some("success"), Some("failure"), Some("skipped"), None];
            let mut found = run(id, conclusions[random.usize(0..4)]);
            if random.u8(0..4) == 0 {
                found.started_at = None;
            }
            runs.push(found);
        }
        let jobs: Vec<u64> = (1..4).filter(|_| random.bool()).collect();
        let given = facts(runs.clone(), vec![workflow_run(&jobs)]);
        let newest = runs
            .iter()
            .filter(|run| jobs.contains(&run.id))
            .max_by_key(|run| (run.started_at.is_none(), run.started_at.clone(), run.id));
        let expected = newest.is_some_and(|run| run.conclusion.as_deref() == Some("success"));
        let judged = judge_checks(&[job(&[])], &given);
        assert_eq!(judged.has_passed(), expected, "{seed}: {runs:?} {jobs:?}");
        let mut less = given.clone();
        less.check_runs = Err(unknown("checks: read"));
        assert!(!judge_checks(&[job(&[])], &less).has_passed(), "{seed}");
        let mut less = given;
        less.workflow_runs = [("ci.yml".to_owned(), Err(unknown("actions: read")))].into();
        assert!(!judge_checks(&[job(&[])], &less).has_passed(), "{seed}");
    }
}

#[test]
fn branches_and_merge_queues_are_compared_with_the_filters() {
    for (event, branch, passes) in [
        ("push", Some("develop"), true),
        ("push", Some("release/1.2"), true),
        ("push", Some("release/1.2-alpha"), false),
        ("push", Some("feature/x"), false),
        ("push", None, false),
        ("workflow_dispatch", Some("develop"), true),
        ("schedule", Some("develop"), false),
        (
            "merge_group",
            Some("gh-readonly-queue/develop/pr-7-860c190"),
            true,
        ),
        (
            "merge_group",
            Some("gh-readonly-queue/release/1.2/pr-7-860c190"),
            true,
        ),
        (
            "merge_group",
            Some("gh-readonly-queue/main/pr-7-860c190"),
            false,
        ),
        (
            "push",
            Some("gh-readonly-queue/develop/pr-7-860c190"),
            false,
        ),
    ] {
        let mut workflow = workflow_run(&[1]);
        workflow.event = event.to_owned();
        workflow.branch = branch.map(str::to_owned);
        let facts = facts(vec![run(1, Some("success"))], vec![workflow]);
        let rule = job(&["develop", "release/**", "!release/**-alpha"]);
        let verdict = judge_checks(&[rule], &facts);
        assert_eq!(verdict.has_passed(), passes, "{event} {branch:?}");
    }
}

#[test]
fn unknown_facts_leave_the_gate_unknown_and_name_the_permission() {
    let good = facts(vec![run(1, Some("success"))], vec![workflow_run(&[1])]);
    let status = RequiredCheck::Status {
        context: "deploy".to_owned(),
        creator: "octocat".to_owned(),
    };
    let spoiled: [(CheckFacts, RequiredCheck, &str); 3] = [
        (
            CheckFacts {
                check_runs: Err(unknown("checks: read")),
                ..good.clone()
            },
            job(&[]),
            "checks: read",
        ),
        (
            CheckFacts {
                workflow_runs: [("ci.yml".to_owned(), Err(unknown("actions: read")))].into(),
                ..good.clone()
            },
            job(&[]),
            "actions: read",
        ),
        (
            CheckFacts {
                statuses: Err(unknown("statuses: read")),
                ..good
            },
            status,
            "statuses: read",
        ),
    ];
    for (facts, rule, permission) in spoiled {
        let verdict = judge_checks(&[rule], &facts);
        assert_eq!(verdict.state(), GateState::Unknown);
        let hint = verdict.hints().join(" ");
        assert!(hint.contains(permission), "{hint}");
    }
}

#[test]
fn a_status_counts_by_name_creator_and_its_newest_state() {
    let status = |id, state: &str, creator: &str| FoundStatus {
        id,
        context: "Deploy".to_owned(),
        state: state.to_owned(),
        creator: Some(creator.to_owned()),
    };
    let rule = RequiredCheck::Status {
        context: "deploy".to_owned(),
        creator: "octocat".to_owned(),
    };
    for (statuses, passes) in [
        (vec![], false),
        (vec![status(1, "success", "Octocat")], true),
        (vec![status(1, "success", "forger")], false),
        (
            vec![
                status(1, "success", "octocat"),
                status(2, "failure", "octocat"),
            ],
            false,
        ),
        (
            vec![
                status(2, "success", "octocat"),
                status(1, "failure", "octocat"),
            ],
            true,
        ),
        (
            vec![
                status(1, "success", "octocat"),
                status(2, "failure", "forger"),
            ],
            true,
        ),
        (vec![status(1, "pending", "octocat")], false),
    ] {
        let mut facts = facts(Vec::new(), Vec::new());
        facts.statuses = Ok(statuses.clone());
        let verdict = judge_checks(std::slice::from_ref(&rule), &facts);
        assert_eq!(verdict.has_passed(), passes, "{statuses:?}");
    }
}

fn review(state: &str, user: Option<&str>, environment: &str) -> FoundReview {
    FoundReview {
        state: state.to_owned(),
        user: user.map(str::to_owned),
        environments: vec![environment.to_owned()],
    }
}

#[test]
fn enough_distinct_users_must_have_approved() {
    let rule = |min| ApprovalsRule {
        environment: "production".to_owned(),
        min,
        excludes_author: true,
        excludes_actor: true,
    };
    let judge = |min, reviews: Vec<FoundReview>| {
        let facts = ApprovalFacts {
            reviews: Ok(reviews),
            authors: Ok(vec![Some("writer".to_owned())]),
            actors: vec![Some("starter".to_owned())],
        };
        judge_approvals(&rule(min), &facts).has_passed()
    };
    let by = |user| review("approved", Some(user), "Production");
    assert!(judge(1, vec![by("a")]));
    assert!(!judge(2, vec![by("a")]));
    assert!(
        !judge(2, vec![by("a"), by("A")]),
        "one user in two spellings"
    );
    assert!(judge(2, vec![by("a"), by("b")]));
    assert!(!judge(2, vec![by("a"), by("WRITER")]));
    assert!(!judge(2, vec![by("a"), by("Starter")]));
    assert!(!judge(
        1,
        vec![by("a"), review("rejected", Some("A"), "production")]
    ));
    assert!(!judge(1, vec![review("approved", None, "production")]));
    assert!(!judge(
        1,
        vec![review("approved", Some("a"), "production-eu")]
    ));
    assert!(!judge(1, vec![review("pending", Some("a"), "production")]));
}

#[test]
fn an_author_or_actor_who_is_not_known_fails_the_gate() {
    let judge = |excludes_author, authors: GithubFact<Vec<Option<String>>>, actors| {
        let rule = ApprovalsRule {
            environment: "production".to_owned(),
            min: 1,
            excludes_author,
            excludes_actor: !excludes_author,
        };
        let facts = ApprovalFacts {
            reviews: Ok(vec![review("approved", Some("a"), "production")]),
            authors,
            actors,
        };
        judge_approvals(&rule, &facts).state()
    };
    let starter = || vec![Some("starter".to_owned())];
    assert_eq!(judge(true, Ok(vec![None]), starter()), GateState::Failed);
    assert_eq!(judge(true, Ok(vec![]), starter()), GateState::Failed);
    let some_unknown = vec![Some("writer".to_owned()), None];
    assert_eq!(judge(true, Ok(some_unknown), starter()), GateState::Failed);
    let denied = Err(unknown("pull-requests: read"));
    assert_eq!(judge(true, denied, starter()), GateState::Unknown);
    assert_eq!(judge(false, Ok(vec![]), vec![None]), GateState::Failed);
    assert_eq!(judge(false, Ok(vec![]), vec![]), GateState::Failed);
    assert_eq!(judge(false, Ok(vec![None]), starter()), GateState::Passed);
}

#[test]
fn text_from_outside_is_printable_in_verdicts() {
    let hostile = format!("a\n::error::{}\u{202e}<b>@all", "x".repeat(100 << 10));
    let mut check = run(1, Some(&hostile));
    check.status = "completed".to_owned();
    let checks = judge_checks(&[job(&[])], &facts(vec![check], vec![workflow_run(&[1])]));
    let rule = ApprovalsRule {
        environment: "production".to_owned(),
        min: 2,
        excludes_author: false,
        excludes_actor: false,
    };
    let approvals = ApprovalFacts {
        reviews: Ok(vec![review("approved", Some(&hostile), "production")]),
        authors: Ok(Vec::new()),
        actors: Vec::new(),
    };
    for verdict in [checks, judge_approvals(&rule, &approvals)] {
        for text in verdict.facts().iter().chain(verdict.reasons()) {
            assert!(text.chars().count() < 400, "{}", text.len());
            assert!(!text.contains(['\n', '\u{202e}']), "{text}");
        }
    }
}
