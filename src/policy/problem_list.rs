//! Problems of a policy file, all of them in one run.

use std::collections::BTreeMap;
use std::fmt;

use super::error::{PolicyError, PolicyProblem};

/// Problems of a file while it is read, by their positions.
#[derive(Debug, Default)]
pub(super) struct ProblemList {
    by_position: BTreeMap<(usize, usize), Vec<PolicyError>>,
    count: usize,
    /// How many were added, the same ones too.
    added: usize,
    /// Whether the number of repositories is a problem already, which all further environments would repeat.
    has_too_many_repositories: bool,
}

/// Problems of a policy file, at least one, in the order of their positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyErrors {
    first: Box<PolicyError>,
    others: Vec<PolicyError>,
}

/// The most problems that are kept: nobody reads more at once.
const LIMIT: usize = 1_000;

impl ProblemList {
    /// Adds a problem; the same one at the same position once.
    pub(super) fn add(&mut self, error: PolicyError) {
        self.added += 1;
        if matches!(error.problem, PolicyProblem::TooManyRepositories(_)) {
            if self.has_too_many_repositories {
                return;
            }
            self.has_too_many_repositories = true;
        }
        if self.count == LIMIT {
            return;
        }
        let position = (error.at.line, error.at.column);
        let known = self.by_position.entry(position).or_default();
        if !known.contains(&error) {
            known.push(error);
            self.count += 1;
        }
    }

    /// Returns the value, or adds the problem.
    pub(super) fn keep<T>(&mut self, result: Result<T, PolicyError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(error);
                None
            }
        }
    }

    /// Returns how many problems were added, one that was there already too.
    pub(super) const fn added(&self) -> usize {
        self.added
    }

    /// Returns all problems as an error.
    ///
    /// # Errors
    /// Any problem.
    pub(super) fn into_result(self) -> Result<(), PolicyErrors> {
        let mut sorted = self.by_position.into_values().flatten();
        match sorted.next() {
            None => Ok(()),
            Some(first) => Err(PolicyErrors {
                first: Box::new(first),
                others: sorted.collect(),
            }),
        }
    }
}

impl PolicyErrors {
    /// Returns the first problem of the file.
    pub fn first(&self) -> &PolicyError {
        &self.first
    }

    /// Returns all problems.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyError> {
        [self.first()].into_iter().chain(&self.others)
    }
}

impl fmt::Display for PolicyErrors {
    /// Writes a line for each problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.others
            .iter()
            .try_for_each(|error| write!(f, "\n{error}"))
    }
}
