//! The inputs that tag rules come from.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::tag_context;
use crate::cli::{Input, InputError, InputValues, Verb};
use crate::policy::EnvironmentRules;
use crate::release::Failure;
use crate::tagging::{CompatMode, EnvironmentName, RuleError, TagRuleSet};

/// The input `mode`.
pub(super) fn parse_mode(arguments: &InputValues) -> Result<CompatMode, InputError> {
    Ok(match arguments.choice(Input::Mode)? {
        Some("strict") => CompatMode::Strict,
        _ => CompatMode::Compatible,
    })
}

/// Returns the tag rules of the inputs `tags` and `flavor`.
pub(super) fn parse_rules(arguments: &InputValues) -> Result<TagRuleSet, InputError> {
    let (tags, flavor) = (arguments.whole(Input::Tags), arguments.whole(Input::Flavor));
    let rules = TagRuleSet::parse(tags, flavor, parse_mode(arguments)?)
        .map_err(|error| to_input_error(arguments, &error))?;
    apply_lines(rules, arguments)
}

/// Applies the input `lines` to rules.
pub(super) fn apply_lines(
    rules: TagRuleSet,
    arguments: &InputValues,
) -> Result<TagRuleSet, InputError> {
    Ok(match arguments.choice(Input::Lines)? {
        Some("off") => rules.without_lines(),
        _ => rules,
    })
}

/// What is wrong with an entry of a list, and where.
pub(super) fn to_input_error(arguments: &InputValues, error: &RuleError) -> InputError {
    let input = Input::find(error.input).unwrap_or(Input::Tags);
    arguments.error(input, Some(error.line), error.to_string())
}

/// Whether reports that name no image may be attested: of an environment of the policy the policy says so.
pub(super) fn allows_unbound(
    arguments: &InputValues,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<bool, Failure> {
    let input = arguments.choice(Input::Unbound)?;
    let Some((stage, loaded)) = policy else {
        return Ok(input == Some("allow"));
    };
    match input {
        Some("allow") if !stage.allows_unbound() => Err(Failure::refused(format!(
            "the input unbound in a release to the environment {}",
            stage.name()
        ))
        .with_reason(format!(
            "{} says which reports may be attested there",
            loaded.file
        ))
        .with_hint("leave unbound out, or set unbound: allow in the policy")),
        Some("refuse") => Ok(false),
        _ => Ok(stage.allows_unbound()),
    }
}

/// Refuses to do something with an environment in a runner under another time than that of the clock.
///
/// # Errors
/// A time that is set.
pub(super) fn refuse_set_clock(
    invocation: &Invocation,
    environment: &EnvironmentName,
) -> Result<(), Failure> {
    let variables = &invocation.environment;
    let variable = tag_context::TIME_VARIABLE;
    if !variables.is_in_runner() || variables.get(variable).is_none() {
        return Ok(());
    }
    let failure = match invocation.arguments.verb {
        Verb::Verify => Failure::refused(format!(
            "{variable} in a verification of the environment {environment}"
        ))
        .with_reason("in a runner the clock decides how old a report is"),
        _ => Failure::refused(format!(
            "{variable} in a record of the environment {environment}"
        ))
        .with_reason("in a runner the clock decides when something is recorded"),
    };
    Err(failure.with_hint(format!("leave {variable} out")))
}

/// In a runner an environment goes by what happened, not by what the workflow says had happened,
/// or when.
pub(super) fn refuse_overrides(
    invocation: &Invocation,
    environment: Option<&EnvironmentName>,
) -> Result<(), Failure> {
    let Some(environment) = environment else {
        return Ok(());
    };
    if !invocation.environment.is_in_runner() {
        return Ok(());
    }
    let overrides = [Input::Ref, Input::Event, Input::Commit].into_iter();
    let mut overrides = overrides.filter(|name| invocation.arguments.is_accepted(*name));
    let override_input =
        match overrides.find(|name| !invocation.arguments.entries(*name).is_empty()) {
            Some(name) => Some(format!(
                "the input {}",
                invocation.arguments.given_name(name)
            )),
            None => invocation
                .environment
                .get(tag_context::TIME_VARIABLE)
                .map(|_| tag_context::TIME_VARIABLE.to_owned()),
        };
    match override_input {
        Some(override_input) => Err(Failure::refused(format!(
            "{override_input} in a release to the environment {environment}"
        ))
        .with_reason("in a runner the event decides what may be released to an environment")
        .with_hint(format!(
            "leave {} out, or start the workflow on the ref that is meant",
            override_input.trim_start_matches("the input ")
        ))),
        None => Ok(()),
    }
}
