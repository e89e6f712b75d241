//! Judge of the checks gate.

use super::checks_rule::{GITHUB_ACTIONS_APP, RequiredCheck, RequiredJob};
use super::github_facts::{CheckFacts, FoundCheckRun, FoundJob, FoundWorkflowRun};
use super::verdict::{GateName, GateVerdict};
use crate::event::GitRef;
use crate::notices::to_printable;

/// Events whose runs count: those that a pull request from a fork cannot start.
pub const COUNTED_EVENTS: [&str; 3] = ["push", "merge_group", "workflow_dispatch"];

/// Beginning of the branches of a merge queue, `gh-readonly-queue/BRANCH/pr-NUMBER-SHA`.
const QUEUE_PREFIX: &str = "gh-readonly-queue/";

/// Status of a job or check run that has ended.
const COMPLETED: &str = "completed";

/// Conclusion, and state of a commit status, that passes.
const SUCCESS: &str = "success";

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
        RequiredCheck::CheckRun { name: of, app } => match &facts.check_runs {
            Ok(found) => judge_newest(&name, named_runs(found, of, app), verdict),
            Err(unknown) => unknown.leave_unknown(&name, verdict),
        },
        RequiredCheck::Job(job) => judge_job(&name, job, facts, verdict),
    }
}

/// Judges the jobs of a name: all must have ended, and the newest must have succeeded, by itself and by its check run.
/// The jobs say which check runs count and which is the newest, since names and times of check runs can be changed.
fn judge_job(name: &str, rule: &RequiredJob, facts: &CheckFacts, verdict: &mut GateVerdict) {
    let check_runs = match &facts.check_runs {
        Ok(found) => found,
        Err(unknown) => return unknown.leave_unknown(name, verdict),
    };
    let runs = match facts.workflow_runs.get(&rule.workflow) {
        Some(Ok(runs)) => runs.as_slice(),
        Some(Err(unknown)) => return unknown.leave_unknown(name, verdict),
        None => &[],
    };
    let counted = |run: &&FoundWorkflowRun| counts(run, rule, &facts.commit);
    let jobs = runs.iter().filter(counted).flat_map(|run| &run.jobs);
    let jobs: Vec<&FoundJob> = jobs.filter(|job| job.name == rule.name).collect();
    let is_counted = |run: &FoundCheckRun| jobs.iter().any(|job| job.id == run.id);
    let mut named = named_runs(check_runs, &rule.name, GITHUB_ACTIONS_APP);
    add_uncounted(
        rule,
        named.iter().filter(|run| !is_counted(run)).count(),
        verdict,
    );
    let Some(newest) = jobs.iter().max_by_key(|job| job.id) else {
        return refuse_missing(name, verdict);
    };
    let of_jobs = jobs.iter().map(|job| &job.status);
    let of_check_runs = check_runs.iter().filter(|run| is_counted(run));
    let mut statuses = of_jobs.chain(of_check_runs.map(|run| &run.status));
    if let Some(status) = statuses.find(|status| *status != COMPLETED) {
        return refuse_unfinished(name, status, verdict);
    }
    named.retain(|run| run.id == newest.id);
    match named.first() {
        None => verdict.fail(format!(
            "{name}: its newest job has no check run of this name by {GITHUB_ACTIONS_APP}"
        )),
        Some(run) if newest.conclusion == run.conclusion => {
            judge_conclusion(name, newest.conclusion.as_deref(), verdict);
        }
        Some(run) => verdict.fail(format!(
            "{name}: the check run says {}, and its job {}",
            shown(run.conclusion.as_deref().unwrap_or_default()),
            shown(newest.conclusion.as_deref().unwrap_or_default())
        )),
    }
}

/// Adds how many check runs have the name of a required job and are none of its jobs.
fn add_uncounted(rule: &RequiredJob, count: usize, verdict: &mut GateVerdict) {
    let subject = match count {
        0 => return,
        1 => "1 check run of this name on the commit does".to_owned(),
        count => format!("{count} check runs of this name on the commit do"),
    };
    verdict.add_fact(format!(
        "{subject} not count: no job of this name in a run of {} by {} on an accepted branch",
        shown(&rule.workflow),
        COUNTED_EVENTS.join(", "),
    ));
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

/// Returns the check runs of a name and an app.
fn named_runs<'a>(found: &'a [FoundCheckRun], name: &str, app: &str) -> Vec<&'a FoundCheckRun> {
    let named = found
        .iter()
        .filter(|run| run.name == name && run.app.as_deref() == Some(app));
    named.collect()
}

/// Judges the newest of the check runs of an app, which alone can change them.
fn judge_newest(name: &str, runs: Vec<&FoundCheckRun>, verdict: &mut GateVerdict) {
    let newest = runs
        .into_iter()
        // One that has not started yet is newer than all that have.
        .max_by_key(|run| (run.started_at.is_none(), &run.started_at, run.id));
    match newest {
        None => refuse_missing(name, verdict),
        Some(run) if run.status == COMPLETED => {
            judge_conclusion(name, run.conclusion.as_deref(), verdict);
        }
        Some(run) => refuse_unfinished(name, &run.status, verdict),
    }
}

fn judge_conclusion(name: &str, conclusion: Option<&str>, verdict: &mut GateVerdict) {
    match conclusion.unwrap_or_default() {
        SUCCESS => verdict.add_fact(format!("{name}: {SUCCESS}")),
        conclusion => verdict.fail(format!("{name}: {}, expected {SUCCESS}", shown(conclusion))),
    }
}

fn refuse_missing(name: &str, verdict: &mut GateVerdict) {
    verdict.fail(format!("{name}: not found on the source commit"));
    verdict.add_hint("let the workflow run on the source commit, and promote after it succeeded");
}

fn refuse_unfinished(name: &str, status: &str, verdict: &mut GateVerdict) {
    verdict.fail(format!("{name}: {}, expected {COMPLETED}", shown(status)));
    verdict.add_hint("wait until the checks of the source commit are completed");
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
        Some(newest) => judge_conclusion(name, Some(&newest.state), verdict),
    }
}

fn shown(text: &str) -> String {
    to_printable(text, NAME_LIMIT)
}
