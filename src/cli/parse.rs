//! Parsing of the command line, or of a workflow's inputs.

use std::ffi::OsString;

use super::cli_action::{CliAction, UsageError};
use super::input_values::InputValues;
use super::{command_line, workflow_inputs};
use crate::actions::ProcessEnvironment;

/// Parses the arguments if there are any; else, in a runner, the inputs of the step.
///
/// # Errors
/// Returns clap's explanation, or the input that is wrong.
pub fn parse(
    arguments: &[OsString],
    environment: &ProcessEnvironment,
) -> Result<CliAction, UsageError> {
    let arguments = if arguments.len() <= 1 && environment.is_in_runner() {
        workflow_inputs::parse_inputs(environment)
    } else {
        match command_line::parse_flags(arguments, environment)? {
            CliAction::Run(arguments) => Ok(arguments),
            print => return Ok(print),
        }
    };
    arguments
        .and_then(InputValues::check_values)
        .map(CliAction::Run)
        .map_err(UsageError::Input)
}
