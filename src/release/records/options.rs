use crate::image::Destination;
use crate::record::{RecordId, RecordTime, RecordedBuild, RecordedPolicy, RecordedRun};
use crate::release::records::location::TimelineLocation;
use crate::release::records::trust::RecordTrust;
use crate::tagging::EnvironmentName;

/// How a run records what it does.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// Environment whose timeline gets the record.
    pub environment: EnvironmentName,
    /// Repository of the timeline's entries; `None`: that of the images.
    pub entries_at: Option<Destination>,
    /// Signers whose records count; `None` if the environment does not sign.
    pub trust: Option<RecordTrust>,
    /// Timeline of the environment that the image comes from, if a policy names it.
    pub source: Option<TimelineLocation>,
    /// Timelines of the other environments that its images may come from.
    pub other_sources: Vec<TimelineLocation>,
    /// What the record says of the run itself.
    pub account: RunAccount,
    /// Record that the timeline must have.
    pub expected_head: Option<RecordId>,
    /// Whether a withdrawn image is released again.
    pub reinstates: bool,
    /// Whether each release gets a verification summary, which needs a policy and a signer.
    pub adds_summary: bool,
}

/// What a record says of the run that writes it.
#[derive(Debug, Clone)]
pub struct RunAccount {
    /// Time of the run, by this machine's clock.
    pub now: RecordTime,
    /// Program and version.
    pub tool: String,
    /// Run of a workflow; `None` outside of a runner.
    pub run: Option<RecordedRun>,
    /// Policy file that the run follows.
    pub policy: Option<RecordedPolicy>,
    /// Dockerfile and target by the inputs.
    pub build: RecordedBuild,
    /// Why a person does it.
    pub reason: Option<String>,
    /// Address of more about it.
    pub link: Option<String>,
}

impl RecordOptions {
    /// Returns the timeline of a destination.
    pub(crate) fn location(&self, destination: &Destination) -> TimelineLocation {
        TimelineLocation {
            environment: self.environment.clone(),
            destination: destination.clone(),
            entries_at: self.entries_at.clone(),
            trust: self.trust.clone(),
        }
    }
}

impl RunAccount {
    /// Returns the address of the run.
    pub(crate) fn run_uri(&self) -> Option<&str> {
        self.run.as_ref()?.uri.as_deref()
    }
}
