//! What the requests of all verbs have in common.

use super::load_policy::{self, LoadedPolicy};
use super::release_targets::{self, ImageRoute, ReleaseTargets};
use super::{Invocation, event_inputs, tag_context, verification_inputs};
use crate::cli::{InputError, InputOrigin, InputValues};
use crate::event::EventFacts;
use crate::image::Destination;
use crate::policy::EnvironmentRules;
use crate::referrers::ReferrerSelection;
use crate::release::{
    ExistingTagPolicy, Failure, ReleaseBatch, ReleaseRequest, ReleaseVerb, RequestedPlatforms,
};
use crate::tagging::{CompatMode, EnvironmentName, RuleError, TagContext, TagRuleSet, TagRules};

/// What is asked of the road: one image, or one of each service.
#[derive(Debug)]
pub(super) enum ReleaseJob {
    One(Box<ReleaseRequest>),
    Batch(ReleaseBatch),
}

impl ReleaseJob {
    /// Where images are to go.
    pub(super) fn destinations(&self) -> impl Iterator<Item = &Destination> {
        let (one, batch) = match self {
            Self::One(request) => (Some(&**request), None),
            Self::Batch(batch) => (None, Some(batch)),
        };
        let of_batch = batch.into_iter().flat_map(|batch| &batch.services);
        let requests = one.into_iter().chain(of_batch.map(|(_, request)| request));
        requests.flat_map(|request| &request.destinations)
    }
}

/// What is asked; `facts_needed` says whether there must be an event or a checkout where no rules are
/// given.
pub(super) async fn build_job(
    given: &Invocation,
    verb: ReleaseVerb,
    facts_needed: bool,
) -> Result<ReleaseJob, Failure> {
    let arguments = &given.arguments;
    let loaded = load_policy::load_policy(given).await?;
    let ReleaseTargets {
        environment,
        rules: stage,
        routes,
    } = release_targets::resolve_targets(given, verb, loaded.as_ref())?;
    refuse_overrides(given, environment.as_ref())?;
    let rules = match stage.zip(loaded.as_ref()) {
        Some((stage, loaded)) => environment_rules(stage, loaded, arguments)?,
        None => parse_rules(arguments)?,
    };
    let facts = match facts_needed && rules.is_default() {
        true => Some(event_inputs::find_facts(given)?),
        false => event_inputs::find_optional_facts(given)?,
    };
    let rules = build_tag_rules(given, rules, facts.clone(), environment.as_ref()).await?;
    let existing = match arguments.choice("existing")? {
        Some("fail") => ExistingTagPolicy::Fail,
        Some(_) => ExistingTagPolicy::Keep,
        None => ExistingTagPolicy::PerTagKind,
    };
    let signing = super::signing_inputs::read_signing(given).await?;
    let check = verification_inputs::source_check_inputs(given).await?;
    let referrers = match arguments.choice("referrers")? {
        Some("all") => ReferrerSelection::All,
        Some("none") => ReferrerSelection::None,
        _ => ReferrerSelection::Known,
    };
    let platforms = RequestedPlatforms {
        names: arguments.values("platforms")?,
        drop_signatures: arguments.switch("platforms-drop-signatures")?,
    };
    let dry_run = arguments.switch("dry-run")?;
    let request = |source, from, destinations| ReleaseRequest {
        verb,
        source,
        from,
        destinations,
        rules: rules.clone(),
        facts: facts.clone(),
        environment: environment.clone(),
        existing,
        check: check.clone(),
        signing: signing.clone(),
        referrers,
        platforms: platforms.clone(),
        dry_run,
    };
    let mut services = Vec::with_capacity(routes.len());
    for ImageRoute {
        service,
        source,
        from,
        destinations,
    } in routes
    {
        let request = request(source, from, destinations);
        match service {
            Some(service) => services.push((service, request)),
            None => return Ok(ReleaseJob::One(Box::new(request))),
        }
    }
    Ok(ReleaseJob::Batch(ReleaseBatch {
        verb,
        dry_run,
        services,
    }))
}

/// The environment's own rules, where it has any: then there are no others.
fn environment_rules(
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
    arguments: &InputValues,
) -> Result<TagRuleSet, Failure> {
    let wrong = |error| Failure::input(format!("the policy file {}: {error}", loaded.file));
    let Some(own) = stage.rules(parse_mode(arguments)?).map_err(wrong)? else {
        return Ok(parse_rules(arguments)?);
    };
    let mut others = ["tags", "flavor"].into_iter();
    match others.find(|name| !arguments.entries(name).is_empty()) {
        Some(name) => Err(Failure::refused(format!(
            "the input {name} in a release to the environment {}",
            stage.name()
        ))
        .why(format!("{} says which tags it gets", loaded.file))
        .with_hint(format!("leave {name} out, or change the policy"))),
        None => Ok(own),
    }
}

/// The rules and what they are about, where rules are given.
async fn build_tag_rules(
    given: &Invocation,
    rules: TagRuleSet,
    facts: Option<EventFacts>,
    environment: Option<&EnvironmentName>,
) -> Result<TagRules, Failure> {
    if rules.is_default() {
        return Ok(TagRules::Default);
    }
    let workflow = event_inputs::to_workflow_event(given, facts.as_ref())?;
    let about = tag_context::collect_context(given, &rules, facts, workflow, "").await?;
    let subject = TagContext {
        environment: environment.cloned(),
        ..about.context
    };
    Ok(TagRules::new(rules, subject))
}

/// The input `mode`.
pub(super) fn parse_mode(arguments: &InputValues) -> Result<CompatMode, InputError> {
    Ok(match arguments.choice("mode")? {
        Some("strict") => CompatMode::Strict,
        _ => CompatMode::Compatible,
    })
}

fn parse_rules(arguments: &InputValues) -> Result<TagRuleSet, InputError> {
    let (tags, flavor) = (arguments.whole("tags"), arguments.whole("flavor"));
    TagRuleSet::parse(tags, flavor, parse_mode(arguments)?)
        .map_err(|error| to_input_error(arguments, &error))
}

/// What is wrong with an entry of a list, and where.
pub(super) fn to_input_error(arguments: &InputValues, error: &RuleError) -> InputError {
    let line = (arguments.origin == InputOrigin::Workflow).then_some(error.line);
    arguments.error(error.input, line, error.to_string())
}

/// In a runner an environment goes by what happened, not by what the workflow says had happened,
/// or when.
pub(super) fn refuse_overrides(
    given: &Invocation,
    environment: Option<&EnvironmentName>,
) -> Result<(), Failure> {
    let Some(environment) = environment else {
        return Ok(());
    };
    if !given.environment.is_in_runner() {
        return Ok(());
    }
    let mut overrides = ["ref", "event"].into_iter();
    let override_input = match overrides.find(|name| !given.arguments.entries(name).is_empty()) {
        Some(name) => Some(format!("the input {name}")),
        None => given
            .environment
            .get(tag_context::TIME_VARIABLE)
            .map(|_| tag_context::TIME_VARIABLE.to_owned()),
    };
    match override_input {
        Some(override_input) => Err(Failure::refused(format!(
            "{override_input} in a release to the environment {environment}"
        ))
        .why("in a runner the event decides what may be released to an environment")
        .with_hint(format!(
            "leave {} out, or start the workflow on the ref that is meant",
            override_input.trim_start_matches("the input ")
        ))),
        None => Ok(()),
    }
}
