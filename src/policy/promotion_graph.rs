//! The graph of promotions: each `from` leads to an environment of the same kind, and no way leads back.

use std::collections::HashMap;

use super::environment_rules::EnvironmentRules;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use crate::tagging::EnvironmentName;

/// Environments by their numbers, and for each the numbers and positions of those in its `from`.
struct PromotionGraph<'a> {
    environments: &'a [EnvironmentRules],
    sources: Vec<Vec<(usize, FilePosition)>>,
}

/// How far the search for cycles is with an environment.
#[derive(Clone, Copy, PartialEq)]
enum SearchState {
    Unseen,
    OnPath,
    Done,
}

/// Checks the graph.
///
/// # Errors
/// A `from` that names no environment or one of another kind, and a cycle.
pub(super) fn check(environments: &[EnvironmentRules]) -> Result<(), PolicyError> {
    PromotionGraph::new(environments)?.check_cycles()
}

impl<'a> PromotionGraph<'a> {
    fn new(environments: &'a [EnvironmentRules]) -> Result<Self, PolicyError> {
        let numbered = environments.iter().enumerate();
        let numbers: HashMap<&EnvironmentName, usize> = numbered
            .map(|(number, environment)| (&environment.name, number))
            .collect();
        let mut sources = Vec::new();
        for environment in environments {
            let names = environment.from().iter().zip(&environment.from_at);
            let found = names.map(|(from, at)| {
                let number = numbers.get(from).copied();
                let number = number.ok_or_else(|| at.to_error(unknown(from, environments)))?;
                match environments[number].is_per_service() == environment.is_per_service() {
                    true => Ok((number, *at)),
                    false => Err(at.to_error(PolicyProblem::DiffersFromSource(from.to_string()))),
                }
            });
            sources.push(found.collect::<Result<_, _>>()?);
        }
        Ok(Self {
            environments,
            sources,
        })
    }

    /// Refuses a cycle. Each environment is looked at once, and none recursively: a chain can be long.
    fn check_cycles(&self) -> Result<(), PolicyError> {
        let mut states = vec![SearchState::Unseen; self.environments.len()];
        for start in 0..self.environments.len() {
            if states[start] == SearchState::Unseen {
                self.search_cycle(start, &mut states)?;
            }
        }
        Ok(())
    }

    fn search_cycle(&self, start: usize, states: &mut [SearchState]) -> Result<(), PolicyError> {
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
                SearchState::OnPath => return Err(self.circle(&path, next)),
            }
        }
        Ok(())
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
        at.unwrap_or(self.environments[first].repository_at)
            .to_error(problem)
    }
}

fn unknown(from: &EnvironmentName, environments: &[EnvironmentRules]) -> PolicyProblem {
    let known = environments.iter().map(|it| it.name.as_str());
    PolicyProblem::unknown_environment(from, known)
}
