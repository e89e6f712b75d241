use crate::image::Destination;
use crate::record::TimelinePlace;
use crate::release::records::trust::RecordTrust;
use crate::tagging::EnvironmentName;

/// Timeline of one environment for one repository of images, and who may write it.
#[derive(Debug, Clone)]
pub struct TimelineLocation {
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository of the images.
    pub destination: Destination,
    /// Repository of the entries, if it is another one.
    pub entries_at: Option<Destination>,
    /// Signers whose records count; `None` if the environment does not sign.
    pub trust: Option<RecordTrust>,
}

impl TimelineLocation {
    /// Returns the environment and the repository, as records name them.
    pub(crate) fn place(&self) -> TimelinePlace {
        TimelinePlace {
            environment: self.environment.clone(),
            destination: claimed_repository(&self.destination),
        }
    }

    /// Returns the repository that has the entries.
    pub(crate) fn entries(&self) -> &Destination {
        self.entries_at.as_ref().unwrap_or(&self.destination)
    }
}

/// Returns the name that signatures and records give a destination: of a layout that of its directory, which
/// may be at another path elsewhere.
pub(crate) fn claimed_repository(place: &Destination) -> String {
    match place {
        Destination::Registry(repository) => repository.to_string(),
        Destination::Layout(path) => {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}
