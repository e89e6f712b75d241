//! The road that every verb which releases an image takes.
//!
//! Resolve the source to a root, derive the tags, look at what each destination has, plan, transfer and
//! sign, tag. Further steps (gates, records) come between those; their order is that of promise 2
//! of the design, and a tag is always last.
//!
//! The road answers with an [`ReleaseOutcome`] or a [`Failure`]; it reads no environment and prints nothing.

mod batch;
mod branch_ancestry;
mod branch_name;
mod copy_image;
mod copy_referrers;
mod evidence;
mod failure;
mod graph;
mod image_origin;
mod observe_destinations;
mod outcome;
mod plan;
mod pre_tag_stages;
mod reconcile_lines;
mod resolve_source;
mod reuse_existing;
mod select_platforms;
mod sign;
mod verify;
mod write_tags;

use std::collections::{BTreeMap, HashMap};

use futures_util::future::{try_join, try_join_all};
use tokio::sync::OnceCell;

pub use batch::{BatchOutcome, ReleaseBatch, ServiceOutcome};
pub use evidence::{CheckedAttestation, CheckedSignature, SignatureFormat};
pub use failure::{Diagnostic, Failure};
pub use graph::Content;
pub use outcome::{DestinationOutcome, ReleaseOutcome, TagChange, TagResult};
pub use select_platforms::{PlatformSelection, RequestedPlatforms};
pub(crate) use sign::unsigned as signing_failure;
pub use sign::{SignatureResult, SigningOptions};
pub use verify::{
    CheckedImage, ImageCheck, MissingEvidence, RequiredEvidence, Verification, VerifyRequest,
    verify,
};

use crate::archive::Unpacking;
use crate::event::EventFacts;
use crate::git::CommitAncestry;
use crate::image::{CanonicalPlace, CommitId, Destination, Digest, ImageSource};
use crate::layout;
use crate::notices::Notices;
use crate::referrers::{ReferrerSelection, TagSnapshot};
use crate::registry;
use crate::tagging::{self, DerivedTags, EnvironmentName, ImageOrigin, TagRules};
use crate::transfer::{BlobIndex, ImageStore, ProgressMeter, Side, StoreError};
use observe_destinations::DestinationState;
use plan::{TagPlan, TagStep};
use pre_tag_stages::{PreTagStages, StageResult};
use resolve_source::ResolvedImage;

/// What is released how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseVerb {
    /// A built image comes into its first repository, tagged after the event.
    Push,
    /// An image goes on to further repositories, tagged after what it is.
    Promote,
}

/// What to do where an immutable tag names another image of the same commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingTagPolicy {
    /// Keep what a commit's tag names on a push, refuse all else.
    #[default]
    PerTagKind,
    /// Refuse.
    Fail,
    /// Keep it.
    Keep,
}

/// A release that is asked for.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// How it is released.
    pub verb: ReleaseVerb,
    /// Where the image is.
    pub source: ImageSource,
    /// Where it is to go: at least one place, none twice.
    pub destinations: Vec<Destination>,
    /// The event, or the checkout, that the tags are derived from.
    pub facts: Option<EventFacts>,
    /// The rules that give the tags.
    pub rules: TagRules,
    /// The environment that it is released to.
    pub environment: Option<EnvironmentName>,
    /// What to do where an immutable tag is taken.
    pub existing: ExistingTagPolicy,
    /// The repository that an image has to be in to be released, where a policy names one.
    pub from: Option<Destination>,
    /// What the image has to have beside it before anything is copied, if anything.
    pub check: Option<ImageCheck>,
    /// How it is signed, if it is.
    pub signing: Option<SigningOptions>,
    /// Which referrers travel with it.
    pub referrers: ReferrerSelection,
    /// Which platforms it is to be released for.
    pub platforms: RequestedPlatforms,
    /// Plan and report, and write nothing.
    pub dry_run: bool,
}

/// What the road works with.
pub struct ReleaseContext {
    /// The registries.
    pub registry: registry::RegistryClient,
    /// What is known of the blobs there.
    pub blob_index: BlobIndex,
    /// Counts what all images of the run move.
    pub meter: ProgressMeter,
    /// Where to say what happens.
    pub notices: Notices,
    /// What git knows of commits, where there is a checkout.
    pub ancestry: Option<CommitAncestry>,
    /// Where archives are unpacked, and how much they may take there.
    pub unpacking: Unpacking,
    /// Where the Docker engine listens, if not at the usual socket (`DOCKER_HOST`).
    pub docker_host: Option<String>,
}

