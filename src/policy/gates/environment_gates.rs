use std::sync::Arc;

use super::attestation_gate::AttestationGate;
use super::gate_signers::GateSigners;
use super::scan_gate::ScanGate;
use crate::gate::{ApprovalsRule, FreezeWindow, GateName, ImageRule, RequiredCheck, SoakRule};
use crate::policy::SignerRule;
use crate::policy::key_position::KeyPosition;

/// Gates that each image passes before its release to an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnvironmentGates {
    pub(super) scan: Option<Arc<ScanGate>>,
    pub(super) signature: Option<GateSigners>,
    pub(in crate::policy) signature_at: KeyPosition,
    pub(super) attestations: Arc<[AttestationGate]>,
    pub(super) soak: Option<SoakRule>,
    pub(super) freeze: Arc<[FreezeWindow]>,
    pub(super) image: Option<Arc<ImageRule>>,
    pub(super) checks: Arc<[RequiredCheck]>,
    pub(super) approvals: Option<ApprovalsRule>,
}

impl EnvironmentGates {
    /// Returns the scan gate; `None`: reports are not judged.
    pub fn scan(&self) -> Option<&ScanGate> {
        self.scan.as_deref()
    }

    /// Returns who must have signed the root; `None`: no signature is demanded.
    pub fn signature(&self) -> Option<&GateSigners> {
        self.signature.as_ref()
    }

    /// Returns the attestations that must be there.
    pub fn attestations(&self) -> &[AttestationGate] {
        &self.attestations
    }

    /// Returns the soak gate; `None`: no time is demanded.
    pub fn soak(&self) -> Option<&SoakRule> {
        self.soak.as_ref()
    }

    /// Returns the windows of time without releases.
    pub fn freeze(&self) -> &[FreezeWindow] {
        &self.freeze
    }

    /// Returns the image gate; `None`: any image passes.
    pub fn image(&self) -> Option<&ImageRule> {
        self.image.as_deref()
    }

    /// Returns the checks that the source commit must have.
    pub fn checks(&self) -> &[RequiredCheck] {
        &self.checks
    }

    /// Returns the approvals gate; `None`: no approval is demanded.
    pub fn approvals(&self) -> Option<&ApprovalsRule> {
        self.approvals.as_ref()
    }

    /// Returns the names of the gates that there are, in the order of the documentation.
    pub fn names(&self) -> Vec<GateName> {
        let gates = [
            (GateName::Scan, self.scan.is_some()),
            (GateName::Signature, self.signature.is_some()),
            (GateName::Attestations, !self.attestations.is_empty()),
            (GateName::Soak, self.soak.is_some()),
            (GateName::Freeze, !self.freeze.is_empty()),
            (GateName::Image, self.image.is_some()),
            (GateName::Checks, !self.checks.is_empty()),
            (GateName::Approvals, self.approvals.is_some()),
        ];
        let stated = gates.into_iter().filter(|(_, is_stated)| *is_stated);
        stated.map(|(name, _)| name).collect()
    }

    /// Returns the gates that rest on records or attestations by signers of `from`.
    pub fn resting_on_source(&self) -> Vec<GateName> {
        let is_of_source =
            |signers: Option<&GateSigners>| signers.is_some_and(|it| *it == GateSigners::OfSource);
        let attested = self.scan().and_then(|scan| scan.attested.as_ref());
        let is_entry_resting = |entry: &AttestationGate| {
            entry.required.is_signed && is_of_source(Some(&entry.signers))
        };
        let is_resting = |name: &GateName| match name {
            GateName::Scan => is_of_source(attested),
            GateName::Signature => is_of_source(self.signature()),
            GateName::Attestations => self.attestations.iter().any(is_entry_resting),
            GateName::Soak => true,
            GateName::Freeze | GateName::Image | GateName::Checks | GateName::Approvals => false,
        };
        self.names().into_iter().filter(is_resting).collect()
    }

    /// Returns the signers of the gates themselves.
    pub fn own_signers(&self) -> impl Iterator<Item = &SignerRule> {
        let scan = self.scan();
        let attested = scan.and_then(|scan| scan.attested.as_ref());
        let attestations = self.attestations.iter().map(|entry| &entry.signers);
        let signers = self
            .signature()
            .into_iter()
            .chain(attested)
            .chain(attestations);
        let vex_signers = scan.map_or(&[][..], |scan| &scan.vex_signers);
        signers.flat_map(GateSigners::own).chain(vex_signers)
    }

    /// Returns how many entries its lists have: what a copy of it needs.
    pub(super) fn entry_count(&self) -> usize {
        let scan = self.scan().map_or(0, |scan| {
            scan.rule.ignore.len() + scan.vex_files.len() + scan.vex_signers.len()
        });
        let image = self
            .image()
            .map_or(0, |image| image.platforms.len() + image.labels.len());
        1 + scan + image + self.attestations.len() + self.freeze.len() + self.checks.len()
    }
}
