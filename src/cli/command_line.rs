//! The command line, parsed by clap.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::cli_action::{CliAction, UsageError};
use super::declared_inputs::Input;
use super::input_declaration::InputKind;
use super::input_values::{InputEntry, InputOrigin, InputValues, VerbOrigin};
use super::output_flags;
use super::usage_error_text;
use super::verb::Verb;

pub(super) fn parse_flags(arguments: &[OsString]) -> Result<CliAction, UsageError> {
    match build_command().try_get_matches_from(arguments) {
        Ok(matches) => collect_values(&matches)
            .map(CliAction::Run)
            .ok_or_else(|| UsageError::Flags(build_command().render_help().to_string())),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(CliAction::Print(error.to_string()))
            }
            _ => Err(UsageError::Flags(usage_error_text::explain(
                error, arguments,
            ))),
        },
    }
}

fn build_command() -> Command {
    Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(Verb::ALL.iter().map(|verb| {
            Command::new(verb.name())
                .about(verb.help())
                .args(verb.inputs().map(|input| build_flag(*verb, input)))
                .args(output_flags::build_flags(*verb))
        }))
}

fn build_flag(verb: Verb, input: Input) -> Arg {
    let input = input.declaration();
    let flag = Arg::new(input.name)
        .long(input.name)
        .help(input.help)
        .required(input.required.contains(&verb));
    // A key as text begins with dashes.
    let takes_text = matches!(input.kind, InputKind::TextOrFile(_)) || input.secret;
    let flag = flag.allow_hyphen_values(takes_text);
    match input.kind {
        InputKind::Text(word) | InputKind::TextOrFile(word) | InputKind::Verbatim(word) => {
            flag.value_name(word)
        }
        InputKind::List(word) => flag
            .value_name(word)
            .help(format!("{}. May be repeated", input.help))
            .action(ArgAction::Append),
        InputKind::Choice(words) => flag
            .value_name("WORD")
            .value_parser(PossibleValuesParser::new(words)),
        InputKind::Switch => flag.action(ArgAction::SetTrue),
    }
}

fn collect_values(matches: &ArgMatches) -> Option<InputValues> {
    let (name, matches) = matches.subcommand()?;
    let verb = *Verb::ALL.iter().find(|verb| verb.name() == name)?;
    let entries: BTreeMap<_, _> = verb
        .inputs()
        .map(|input| (input, input_entries(input, matches)))
        .filter(|(_, entries)| !entries.is_empty())
        .collect();
    let verbatim = verb
        .inputs()
        .filter_map(|input| Some((input, verbatim_value(input, matches)?)))
        .collect();
    Some(InputValues {
        output: output_flags::read_flags(verb, matches),
        verbatim,
        verb,
        verb_origin: VerbOrigin::Named,
        origin: InputOrigin::CommandLine,
        warnings: Vec::new(),
        entries,
    })
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
    if input.declaration().kind == InputKind::Switch {
        let on = matches.get_flag(input.name());
        return Vec::from_iter(on.then(|| to_entry("true")));
    }
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
