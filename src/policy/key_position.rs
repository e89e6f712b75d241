use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::problem_list::ProblemList;

/// Position of a key, for a problem that shows in the rest of the file. Two values of the same content need not share
/// it: all positions are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyPosition(Option<FilePosition>);

impl KeyPosition {
    /// Adds a problem of the key.
    pub(super) fn add_problem(self, problem: PolicyProblem, problems: &mut ProblemList) {
        if let Some(at) = self.0 {
            let error: PolicyError = at.to_error(problem);
            problems.add(error);
        }
    }
}

impl From<FilePosition> for KeyPosition {
    fn from(at: FilePosition) -> Self {
        Self(Some(at))
    }
}

impl PartialEq for KeyPosition {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeyPosition {}
