//! Judge of the checks gate.

use super::checks_rule::{GITHUB_ACTIONS_APP, RequiredCheck, RequiredJob};
use super::github_facts::{CheckFacts, FoundCheckRun, FoundJob, FoundWorkflowRun};
use super::verdict::{GateName, GateVerdict};
use crate::event::GitRef;
use crate::notices::to_printable;

/// Events whose runs count: those that a pull request from a fork cannot start.
const COUNTED_EVENTS: [&str; 3] = ["push", "merge_group", "workflow_dispatch"];

/// Beginning of the branches of a merge queue, `gh-readonly-queue/BRANCH/pr-NUMBER-SHA`.
const QUEUE_PREFIX: &str = "gh-readonly-queue/";

/// Limit on a name or conclusion in a message, in characters.
const NAME_LIMIT: usize = 100;

/// Judges the checks of the source commit: each must be there, be completed, and have succeeded in its newest run.
pub fn judge_checks(rules: &[RequiredCheck], facts: &CheckFacts) -> GateVerdict {
    let mut verdict = GateVerdict::new(GateName::Checks);
    verdict.add_fact(format!("source commit {}", shown(&facts.commit)));
    for rule in rules {
        judge_check(rule, facts, &mut verdict);
    }
    verdict
}

fn judge_check(rule: &RequiredCheck, facts: &CheckFacts, verdict: &mut GateVerdict) {
    let name = shown(&rule.to_string());
    match rule {
        RequiredCheck::Status { context, creator } => {
            judge_status(&name, context, creator, facts, verdict);
        }
        RequiredCheck::CheckRun { name: of, app } => {
            let found = named_runs(facts, of, app);
            match found {
                Some(runs) => {
                    judge_newest(&name, runs, verdict);
                }
                None => leave_unknown(&name, facts, verdict),
            }
        }
        RequiredCheck::Job(job) => judge_job(&name, job, facts, verdict),
    }
}

fn judge_job(name: &str, job: &RequiredJob, facts: &CheckFacts, verdict: &mut GateVerdict) {
    let Some(found) = named_runs(facts, &job.name, GITHUB_ACTIONS_APP) else {
        return leave_unknown(name, facts, verdict);
    };
    let runs = match facts.workflow_runs.get(&job.workflow) {
        Some(Ok(runs)) => runs.as_slice(),
        Some(Err(unknown)) => return unknown.leave_unknown(name, verdict),
        None => &[],
    };
    let counted = |run: &&FoundWorkflowRun| counts(run, job, &facts.commit);
    let jobs: Vec<&FoundJob> = runs
        .iter()
        .filter(counted)
        .flat_map(|run| &run.jobs)
        .collect();
    let is_job = |run: &&FoundCheckRun| jobs.iter().any(|job| job.id == run.id);
    let (counted, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_job);
    if !others.is_empty() {
        verdict.add_fact(format!(
            "{} of this name on the commit {} not count: no job of a run of {} by {} on an accepted branch",
            counted_noun(others.len()),
            if others.len() == 1 { "does" } else { "do" },
            shown(&job.workflow),
            COUNTED_EVENTS.join(", "),
        ));
    }
    let newest = judge_newest(name, counted, verdict);
    let job = jobs
        .iter()
        .find(|job| newest.is_some_and(|run| run.id == job.id));
    if verdict.has_passed() && job.is_some_and(|job| !job.has_succeeded) {
        verdict.fail(format!(
            "{name}: the check run says success, and its job has not succeeded"
        ));
    }
}

fn counted_noun(count: usize) -> String {
    match count {
        1 => "1 check run".to_owned(),
        count => format!("{count} check runs"),
    }
}

/// Returns whether a run's jobs count for a required job.
fn counts(run: &FoundWorkflowRun, job: &RequiredJob, commit: &str) -> bool {
    let is_workflow = run.path == format!(".github/workflows/{}", job.workflow);
    is_workflow
        && run.is_own_repository
        && run.commit == commit
        && COUNTED_EVENTS.contains(&run.event.as_str())
        && is_on_accepted_branch(run, job)
}

