//! The command line, parsed by clap.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command};

use super::cli_action::{CliAction, UsageError};
use super::completions::completion_script;
use super::declared_inputs::Input;
use super::help_text::{self, HelpLength};
use super::info_command::InfoCommand;
use super::input_entries::split_value;
use super::input_values::{InputEntry, InputOrigin, InputValues, VerbOrigin};
use super::shell::Shell;
use super::text_width::output_width;
use super::verb::Verb;
use super::verb_command::{build_verb, help_flag};
use super::{man_page, output_flags, shell_variables, usage_error_text};
use crate::actions::ProcessEnvironment;

pub(super) fn parse_flags(
    arguments: &[OsString],
    environment: &ProcessEnvironment,
) -> Result<CliAction, UsageError> {
    match build_command(environment).try_get_matches_from(arguments) {
        Ok(matches) => read_matches(&matches, environment)
            .ok_or_else(|| UsageError::Flags(program_help(environment))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => Ok(CliAction::Print(requested_help(arguments, environment))),
            ErrorKind::DisplayVersion => Ok(CliAction::Print(error.to_string())),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Err(UsageError::Flags(program_help(environment)))
            }
            _ => Err(UsageError::Flags(usage_error_text::explain(
                error, arguments,
            ))),
        },
    }
}

fn build_command(environment: &ProcessEnvironment) -> Command {
    let verbs = Verb::ALL.iter();
    Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("VERB")
        .arg(help_flag())
        .subcommands(verbs.map(|verb| build_verb(*verb, environment)))
        .subcommands(InfoCommand::ALL.map(build_info_command))
}

fn build_info_command(command: InfoCommand) -> Command {
    let words = command.words();
    let word = Arg::new(WORD)
        .value_name(match command {
            InfoCommand::Completions => "SHELL",
            InfoCommand::Help | InfoCommand::Man => "VERB",
        })
        .required(command == InfoCommand::Completions);
    let has_word = !words.is_empty();
    let word = word.value_parser(PossibleValuesParser::new(words));
    Command::new(command.name())
        .override_usage(format!("shipmark {}", command.usage()))
        .args(has_word.then_some(word))
        .arg(help_flag())
}

/// Identifier of the argument of an [`InfoCommand`].
const WORD: &str = "word";

/// Returns the help that `-h` or `--help` asks for.
fn requested_help(arguments: &[OsString], environment: &ProcessEnvironment) -> String {
    let flags = arguments.iter().filter_map(|argument| argument.to_str());
    let first = { flags }.find(|flag| matches!(*flag, "-h" | "--help"));
    let length = match first {
        Some("--help") => HelpLength::Long,
        _ => HelpLength::Short,
    };
    let command = arguments.get(1).and_then(|argument| argument.to_str());
    command_help(command.unwrap_or_default(), length, environment)
}

/// Returns the help of a verb or another command; of the program for any other name.
fn command_help(name: &str, length: HelpLength, environment: &ProcessEnvironment) -> String {
    let width = output_width(environment);
    match (Verb::find(name), InfoCommand::find(name)) {
        (Some(verb), _) => help_text::verb_help(verb, length, width),
        (None, Some(command)) => help_text::info_help(command, width),
        (None, None) => help_text::program_help(length, width),
    }
}

fn program_help(environment: &ProcessEnvironment) -> String {
    help_text::program_help(HelpLength::Short, output_width(environment))
}

fn read_matches(matches: &ArgMatches, environment: &ProcessEnvironment) -> Option<CliAction> {
    let (name, matches) = matches.subcommand()?;
    if let Some(verb) = Verb::find(name) {
        let values = collect_values(verb, matches);
        return Some(CliAction::Run(shell_variables::fill_values(
            values,
            environment,
        )));
    }
    let word = || matches.get_one::<String>(WORD).map(String::as_str);
    Some(CliAction::Print(match InfoCommand::find(name)? {
        InfoCommand::Help => {
            command_help(word().unwrap_or_default(), HelpLength::Long, environment)
        }
        InfoCommand::Completions => completion_script(Shell::find(word()?)?),
        InfoCommand::Man => man_page::man_page(),
    }))
}

fn collect_values(verb: Verb, matches: &ArgMatches) -> InputValues {
    let entries: BTreeMap<_, _> = verb
        .inputs()
        .map(|input| (input, input_entries(input, matches)))
        .filter(|(_, entries)| !entries.is_empty())
        .collect();
    let verbatim = verb
        .inputs()
        .filter_map(|input| Some((input, verbatim_value(input, matches)?)))
        .collect();
    InputValues {
        output: output_flags::read_flags(verb, matches),
        verbatim,
        verb,
        verb_origin: VerbOrigin::Named,
        origin: InputOrigin::CommandLine,
        from_variables: BTreeSet::new(),
        warnings: Vec::new(),
        entries,
    }
}

/// Returns a list's values as lines, or a text with the blanks around it.
fn verbatim_value(input: Input, matches: &ArgMatches) -> Option<String> {
    if !input.keeps_verbatim() {
        return None;
    }
    let values: Vec<_> = matches.get_many::<String>(input.name())?.cloned().collect();
    Some(values.join("\n"))
}

/// Returns the entries of an input. An empty value counts as none, as in a workflow: scripts pass
/// variables that may be empty.
fn input_entries(input: Input, matches: &ArgMatches) -> Vec<InputEntry> {
    matches
        .get_many::<String>(input.name())
        .unwrap_or_default()
        .flat_map(|value| split_value(input, value, None))
        .filter(|entry| !entry.text.is_empty())
        .collect()
}
