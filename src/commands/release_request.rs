//! What the requests of all verbs have in common.

use super::existing_tags::existing_tags;
use super::gate_inputs::{self, GateInputs, JudgedRun};
use super::gate_overrides::GateOverrides;
use super::github_deployment::github_environment;
use super::github_gate_inputs::open_fact_reader;
use super::invocation::Invocation;
use super::load_policy::{self, LoadedPolicy};
use super::merged_pull_request::add_merged_pull_request;
use super::record_options::RecordingInputs;
use super::release_targets::{self, ImageRoute, ReleaseTargets, RouteSearch, RouteSource};
use super::releasing_ref::require_releasing_ref;
use super::sought_commit::SoughtCommit;
use super::source_search::{RequestedSource, SearchInputs};
use super::{
    announcement, dirty_checkout, environment_signing, event_inputs, naming_inputs, rule_inputs,
    tag_context, verification_inputs,
};
use crate::cli::{Input, InputValues};
use crate::event::EventFacts;
use crate::image::Destination;
use crate::policy::EnvironmentRules;
use crate::referrers::ReferrerSelection;
use crate::release::{
    Failure, GithubEnvironment, PlanTerms, PromotionPath, ReleaseBatch, ReleaseNaming,
    ReleaseRequest, ReleaseVerb, RequestedPlatforms, SigningOptions,
};
use crate::tagging::{EnvironmentName, ExcludedVersions, TagContext, TagRuleSet, TagRules};
use crate::transfer::ForeignLayers;

/// What is asked of the road: one image, or one of each service.
#[derive(Debug)]
pub(super) enum ReleaseJob {
    One(Box<ReleaseRequest>),
    Batch(ReleaseBatch),
}

impl ReleaseJob {
    /// Returns the name of the image under which its transfers are reported; services have their own.
    pub(super) fn image_name(&self) -> String {
        match self {
            Self::One(request) => request.source.to_string(),
            Self::Batch(_) => "image".to_owned(),
        }
    }

    /// Returns the environment at GitHub, if the job has one.
    pub(super) fn github_environment(&self) -> Option<&GithubEnvironment> {
        let first = match self {
            Self::One(request) => Some(&**request),
            Self::Batch(batch) => batch.services.first().map(|(_, request)| request),
        };
        first?.github_environment.as_ref()
    }

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

/// How a job is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct JobPurpose {
    pub(super) verb: ReleaseVerb,
    /// Whether there must be an event or a checkout where neither rules nor a version are given.
    pub(super) needs_facts: bool,
    /// Whether the job is checked, and not run.
    pub(super) is_check: bool,
}

/// Returns the job that the inputs ask for.
///
/// # Errors
/// Inputs that contradict each other, and what the policy refuses.
pub(super) async fn build_job(
    invocation: &Invocation,
    purpose: JobPurpose,
) -> Result<ReleaseJob, Failure> {
    let loaded = load_policy::load_policy(invocation).await?;
    Box::pin(build_job_under(invocation, purpose, loaded.as_ref())).await
}

