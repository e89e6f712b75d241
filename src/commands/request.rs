//! What the requests of all verbs have in common.

use super::Given;
use crate::cli::{Arguments, InputError};
use crate::release::{Existing, Failure, Request, Verb};
use crate::tagging::TagRules;

pub(super) fn common(given: &Given, verb: Verb) -> Result<Request, Failure> {
    let arguments = &given.arguments;
    let request = Request {
        verb,
        source: arguments.required("source")?,
        destinations: arguments.values("images")?,
        facts: None,
        rules: rules(arguments)?,
        environment: arguments.value("environment")?,
        existing: match arguments.choice("existing")? {
            Some("fail") => Existing::Fail,
            Some(_) => Existing::Keep,
            None => Existing::ByKind,
        },
        signing: super::signing::read(given)?,
        dry_run: arguments.switch("dry-run")?,
    };
    refuse_overrides(given, &request)?;
    Ok(request)
}

/// Whether the tags come from the input alone.
pub(super) fn has_rules(request: &Request) -> bool {
    request.rules != TagRules::Default
}

fn rules(arguments: &Arguments) -> Result<TagRules, InputError> {
    let entries = arguments.entries("tags");
    // One by one first, so that an error names the line.
    for entry in entries {
        TagRules::read([entry.text.as_str()])
            .map_err(|error| arguments.error("tags", entry.line, error.to_string()))?;
    }
    TagRules::read(entries.iter().map(|entry| entry.text.as_str()))
        .map_err(|error| arguments.error("tags", None, error.to_string()))
}

/// In a runner an environment goes by what happened, not by what the workflow says had happened.
fn refuse_overrides(given: &Given, request: &Request) -> Result<(), Failure> {
    let Some(environment) = &request.environment else {
        return Ok(());
    };
    let overrides = ["ref", "event"];
    let said = overrides
        .into_iter()
        .find(|name| !given.arguments.entries(name).is_empty());
    match said {
        Some(name) if given.environment.in_runner() => Err(Failure::refused(format!(
            "the input {name} in a release to the environment {}",
            environment.as_str()
        ))
        .why("in a runner the event decides what may be released to an environment")
        .hint(format!(
            "leave {name} out, or start the workflow on the ref that is meant"
        ))),
        _ => Ok(()),
    }
}
