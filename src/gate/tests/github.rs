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

/// Job of a check run, as it ended.
fn job_of(run: &FoundCheckRun) -> FoundJob {
    FoundJob {
        id: run.id,
        name: run.name.clone(),
        status: run.status.clone(),
        conclusion: run.conclusion.clone(),
    }
}

/// Facts of check runs that are jobs of one counted run of the workflow.
fn facts_of_jobs(runs: &[FoundCheckRun]) -> CheckFacts {
    let workflow = workflow_run(runs.iter().map(job_of).collect());
    facts(runs.to_vec(), vec![workflow])
}

fn workflow_run(jobs: Vec<FoundJob>) -> FoundWorkflowRun {
    FoundWorkflowRun {
        path: ".github/workflows/ci.yml".to_owned(),
        event: "push".to_owned(),
        branch: Some("develop".to_owned()),
        commit: SHA.to_owned(),
        is_own_repository: true,
        jobs,
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
        let verdict = judge_checks(&[job(&[])], &facts_of_jobs(&[run(1, conclusion)]));
        assert_eq!(verdict.state(), state, "{conclusion:?}");
    }
    // A conclusion before the end is none.
    let mut early = run(1, Some("success"));
    early.status = "in_progress".to_owned();
    let verdict = judge_checks(&[job(&[])], &facts_of_jobs(&[early]));
    assert_eq!(verdict.state(), GateState::Failed);
}

#[test]
fn the_newest_job_decides() {
    for (older, newer, passes) in [("success", "failure", false), ("failure", "success", true)] {
        let runs = vec![run(2, Some(newer)), run(1, Some(older))];
        let workflow = runs.iter().map(|run| workflow_run(vec![job_of(run)]));
        let facts = facts(runs.clone(), workflow.collect());
        assert_eq!(judge_checks(&[job(&[])], &facts).has_passed(), passes);
    }
}

#[test]
fn no_job_of_the_name_may_be_under_way() {
    for status in ["queued", "in_progress", "waiting", "pending", "requested"] {
        let mut unfinished = run(1, None);
        unfinished.status = status.to_owned();
        let runs = [run(2, Some("success")), unfinished];
        let good = facts_of_jobs(&runs);
        let verdict = judge_checks(&[job(&[])], &good);
        let expected = format!("test of ci.yml: {status}, expected completed");
        assert_eq!(verdict.reasons(), [expected]);
        // The check run alone, and the job alone.
        let mut of_check_run = good.clone();
        let workflow = workflow_run(vec![job_of(&runs[0]), job_of(&run(1, Some("failure")))]);
        of_check_run.workflow_runs = [("ci.yml".to_owned(), Ok(vec![workflow]))].into();
        assert!(!judge_checks(&[job(&[])], &of_check_run).has_passed());
        let mut of_job = good;
        of_job.check_runs = Ok(vec![run(2, Some("success")), run(1, Some("success"))]);
        assert!(!judge_checks(&[job(&[])], &of_job).has_passed());
    }
}

/// Facts of two jobs, `test` that failed and `other`, whose check runs somebody changed.
fn changed(
    other: (u64, &str, Option<&str>),
    change: impl FnOnce(&mut FoundCheckRun, &mut FoundCheckRun),
) -> CheckFacts {
    let mut failed = run(2, Some("failure"));
    let (id, name, conclusion) = other;
    let mut second = run(id, conclusion);
    second.name = name.to_owned();
    let workflow = workflow_run(vec![job_of(&failed), job_of(&second)]);
    change(&mut failed, &mut second);
    facts(vec![failed, second], vec![workflow])
}

#[test]
fn a_check_run_that_was_changed_does_not_hide_its_job() {
    let success = || Some("success".to_owned());
    let rows = [
        (
            "concluded",
            changed((1, "lint", Some("success")), |test, _| {
                test.conclusion = success();
            }),
        ),
        (
            "renamed lint",
            changed((3, "lint", Some("success")), |test, lint| {
                test.name = "lint".to_owned();
                lint.name = "test".to_owned();
                lint.started_at = Some("2026-11-20T23:00:00Z".to_owned());
            }),
        ),
        (
            "renamed failure",
            changed((1, "test", Some("success")), |test, _| {
                test.name = "x".to_owned();
            }),
        ),
        (
            "redated success",
            changed((1, "test", Some("success")), |_, older| {
                older.started_at = Some("2026-11-20T23:00:00Z".to_owned());
            }),
        ),
        (
            "success that seems not to have started",
            changed((1, "test", Some("success")), |_, older| {
                older.started_at = None;
            }),
        ),
    ];
    for (what, facts) in rows {
        let verdict = judge_checks(&[job(&[])], &facts);
        assert_eq!(verdict.state(), GateState::Failed, "{what}");
    }
}

