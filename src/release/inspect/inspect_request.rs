use crate::image::ImageSource;
use crate::record::RecordTime;
use crate::release::records::location::TimelineLocation;
use crate::signing::Requirement;

/// Request for the account of an image.
#[derive(Debug, Clone)]
pub struct InspectRequest {
    /// What is asked about.
    pub subject: InspectSubject,
    /// Timelines of the policy's environments.
    pub timelines: Vec<TimelineLocation>,
    /// Whether the environments that the repository's own records name count as well.
    pub finds_environments: bool,
    /// Signer whose signatures are verified, and whose records count where no policy names signers.
    pub signer: Option<Requirement>,
    /// Whether no registry is read other than that of the image.
    pub is_offline: bool,
    /// Time of this machine's clock.
    pub clock: RecordTime,
}

/// What is asked about.
#[derive(Debug, Clone)]
pub enum InspectSubject {
    /// An image.
    Image(ImageSource),
    /// The image that an environment is on.
    Environment(TimelineLocation),
}
