//! What a check found, service by service.

use super::current_image::CurrentImage;
use super::tag_mutability::TagMutability;
use crate::gate::GateReport;
use crate::image::{CommitId, Destination, Digest, ImageSource, Tag};
use crate::policy::Service;
use crate::release::outcome::{RecordResult, TagChange};
use crate::release::release_plan::ReleasePlan;
use crate::release::request::ReleaseRequest;
use crate::release::{Failure, PromotionPath};
use crate::tagging::EnvironmentName;

/// Promotion that is checked.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Releases, each of a service; one without a service is alone. Their `is_check` and `dry_run` are set.
    pub services: Vec<(Option<Service>, ReleaseRequest)>,
    /// Reason why this run may not release, whatever the image.
    pub refused_run: Option<Failure>,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct CheckOutcome {
    /// Environment of the releases.
    pub environment: Option<EnvironmentName>,
    /// Environments before and after it.
    pub path: PromotionPath,
    /// Reasons against all services together.
    pub refusals: Vec<Failure>,
    /// What was found of each service, in the order asked for.
    pub services: Vec<CheckedService>,
    /// Plan; `None` if an image is not known.
    pub plan: Option<ReleasePlan>,
}

/// What a check found of a service.
#[derive(Debug, Clone)]
pub struct CheckedService {
    /// Service; `None` if the environment has one repository.
    pub service: Option<Service>,
    /// Release; `None` if its image could not be resolved.
    pub release: Option<Box<CheckedRelease>>,
    /// Reasons why it would not be released.
    pub failures: Vec<Failure>,
}

/// Release as far as it is known.
#[derive(Debug, Clone)]
pub struct CheckedRelease {
    /// Image that is read.
    pub source: ImageSource,
    /// Digest in the place that it comes from.
    pub source_digest: Digest,
    /// Digest of the root that would be released.
    pub root: Digest,
    /// Version, if any.
    pub version: Option<String>,
    /// Commit that the image was built from, if known.
    pub commit: Option<CommitId>,
    /// Address of the source repository by the image's labels.
    pub source_repository: Option<String>,
    /// Verdicts of the gates.
    pub gates: GateReport,
    /// Destinations, in the order of the request.
    pub destinations: Vec<CheckedDestination>,
    /// Whether a promotion would write anything; `false` if it would be refused.
    pub would_write: bool,
    /// Notes on skipped and defaulted rules, and on content that would not be copied.
    pub notes: Vec<String>,
}

/// Destination of a release.
#[derive(Debug, Clone)]
pub struct CheckedDestination {
    /// Destination.
    pub place: Destination,
    /// Tags, immutable ones first.
    pub tags: Vec<CheckedTag>,
    /// Whether releases are recorded here.
    pub is_recorded: bool,
    /// Record that would be written; `None` if the release is not recorded, is recorded already or would be refused.
    pub record: Option<RecordResult>,
    /// Repository of the records, if it is another one.
    pub records_place: Option<Destination>,
    /// Image that is current; `None` if none is known.
    pub current: Option<CurrentImage>,
    /// What is visible of the registry's own protection of tags.
    pub mutability: TagMutability,
}

/// Tag of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedTag {
    /// Tag.
    pub tag: Tag,
    /// Whether it names one image forever.
    pub is_immutable: bool,
    /// Rule that gives it.
    pub rule: String,
    /// Change; `None` if a tag of the destination is refused.
    pub change: Option<TagChange>,
}

impl CheckOutcome {
    /// Returns all failures, each with its service; `None` for those of all services.
    pub fn failures(&self) -> impl Iterator<Item = (Option<&Service>, &Failure)> {
        let of_run = self.refusals.iter().map(|failure| (None, failure));
        let of_services = self.services.iter().flat_map(|checked| {
            let failures = checked.failures.iter();
            failures.map(|failure| (checked.service.as_ref(), failure))
        });
        of_run.chain(of_services)
    }

    /// Returns the failures, so that the caller can add advice to them.
    pub fn failures_mut(&mut self) -> impl Iterator<Item = &mut Failure> {
        let of_services = self.services.iter_mut();
        let of_services = of_services.flat_map(|checked| &mut checked.failures);
        self.refusals.iter_mut().chain(of_services)
    }

    /// Returns the releases that are known, each with its service.
    pub fn releases(&self) -> impl Iterator<Item = (Option<&Service>, &CheckedRelease)> {
        self.services.iter().filter_map(|checked| {
            let release = checked.release.as_deref()?;
            Some((checked.service.as_ref(), release))
        })
    }

    /// Returns whether a promotion would write anything.
    pub fn would_write(&self) -> bool {
        self.failures().next().is_none() && self.releases().any(|(_, it)| it.would_write)
    }
}
