//! One run of the program: its inputs, its environment and its log.

use std::sync::Arc;

use crate::actions::ProcessEnvironment;
use crate::cli::{InputError, InputValues};
use crate::release::Failure;
use crate::report::RunLog;

/// Inputs, environment and log of a run, from which a verb builds its request.
#[derive(Clone)]
pub(super) struct Invocation {
    pub(super) arguments: InputValues,
    pub(super) environment: ProcessEnvironment,
    pub(super) log: Arc<RunLog>,
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        let failure = Self::input(error.to_string());
        match error.location {
            Some(location) => failure.at_file(location),
            None => failure,
        }
    }
}