/// A destination and what is known of it.
struct OpenDestination {
    name: Destination,
    store: ImageStore,
    tag_snapshot: OnceCell<TagSnapshot>,
    /// Whether all of the image was brought once more, since a tag was refused for want of it.
    recopied: OnceCell<()>,
}

/// Tells the registries' client what releases are going to need, so that they share logins. [`run`]
/// does so for its own; whoever runs several says it for all of them first.
pub fn announce_repositories<'a>(
    requests: impl IntoIterator<Item = &'a ReleaseRequest>,
    context: &ReleaseContext,
) {
    context.registry.expect(
        requests
            .into_iter()
            .flat_map(resolve_source::required_repositories),
    );
}

/// Releases an image.
///
/// # Errors
/// See [`Failure`]. Nothing is named by a tag that is not there in whole.
pub async fn run(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<ReleaseOutcome, Failure> {
    prepare_release(request, context).await?.execute().await
}

/// A release of which all is known that can be before anything is written.
struct PreparedRelease<'a> {
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
    destinations: Vec<OpenDestination>,
    /// The digest that was asked for, which need not be the image's.
    requested_digest: Digest,
    image: ResolvedImage,
    commit: Option<CommitId>,
    derived: DerivedTags,
    states: Vec<DestinationState>,
    plans: Vec<TagPlan>,
    branch_guard: Option<branch_ancestry::BranchTagGuard<'a>>,
}

/// Resolves, looks and plans. What a rule refuses is refused here, and nothing is written.
async fn prepare_release<'a>(
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
) -> Result<PreparedRelease<'a>, Failure> {
    announce_repositories([request], context);
    let destinations = open_destinations(request, context)?;
    let (mut image, derived, mut seen) =
        resolve_and_observe(request, context, &destinations).await?;
    let requested_digest = image.root.digest;
    if let Some(check) = &request.check {
        let checked =
            check.require_of_source(context, Side::Source, requested_digest, &request.source);
        checked.await?;
    }
    let commit = image_commit(request, &image);
    if let Some(kept) = reuse_existing::reuse_existing_image(
        request,
        context,
        &destinations,
        &derived,
        &seen,
        &image,
        commit.as_ref(),
    )
    .await?
    {
        image = kept;
    }
    branch_name::check(request, context, &destinations, &derived, &mut seen, &image)?;
    let branches = branch_ancestry::BranchTagGuard::new(context, &derived, commit.as_ref());
    if let Some(branches) = &branches {
        let root = image.root.digest;
        branches
            .keep_newer_tags(&destinations, &derived, &mut seen, root)
            .await?;
    }
    let plans = destinations
        .iter()
        .zip(&seen)
        .map(|(destination, seen)| {
            plan::plan_tags(&destination.name, &derived.tags, seen, image.root.digest)
        })
        .collect::<Result<Vec<TagPlan>, Failure>>()?;
    Ok(PreparedRelease {
        request,
        context,
        destinations,
        requested_digest,
        image,
        commit,
        derived,
        states: seen,
        plans,
        branch_guard: branches,
    })
}

