//! Runs that GitHub gives no secrets and a token that may only read: those of a fork's pull request, and
//! Dependabot's.

use super::event_inputs;
use crate::actions::ProcessEnvironment;
use crate::registry::AccessProblem;

/// Run without secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretlessRun {
    /// For a pull request of a fork.
    Fork,
    /// Started by Dependabot.
    Dependabot,
}

impl SecretlessRun {
    /// Returns which of them this run is, if any.
    pub(super) fn of(environment: &ProcessEnvironment) -> Option<Self> {
        if event_inputs::is_from_fork(environment) {
            return Some(Self::Fork);
        }
        let is_dependabot = environment.get("GITHUB_ACTOR") == Some("dependabot[bot]");
        (environment.is_in_runner() && is_dependabot).then_some(Self::Dependabot)
    }

    /// Returns what to do about a login that is missing or may not do enough.
    pub(super) fn advice(self, problem: &AccessProblem) -> Option<String> {
        match problem {
            AccessProblem::NoLogin(_) | AccessProblem::EmptyLogin(_) | AccessProblem::Denied(_) => {
            }
            _ => return None,
        }
        Some(match self {
            Self::Fork => "a pull request of a fork gets no secrets, and its token may only read: skip this step for forks with if: github.event.pull_request.head.repo.full_name == github.repository".to_owned(),
            Self::Dependabot => "a run of Dependabot gets no secrets of Actions: add them to the secrets of Dependabot, or skip this step with if: github.actor != 'dependabot[bot]'".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_login_is_explained_by_the_run() {
        let registry = || "ghcr.io".parse().unwrap();
        for problem in [
            AccessProblem::NoLogin(registry()),
            AccessProblem::EmptyLogin(registry()),
            AccessProblem::Denied(registry()),
        ] {
            let advice = SecretlessRun::Fork.advice(&problem).unwrap();
            assert!(
                advice.contains("if: github.event.pull_request.head"),
                "{advice}"
            );
            let advice = SecretlessRun::Dependabot.advice(&problem).unwrap();
            assert!(advice.contains("dependabot[bot]"), "{advice}");
        }
        let other = AccessProblem::Unreachable(registry());
        assert_eq!(SecretlessRun::Fork.advice(&other), None);
    }

    #[test]
    fn a_run_of_dependabot_is_known_by_its_actor() {
        let run = |actor| {
            let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_ACTOR", actor)];
            SecretlessRun::of(&ProcessEnvironment::from_iter(variables))
        };
        assert_eq!(run("dependabot[bot]"), Some(SecretlessRun::Dependabot));
        assert_eq!(run("octocat"), None);
    }
}
