//! The command of a verb, with its flags, as clap parses it.

use std::iter;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, Command};

use super::declared_inputs::Input;
use super::heading::Heading;
use super::input_declaration::InputKind;
use super::verb::Verb;
use super::{output_flags, shell_variables};
use crate::actions::ProcessEnvironment;

/// Returns the command of a verb. An input that a variable holds is not required.
pub(super) fn build_verb(verb: Verb, environment: &ProcessEnvironment) -> Command {
    let inputs = verb.inputs().map(|input| {
        let is_required = input.declaration().required.contains(&verb);
        let in_variable = || shell_variables::variable_value(input, environment).is_some();
        build_flag(verb, input).required(is_required && !in_variable())
    });
    Command::new(verb.name())
        .override_usage(format!("shipmark {verb} [FLAGS]"))
        .args(inputs)
        .arg(help_flag())
        .args(output_flags::build_flags(verb))
}

/// Returns the flag that prints help, which clap does not write here.
pub(super) fn help_flag() -> Arg {
    Arg::new("help")
        .short('h')
        .long("help")
        .help("Print help: -h in short, --help with details")
        .help_heading(Heading::Run.title())
        .action(ArgAction::Help)
}

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
        InputKind::List(word) | InputKind::Names(word) => {
            flag.value_name(word).action(ArgAction::Append)
        }
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