impl PreparedRelease<'_> {
    /// Whether a tag is to be touched.
    fn changes_tags(&self) -> bool {
        let mut steps = self.plans.iter().flat_map(|plan| &plan.steps);
        steps.any(|step| step.change.writes_tag())
    }

    /// Transfers, signs, tags; on a dry run says what that would be.
    async fn execute(&self) -> Result<ReleaseOutcome, Failure> {
        self.execute_stages(PreTagStages::find_missing(self).await?)
            .await
    }

    /// Writes what is missing, the tags last.
    async fn execute_stages(
        &self,
        mut stages: PreTagStages<'_>,
    ) -> Result<ReleaseOutcome, Failure> {
        let mut plans = self.plans.clone();
        self.report_kept_tags();
        if !self.request.dry_run {
            // The first tag brings the root along, where one is sure to come and needs nothing else.
            let is_sure = |(destination, plan): (&OpenDestination, &TagPlan)| match plan.writes() {
                true => plan.is_certain_to_write(),
                false => !destination.is_looked_through(plan),
            };
            let is_alone = stages.is_only_image_missing();
            let by_tag = is_alone && self.destinations.iter().zip(&plans).all(is_sure);
            stages.append_to_existing_tags().await?;
            stages.copy_blobs().await?;
            stages.write_child_manifests().await?;
            if !is_alone {
                stages.write_root().await?;
                stages.write_referrer_manifests().await?;
            }
            let last = async {
                match is_alone {
                    true if by_tag => Ok(()),
                    true => stages.write_root().await,
                    false => stages.write_referrer_lists().await,
                }
            };
            let (immutable, ()) = try_join(write_tags::recheck_immutable_tags(self), last).await?;
            let is_late = !immutable.is_empty();
            write_tags::write_immutable_tags(self, immutable).await?;
            if let Some(branches) = &self.branch_guard {
                branches
                    .recheck_tags(&self.destinations, &mut plans)
                    .await?;
            }
            // Immutable tags that were written and read back have taken as long as a run that had read
            // a list before ours can take to write it.
            if is_late {
                try_join(
                    write_tags::write_moving_tags(self, &plans),
                    stages.recheck_shared_tags(),
                )
                .await?;
                self.reconcile_lines(&mut plans).await?;
            } else {
                write_tags::write_moving_tags(self, &plans).await?;
                try_join(
                    self.reconcile_lines(&mut plans),
                    stages.recheck_shared_tags(),
                )
                .await?;
            }
            if by_tag {
                stages.count_roots();
            }
        }
        Ok(self.build_outcome(plans, stages.stage_results()))
    }

    async fn reconcile_lines(&self, plans: &mut [TagPlan]) -> Result<(), Failure> {
        let each = self.destinations.iter().zip(plans).zip(&self.states);
        let results = each.map(|((destination, plan), seen)| {
            reconcile_lines::reconcile_lines(
                self.context,
                destination,
                plan,
                seen,
                &self.image.root,
            )
        });
        try_join_all(results).await.map(drop)
    }

    fn report_kept_tags(&self) {
        let each = self.destinations.iter().zip(&self.plans).zip(&self.states);
        for ((destination, plan), seen) in each {
            for TagStep { planned, change } in &plan.steps {
                // That a branch does not take a line was said as a warning.
                let is_said = seen.lines.contains_key(&planned.tag);
                if let TagChange::Stays { why, .. } = change
                    && !is_said
                {
                    let text = format!("{}: tag {}: {why}", destination.name, planned.tag);
                    self.context.notices.info(text);
                }
            }
        }
    }

    /// What a signature says of the release, beside what the surface gives.
    fn release_annotations(&self) -> BTreeMap<String, String> {
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

    fn build_outcome(&self, plans: Vec<TagPlan>, results: Vec<StageResult>) -> ReleaseOutcome {
        let places = self.destinations.iter().map(|one| one.name.clone());
        let released = places.zip(plans).zip(results);
        let released = released.map(|((place, plan), results)| DestinationOutcome {
            place,
            tags: plan.into_results(),
            copy_stats: results.copy_stats,
            referrers: results.referrers,
            signatures: results.signatures,
        });
        let root = &self.image.root;
        ReleaseOutcome {
            verb: self.request.verb,
            dry_run: self.request.dry_run,
            source: self.request.source.clone(),
            root: root.digest,
            media_type: root.media_type,
            platform_selection: self.image.platform_selection.clone(),
            requested_digest: Some(self.requested_digest).filter(|digest| *digest != root.digest),
            version: self.derived.version.clone(),
            commit: self.commit.clone(),
            destinations: released.collect(),
            notes: self.derived.notes.clone(),
        }
    }
}

impl OpenDestination {
    /// Whether all of the image is looked at there though a tag names it: what is on disk may have been
    /// written by anybody, and no registry has checked it.
    fn is_looked_through(&self, plan: &TagPlan) -> bool {
        matches!(self.store, ImageStore::Layout(_)) && plan.names_root()
    }

    /// What its tags tell of what stands beside images there, where the image is to come: it is asked
    /// once. Where the image is already, asking for what matters is as fast.
    async fn load_tag_snapshot(
        &self,
        plan: &TagPlan,
        seen: &DestinationState,
    ) -> Result<&TagSnapshot, Failure> {
        if !plan.writes() {
            return Ok(&TagSnapshot::Unknown);
        }
        let ask = || TagSnapshot::load(&self.store, &seen.tags);
        let prior = self.tag_snapshot.get_or_try_init(ask).await;
        prior.map_err(|error| Failure::from_store_error(Side::Destination, &self.name, error))
    }
}

/// The commit that the image is of: a pushed one the event's, a promoted one its own.
fn image_commit(request: &ReleaseRequest, image: &ResolvedImage) -> Option<CommitId> {
    match request.verb {
        ReleaseVerb::Push => request.facts.as_ref()?.commit.clone(),
        ReleaseVerb::Promote => image.origin.as_ref()?.revision.clone(),
    }
}

