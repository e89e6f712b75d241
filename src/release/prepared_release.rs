//! Release that is resolved and planned, before anything is written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::context::ReleaseContext;
use super::destination::OpenDestination;
use super::gates::gate_outcome::GateOutcome;
use super::github_deployment::options::DeployedService;
use super::outcome::TagChange;
use super::plan::branch_ancestry::BranchTagGuard;
use super::plan::destination_state::DestinationState;
use super::plan::tags::{TagPlan, TagStep};
use super::records::grounds::ReleaseGrounds;
use super::records::observe::ObservedTimelines;
use super::records::options::RunAccount;
use super::refusal_list::RefusalList;
use super::release_plan::PlannedRelease;
use super::request::{ReleaseRequest, SigningOptions};
use super::resolve::image::ResolvedImage;
use crate::image::{CommitId, Digest};
use crate::notices::TagNews;
use crate::tagging::DerivedTags;

/// A release of which all is known that can be before anything is written.
pub(super) struct PreparedRelease<'a> {
    pub(super) request: Cow<'a, ReleaseRequest>,
    pub(super) context: &'a ReleaseContext,
    pub(super) destinations: Vec<OpenDestination>,
    /// The digest that was asked for, which need not be the image's.
    pub(super) requested_digest: Digest,
    /// Digest of the image in the place that it comes from: the released one can be a selection of its platforms.
    pub(super) source_digest: Digest,
    pub(super) image: ResolvedImage,
    pub(super) commit: Option<CommitId>,
    pub(super) derived: DerivedTags,
    pub(super) states: Vec<DestinationState>,
    pub(super) plans: Vec<TagPlan>,
    pub(super) branch_guard: Option<BranchTagGuard<'a>>,
    /// What the gates decided.
    pub(super) gates: GateOutcome,
    /// How verification summaries are signed; `None` if nothing is signed.
    pub(super) summary_signing: Option<SigningOptions>,
    /// Timelines of the destinations, if the release is recorded.
    pub(super) timelines: Option<ObservedTimelines>,
    /// Rules that refuse the release. Its plans are empty if a tag is among the reasons.
    pub(super) refusals: RefusalList,
}

impl PreparedRelease<'_> {
    /// Returns why the run may release the image to a destination.
    pub(super) fn grounds(&self, account: &RunAccount, destination: &str) -> ReleaseGrounds {
        let root = self.image.root.digest;
        ReleaseGrounds::of_run(&self.request, account, root, &self.gates, destination)
    }

    /// Returns the release as its plan states it.
    pub(super) fn to_planned(&self) -> PlannedRelease {
        let tags = self.derived.tags.iter();
        let tags = tags.map(|planned| (planned.tag.to_string(), planned.kind.is_immutable()));
        let destinations = self.destinations.iter();
        PlannedRelease {
            places: destinations.map(|one| one.name.clone()).collect(),
            source: self.source_digest,
            root: self.image.root.digest,
            version: self.derived.version.clone(),
            tags: tags.collect(),
        }
    }

    /// Returns what GitHub is told of the release.
    pub(super) fn deployed_service(&self) -> DeployedService {
        DeployedService {
            service: self.context.service.clone(),
            places: self.request.destinations.clone(),
            digest: self.image.root.digest,
            version: self.derived.version.clone(),
            commit: self.commit.clone(),
        }
    }

    /// Returns whether a tag is going to be written.
    pub(super) fn changes_tags(&self) -> bool {
        let mut steps = self.plans.iter().flat_map(|plan| &plan.steps);
        steps.any(|step| step.change.writes_tag())
    }

    pub(super) fn report_kept_tags(&self) {
        let each = self.destinations.iter().zip(&self.plans).zip(&self.states);
        for ((destination, plan), seen) in each {
            for TagStep {
                planned, change, ..
            } in &plan.steps
            {
                // That a branch does not take a line was said as a warning.
                let is_reported = seen.lines.contains_key(&planned.tag);
                if let TagChange::Stays { why, .. } = change
                    && !is_reported
                {
                    let text = format!("{}: tag {}: {why}", destination.name, planned.tag);
                    self.context.notices.tag_change(TagNews::Kept, text);
                }
            }
        }
    }

    pub(super) fn report_line_warnings(&self) {
        for (destination, plan) in self.destinations.iter().zip(&self.plans) {
            for text in plan.line_warnings.to_texts(&destination.name) {
                self.context.notices.warning(text);
            }
        }
    }

    /// Warns of a recorded release that no immutable tag names.
    pub(super) fn warn_of_moving_tags_only(&self) {
        if self.request.record.is_none() {
            return;
        }
        for (destination, plan) in self.destinations.iter().zip(&self.plans) {
            let kinds = plan.steps.iter().map(|step| &step.planned.kind);
            if destination.is_layout() || kinds.clone().any(|kind| kind.is_immutable()) {
                continue;
            }
            let tags = plan.steps.iter().map(|step| step.planned.tag.as_str());
            let tags = tags.collect::<Vec<_>>().join(", ");
            self.context.notices.warning(format!(
                "{}: only moving tags ({tags}) name this release: once they name another image, some registries delete this one, and no rollback goes back to it. Give it an immutable tag too, such as a version or type=sha",
                destination.name
            ));
        }
    }

    /// Returns the annotations that a signature has of the release, in addition to the given ones.
    pub(super) fn release_annotations(&self) -> BTreeMap<String, String> {
        let facts = self.request.facts.as_ref();
        let git_ref = facts.and_then(|facts| facts.git_ref.as_ref());
        [
            ("commit", self.commit.as_ref().map(ToString::to_string)),
            ("ref", git_ref.map(ToString::to_string)),
            ("version", self.derived.version.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }

    /// Returns whether a destination is read in whole though a tag there names the root: a layout may
    /// have been written by anybody, and no registry has checked it.
    pub(super) fn is_looked_through(destination: &OpenDestination, plan: &TagPlan) -> bool {
        destination.is_layout() && plan.names_root()
    }
}