#[test]
fn a_job_that_succeeded_needs_its_check_run_by_name_and_app() {
    type Change = fn(&mut FoundCheckRun);
    let rows: [(Change, bool); 5] = [
        (|_| {}, true),
        (|run| run.id = 9, false),
        (|run| run.name = "x".to_owned(), false),
        (|run| run.app = Some("forger".to_owned()), false),
        (|run| run.conclusion = Some("failure".to_owned()), false),
    ];
    for (change, passes) in rows {
        let mut check_run = run(1, Some("success"));
        let workflow = workflow_run(vec![job_of(&check_run)]);
        change(&mut check_run);
        let facts = facts(vec![check_run.clone()], vec![workflow]);
        let verdict = judge_checks(&[job(&[])], &facts);
        assert_eq!(verdict.has_passed(), passes, "{check_run:?}");
    }
}

#[test]
fn of_the_check_runs_of_another_app_the_newest_start_decides() {
    let rule = RequiredCheck::CheckRun {
        name: "test".to_owned(),
        app: "sonarcloud".to_owned(),
    };
    let by_app = |id, conclusion, started_at: Option<&str>| FoundCheckRun {
        app: Some("sonarcloud".to_owned()),
        started_at: started_at.map(str::to_owned),
        ..run(id, conclusion)
    };
    let (early, late) = (Some("2026-11-20T10:00:00Z"), Some("2026-11-20T11:00:00Z"));
    for (runs, passes) in [
        (vec![], false),
        (vec![run(1, Some("success"))], false),
        (vec![by_app(1, Some("success"), early)], true),
        (
            vec![
                by_app(2, Some("failure"), early),
                by_app(1, Some("success"), late),
            ],
            true,
        ),
        (
            vec![
                by_app(1, Some("success"), early),
                by_app(2, Some("failure"), late),
            ],
            false,
        ),
        // One that has not started yet is newer than all that have.
        (
            vec![by_app(1, None, None), by_app(2, Some("success"), late)],
            false,
        ),
    ] {
        let facts = facts(runs, Vec::new());
        let verdict = judge_checks(std::slice::from_ref(&rule), &facts);
        assert_eq!(verdict.has_passed(), passes, "{facts:?}");
    }
}

/// Nothing but success of the newest job and of its check run passes, in any mix of runs and of changes to check runs;
/// a fact less never makes a failed gate pass.
#[test]
fn random_jobs_pass_only_by_success_of_the_newest() {
    let mut passed = 0;
    for seed in 0..6000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let conclusions = [Some("success"), Some("success"), Some("failure"), None];
        let (mut jobs, mut runs) = (Vec::new(), Vec::new());
        for id in 1..=random.u64(0..4) {
            let mut found = run(id, conclusions[random.usize(0..4)]);
            if random.u8(0..6) == 0 {
                found.name = "lint".to_owned();
            }
            if random.u8(0..6) > 0 {
                jobs.push(job_of(&found));
            }
            match random.u8(0..12) {
                0 => found = run(id, conclusions[random.usize(0..4)]),
                1 => found.name = "lint".to_owned(),
                2 => found.started_at = None,
                3 => found.app = Some("forger".to_owned()),
                _ => {}
            }
            runs.push(found);
        }
        let given = facts(runs.clone(), vec![workflow_run(jobs.clone())]);
        let tests = || jobs.iter().filter(|job| job.name == "test");
        let is_completed = |id: u64| {
            let mut of_job = runs.iter().filter(|run| run.id == id);
            of_job.all(|run| run.status == "completed")
        };
        let all_completed = tests().all(|job| job.status == "completed" && is_completed(job.id));
        let newest = tests().max_by_key(|job| job.id);
        let has_succeeded = newest.is_some_and(|job| {
            let wanted = run(job.id, Some("success"));
            job.conclusion == wanted.conclusion
                && runs.iter().any(|run| {
                    (&run.name, &run.app, run.id, &run.conclusion)
                        == (&wanted.name, &wanted.app, wanted.id, &wanted.conclusion)
                })
        });
        let judged = judge_checks(&[job(&[])], &given);
        let expected = all_completed && has_succeeded;
        assert_eq!(judged.has_passed(), expected, "{seed}: {runs:?} {jobs:?}");
        passed += u32::from(expected);
        let mut less = given.clone();
        less.check_runs = Err(unknown("checks: read"));
        assert!(!judge_checks(&[job(&[])], &less).has_passed(), "{seed}");
        let mut less = given;
        less.workflow_runs = [("ci.yml".to_owned(), Err(unknown("actions: read")))].into();
        assert!(!judge_checks(&[job(&[])], &less).has_passed(), "{seed}");
    }
    assert!((500..5500).contains(&passed), "{passed}");
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
        let check_run = run(1, Some("success"));
        let mut workflow = workflow_run(vec![job_of(&check_run)]);
        workflow.event = event.to_owned();
        workflow.branch = branch.map(str::to_owned);
        let facts = facts(vec![check_run], vec![workflow]);
        let rule = job(&["develop", "release/**", "!release/**-alpha"]);
        let verdict = judge_checks(&[rule], &facts);
        assert_eq!(verdict.has_passed(), passes, "{event} {branch:?}");
    }
}

#[test]
fn unknown_facts_leave_the_gate_unknown_and_name_the_permission() {
    let good = facts_of_jobs(&[run(1, Some("success"))]);
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
    let checks = judge_checks(&[job(&[])], &facts_of_jobs(&[check]));
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