fn open_destinations(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<Vec<OpenDestination>, Failure> {
    refuse_twice(&request.destinations)?;
    if request.destinations.is_empty() {
        return Err(
            Failure::input("no destination is given").with_hint("name one or more in images")
        );
    }
    Ok(request
        .destinations
        .iter()
        .map(|place| OpenDestination {
            name: place.clone(),
            store: resolve_source::open_destination_store(context, place, &request.source),
            tag_snapshot: OnceCell::new(),
            recopied: OnceCell::new(),
        })
        .collect())
}

/// Refuses a place that is there twice, however it is spelled, and one of which that cannot be told.
fn refuse_twice(places: &[Destination]) -> Result<(), Failure> {
    let mut seen: HashMap<CanonicalPlace, &Destination> = HashMap::new();
    for place in places {
        let canonical = layout::canonical_place(place).map_err(|error| {
            Failure::from_store_error(Side::Destination, place, StoreError::from(error))
        })?;
        match seen.insert(canonical, place) {
            None => {}
            Some(first) => {
                let failure = Failure::input(format!("the destination {place} is given twice"));
                return Err(match first == place {
                    true => failure,
                    false => failure.why(format!("{first} is the same place")),
                });
            }
        }
    }
    Ok(())
}

/// Resolves the source and looks at the destinations, at once where the tags can be told without
/// the image.
async fn resolve_and_observe(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
) -> Result<(ResolvedImage, DerivedTags, Vec<DestinationState>), Failure> {
    let facts = request.facts.as_ref();
    if !needs_origin(request) {
        let derived = match request.verb {
            ReleaseVerb::Push => tagging::derive_push_tags(facts, &request.rules),
            ReleaseVerb::Promote => tagging::derive_promote_tags(
                facts,
                &ImageOrigin::default(),
                request.environment.as_ref(),
                &request.rules,
            ),
        }?;
        let (mut image, mut seen) = try_join(
            resolve_source::resolve_source(request, context),
            observe_destinations::observe_destinations(
                destinations,
                &derived.tags,
                &request.source,
                Vec::new(),
            ),
        )
        .await?;
        record_source_tags(request, destinations, &mut seen, &image);
        let mut derived = derived;
        derived
            .notes
            .extend(image_origin::commit_mismatch_note(&mut image, request).await?);
        return Ok((image, derived, seen));
    }
    let early = async {
        // The tags that are given by default follow version lines as a rule.
        Ok(match request.rules {
            TagRules::Default => observe_destinations::list_tags_early(destinations).await,
            TagRules::Custom(_) => Vec::new(),
        })
    };
    let ((mut image, origin), listed) =
        try_join(resolve_with_origin(request, context), early).await?;
    let derived =
        tagging::derive_promote_tags(facts, &origin, request.environment.as_ref(), &request.rules)?;
    image.origin = Some(origin);
    let mut seen = observe_destinations::observe_destinations(
        destinations,
        &derived.tags,
        &request.source,
        listed,
    )
    .await?;
    record_source_tags(request, destinations, &mut seen, &image);
    Ok((image, derived, seen))
}

async fn resolve_with_origin(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<(ResolvedImage, ImageOrigin), Failure> {
    let image = resolve_source::resolve_source(request, context).await?;
    let origin = image_origin::read_image_origin(&image.reader, &image.root).await;
    let origin =
        origin.map_err(|error| Failure::from_store_error(Side::Source, &request.source, error))?;
    Ok((image, origin))
}

/// A tag that is source and destination was asked for once, as the source.
fn record_source_tags(
    request: &ReleaseRequest,
    destinations: &[OpenDestination],
    seen: &mut [DestinationState],
    image: &ResolvedImage,
) {
    for (destination, seen) in destinations.iter().zip(seen) {
        seen.record_source_tag(destination, &request.source, image.source_digest());
    }
}

/// Whether the image's own labels have a say in its tags.
fn needs_origin(request: &ReleaseRequest) -> bool {
    let named_by_branch = || {
        let facts = request.facts.as_ref();
        facts.is_some_and(|facts| !matches!(facts.release_branch(), Ok(None)))
    };
    request.verb == ReleaseVerb::Promote
        && (request.rules.need_commit()
            || request.existing == ExistingTagPolicy::Keep
            || named_by_branch())
}
