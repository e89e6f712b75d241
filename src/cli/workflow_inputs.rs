//! The inputs of a workflow, as the runner hands them over.

use std::collections::BTreeMap;

use super::arguments::choose_word;
use super::declared_inputs::INPUT_VARIABLE_PREFIX;
use super::{
    INPUTS, InputDeclaration, InputEntry, InputError, InputKind, InputOrigin, InputValues, Verb,
};
use crate::actions::ProcessEnvironment;
use crate::notices::to_printable;

/// `with.args` and `with.entrypoint` are the runner's own.
const RUNNER_INPUTS: [&str; 2] = ["ARGS", "ENTRYPOINT"];

pub(super) fn parse_inputs(environment: &ProcessEnvironment) -> Result<InputValues, InputError> {
    let verb = parse_verb(environment)?;
    let entries: BTreeMap<_, _> = INPUTS
        .iter()
        .filter(|input| input.name != "command")
        .filter_map(|input| Some((input, environment.get(&input.variable())?)))
        .map(|(input, value)| (input.name, split_entries(input, value)))
        .filter(|(_, entries)| !entries.is_empty())
        .collect();
    let as_written = |input: &&InputDeclaration| {
        matches!(input.kind, InputKind::List(_) | InputKind::Verbatim(_))
    };
    let whole = INPUTS
        .iter()
        .filter(as_written)
        .filter_map(|input| Some((input.name, environment.get(&input.variable())?.to_owned())))
        .collect();
    Ok(InputValues {
        verbatim: whole,
        verb,
        origin: InputOrigin::Workflow,
        warnings: unknown_inputs(environment),
        entries,
    })
}

fn parse_verb(environment: &ProcessEnvironment) -> Result<Verb, InputError> {
    let error = |reason| InputError {
        place: "command".to_owned(),
        reason,
    };
    let text = environment.get("INPUT_COMMAND").unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Verb::Tags);
    }
    let name = choose_word(Verb::NAMES, text)
        .map_err(|reason| error(format!("{:?} {reason}", to_printable(text, 200))))?;
    Ok(*Verb::ALL
        .iter()
        .find(|verb| verb.name() == name)
        .unwrap_or(&Verb::Tags))
}

/// A list has an entry a line; blank lines and those that begin with `#` count for the numbers
/// alone.
fn split_entries(input: &InputDeclaration, value: &str) -> Vec<InputEntry> {
    let entry = |text: &str, line| InputEntry {
        text: text.trim().to_owned(),
        line,
    };
    let entries = match input.kind {
        InputKind::List(_) => value
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .map(|(index, line)| entry(line, Some(index + 1)))
            .collect(),
        _ => vec![entry(value, None)],
    };
    // The runner hands over the defaults of action.yml, whether or not the verb takes the input.
    let given =
        |entry: &InputEntry| !entry.text.is_empty() && Some(entry.text.as_str()) != input.default;
    entries.into_iter().filter(given).collect()
}

/// The runner hands over a misspelt key under `with:` like any other, with a warning that few see.
fn unknown_inputs(environment: &ProcessEnvironment) -> Vec<String> {
    environment
        .with_prefix(INPUT_VARIABLE_PREFIX)
        .map(|(name, _)| name)
        .filter(|name| !RUNNER_INPUTS.contains(name))
        .map(str::to_lowercase)
        .filter(|name| InputDeclaration::find(name).is_none())
        .map(|name| {
            let shown = to_printable(&name, 80);
            match nearest_input(&name) {
                Some(known) => {
                    format!("unknown input {shown}, which is ignored: did you mean {known}?")
                }
                None => format!("unknown input {shown}, which is ignored"),
            }
        })
        .collect()
}

fn nearest_input(name: &str) -> Option<&'static str> {
    INPUTS
        .iter()
        .map(|input| (strsim::jaro_winkler(name, input.name), input.name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
