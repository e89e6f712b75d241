//! Judge of the approvals gate.

use super::approvals_rule::ApprovalsRule;
use super::github_facts::{ApprovalFacts, FoundReview};
use super::verdict::{GateName, GateVerdict};
use crate::notices::to_printable;

/// Limit on a login or the name of an environment in a message, in characters.
const NAME_LIMIT: usize = 100;

/// Judges the approvals of the run's deployment: enough distinct users must have approved it, none of them excluded.
pub fn judge_approvals(rule: &ApprovalsRule, facts: &ApprovalFacts) -> GateVerdict {
    let mut verdict = GateVerdict::new(GateName::Approvals);
    let environment = shown(&rule.environment);
    let excluded = excluded_logins(rule, facts, &mut verdict);
    let reviews = match &facts.reviews {
        Ok(reviews) => reviews,
        Err(unknown) => {
            unknown.leave_unknown(&format!("approvals for {environment}"), &mut verdict);
            return verdict;
        }
    };
    let reviews = reviews.iter().filter(|review| is_about(review, rule));
    let (approved, others): (Vec<_>, Vec<_>) =
        reviews.partition(|review| review.state == "approved");
    let rejected: Vec<String> = others
        .iter()
        .filter(|review| review.state == "rejected")
        .filter_map(|review| normal_login(review.user.as_deref()?))
        .collect();
    let mut counted: Vec<String> = Vec::new();
    for review in approved {
        let Some(login) = review.user.as_deref().and_then(normal_login) else {
            verdict.add_fact("an approval without a user does not count");
            continue;
        };
        if excluded.contains(&login) {
            verdict.add_fact(format!("the approval of {} does not count", shown(&login)));
        } else if rejected.contains(&login) {
            verdict.add_fact(format!("{} also rejected the deployment", shown(&login)));
        } else if !counted.contains(&login) {
            verdict.add_fact(format!("approved by {}", shown(&login)));
            counted.push(login);
        }
    }
    if counted.len() < rule.min {
        verdict.fail(format!(
            "{} of {} approvals for {environment}",
            counted.len(),
            rule.min
        ));
        verdict.add_hint(format!(
            "let this job have environment: {environment} with required reviewers, and a reviewer approve this run"
        ));
    }
    verdict
}

fn is_about(review: &&FoundReview, rule: &ApprovalsRule) -> bool {
    let mut environments = review.environments.iter();
    environments.any(|name| name.eq_ignore_ascii_case(&rule.environment))
}

/// Returns the logins whose approvals do not count. One that is not known fails the gate: it could be the approver's.
fn excluded_logins(
    rule: &ApprovalsRule,
    facts: &ApprovalFacts,
    verdict: &mut GateVerdict,
) -> Vec<String> {
    let mut excluded = Vec::new();
    if rule.excludes_author {
        match &facts.authors {
            Ok(authors) if authors.is_empty() => verdict.fail("the author is not known"),
            Ok(authors) => exclude(authors, "author", &mut excluded, verdict),
            Err(unknown) => unknown.leave_unknown("author of the source commit", verdict),
        }
    }
    if rule.excludes_actor {
        match facts.actors.is_empty() {
            true => verdict.fail("the actor is not known"),
            false => exclude(&facts.actors, "actor", &mut excluded, verdict),
        }
    }
    excluded
}

fn exclude(
    logins: &[Option<String>],
    role: &str,
    excluded: &mut Vec<String>,
    verdict: &mut GateVerdict,
) {
    for login in logins {
        match login.as_deref().and_then(normal_login) {
            Some(login) => {
                verdict.add_fact(format!("{role} {}", shown(&login)));
                excluded.push(login);
            }
            None => verdict.fail(format!("the {role} is not known by a login")),
        }
    }
}

/// Returns a login as logins are compared: without regard to case. An empty one is none.
fn normal_login(login: &str) -> Option<String> {
    let login = login.trim().to_ascii_lowercase();
    (!login.is_empty()).then_some(login)
}

fn shown(text: &str) -> String {
    to_printable(text, NAME_LIMIT)
}
