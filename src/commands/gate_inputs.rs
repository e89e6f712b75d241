//! Gates of a release to an environment: the policy's rules, the inputs that tighten them, and the documents that
//! they judge.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::gate_overrides::GateOverrides;
use super::github_gate_inputs::checks_with_branches;
use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::record_inputs::{SignerPlace, gate_signer_lists, signers_of_rules};
use super::record_options::record_time;
use super::rule_inputs;
use crate::cli::Input;
use crate::gate::{ScanRule, VEX_LIMIT};
use crate::notices::to_printable;
use crate::policy::{
    EnvironmentGates, EnvironmentRules, GateSigners, ScanGate, Service, SignerRule,
};
use crate::record::RecordTime;
use crate::release::{
    AttestationGateRequest, Failure, GateRequest, GateSignerList, GithubFactReader, GivenReport,
    GivenReports, GivenVex, RecordTrust, ScanGateRequest,
};

/// Message of a check under an approvals gate.
const APPROVALS_NOTE: &str =
    "the gate approvals is judged by the promotion itself: a check has no approvals";

/// Limit on a path in a message, in characters.
const PATH_LIMIT: usize = 200;

/// Gates of the releases of a run.
pub(super) struct GateInputs<'a> {
    stage: &'a EnvironmentRules,
    now: RecordTime,
    reports: Arc<GivenReports>,
    /// OpenVEX documents by their paths in the repository.
    vex: BTreeMap<String, GivenVex>,
    /// Lists of signers that gates name themselves, each once.
    own_signers: Vec<(Vec<SignerRule>, RecordTrust)>,
    overrides: GateOverrides,
    /// Whether the inputs allow reports that name no image.
    allows_unbound: bool,
    loaded: &'a LoadedPolicy,
    /// What asks GitHub for the gates; `None` if none needs it.
    github: Option<GithubFactReader>,
    /// Whether the run is one that approvals are about: those of a check are about another run.
    judges_approvals: bool,
}

/// Run whose releases are judged.
pub(super) struct JudgedRun {
    /// Whether it releases several images.
    pub(super) is_of_several: bool,
    /// Whether it only checks a promotion.
    pub(super) is_check: bool,
    /// What asks GitHub; `None` where no gate that needs it is judged.
    pub(super) github: Option<GithubFactReader>,
}

impl<'a> GateInputs<'a> {
    /// Reads what the gates of an environment judge, of one image or of several; `None` where the release is to no
    /// environment of the policy.
    ///
    /// # Errors
    /// Inputs that loosen a gate, and documents or keys that cannot be read.
    pub(super) async fn read(
        invocation: &Invocation,
        policy: Option<(&'a EnvironmentRules, &'a LoadedPolicy)>,
        overrides: GateOverrides,
        run: JudgedRun,
    ) -> Result<Option<Self>, Failure> {
        let Some((stage, loaded)) = policy else {
            return Ok(None);
        };
        let mut inputs = Self {
            stage,
            now: record_time(invocation)?,
            reports: Arc::new(GivenReports::new(Vec::new(), false)),
            vex: BTreeMap::new(),
            own_signers: Vec::new(),
            overrides,
            allows_unbound: rule_inputs::allows_unbound(&invocation.arguments, policy)?,
            loaded,
            github: run.github,
            judges_approvals: !run.is_check,
        };
        if run.is_check && stage.all_gates().any(|gates| gates.approvals().is_some()) {
            invocation.log.info(APPROVALS_NOTE);
        }
        if judges_reports(stage) {
            let reports = read_reports(invocation, loaded).await?;
            inputs.reports = Arc::new(GivenReports::new(reports, run.is_of_several));
        }
        for gates in stage.all_gates() {
            inputs.add_documents(invocation, loaded, gates).await?;
            inputs.add_signers(invocation, loaded, gates).await?;
        }
        Ok(Some(inputs))
    }

    /// Returns the gates of a service's release; `None` if it has none.
    pub(super) fn request(&self, service: Option<&Service>) -> Option<GateRequest> {
        let gates = self.stage.gates(service);
        let unjudged_reports = match gates.scan() {
            None if !self.reports.is_empty() => Some(self.reports.clone()),
            _ => None,
        };
        if gates.names().is_empty() && unjudged_reports.is_none() {
            return None;
        }
        Some(GateRequest {
            now: self.now,
            own_signers: self
                .own_signers
                .iter()
                .map(|(_, trust)| trust.clone())
                .collect(),
            scan: gates.scan().map(|scan| self.scan_request(scan)),
            unjudged_reports,
            signature: gates.signature().map(|signers| self.list(signers)),
            attestations: gates
                .attestations()
                .iter()
                .map(|gate| AttestationGateRequest {
                    required: gate.required.clone(),
                    signers: self.list(&gate.signers),
                })
                .collect(),
            soak: gates.soak().cloned(),
            freeze: gates.freeze().to_vec(),
            freeze_override: self.overrides.freeze_reason.clone(),
            image: gates.image().cloned(),
            checks: checks_with_branches(gates.checks(), self.stage, self.loaded),
            approvals: gates.approvals().filter(|_| self.judges_approvals).cloned(),
            github: self.github.clone(),
        })
    }

