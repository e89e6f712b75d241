//! The command line.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{Arguments, Entry, Input, Invocation, Kind, Origin, UsageError, Verb};

pub(super) fn read(arguments: &[OsString]) -> Result<Invocation, UsageError> {
    match command().try_get_matches_from(arguments) {
        Ok(matches) => collect(&matches)
            .map(Invocation::Run)
            .ok_or_else(|| UsageError::Flags(command().render_help().to_string())),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Invocation::Print(error.to_string()))
            }
            _ => Err(UsageError::Flags(error.to_string())),
        },
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(Verb::ALL.iter().map(|verb| {
            Command::new(verb.name())
                .about(verb.help())
                .args(verb.inputs().map(|input| flag(*verb, input)))
        }))
}

fn flag(verb: Verb, input: &'static Input) -> Arg {
    let flag = Arg::new(input.name)
        .long(input.name)
        .help(input.help)
        .required(input.required.contains(&verb));
    match input.kind {
        Kind::Text(word) | Kind::TextOrFile(word) | Kind::Verbatim(word) => flag.value_name(word),
        Kind::List(word) => flag
            .value_name(word)
            .help(format!("{}. May be repeated", input.help))
            .action(ArgAction::Append),
        Kind::Choice(words) => flag
            .value_name("WORD")
            .value_parser(PossibleValuesParser::new(words)),
        Kind::Switch => flag.action(ArgAction::SetTrue),
    }
}

fn collect(matches: &ArgMatches) -> Option<Arguments> {
    let (name, matches) = matches.subcommand()?;
    let verb = *Verb::ALL.iter().find(|verb| verb.name() == name)?;
    let entries: BTreeMap<_, _> = verb
        .inputs()
        .map(|input| (input.name, values(input, matches)))
        .filter(|(_, entries)| !entries.is_empty())
        .collect();
    let whole = verb
        .inputs()
        .filter_map(|input| Some((input.name, as_written(input, matches)?)))
        .collect();
    Some(Arguments {
        whole,
        verb,
        origin: Origin::CommandLine,
        warnings: Vec::new(),
        entries,
    })
}

/// A list's values are its lines.
fn as_written(input: &Input, matches: &ArgMatches) -> Option<String> {
    if !matches!(input.kind, Kind::List(_) | Kind::Verbatim(_)) {
        return None;
    }
    let values: Vec<_> = matches.get_many::<String>(input.name)?.cloned().collect();
    Some(values.join("\n"))
}

/// An empty value is the same as none, as in a workflow: scripts pass variables on.
fn values(input: &Input, matches: &ArgMatches) -> Vec<Entry> {
    if input.kind == Kind::Switch {
        let on = matches.get_flag(input.name);
        return Vec::from_iter(on.then(|| entry("true")));
    }
    matches
        .get_many::<String>(input.name)
        .unwrap_or_default()
        .filter(|value| !value.trim().is_empty())
        .map(|value| entry(value.trim()))
        .collect()
}

fn entry(text: &str) -> Entry {
    Entry {
        text: text.to_owned(),
        line: None,
    }
}
