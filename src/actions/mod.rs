//! The runner's contract: how a container action is told its inputs and how it answers.
//!
//! The environment is read here, once, as a value; everything below gets what it needs from it.

mod command;
mod encodings;
mod environment;
mod file_command;
mod mounts;
mod ownership;
mod random;
mod secrets;

pub use command::{Level, annotation, fenced, group, group_end, mask};
pub use encodings::markdown;
pub use environment::Environment;
pub use file_command::{
    FileCommandError, SUMMARY_LIMIT, append_outputs, append_summary, append_variables,
};
pub use mounts::Mounts;
pub use ownership::Ownership;
pub use secrets::Secrets;
