//! What the gates of a release decided, and what they considered.

use crate::gate::GateReport;
use crate::record::RecordedEvidence;

/// What the gates of a release decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct GateOutcome {
    /// Verdicts.
    pub(crate) report: GateReport,
    /// Documents that were considered, for the record, whatever they led to.
    pub(crate) evidence: Vec<RecordedEvidence>,
    /// Reason for which a freeze was overridden.
    pub(crate) freeze_override: Option<String>,
}
