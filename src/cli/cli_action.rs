//! What the arguments ask for, or why they cannot be understood.

use super::input_values::{InputError, InputValues};

/// Action that the arguments ask for.
#[derive(Debug)]
pub enum CliAction {
    /// Run a verb.
    Run(InputValues),
    /// Print this text and exit: help, or the version.
    Print(String),
}

/// Reason why arguments or inputs cannot be understood.
#[derive(Debug)]
pub enum UsageError {
    /// The command line: clap's explanation, several lines long.
    Flags(String),
    /// An input of the workflow.
    Input(InputError),
}
