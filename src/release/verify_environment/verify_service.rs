//! Verification of what an environment is on in one repository.

use futures_util::future::{try_join, try_join3};

use super::current_state::CurrentState;
use super::environment_finding::EnvironmentFinding;
use super::environment_request::EnvironmentRequest;
use super::environment_verification::ServiceVerification;
use crate::gate::GateReport;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::history::current_release;

/// Verifies what an environment is on in one repository.
///
/// # Errors
/// A store that cannot tell, and too many entries that do not count.
pub(super) async fn verify_service(
    request: &EnvironmentRequest,
    context: &ReleaseContext,
) -> Result<ServiceVerification, Failure> {
    let state = CurrentState::read(request, context).await?;
    let image = Box::pin(state.verify_image(request, context));
    let ((gates, of_image), of_tags) = try_join(image, state.tag_findings()).await?;
    let of_state = state.state_findings(request).into_iter();
    let mut findings: Vec<_> = of_state.chain(of_tags).chain(of_image).collect();
    findings.sort_by_key(|finding| !finding.kind.is_error());
    let found = ServiceVerification {
        current: current_release(&state.timeline),
        has_scan_gate: request.scan.is_some(),
        gates,
        findings,
    };
    for warning in found.warnings() {
        let place = &request.location.destination;
        context
            .notices
            .warning(format!("{place}: {}", warning.text));
    }
    Ok(found)
}

impl CurrentState {
    /// Judges the current image, and what its repository has of it.
    async fn verify_image(
        &self,
        request: &EnvironmentRequest,
        context: &ReleaseContext,
    ) -> Result<(GateReport, Vec<EnvironmentFinding>), Failure> {
        let Some(root) = self.root() else {
            let gates = self.judge_scan(request, None, context).await?;
            return Ok((gates, Vec::new()));
        };
        let (image, listed) = try_join(self.read_image(root), self.list_referrers(root)).await?;
        let (image, missing) = match image {
            Ok(image) => (Some(image), None),
            Err(missing) => (None, Some(missing)),
        };
        let gates = self.judge_scan(request, image.as_ref(), context);
        let signature = self.signature_finding(&listed);
        let evidence = self.evidence_findings(&listed);
        let (gates, signature, evidence) = Box::pin(try_join3(gates, signature, evidence)).await?;
        let intent = image
            .as_ref()
            .and_then(|image| self.intent_finding(&image.root, &listed));
        let summary = self.summary_finding(request, &listed);
        let findings = missing.into_iter().chain(signature);
        let findings = findings.chain(summary).chain(intent).chain(evidence);
        Ok((gates, findings.collect()))
    }
}
