//! What the requests of all verbs have in common.

use super::policy::{self, Held};
use super::route::{self, Road, Route};
use super::{Given, facts, subject, trust};
use crate::cli::{Arguments, InputError, Origin};
use crate::event::Facts;
use crate::image::Place;
use crate::policy::Stage;
use crate::referrers::Selection;
use crate::release::{Existing, Failure, Fleet, Platforms, Request, Verb};
use crate::tagging::{Environment, Mode, RuleError, Rules, Subject, TagRules};

/// What is asked of the road: one image, or one of each service.
#[derive(Debug)]
pub(super) enum Asked {
    One(Box<Request>),
    Fleet(Fleet),
}

impl Asked {
    /// Where images are to go.
    pub(super) fn destinations(&self) -> impl Iterator<Item = &Place> {
        let (one, fleet) = match self {
            Self::One(request) => (Some(&**request), None),
            Self::Fleet(fleet) => (None, Some(fleet)),
        };
        let of_fleet = fleet.into_iter().flat_map(|fleet| &fleet.services);
        let requests = one.into_iter().chain(of_fleet.map(|(_, request)| request));
        requests.flat_map(|request| &request.destinations)
    }
}

/// What is asked; `facts_needed` says whether there must be an event or a checkout where no rules are
/// given.
pub(super) async fn common(
    given: &Given,
    verb: Verb,
    facts_needed: bool,
) -> Result<Asked, Failure> {
    let arguments = &given.arguments;
    let held = policy::find(given).await?;
    let Road {
        environment,
        stage,
        routes,
    } = route::find(given, verb, held.as_ref())?;
    refuse_overrides(given, environment.as_ref())?;
    let rules = match stage.zip(held.as_ref()) {
        Some((stage, held)) => rules_of(stage, held, arguments)?,
        None => rules(arguments)?,
    };
    let facts = match facts_needed && rules.is_default() {
        true => Some(facts::find(given)?),
        false => facts::find_if_any(given)?,
    };
    let rules = tag_rules(given, rules, facts.clone(), environment.as_ref()).await?;
    let existing = match arguments.choice("existing")? {
        Some("fail") => Existing::Fail,
        Some(_) => Existing::Keep,
        None => Existing::ByKind,
    };
    let signing = super::signing::read(given).await?;
    let check = trust::source_check(given).await?;
    let referrers = match arguments.choice("referrers")? {
        Some("all") => Selection::All,
        Some("none") => Selection::None,
        _ => Selection::Known,
    };
    let platforms = Platforms {
        names: arguments.values("platforms")?,
        drop_signatures: arguments.switch("platforms-drop-signatures")?,
    };
    let dry_run = arguments.switch("dry-run")?;
    let request = |source, from, destinations| Request {
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
    for Route {
        service,
        source,
        from,
        destinations,
    } in routes
    {
        let request = request(source, from, destinations);
        match service {
            Some(service) => services.push((service, request)),
            None => return Ok(Asked::One(Box::new(request))),
        }
    }
    Ok(Asked::Fleet(Fleet {
        verb,
        dry_run,
        services,
    }))
}

/// The environment's own rules, where it has any: then there are no others.
fn rules_of(stage: &Stage, held: &Held, arguments: &Arguments) -> Result<Rules, Failure> {
    let wrong = |error| Failure::input(format!("the policy file {}: {error}", held.file));
    let Some(own) = stage.rules(mode(arguments)?).map_err(wrong)? else {
        return Ok(rules(arguments)?);
    };
    let mut others = ["tags", "flavor"].into_iter();
    match others.find(|name| !arguments.entries(name).is_empty()) {
        Some(name) => Err(Failure::refused(format!(
            "the input {name} in a release to the environment {}",
            stage.name()
        ))
        .why(format!("{} says which tags it gets", held.file))
        .hint(format!("leave {name} out, or change the policy"))),
        None => Ok(own),
    }
}

/// The rules and what they are about, where rules are given.
async fn tag_rules(
    given: &Given,
    rules: Rules,
    facts: Option<Facts>,
    environment: Option<&Environment>,
) -> Result<TagRules, Failure> {
    if rules.is_default() {
        return Ok(TagRules::Default);
    }
    let workflow = facts::workflow(given, facts.as_ref())?;
    let about = subject::about(given, &rules, facts, workflow, "").await?;
    let subject = Subject {
        environment: environment.cloned(),
        ..about.subject
    };
    Ok(TagRules::of(rules, subject))
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
pub(super) fn refuse_overrides(
    given: &Given,
    environment: Option<&Environment>,
) -> Result<(), Failure> {
    let Some(environment) = environment else {
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
            "{said} in a release to the environment {environment}"
        ))
        .why("in a runner the event decides what may be released to an environment")
        .hint(format!(
            "leave {} out, or start the workflow on the ref that is meant",
            said.trim_start_matches("the input ")
        ))),
        None => Ok(()),
    }
}
