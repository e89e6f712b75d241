//! The command line, parsed by clap.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::iter;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::cli_action::{CliAction, UsageError};
use super::completions::Shell;
use super::declared_inputs::Input;
use super::heading::Heading;
use super::help_text::{self, HelpLength};
use super::info_command::InfoCommand;
use super::input_declaration::InputKind;
use super::input_values::{InputEntry, InputOrigin, InputValues, VerbOrigin};
use super::text_width::output_width;
use super::verb::Verb;
use super::{man_page, shell_variables, usage_error_text};
use crate::actions::ProcessEnvironment;

pub(super) fn parse_flags(
    arguments: &[OsString],
    environment: &ProcessEnvironment,
) -> Result<CliAction, UsageError> {
    match build_command(environment).try_get_matches_from(arguments) {
        Ok(matches) => read_matches(&matches, environment)
            .ok_or_else(|| UsageError::Flags(program_help(environment))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => Ok(CliAction::Print(asked_help(arguments, environment))),
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

/// Returns the command of a verb. An input that a variable holds is not required.
pub(super) fn build_verb(verb: Verb, environment: &ProcessEnvironment) -> Command {
    let inputs = verb.inputs().map(|input| {
        let is_required = input.declaration().required.contains(&verb);
        let in_variable = || shell_variables::variable_value(input, environment).is_some();
        build_flag(verb, input).required(is_required && !in_variable())
    });
    Command::new(verb.name()).args(inputs).arg(help_flag())
}

/// Returns the flag that prints help, which clap does not write here.
fn help_flag() -> Arg {
    Arg::new("help")
        .short('h')
        .long("help")
        .help("Print help: -h in short, --help with details")
        .help_heading(Heading::Run.title())
        .action(ArgAction::Help)
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
        .args(has_word.then_some(word))
        .arg(help_flag())
}

/// Identifier of the argument of an [`InfoCommand`].
const WORD: &str = "word";

fn build_flag(verb: Verb, input: Input) -> Arg {
    let declaration = input.declaration();
    // A key as text begins with dashes.
    let takes_text = matches!(declaration.kind, InputKind::TextOrFile(_)) || declaration.secret;
    let flag = Arg::new(declaration.name)
        .long(declaration.name)
        .help(declaration.help)
        .help_heading(verb.heading_of(input).title())
        .allow_hyphen_values(takes_text);
    match declaration.kind {
        InputKind::Text(word) | InputKind::TextOrFile(word) | InputKind::Verbatim(word) => {
            flag.value_name(word)
        }
        InputKind::List(word) => flag.value_name(word).action(ArgAction::Append),
        InputKind::Choice(words) => flag.value_name("WORD").value_parser(or_empty(words)),
        InputKind::Switch => flag
            .value_name("true|false")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .ignore_case(true)
            .value_parser(or_empty(&["true", "false"])),
    }
}

/// Returns a parser of these words, and of an empty value, which counts as none.
fn or_empty(words: &'static [&'static str]) -> PossibleValuesParser {
    let words = words.iter().map(PossibleValue::new);
    PossibleValuesParser::new(words.chain(iter::once(PossibleValue::new("").hide(true))))
}

/// Returns the help that `-h` or `--help` asks for.
fn asked_help(arguments: &[OsString], environment: &ProcessEnvironment) -> String {
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
        InfoCommand::Completions => Shell::find(word()?)?.completion_script(),
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
        .filter(|value| !value.trim().is_empty())
        .map(|value| to_entry(value.trim()))
        .collect()
}

fn to_entry(text: &str) -> InputEntry {
    InputEntry {
        text: text.to_owned(),
        line: None,
    }
}