/// Returns the job under a policy that is loaded.
///
/// # Errors
/// Inputs that contradict each other, and what the policy refuses.
pub(super) async fn build_job_under(
    invocation: &Invocation,
    purpose: JobPurpose,
    loaded: Option<&LoadedPolicy>,
) -> Result<ReleaseJob, Failure> {
    let JobPurpose { verb, is_check, .. } = purpose;
    let arguments = &invocation.arguments;
    let targets = release_targets::resolve_targets(invocation, verb, loaded);
    if let Ok(targets) = &targets {
        announcement::announce_release(invocation, verb, targets)?;
    }
    if let Some(loaded) = loaded {
        invocation.log.info(&loaded.remark());
    }
    let ReleaseTargets {
        environment,
        rules: stage,
        routes,
    } = targets?;
    rule_inputs::refuse_overrides(invocation, environment.as_ref())?;
    let policy = stage.zip(loaded);
    if let Some((stage, loaded)) = policy.filter(|_| !is_check) {
        require_releasing_ref(invocation, stage, loaded)?;
    }
    let overrides = GateOverrides::read(invocation, policy)?;
    let rules = match policy {
        Some((stage, loaded)) => environment_rules(stage, loaded, arguments)?,
        None => rule_inputs::parse_rules(arguments)?,
    };
    let images: Vec<String> = routes
        .iter()
        .flat_map(|route| &route.destinations)
        .map(ToString::to_string)
        .collect();
    let rules = rules
        .resolve_references(&images)
        .map_err(|error| rule_inputs::to_input_error(arguments, &error))?;
    let naming = naming_inputs::read_naming(invocation, &rules, stage, loaded)?;
    let facts = match purpose.needs_facts && rules.is_default() && naming.version.is_none() {
        true => Some(event_inputs::find_facts(invocation)?),
        false => event_inputs::find_optional_facts(invocation)?,
    };
    let seeks_commit = routes
        .iter()
        .any(|route| matches!(route.source, RouteSource::Sought(RouteSearch::OfCommit)));
    let facts = match facts {
        Some(facts) if seeks_commit && event_inputs::given_commit(invocation)?.is_none() => {
            Some(Box::pin(add_merged_pull_request(invocation, facts)).await?)
        }
        facts => facts,
    };
    let facts = match verb {
        ReleaseVerb::Push => dirty_checkout::check(invocation, &rules, facts)?,
        ReleaseVerb::Promote => facts,
    };
    let needs_version = rules.is_default() && naming.version.is_none();
    let commit = SoughtCommit::new(invocation, facts.as_ref(), needs_version, is_check);
    let rules = build_tag_rules(invocation, rules, facts.clone(), environment.as_ref()).await?;
    let excluded_versions = excluded_versions(stage, loaded, arguments)?;
    let existing = existing_tags(invocation, policy)?;
    let signing = match is_check {
        true => None,
        false => {
            let several = routes.len() > 1;
            Box::pin(read_signing(invocation, policy, several)).await?
        }
    };
    let check = verification_inputs::source_check_inputs(invocation).await?;
    let referrers = match arguments.choice(Input::Referrers)? {
        Some("all") => ReferrerSelection::All,
        Some("none") => ReferrerSelection::None,
        _ => ReferrerSelection::Known,
    };
    let foreign_layers = match arguments.choice(Input::ForeignLayers)? {
        Some("copy") => ForeignLayers::Copy,
        _ => ForeignLayers::Skip,
    };
    let platforms = RequestedPlatforms {
        names: arguments.values(Input::Platforms)?,
        drop_signatures: arguments.switch(Input::PlatformsDropSignatures)?,
    };
    let pushed = facts.as_ref().filter(|_| verb == ReleaseVerb::Push);
    let github = open_fact_reader(invocation, pushed.and_then(|facts| facts.commit.clone()))?;
    let dry_run = is_check || arguments.switch(Input::DryRun)?;
    let recorder = Some(&github).filter(|_| !dry_run);
    let recording = RecordingInputs::read(invocation, environment.as_ref(), policy, recorder);
    let recording = Box::pin(recording).await?;
    let plan = plan_terms(invocation, policy)?;
    let github_environment = github_environment(environment.as_ref(), stage);
    let commit_given = event_inputs::given_commit(invocation)?.is_some();
    let path = promotion_path(stage, loaded);
    let reads_previous =
        !is_check && has_summary(invocation) && routes.len() <= PREVIOUS_IMAGES_LIMIT;
    let gated = JudgedRun {
        is_of_several: routes.len() > 1,
        is_check,
        github: Some(github),
    };
    let gate_inputs = Box::pin(GateInputs::read(invocation, policy, overrides, gated)).await?;
    let request = |requested: RequestedSource, destinations, record, gates| ReleaseRequest {
        verb,
        source: requested.source,
        search: requested.search,
        lookup: None,
        from: requested.from,
        destinations,
        rules: rules.clone(),
        naming: ReleaseNaming {
            commit_tag_form: requested.form,
            ..naming.clone()
        },
        facts: facts.clone(),
        commit_given,
        environment: environment.clone(),
        github_environment: github_environment.clone(),
        path: PromotionPath {
            from: requested.environment,
            ..path.clone()
        },
        reads_previous,
        existing,
        check: check.clone(),
        signing: signing.clone(),
        record,
        gates,
        referrers,
        foreign_layers,
        platforms: platforms.clone(),
        dry_run,
        is_check,
        plan: plan.clone(),
        excluded_versions: excluded_versions.clone(),
    };
    let mut searches = SearchInputs {
        invocation,
        stage: policy,
        recording: recording.as_ref(),
        commit,
    };
    let mut services = Vec::with_capacity(routes.len());
    for route in routes {
        let ImageRoute {
            service,
            source,
            origins,
            destinations,
        } = route;
        let requested = searches.request(source, &origins, service.as_ref())?;
        let record = recording.as_ref().map(|it| {
            let origins = origins.iter().filter_map(|origin| origin.rules);
            it.options(service.as_ref(), origins, &destinations)
        });
        let record = record.transpose()?;
        let gates = gate_inputs.as_ref();
        let gates = gates.and_then(|it| it.request(service.as_ref()));
        let request = request(requested, destinations, record, gates);
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

/// Reads how a release is signed; the policy says the least.
async fn read_signing(
    invocation: &Invocation,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
    several: bool,
) -> Result<Option<SigningOptions>, Failure> {
    let stage = policy.map(|(stage, _)| stage);
    let allows_unbound = rule_inputs::allows_unbound(&invocation.arguments, policy)?;
    let mut signed = environment_signing::apply_sign(invocation, policy)?;
    if stage.is_some_and(gate_inputs::judges_reports_alone) {
        signed.arguments.remove(Input::ScanReport);
    }
    let signing = super::signing_inputs::read_signing(&signed).await?;
    let signing = signing.map(|signing| SigningOptions {
        allows_unbound,
        assigns_reports: several && stage.is_some_and(gate_inputs::judges_reports),
        ..signing
    });
    environment_signing::require_bundles(invocation, stage, signing.as_ref())?;
    Ok(signing)
}

/// Returns the policy of the plan, and the plan that the input names.
fn plan_terms(
    invocation: &Invocation,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<PlanTerms, Failure> {
    let arguments = &invocation.arguments;
    let accepts = |input| arguments.is_accepted(input);
    Ok(PlanTerms {
        policy: policy
            .map(|(_, loaded)| loaded.digests())
            .unwrap_or_default(),
        expected: match accepts(Input::Plan) {
            true => arguments.value(Input::Plan)?,
            false => None,
        },
        names_images: accepts(Input::Sources) && !arguments.entries(Input::Sources).is_empty(),
    })
}

/// Most images of a run whose predecessors are read: each costs up to three requests.
const PREVIOUS_IMAGES_LIMIT: usize = 20;

/// Returns whether a job summary will be written.
fn has_summary(invocation: &Invocation) -> bool {
    let environment = &invocation.environment;
    environment.is_in_runner() && environment.get("GITHUB_STEP_SUMMARY").is_some()
}

/// Returns the environments after `stage`.
fn promotion_path(
    stage: Option<&EnvironmentRules>,
    loaded: Option<&LoadedPolicy>,
) -> PromotionPath {
    let Some((stage, loaded)) = stage.zip(loaded) else {
        return PromotionPath::default();
    };
    let stages = loaded.policy.environments().iter();
    let next = stages.filter(|other| other.from().contains(stage.name()));
    PromotionPath {
        from: None,
        next: next.map(|other| other.name().clone()).collect(),
    }
}

/// Returns the tag rules of a release to an environment: its own, where it has any, else those of the inputs; with
/// the tags that it makes immutable, and without version lines where the policy has none.
pub(super) fn environment_rules(
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
    arguments: &InputValues,
) -> Result<TagRuleSet, Failure> {
    let wrong = |error| {
        Failure::input(format!("the policy file {}: {error}", loaded.file))
            .at_file(loaded.location.clone())
    };
    let own = stage
        .rules(rule_inputs::parse_mode(arguments)?)
        .map_err(wrong)?;
    let rules = match own {
        Some(own) => {
            let others = [Input::Tags, Input::Flavor];
            let reason = format!("{} says which tags it gets", loaded.file);
            refuse_inputs(&others, stage, reason, arguments)?;
            rule_inputs::apply_lines(own, arguments)?
        }
        None => rule_inputs::parse_rules(arguments)?,
    };
    let rules = rules.with_immutable_tags(stage.immutable_tags().clone());
    if stage.gives_lines() {
        return Ok(rules);
    }
    if arguments.choice(Input::Lines)? == Some("on") {
        let reason = format!("{} says that it has no version lines", loaded.file);
        refuse_inputs(&[Input::Lines], stage, reason, arguments)?;
    }
    Ok(rules.without_lines())
}

/// Refuses inputs that the policy decides for an environment.
fn refuse_inputs(
    inputs: &[Input],
    stage: &EnvironmentRules,
    reason: String,
    arguments: &InputValues,
) -> Result<(), Failure> {
    let mut inputs = inputs.iter();
    match inputs.find(|input| !arguments.entries(**input).is_empty()) {
        Some(input) => Err(Failure::refused(format!(
            "the input {input} in a release to the environment {}",
            stage.name()
        ))
        .with_reason(reason)
        .with_hint(format!("leave {input} out, or change the policy"))),
        None => Ok(()),
    }
}

/// The versions that never count: for an environment those of the policy, else those of the input.
pub(super) fn excluded_versions(
    stage: Option<&EnvironmentRules>,
    loaded: Option<&LoadedPolicy>,
    arguments: &InputValues,
) -> Result<ExcludedVersions, Failure> {
    let input = Input::ExcludeVersions;
    let Some((stage, loaded)) = stage.zip(loaded) else {
        return ExcludedVersions::parse(arguments.entries(input).iter().map(|it| it.text.as_str()))
            .map_err(|error| arguments.error(input, None, error.to_string()).into());
    };
    if !arguments.entries(input).is_empty() {
        return Err(Failure::refused(format!(
            "the input {input} in a release to the environment {}",
            stage.name()
        ))
        .with_reason(format!("{} says which versions never count", loaded.file))
        .with_hint(format!(
            "leave {input} out, or set exclude-versions in the policy"
        )));
    }
    Ok(loaded.policy.excluded_versions(stage))
}

/// The rules and what they are about, where rules are given.
async fn build_tag_rules(
    invocation: &Invocation,
    rules: TagRuleSet,
    facts: Option<EventFacts>,
    environment: Option<&EnvironmentName>,
) -> Result<TagRules, Failure> {
    if rules.is_plain_default() {
        return Ok(TagRules::Default);
    }
    let workflow = event_inputs::to_workflow_event(invocation, facts.as_ref())?;
    let about = tag_context::collect_context(invocation, &rules, facts, workflow, "").await?;
    let subject = TagContext {
        environment: environment.cloned(),
        ..about.context
    };
    Ok(TagRules::new(rules, subject))
}
