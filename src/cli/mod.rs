//! Inputs and outputs, declared once: the flags of the command line, the inputs of a workflow,
//! `action.yml` and docs/inputs.md all come from [`INPUTS`] and [`OUTPUTS`].
//!
//! [`parse()`] collects the raw [`InputValues`] with the place of each; `commands/` turns them into typed
//! requests, and names that place in an error.

mod cli_action;
mod command_line;
mod completions;
mod declared_documents;
mod declared_inputs;
mod declared_outputs;
#[cfg(test)]
mod declared_text_tests;
mod declared_variables;
mod flag_description;
mod heading;
mod help_text;
mod info_command;
mod input_declaration;
mod input_details;
mod input_entries;
mod input_queries;
mod input_values;
mod inputs_page;
mod login_in_name;
mod man_page;
mod output_flags;
mod parse;
mod policy_effects;
mod shell;
mod shell_variables;
mod text_width;
mod under_policy;
mod usage_error_text;
mod verb;
mod verb_command;
mod verb_examples;
mod verb_groups;
mod workflow_inputs;

pub use cli_action::{CliAction, UsageError};
pub use declared_documents::action_yml_sections;
pub use declared_inputs::{INPUTS, Input};
pub use declared_outputs::{OUTPUTS, OutputDeclaration};
pub use heading::Heading;
pub use input_declaration::{InputCondition, InputDeclaration, InputKind};
pub use input_values::{InputEntry, InputError, InputOrigin, InputValues};
pub use inputs_page::inputs_page;
pub use output_flags::{ColorChoice, OutputFlags, OutputFormat, Verbosity};
pub use parse::parse;
pub use policy_effects::policy_effects_table;
pub use under_policy::PolicyEffect;
pub use verb::Verb;

#[cfg(test)]
mod tests;
