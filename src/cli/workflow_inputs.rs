//! The inputs of a workflow, from the variables that the runner sets.

use std::collections::{BTreeMap, BTreeSet};

use super::declared_inputs::Input;
use super::input_declaration::INPUT_VARIABLE_PREFIX;
use super::input_entries::split_entries;
use super::input_values::{InputError, InputOrigin, InputValues, VerbOrigin, choose_word};
use super::output_flags::OutputFlags;
use super::verb::Verb;
use crate::actions::ProcessEnvironment;
use crate::notices::{similar_word, to_printable};

/// `with.args` and `with.entrypoint` belong to the runner.
const RUNNER_INPUTS: [&str; 2] = ["ARGS", "ENTRYPOINT"];

pub(super) fn parse_inputs(environment: &ProcessEnvironment) -> Result<InputValues, InputError> {
    let warnings = check_names(environment)?;
    let (verb, verb_origin) = parse_verb(environment)?;
    let value = |input: Input| environment.get(&input.declaration().variable());
    let inputs = || Input::ALL.iter().copied();
    let entries: BTreeMap<_, _> = inputs()
        .filter(|input| *input != Input::Command)
        .filter_map(|input| Some((input, split_entries(input, value(input)?))))
        .filter(|(_, entries)| !entries.is_empty())
        .collect();
    let verbatim = inputs()
        .filter(|input| input.keeps_verbatim())
        .filter_map(|input| Some((input, value(input)?.to_owned())))
        .collect();
    Ok(InputValues {
        output: OutputFlags::default(),
        verbatim,
        verb,
        verb_origin,
        origin: InputOrigin::Workflow,
        from_variables: BTreeSet::new(),
        warnings,
        entries,
    })
}

fn parse_verb(environment: &ProcessEnvironment) -> Result<(Verb, VerbOrigin), InputError> {
    let error = |reason| InputError {
        place: "command".to_owned(),
        reason,
        location: None,
    };
    let text = environment.get("INPUT_COMMAND").unwrap_or_default().trim();
    if text.is_empty() {
        return Ok((Verb::Tags, VerbOrigin::Default));
    }
    let name = choose_word(Verb::NAMES, text)
        .map_err(|reason| error(format!("{:?} {reason}", to_printable(text, 200))))?;
    let verb = Verb::ALL.iter().find(|verb| verb.name() == name);
    Ok((*verb.unwrap_or(&Verb::Tags), VerbOrigin::Named))
}

/// Returns a warning for each unknown input, and refuses one that is like a known input: without it a step
/// would push for real, unsigned or to no environment. The runner passes a mistyped key under `with:` like
/// any other.
fn check_names(environment: &ProcessEnvironment) -> Result<Vec<String>, InputError> {
    let mut warnings = Vec::new();
    let names = environment.with_prefix(INPUT_VARIABLE_PREFIX);
    for (variable, _) in names.filter(|(name, _)| !RUNNER_INPUTS.contains(name)) {
        let name = variable.to_lowercase();
        if Input::find(&name).is_some() {
            continue;
        }
        let shown = to_printable(&name, 80);
        match nearest_input(&name) {
            Some(known) => {
                return Err(InputError {
                    place: shown,
                    reason: format!("is not an input; did you mean {known}?"),
                    location: None,
                });
            }
            None => warnings.push(format!("unknown input {shown}, which is ignored")),
        }
    }
    Ok(warnings)
}

/// Returns the input that a mistyped name means: one that is like it, or that it begins.
fn nearest_input(name: &str) -> Option<&'static str> {
    let name = name.replace(['_', ' ', '.'], "-");
    let names = Input::ALL.iter().map(|input| input.name());
    similar_word(&name, names)
}
