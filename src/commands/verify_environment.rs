//! Verification of what an environment is on: inputs and policy to requests.

use super::gate_inputs::{GateInputs, JudgedRun};
use super::gate_overrides::{GateOverrides, without_gates};
use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::record_options::read_trust;
use super::record_options::record_time;
use super::recorded_timelines::{RecordedTimelines, recorded_timelines};
use super::rule_inputs::refuse_set_clock;
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::policy::{EnvironmentGates, EnvironmentRules, Service};
use crate::release::{
    self, EnvironmentRequest, Failure, GateRequest, GateSignerList, TimelineLocation,
};
use crate::report::VerbResult;

/// Judges what an environment is on by its scan gate, and holds its tags, signatures and manifests against its
/// records.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    refuse_image_inputs(invocation)?;
    let policy = load_policy(invocation).await?;
    if let Some(loaded) = &policy {
        invocation.log.info(&loaded.remark());
    }
    let RecordedTimelines {
        environment,
        timelines,
    } = recorded_timelines(invocation, policy.as_ref()).await?;
    refuse_set_clock(invocation, &environment)?;
    let places: Vec<String> = timelines
        .iter()
        .map(|(_, location)| location.destination.to_string())
        .collect();
    let doing = format!("verifying {environment} of");
    announcement::announce(invocation, &doing, &places.join(" and "));
    let requests = build_requests(invocation, policy.as_ref(), timelines).await?;
    let context = context_inputs::build_context(invocation)?;
    let verified = release::verify_environment(environment, &requests, &context);
    Ok(VerbResult::VerifiedEnvironment(Box::new(verified.await)))
}

/// Refuses the inputs that are about one image.
fn refuse_image_inputs(invocation: &Invocation) -> Result<(), Failure> {
    let arguments = &invocation.arguments;
    if !arguments.entries(Input::Source).is_empty() {
        return Err(Failure::input("source and environment are both given")
            .with_reason("verify is about an image, or about what an environment is on")
            .with_hint("leave one of them out"));
    }
    let is_recursive = arguments.switch(Input::Recursive)?;
    let given = match is_recursive {
        true => Some(Input::Recursive),
        false => Some(Input::Attestation).filter(|it| !arguments.entries(*it).is_empty()),
    };
    match given {
        Some(input) => Err(arguments
            .error(input, None, "is given, and environment has no use for it")
            .into()),
        None => Ok(()),
    }
}

async fn build_requests(
    invocation: &Invocation,
    policy: Option<&LoadedPolicy>,
    timelines: Vec<(Option<Service>, TimelineLocation)>,
) -> Result<Vec<(Option<Service>, EnvironmentRequest)>, Failure> {
    let name = timelines.first().map(|(_, location)| &location.environment);
    let rules = name.zip(policy).and_then(|(name, loaded)| {
        let rules = loaded.policy.stage(name)?;
        Some((rules, loaded))
    });
    require_scan_gate(invocation, rules.map(|(rules, _)| rules))?;
    let overrides = GateOverrides::read(invocation, rules)?;
    let run = JudgedRun {
        is_of_several: timelines.len() > 1,
        is_check: false,
        github: None,
    };
    let gates = GateInputs::read(invocation, rules, overrides, run).await?;
    let mut requests = Vec::with_capacity(timelines.len());
    for (service, location) in timelines {
        let gate = gates
            .as_ref()
            .and_then(|gates| gates.request(service.as_ref()));
        let scan = gate.and_then(GateRequest::into_scan_gate);
        let sources = match rules.filter(|_| scan.as_ref().is_some_and(names_source_signers)) {
            Some(policy) => source_timelines(invocation, policy, service.as_ref()).await?,
            None => Vec::new(),
        };
        let request = EnvironmentRequest {
            location,
            clock: record_time(invocation)?,
            scan,
            sources,
            demands_summary: rules.is_some_and(|(rules, _)| rules.adds_vsa()),
        };
        requests.push((service, request));
    }
    Ok(requests)
}

/// Requires a scan gate where a report is given.
fn require_scan_gate(
    invocation: &Invocation,
    rules: Option<&EnvironmentRules>,
) -> Result<(), Failure> {
    let input = Input::ScanReport;
    let mut gates = rules.into_iter().flat_map(EnvironmentRules::all_gates);
    let has_scan_gate = gates.any(|gates: &EnvironmentGates| gates.scan().is_some());
    match has_scan_gate || invocation.arguments.entries(input).is_empty() {
        true => Ok(()),
        false => Err(without_gates(invocation, input)),
    }
}

/// Returns whether a scan gate takes attestations of the signers of the environment that the image comes from.
fn names_source_signers(gate: &GateRequest) -> bool {
    let scan = gate.scan.as_ref();
    scan.is_some_and(|scan| scan.attested == Some(GateSignerList::OfSource))
}

/// Returns the timelines of the environments that a service's images come from, with their signers.
async fn source_timelines(
    invocation: &Invocation,
    (rules, loaded): (&EnvironmentRules, &LoadedPolicy),
    service: Option<&Service>,
) -> Result<Vec<TimelineLocation>, Failure> {
    let mut timelines = Vec::new();
    let sources = rules.from().iter();
    for from in sources.filter_map(|name| loaded.policy.stage(name)) {
        let Some(place) = from.place(service) else {
            continue;
        };
        timelines.push(TimelineLocation {
            environment: from.name().clone(),
            destination: place.clone(),
            entries_at: from.records_place(service).cloned(),
            trust: read_trust(invocation, from, loaded).await?,
        });
    }
    Ok(timelines)
}
