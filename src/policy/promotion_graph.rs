//! The graph of promotions: each `from` leads to an environment of the same kind, and no way leads back.

use std::collections::HashMap;

use super::environment_rules::EnvironmentRules;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::parse_environment::ParsedEnvironment;
use super::problem_list::ProblemList;
use crate::tagging::EnvironmentName;

/// Environments by their numbers, and for each the numbers and positions of those in its `from`.
struct PromotionGraph<'a> {
    environments: &'a [ParsedEnvironment],
    sources: Vec<Vec<(usize, FilePosition)>>,
}

/// How far the search for cycles is with an environment.
#[derive(Clone, Copy, PartialEq)]
enum SearchState {
    Unseen,
    OnPath,
    Done,
}

/// Adds the problems of the graph: a `from` that names no environment or one of another kind, and cycles.
pub(super) fn check(environments: &[ParsedEnvironment], problems: &mut ProblemList) {
    PromotionGraph::new(environments, problems).check_cycles(problems);
}

impl<'a> PromotionGraph<'a> {
    fn new(environments: &'a [ParsedEnvironment], problems: &mut ProblemList) -> Self {
        let numbered = environments.iter().enumerate();
        let numbers: HashMap<&EnvironmentName, usize> = numbered
            .map(|(number, environment)| (&environment.name, number))
            .collect();
        let mut sources = Vec::new();
        for environment in environments {
            let (names, positions) = &environment.sources;
            let mut found = Vec::new();
            for (from, at) in names.iter().zip(positions) {
                let Some(number) = numbers.get(from).copied() else {
                    problems.add(at.to_error(unknown(from, environments)));
                    continue;
                };
                if differ_in_kind(&environments[number], environment) {
                    let problem = PolicyProblem::DiffersFromSource(from.to_string());
                    problems.add(at.to_error(problem));
                }
                found.push((number, *at));
            }
            sources.push(found);
        }
        Self {
            environments,
            sources,
        }
    }

    /// Adds each cycle that a search finds. Each environment is looked at once, and none recursively: a chain can
    /// be long.
    fn check_cycles(&self, problems: &mut ProblemList) {
        let mut states = vec![SearchState::Unseen; self.environments.len()];
        for start in 0..self.environments.len() {
            if states[start] == SearchState::Unseen {
                self.search_cycle(start, &mut states, problems);
            }
        }
    }

    fn search_cycle(&self, start: usize, states: &mut [SearchState], problems: &mut ProblemList) {
        // Environments on the path from the start, each with the number of its sources that were followed.
        let mut path = vec![(start, 0)];
        states[start] = SearchState::OnPath;
        while let Some((environment, followed)) = path.last_mut() {
            let Some((next, _)) = self.sources[*environment].get(*followed).copied() else {
                states[*environment] = SearchState::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match states[next] {
                SearchState::Done => {}
                SearchState::Unseen => {
                    states[next] = SearchState::OnPath;
                    path.push((next, 0));
                }
                SearchState::OnPath => problems.add(self.circle(&path, next)),
            }
        }
    }

    /// Returns the error of a path, with the number of the source that each environment on it takes, that
    /// leads to `first` again; it is at the `from` of `first`.
    fn circle(&self, path: &[(usize, usize)], first: usize) -> PolicyError {
        let from_first = path
            .iter()
            .skip_while(|(environment, _)| *environment != first);
        let at = from_first.clone().next().and_then(|(_, followed)| {
            let taken = self.sources[first].get(followed.checked_sub(1)?)?;
            Some(taken.1)
        });
        let circle = from_first.map(|(environment, _)| *environment);
        let names = circle.chain([first]).map(|environment| {
            let environment = &self.environments[environment];
            environment.name.to_string()
        });
        let problem = PolicyProblem::Circle(names.collect());
        let own = self.environments[first].sources.1.first();
        let start = FilePosition { line: 1, column: 1 };
        at.or(own.copied()).unwrap_or(start).to_error(problem)
    }
}

/// Returns whether one has a repository for each service, and the other one alone.
fn differ_in_kind(one: &ParsedEnvironment, other: &ParsedEnvironment) -> bool {
    let kind = |it: &ParsedEnvironment| it.rules.as_ref().map(EnvironmentRules::is_per_service);
    let kinds = kind(one).zip(kind(other));
    kinds.is_some_and(|(one, other)| one != other)
}

fn unknown(from: &EnvironmentName, environments: &[ParsedEnvironment]) -> PolicyProblem {
    let known = environments.iter().map(|it| it.name.as_str());
    PolicyProblem::unknown_environment(from, known)
}
