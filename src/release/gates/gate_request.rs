//! Gates that a release must pass.

use std::sync::Arc;

use super::github_facts::GithubFactReader;
use super::given_documents::{GivenReports, GivenVex};
use crate::gate::{
    ApprovalsRule, AttestationRule, FreezeWindow, ImageRule, RequiredAttestation, RequiredCheck,
    ScanRule, SoakRule,
};
use crate::record::RecordTime;
use crate::release::records::trust::RecordTrust;

/// Gates that a release must pass, as its environment has them.
#[derive(Debug, Clone)]
pub struct GateRequest {
    /// Time of the run, by this machine's clock.
    pub now: RecordTime,
    /// Lists of signers that gates name themselves, each once.
    pub own_signers: Vec<RecordTrust>,
    /// Reports of vulnerability scanners; `None`: no such gate.
    pub scan: Option<ScanGateRequest>,
    /// Files of the input `scan-report` where no gate judges them here, but one of another image of the run does;
    /// `None`: there are none.
    pub unjudged_reports: Option<Arc<GivenReports>>,
    /// Signers of whom one must have signed the root; `None`: no such gate.
    pub signature: Option<GateSignerList>,
    /// Attestations that the image must have; empty: no such gate.
    pub attestations: Vec<AttestationGateRequest>,
    /// Time in the environment before; `None`: no such gate.
    pub soak: Option<SoakRule>,
    /// Times without releases; empty: no such gate.
    pub freeze: Vec<FreezeWindow>,
    /// Reason to release in a freeze, the input `override-freeze`.
    pub freeze_override: Option<String>,
    /// Properties of the image; `None`: no such gate.
    pub image: Option<ImageRule>,
    /// Checks of the source commit; empty: no such gate.
    pub checks: Vec<RequiredCheck>,
    /// Approvals of the run; `None`: no such gate.
    pub approvals: Option<ApprovalsRule>,
    /// What asks GitHub, for all services of the run; `None` where no gate does.
    pub github: Option<GithubFactReader>,
}

/// Signers that a gate accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateSignerList {
    /// Those of the environment that the image comes from.
    OfSource,
    /// Those of [`GateRequest::own_signers`] with this index.
    Own(usize),
}

/// Reports that an image must have.
#[derive(Debug, Clone)]
pub struct ScanGateRequest {
    /// Rule.
    pub rule: ScanRule,
    /// Files of the input `scan-report`.
    pub reports: Arc<GivenReports>,
    /// OpenVEX documents of the policy.
    pub vex: Vec<GivenVex>,
    /// Signers whose scan attestations are judged too; `None`: none are.
    pub attested: Option<GateSignerList>,
    /// Signers whose OpenVEX attestations count; `None`: none do.
    pub vex_signers: Option<GateSignerList>,
}

/// Attestation that an image must have.
#[derive(Debug, Clone)]
pub struct AttestationGateRequest {
    /// What it must say.
    pub required: RequiredAttestation,
    /// Who must have signed it, where it must be signed.
    pub signers: GateSignerList,
}

impl GateRequest {
    /// Returns the files of the input `scan-report`, whether a gate judges them here or not.
    pub(crate) fn reports(&self) -> Option<&GivenReports> {
        let judged = self.scan.as_ref().map(|scan| &scan.reports);
        judged.or(self.unjudged_reports.as_ref()).map(AsRef::as_ref)
    }

    /// Returns the scan gate alone; `None` if there is none.
    pub fn into_scan_gate(self) -> Option<Self> {
        let scan = self.scan?;
        Some(Self {
            now: self.now,
            own_signers: self.own_signers,
            scan: Some(scan),
            unjudged_reports: None,
            signature: None,
            attestations: Vec::new(),
            soak: None,
            freeze: Vec::new(),
            freeze_override: None,
            image: None,
            checks: Vec::new(),
            approvals: None,
            github: None,
        })
    }

    /// Returns whether a gate judges the image itself, or which of its platforms a document is about.
    pub(super) fn needs_image(&self) -> bool {
        let has_image_gate = self.image.is_some() || !self.attestations.is_empty();
        let may_need_label = self.needs_source_commit() && self.signature.is_some();
        self.scan.is_some() || self.unjudged_reports.is_some() || has_image_gate || may_need_label
    }

    /// Returns whether a gate judges the configs, or rests on the platforms that they name.
    pub(super) fn needs_configs(&self) -> bool {
        let exceptions = self.scan.iter().flat_map(|scan| &scan.rule.ignore);
        let mut platforms = exceptions.filter(|exception| exception.platform.is_some());
        let may_need_label = self.needs_source_commit() && self.signature.is_some();
        self.image.is_some() || platforms.next().is_some() || may_need_label
    }

    /// Returns whether a gate judges the commit that the image was built from.
    pub(super) fn needs_source_commit(&self) -> bool {
        let approvals = self.approvals.as_ref();
        !self.checks.is_empty() || approvals.is_some_and(|rule| rule.excludes_author)
    }

    /// Returns the rules that an unsigned attestation can meet.
    pub(super) fn unsigned_rules(&self) -> Vec<&AttestationRule> {
        let unsigned = self.attestations.iter();
        let unsigned = unsigned.filter(|gate| !gate.required.is_signed);
        unsigned.map(|gate| &gate.required.rule).collect()
    }
}
