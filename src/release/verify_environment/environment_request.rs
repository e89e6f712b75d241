use crate::record::RecordTime;
use crate::release::gates::gate_request::GateRequest;
use crate::release::records::location::TimelineLocation;

/// Request to verify what an environment is on in one repository.
#[derive(Debug, Clone)]
pub struct EnvironmentRequest {
    /// Timeline of the environment.
    pub location: TimelineLocation,
    /// Time of the run, by this machine's clock.
    pub clock: RecordTime,
    /// Scan gate; `None` if the environment has none.
    pub scan: Option<GateRequest>,
    /// Timelines of the environments that its images come from, whose signers the gate can name.
    pub sources: Vec<TimelineLocation>,
    /// Whether each release gets a verification summary.
    pub demands_summary: bool,
}
