//! The inputs of a workflow, as the runner hands them over.

use std::collections::BTreeMap;

use super::arguments::choose;
use super::declaration::PREFIX;
use super::{Arguments, Entry, INPUTS, Input, InputError, Kind, Origin, Verb};
use crate::actions::Environment;
use crate::notice::printable;

/// `with.args` and `with.entrypoint` are the runner's own.
const RESERVED: [&str; 2] = ["ARGS", "ENTRYPOINT"];

pub(super) fn read(environment: &Environment) -> Result<Arguments, InputError> {
    let verb = verb(environment)?;
    let entries: BTreeMap<_, _> = INPUTS
        .iter()
        .filter(|input| input.name != "command")
        .filter_map(|input| Some((input, environment.get(&input.variable())?)))
        .map(|(input, value)| (input.name, entries(input, value)))
        .filter(|(_, entries)| !entries.is_empty())
        .collect();
    let as_written = |input: &&Input| matches!(input.kind, Kind::List(_) | Kind::Verbatim(_));
    let whole = INPUTS
        .iter()
        .filter(as_written)
        .filter_map(|input| Some((input.name, environment.get(&input.variable())?.to_owned())))
        .collect();
    Ok(Arguments {
        whole,
        verb,
        origin: Origin::Workflow,
        warnings: unknown(environment),
        entries,
    })
}

fn verb(environment: &Environment) -> Result<Verb, InputError> {
    let error = |reason| InputError {
        place: "command".to_owned(),
        reason,
    };
    let text = environment.get("INPUT_COMMAND").unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Verb::Tags);
    }
    let name = choose(Verb::NAMES, text)
        .map_err(|reason| error(format!("{:?} {reason}", printable(text, 200))))?;
    Ok(*Verb::ALL
        .iter()
        .find(|verb| verb.name() == name)
        .unwrap_or(&Verb::Tags))
}

/// A list has an entry a line; blank lines and those that begin with `#` count for the numbers
/// alone.
fn entries(input: &Input, value: &str) -> Vec<Entry> {
    let entry = |text: &str, line| Entry {
        text: text.trim().to_owned(),
        line,
    };
    let entries = match input.kind {
        Kind::List(_) => value
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with('#'))
            .map(|(index, line)| entry(line, Some(index + 1)))
            .collect(),
        _ => vec![entry(value, None)],
    };
    // The runner hands over the defaults of action.yml, whether or not the verb takes the input.
    let given =
        |entry: &Entry| !entry.text.is_empty() && Some(entry.text.as_str()) != input.default;
    entries.into_iter().filter(given).collect()
}

/// The runner hands over a misspelt key under `with:` like any other, with a warning that few see.
fn unknown(environment: &Environment) -> Vec<String> {
    environment
        .with_prefix(PREFIX)
        .map(|(name, _)| name)
        .filter(|name| !RESERVED.contains(name))
        .map(str::to_lowercase)
        .filter(|name| Input::named(name).is_none())
        .map(|name| {
            let shown = printable(&name, 80);
            match nearest(&name) {
                Some(known) => {
                    format!("unknown input {shown}, which is ignored: did you mean {known}?")
                }
                None => format!("unknown input {shown}, which is ignored"),
            }
        })
        .collect()
}

fn nearest(name: &str) -> Option<&'static str> {
    INPUTS
        .iter()
        .map(|input| (strsim::jaro_winkler(name, input.name), input.name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
