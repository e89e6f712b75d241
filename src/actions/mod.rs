//! The runner's contract: how a container action is told its inputs and how it answers.
//!
//! The environment is read here, once, as a value; everything below gets what it needs from it.

mod checkout_paths;
mod command_files;
mod encodings;
mod file_ownership;
mod markdown_cut;
mod markdown_text;
mod process_environment;
mod random_word;
mod runner_mounts;
mod secrets;
mod workflow_command;

pub use checkout_paths::CheckoutPaths;
pub use command_files::{
    FileCommandError, SUMMARY_LIMIT, append_outputs, append_summary, append_variables,
};
pub use file_ownership::FolderOwnership;
pub use markdown_cut::{CutMarkdown, cut_markdown};
pub use markdown_text::markdown;
pub use process_environment::ProcessEnvironment;
pub use runner_mounts::RunnerMounts;
pub use secrets::SecretTexts;
pub use workflow_command::{
    AnnotationLevel, annotation_command, end_group_command, escape_log_text, group_command,
    mask_command,
};
