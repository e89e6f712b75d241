//! Judges the current image by the scan gate of its environment, as a release is judged.

use std::collections::BTreeSet;

use super::current_state::CurrentState;
use super::environment_request::EnvironmentRequest;
use crate::gate::{GateName, GateReport, GateVerdict};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::gates::gated_release::GatedRelease;
use crate::release::gates::judge_gates::judge_at_once;
use crate::release::records::timeline_view::TimelineView;
use crate::release::resolve::image::ResolvedImage;

impl CurrentState {
    /// Judges the current image by the scan gate, if there is one. Without an image the verdict is unknown.
    ///
    /// # Errors
    /// Facts that cannot be read.
    pub(super) async fn judge_scan(
        &self,
        request: &EnvironmentRequest,
        image: Option<&ResolvedImage>,
        context: &ReleaseContext,
    ) -> Result<GateReport, Failure> {
        let Some(gate) = &request.scan else {
            return Ok(GateReport::default());
        };
        let Some(image) = image else {
            let mut verdict = GateVerdict::new(GateName::Scan);
            verdict.leave_unknown("the current image cannot be judged");
            return Ok(GateReport::new(vec![verdict]));
        };
        let source = self.source_view(request);
        let release = GatedRelease {
            image,
            source: source.as_ref(),
        };
        let report = judge_at_once(gate, &release, self.now).await?;
        for verdict in report.verdicts() {
            for warning in verdict.warnings() {
                let place = &self.location().destination;
                let text = format!("{place}: gate {}: {warning}", verdict.gate());
                context.notices.warning(text);
            }
        }
        Ok(report)
    }

    /// Returns the environment that the current release came from, by its record: the gate can name its signers. Its
    /// timeline is not read.
    fn source_view(&self, request: &EnvironmentRequest) -> Option<TimelineView> {
        let reading = self.view.record_read(self.release()?.record)?;
        let source = reading.counted()?.record().predicate.source.as_ref()?;
        let name = source.environment.as_ref()?;
        let mut sources = request.sources.iter();
        let location = sources.find(|location| location.environment == *name)?;
        Some(TimelineView::new(
            location.clone(),
            &self.images,
            &BTreeSet::new(),
        ))
    }
}
