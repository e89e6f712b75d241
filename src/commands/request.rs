//! What the requests of all verbs have in common.

use super::{Given, facts, subject};
use crate::cli::{Arguments, InputError, Origin};
use crate::event::Facts;
use crate::release::{Existing, Failure, Request, Verb};
use crate::tagging::{Mode, RuleError, Rules, TagRules};

/// The request; `facts_needed` says whether there must be an event or a checkout where no rules are
/// given.
pub(super) async fn common(
    given: &Given,
    verb: Verb,
    facts_needed: bool,
) -> Result<Request, Failure> {
    let arguments = &given.arguments;
    refuse_overrides(given)?;
    let rules = rules(arguments)?;
    let facts = match facts_needed && rules.is_default() {
        true => Some(facts::find(given)?),
        false => facts::find_if_any(given)?,
    };
    let signing = super::signing::read(given, facts.as_ref())?;
    Ok(Request {
        verb,
        source: arguments.required("source")?,
        destinations: arguments.values("images")?,
        rules: tag_rules(given, rules, facts.clone()).await?,
        facts,
        environment: arguments.value("environment")?,
        existing: match arguments.choice("existing")? {
            Some("fail") => Existing::Fail,
            Some(_) => Existing::Keep,
            None => Existing::ByKind,
        },
        signing,
        dry_run: arguments.switch("dry-run")?,
    })
}

/// The rules and what they are about, where rules are given.
async fn tag_rules(given: &Given, rules: Rules, facts: Option<Facts>) -> Result<TagRules, Failure> {
    if rules.is_default() {
        return Ok(TagRules::Default);
    }
    let workflow = facts::workflow(given, facts.as_ref())?;
    let about = subject::about(given, &rules, facts, workflow, "").await?;
    Ok(TagRules::of(rules, about.subject))
}

/// The input `mode`.
pub(super) fn mode(arguments: &Arguments) -> Result<Mode, InputError> {
    Ok(match arguments.choice("mode")? {
        Some("strict") => Mode::Strict,
        _ => Mode::Compatible,
    })
}

fn rules(arguments: &Arguments) -> Result<Rules, InputError> {
    let (tags, flavor) = (arguments.whole("tags"), arguments.whole("flavor"));
    Rules::read(tags, flavor, mode(arguments)?).map_err(|error| rule_error(arguments, &error))
}

/// What is wrong with an entry of a list, and where.
pub(super) fn rule_error(arguments: &Arguments, error: &RuleError) -> InputError {
    let line = (arguments.origin == Origin::Workflow).then_some(error.line);
    arguments.error(error.input, line, error.to_string())
}

/// In a runner an environment goes by what happened, not by what the workflow says had happened,
/// or when.
pub(super) fn refuse_overrides(given: &Given) -> Result<(), Failure> {
    let Some(environment) = given.arguments.text("environment") else {
        return Ok(());
    };
    if !given.environment.in_runner() {
        return Ok(());
    }
    let mut overrides = ["ref", "event"].into_iter();
    let said = match overrides.find(|name| !given.arguments.entries(name).is_empty()) {
        Some(name) => Some(format!("the input {name}")),
        None => given
            .environment
            .get(subject::NOW)
            .map(|_| subject::NOW.to_owned()),
    };
    match said {
        Some(said) => Err(Failure::refused(format!(
            "{said} in a release to the environment {}",
            crate::notice::printable(environment, 80)
        ))
        .why("in a runner the event decides what may be released to an environment")
        .hint(format!(
            "leave {} out, or start the workflow on the ref that is meant",
            said.trim_start_matches("the input ")
        ))),
        None => Ok(()),
    }
}