fn is_on_accepted_branch(run: &FoundWorkflowRun, job: &RequiredJob) -> bool {
    if job.branches.is_empty() {
        return true;
    }
    let Some(branch) = run.branch.as_deref() else {
        return false;
    };
    let branch = match run.event.as_str() {
        "merge_group" => queue_target(branch).unwrap_or(branch),
        _ => branch,
    };
    let branch = GitRef::Branch(branch.to_owned());
    job.branches.iter().any(|filter| filter.admits(&branch))
}

/// Returns the branch that a merge queue's branch is for.
fn queue_target(branch: &str) -> Option<&str> {
    let rest = branch.strip_prefix(QUEUE_PREFIX)?;
    rest.rsplit_once("/pr-").map(|(target, _)| target)
}

/// Returns the check runs of a name and an app; `None` where the check runs are not known.
fn named_runs<'a>(facts: &'a CheckFacts, name: &str, app: &str) -> Option<Vec<&'a FoundCheckRun>> {
    let runs = facts.check_runs.as_ref().ok()?;
    let named = runs
        .iter()
        .filter(|run| run.name == name && run.app.as_deref() == Some(app));
    Some(named.collect())
}

fn leave_unknown(name: &str, facts: &CheckFacts, verdict: &mut GateVerdict) {
    if let Err(unknown) = &facts.check_runs {
        unknown.leave_unknown(name, verdict);
    }
}

/// Judges the newest of the check runs that count, and returns it.
fn judge_newest<'a>(
    name: &str,
    runs: Vec<&'a FoundCheckRun>,
    verdict: &mut GateVerdict,
) -> Option<&'a FoundCheckRun> {
    let newest = runs
        .into_iter()
        // One that has not started yet is newer than all that have.
        .max_by_key(|run| (run.started_at.is_none(), &run.started_at, run.id));
    let Some(newest) = newest else {
        verdict.fail(format!("{name}: not found on the source commit"));
        verdict
            .add_hint("let the workflow run on the source commit, and promote after it succeeded");
        return None;
    };
    let conclusion = newest.conclusion.as_deref().unwrap_or_default();
    match (newest.status.as_str(), conclusion) {
        ("completed", "success") => verdict.add_fact(format!("{name}: success")),
        ("completed", conclusion) => {
            verdict.fail(format!("{name}: {}, expected success", shown(conclusion)));
        }
        (status, _) => {
            verdict.fail(format!("{name}: {}, expected completed", shown(status)));
            verdict.add_hint("wait until the checks of the source commit are completed");
        }
    }
    Some(newest)
}

fn judge_status(
    name: &str,
    context: &str,
    creator: &str,
    facts: &CheckFacts,
    verdict: &mut GateVerdict,
) {
    let statuses = match &facts.statuses {
        Ok(statuses) => statuses,
        Err(unknown) => return unknown.leave_unknown(name, verdict),
    };
    // GitHub compares names of statuses and logins without regard to case.
    let of_name = statuses
        .iter()
        .filter(|status| status.context.eq_ignore_ascii_case(context));
    let by_creator = of_name.filter(|status| {
        let login = status.creator.as_deref();
        login.is_some_and(|login| login.eq_ignore_ascii_case(creator))
    });
    match by_creator.max_by_key(|status| status.id) {
        None => verdict.fail(format!("{name}: not found on the source commit")),
        Some(newest) if newest.state == "success" => {
            verdict.add_fact(format!("{name}: success"));
        }
        Some(newest) => {
            verdict.fail(format!(
                "{name}: {}, expected success",
                shown(&newest.state)
            ));
        }
    }
}

fn shown(text: &str) -> String {
    to_printable(text, NAME_LIMIT)
}
