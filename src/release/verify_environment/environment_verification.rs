use super::environment_finding::EnvironmentFinding;
use crate::gate::GateReport;
use crate::image::Destination;
use crate::policy::Service;
use crate::release::Failure;
use crate::release::history::RecordedCurrent;
use crate::tagging::EnvironmentName;

/// Verification of what an environment is on, of one service or several.
#[derive(Debug, Clone)]
pub struct EnvironmentVerification {
    /// Environment.
    pub environment: EnvironmentName,
    /// Its repositories, with what was found in each.
    pub places: Vec<VerifiedPlace>,
    /// Names of scan reports that are about no current image. Printable.
    pub unmatched_reports: Vec<String>,
}

/// Repository of an environment.
#[derive(Debug, Clone)]
pub struct VerifiedPlace {
    /// Service, if the environment has several.
    pub service: Option<Service>,
    /// Repository of the images.
    pub place: Destination,
    /// What was found.
    pub end: ServiceEnd,
}

/// How the verification of a repository ended.
#[derive(Debug, Clone)]
pub enum ServiceEnd {
    /// It was judged.
    Judged(Box<ServiceVerification>),
    /// It cannot be read.
    Unread(Failure),
}

/// What was found in a repository of an environment.
#[derive(Debug, Clone)]
pub struct ServiceVerification {
    /// Release that the environment is on; `None` if no record says it.
    pub current: Option<RecordedCurrent>,
    /// Whether the environment has a scan gate.
    pub has_scan_gate: bool,
    /// Verdict of the scan gate, if there is one.
    pub gates: GateReport,
    /// Differences, errors first.
    pub findings: Vec<EnvironmentFinding>,
}

impl EnvironmentVerification {
    /// Returns whether every repository was judged and has no error, and every report is about a current image.
    pub fn has_passed(&self) -> bool {
        self.unmatched_reports.is_empty() && self.places.iter().all(VerifiedPlace::has_passed)
    }

    /// Returns the repositories that were judged.
    pub fn judged(&self) -> impl Iterator<Item = (&VerifiedPlace, &ServiceVerification)> {
        self.places.iter().filter_map(|place| match &place.end {
            ServiceEnd::Judged(found) => Some((place, &**found)),
            ServiceEnd::Unread(_) => None,
        })
    }

    /// Returns the failures, so that the caller can change them.
    pub fn failures_mut(&mut self) -> impl Iterator<Item = &mut Failure> {
        self.places
            .iter_mut()
            .filter_map(|place| match &mut place.end {
                ServiceEnd::Judged(_) => None,
                ServiceEnd::Unread(failure) => Some(failure),
            })
    }
}

impl VerifiedPlace {
    /// Returns the service, else the repository.
    pub fn name(&self) -> String {
        let service = self.service.as_ref().map(ToString::to_string);
        service.unwrap_or_else(|| self.place.to_string())
    }

    /// Returns whether it was judged and has no error.
    pub fn has_passed(&self) -> bool {
        match &self.end {
            ServiceEnd::Judged(found) => found.has_passed(),
            ServiceEnd::Unread(_) => false,
        }
    }
}

impl ServiceVerification {
    /// Returns whether the scan gate passes, and no finding is an error.
    pub fn has_passed(&self) -> bool {
        self.gates.has_passed() && self.errors().next().is_none()
    }

    /// Returns the findings that are errors.
    pub fn errors(&self) -> impl Iterator<Item = &EnvironmentFinding> {
        self.findings.iter().filter(|it| it.kind.is_error())
    }

    /// Returns the findings that are warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &EnvironmentFinding> {
        self.findings.iter().filter(|it| !it.kind.is_error())
    }
}