    fn scan_request(&self, gate: &ScanGate) -> ScanGateRequest {
        let vex = gate.vex_files.iter().filter_map(|path| self.vex.get(path));
        ScanGateRequest {
            rule: self.tightened(&gate.rule),
            reports: self.reports.clone(),
            vex: vex.cloned().collect(),
            attested: gate.attested.as_ref().map(|signers| self.list(signers)),
            vex_signers: match gate.vex_signers.is_empty() {
                true => None,
                false => Some(self.own_list(&gate.vex_signers)),
            },
        }
    }

    fn tightened(&self, rule: &ScanRule) -> ScanRule {
        ScanRule {
            fail_on: self.overrides.fail_on.unwrap_or(rule.fail_on),
            ignore_unfixed: rule.ignore_unfixed && !self.overrides.counts_unfixed,
            allows_unbound: rule.allows_unbound && self.allows_unbound,
            ..rule.clone()
        }
    }

    fn list(&self, signers: &GateSigners) -> GateSignerList {
        match signers {
            GateSigners::OfSource => GateSignerList::OfSource,
            GateSigners::Own(rules) => self.own_list(rules),
        }
    }

    fn own_list(&self, rules: &[SignerRule]) -> GateSignerList {
        let mut lists = self.own_signers.iter();
        let at = lists.position(|(known, _)| known == rules);
        GateSignerList::Own(at.expect("the lists of all gates are read"))
    }
}

/// Returns whether an environment judges scan reports.
pub(super) fn judges_reports(stage: &EnvironmentRules) -> bool {
    stage.all_gates().any(|gates| gates.scan().is_some())
}

/// Returns whether an environment judges scan reports, and does not store them next to the image too.
pub(super) fn judges_reports_alone(stage: &EnvironmentRules) -> bool {
    let scans: Vec<&ScanGate> = stage
        .all_gates()
        .filter_map(EnvironmentGates::scan)
        .collect();
    !scans.is_empty() && scans.iter().all(|scan| !scan.attaches_reports)
}

impl GateInputs<'_> {
    /// Reads the OpenVEX documents that gates name, each once, as the policy is read: a build can change the working
    /// tree.
    async fn add_documents(
        &mut self,
        invocation: &Invocation,
        loaded: &LoadedPolicy,
        gates: &EnvironmentGates,
    ) -> Result<(), Failure> {
        for path in gates.scan().iter().flat_map(|scan| &scan.vex_files) {
            if self.vex.contains_key(path) {
                continue;
            }
            let content = loaded.read_named_file(invocation, path).await?;
            let content = content.ok_or_else(|| missing_vex(loaded, path))?;
            if content.len() as u64 > VEX_LIMIT {
                return Err(oversized_vex(loaded, path));
            }
            self.vex
                .insert(path.clone(), GivenVex::parse(path.clone(), &content));
        }
        Ok(())
    }

    /// Reads the lists of signers that gates name themselves, each once.
    async fn add_signers(
        &mut self,
        invocation: &Invocation,
        loaded: &LoadedPolicy,
        gates: &EnvironmentGates,
    ) -> Result<(), Failure> {
        for (key, rules) in gate_signer_lists(gates) {
            if self.own_signers.iter().any(|(known, _)| known == rules) {
                continue;
            }
            let place = SignerPlace::of_gate(self.stage, key);
            let signers = signers_of_rules(invocation, place, loaded, rules).await?;
            self.own_signers
                .push((rules.to_vec(), RecordTrust::new(signers)));
        }
        Ok(())
    }
}

/// Reads the files of the input `scan-report`.
///
/// # Errors
/// A file that cannot be read, and one that git tracks at the policy's commit: a report is made by the run.
async fn read_reports(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
) -> Result<Vec<GivenReport>, Failure> {
    let arguments = &invocation.arguments;
    let input = Input::ScanReport;
    let mut reports = Vec::new();
    for entry in arguments.entries(input) {
        let wrong =
            |reason: String| Failure::from(arguments.entry_file_error(input, entry, reason));
        let path = Path::new(&entry.text);
        if loaded.is_committed(invocation, path).await? {
            return Err(wrong("is a file of the repository, expected a report that this run made".to_owned())
                .with_reason("a committed report says nothing of the vulnerabilities that are known now")
                .with_hint("scan the image in this workflow, and write the report to a path that git does not track"));
        }
        let file = File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let read = GivenReport::read(entry.text.clone(), file);
        reports.push(read.map_err(|error| wrong(format!("cannot be read: {error}")))?);
    }
    Ok(reports)
}

/// Returns the failure for an OpenVEX document that the policy names and that is not there.
fn missing_vex(loaded: &LoadedPolicy, path: &str) -> Failure {
    Failure::input(format!(
        "{}: the OpenVEX document {} of gates.scan.vex is not there",
        loaded.file,
        to_printable(path, PATH_LIMIT)
    ))
    .with_reason("documents are read as the policy is: in a runner at the workflow's commit")
    .with_hint("commit the document, or remove it from the policy")
    .at_file(loaded.location.clone())
}

fn oversized_vex(loaded: &LoadedPolicy, path: &str) -> Failure {
    Failure::input(format!(
        "{}: the OpenVEX document {} has more than {VEX_LIMIT} bytes",
        loaded.file,
        to_printable(path, PATH_LIMIT)
    ))
    .with_hint("split the document by product")
    .at_file(loaded.location.clone())
}
