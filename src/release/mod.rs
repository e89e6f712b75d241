//! The road that every verb which releases an image takes.
//!
//! Resolve the source to a root, derive the tags, look at what each destination has, plan, transfer and
//! sign, tag. Further steps (gates, records) come between those; their order is that of promise 2
//! of the design, and a tag is always last.
//!
//! The road answers with an [`Outcome`] or a [`Failure`]; it reads no environment and prints nothing.

mod ahead;
mod beside;
mod branch;
mod branch_name;
mod carry;
mod existing;
mod failure;
mod fleet;
mod graph;
mod look;
mod origin;
mod outcome;
mod plan;
mod settle;
mod sign;
mod source;
mod subset;
mod tag;
mod transfer;
mod verify;

use std::collections::{BTreeMap, HashMap};

use futures_util::future::{try_join, try_join_all};
use tokio::sync::OnceCell;

pub use beside::{Attestation, Checked, Form};
pub use failure::{Complaint, Failure};
pub use fleet::{End, Fleet, FleetOutcome};
pub use graph::Content;
pub use outcome::{Change, Outcome, Released, TagResult};
pub(crate) use sign::unsigned as signing_failure;
pub use sign::{Signed, Signing};
pub use subset::{Platforms, Subset};
pub use verify::{Check, Image, Missing, Verification, Verify, Wanted, verify};

use crate::archive::Unpacking;
use crate::event::Facts;
use crate::git::Ancestry;
use crate::image::{CanonicalPlace, Commit, Digest, Location, Place};
use crate::layout;
use crate::notice::Notices;
use crate::referrers::{Prior, Selection};
use crate::registry;
use crate::tagging::{self, Derived, Environment, Origin, TagRules};
use crate::transfer::{Known, Meter, Side, Store, StoreError};
use ahead::{Ahead, Brought};
use look::Seen;
use plan::{Plan, Step};
use source::Resolved;

/// What is released how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A built image comes into its first repository, tagged after the event.
    Push,
    /// An image goes on to further repositories, tagged after what it is.
    Promote,
}

/// What to do where an immutable tag names another image of the same commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Keep what a commit's tag names on a push, refuse all else.
    #[default]
    ByKind,
    /// Refuse.
    Fail,
    /// Keep it.
    Keep,
}

/// A release that is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// How it is released.
    pub verb: Verb,
    /// Where the image is.
    pub source: Location,
    /// Where it is to go: at least one place, none twice.
    pub destinations: Vec<Place>,
    /// The event, or the checkout, that the tags are derived from.
    pub facts: Option<Facts>,
    /// The rules that give the tags.
    pub rules: TagRules,
    /// The environment that it is released to.
    pub environment: Option<Environment>,
    /// What to do where an immutable tag is taken.
    pub existing: Existing,
    /// The repository that an image has to be in to be released, where a policy names one.
    pub from: Option<Place>,
    /// What the image has to have beside it before anything is copied, if anything.
    pub check: Option<Check>,
    /// How it is signed, if it is.
    pub signing: Option<Signing>,
    /// Which referrers travel with it.
    pub referrers: Selection,
    /// Which platforms it is to be released for.
    pub platforms: Platforms,
    /// Plan and report, and write nothing.
    pub dry_run: bool,
}

/// What the road works with.
pub struct Context {
    /// The registries.
    pub registry: registry::Client,
    /// What is known of the blobs there.
    pub known: Known,
    /// Counts what all images of the run move.
    pub meter: Meter,
    /// Where to say what happens.
    pub notices: Notices,
    /// What git knows of commits, where there is a checkout.
    pub ancestry: Option<Ancestry>,
    /// Where archives are unpacked, and how much they may take there.
    pub unpacking: Unpacking,
    /// Where the Docker engine listens, if not at the usual socket (`DOCKER_HOST`).
    pub docker_host: Option<String>,
}

/// A destination and what is known of it.
struct Destination {
    place: Place,
    store: Store,
    prior: OnceCell<Prior>,
    /// Whether all of the image was brought once more, since a tag was refused for want of it.
    filled: OnceCell<()>,
}

/// Tells the registries' client what releases are going to need, so that they share logins. [`run`]
/// does so for its own; whoever runs several says it for all of them first.
pub fn announce<'a>(requests: impl IntoIterator<Item = &'a Request>, context: &Context) {
    context
        .registry
        .expect(requests.into_iter().flat_map(source::needed));
}

/// Releases an image.
///
/// # Errors
/// See [`Failure`]. Nothing is named by a tag that is not there in whole.
pub async fn run(request: &Request, context: &Context) -> Result<Outcome, Failure> {
    prepare(request, context).await?.carry_out().await
}

/// A release of which all is known that can be before anything is written.
struct Prepared<'a> {
    request: &'a Request,
    context: &'a Context,
    destinations: Vec<Destination>,
    /// The digest that was asked for, which need not be the image's.
    asked: Digest,
    image: Resolved,
    commit: Option<Commit>,
    derived: Derived,
    seen: Vec<Seen>,
    plans: Vec<Plan>,
    branches: Option<branch::Watch<'a>>,
}

/// Resolves, looks and plans. What a rule refuses is refused here, and nothing is written.
async fn prepare<'a>(request: &'a Request, context: &'a Context) -> Result<Prepared<'a>, Failure> {
    announce([request], context);
    let destinations = open_destinations(request, context)?;
    let (mut image, derived, mut seen) = resolve_and_look(request, context, &destinations).await?;
    let asked = image.root.digest;
    if let Some(check) = &request.check {
        let checked = check.require(context, Side::Source, asked, &request.source);
        checked.await?;
    }
    let commit = commit_of(request, &image);
    if let Some(kept) = existing::kept(
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
    let branches = branch::Watch::of(context, &derived, commit.as_ref());
    if let Some(branches) = &branches {
        let root = image.root.digest;
        branches
            .hold_newer(&destinations, &derived, &mut seen, root)
            .await?;
    }
    let plans = destinations
        .iter()
        .zip(&seen)
        .map(|(destination, seen)| {
            plan::plan(&destination.place, &derived.tags, seen, image.root.digest)
        })
        .collect::<Result<Vec<Plan>, Failure>>()?;
    Ok(Prepared {
        request,
        context,
        destinations,
        asked,
        image,
        commit,
        derived,
        seen,
        plans,
        branches,
    })
}

impl Prepared<'_> {
    /// Whether a tag is to be touched.
    fn touches_tags(&self) -> bool {
        let mut steps = self.plans.iter().flat_map(|plan| &plan.steps);
        steps.any(|step| step.change.touches())
    }

    /// Transfers, signs, tags; on a dry run says what that would be.
    async fn carry_out(&self) -> Result<Outcome, Failure> {
        self.write(Ahead::look(self).await?).await
    }

    /// Writes what is missing, the tags last.
    async fn write(&self, mut ahead: Ahead<'_>) -> Result<Outcome, Failure> {
        let mut plans = self.plans.clone();
        self.say_plan();
        if !self.request.dry_run {
            // The first tag brings the root along, where one is sure to come and needs nothing else.
            let is_sure = |(destination, plan): (&Destination, &Plan)| match plan.writes() {
                true => plan.is_sure_to_write(),
                false => !destination.is_looked_through(plan),
            };
            let is_alone = ahead.is_image_alone();
            let by_tag = is_alone && self.destinations.iter().zip(&plans).all(is_sure);
            ahead.add_to_tags().await?;
            ahead.blobs().await?;
            ahead.below().await?;
            if !is_alone {
                ahead.root().await?;
                ahead.beside().await?;
            }
            let last = async {
                match is_alone {
                    true if by_tag => Ok(()),
                    true => ahead.root().await,
                    false => ahead.lists().await,
                }
            };
            let (immutable, ()) = try_join(tag::look_again(self), last).await?;
            let is_late = !immutable.is_empty();
            tag::write_immutable(self, immutable).await?;
            if let Some(branches) = &self.branches {
                branches.look_again(&self.destinations, &mut plans).await?;
            }
            // Immutable tags that were written and read back have taken as long as a run that had read
            // a list before ours can take to write it.
            if is_late {
                try_join(tag::write_moving(self, &plans), ahead.settle()).await?;
                self.settle_lines(&mut plans).await?;
            } else {
                tag::write_moving(self, &plans).await?;
                try_join(self.settle_lines(&mut plans), ahead.settle()).await?;
            }
            if by_tag {
                ahead.count_roots();
            }
        }
        Ok(self.outcome(plans, ahead.brought()))
    }

    async fn settle_lines(&self, plans: &mut [Plan]) -> Result<(), Failure> {
        let each = self.destinations.iter().zip(plans).zip(&self.seen);
        let settled = each.map(|((destination, plan), seen)| {
            settle::lines(self.context, destination, plan, seen, &self.image.root)
        });
        try_join_all(settled).await.map(drop)
    }

    fn say_plan(&self) {
        let each = self.destinations.iter().zip(&self.plans).zip(&self.seen);
        for ((destination, plan), seen) in each {
            for Step { planned, change } in &plan.steps {
                // That a branch does not take a line was said as a warning.
                let is_said = seen.lines.contains_key(&planned.tag);
                if let Change::Stays { why, .. } = change
                    && !is_said
                {
                    let text = format!("{}: tag {}: {why}", destination.place, planned.tag);
                    self.context.notices.info(text);
                }
            }
        }
    }

    /// What a signature says of the release, beside what the surface gives.
    fn said(&self) -> BTreeMap<String, String> {
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

    fn outcome(&self, plans: Vec<Plan>, brought: Vec<Brought>) -> Outcome {
        let places = self.destinations.iter().map(|one| one.place.clone());
        let released = places.zip(plans).zip(brought);
        let released = released.map(|((place, plan), brought)| Released {
            place,
            tags: plan.into_results(),
            content: brought.content,
            beside: brought.beside,
            signatures: brought.signatures,
        });
        let root = &self.image.root;
        Outcome {
            verb: self.request.verb,
            dry_run: self.request.dry_run,
            source: self.request.source.clone(),
            root: root.digest,
            media_type: root.media_type,
            subset: self.image.subset.clone(),
            kept: Some(self.asked).filter(|asked| *asked != root.digest),
            version: self.derived.version.clone(),
            commit: self.commit.clone(),
            destinations: released.collect(),
            notes: self.derived.notes.clone(),
        }
    }
}

impl Destination {
    /// Whether all of the image is looked at there though a tag names it: what is on disk may have been
    /// written by anybody, and no registry has checked it.
    fn is_looked_through(&self, plan: &Plan) -> bool {
        matches!(self.store, Store::Layout(_)) && plan.names_root()
    }

    /// What its tags tell of what stands beside images there, where the image is to come: it is asked
    /// once. Where the image is already, asking for what matters is as fast.
    async fn prior(&self, plan: &Plan, seen: &Seen) -> Result<&Prior, Failure> {
        if !plan.writes() {
            return Ok(&Prior::Unknown);
        }
        let ask = || Prior::of(&self.store, &seen.tags);
        let prior = self.prior.get_or_try_init(ask).await;
        prior.map_err(|error| Failure::store(Side::Destination, &self.place, error))
    }
}

/// The commit that the image is of: a pushed one the event's, a promoted one its own.
fn commit_of(request: &Request, image: &Resolved) -> Option<Commit> {
    match request.verb {
        Verb::Push => request.facts.as_ref()?.commit.clone(),
        Verb::Promote => image.origin.as_ref()?.revision.clone(),
    }
}

fn open_destinations(request: &Request, context: &Context) -> Result<Vec<Destination>, Failure> {
    refuse_twice(&request.destinations)?;
    if request.destinations.is_empty() {
        return Err(Failure::input("no destination is given").hint("name one or more in images"));
    }
    Ok(request
        .destinations
        .iter()
        .map(|place| Destination {
            place: place.clone(),
            store: source::destination(context, place, &request.source),
            prior: OnceCell::new(),
            filled: OnceCell::new(),
        })
        .collect())
}

/// Refuses a place that is there twice, however it is spelled, and one of which that cannot be told.
fn refuse_twice(places: &[Place]) -> Result<(), Failure> {
    let mut seen: HashMap<CanonicalPlace, &Place> = HashMap::new();
    for place in places {
        let canonical = layout::canonical_place(place)
            .map_err(|error| Failure::store(Side::Destination, place, StoreError::from(error)))?;
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
async fn resolve_and_look(
    request: &Request,
    context: &Context,
    destinations: &[Destination],
) -> Result<(Resolved, Derived, Vec<Seen>), Failure> {
    let facts = request.facts.as_ref();
    if !needs_origin(request) {
        let derived = match request.verb {
            Verb::Push => tagging::for_push(facts, &request.rules),
            Verb::Promote => tagging::for_promote(
                facts,
                &Origin::default(),
                request.environment.as_ref(),
                &request.rules,
            ),
        }?;
        let (mut image, mut seen) = try_join(
            source::resolve(request, context),
            look::at_all(destinations, &derived.tags, &request.source, Vec::new()),
        )
        .await?;
        note_source(request, destinations, &mut seen, &image);
        let mut derived = derived;
        derived
            .notes
            .extend(origin::other_commit(&mut image, request).await?);
        return Ok((image, derived, seen));
    }
    let early = async {
        // The tags that are given by default follow version lines as a rule.
        Ok(match request.rules {
            TagRules::Default => look::list_early(destinations).await,
            TagRules::Given(_) => Vec::new(),
        })
    };
    let ((mut image, origin), listed) =
        try_join(resolve_with_origin(request, context), early).await?;
    let derived =
        tagging::for_promote(facts, &origin, request.environment.as_ref(), &request.rules)?;
    image.origin = Some(origin);
    let mut seen = look::at_all(destinations, &derived.tags, &request.source, listed).await?;
    note_source(request, destinations, &mut seen, &image);
    Ok((image, derived, seen))
}

async fn resolve_with_origin(
    request: &Request,
    context: &Context,
) -> Result<(Resolved, Origin), Failure> {
    let image = source::resolve(request, context).await?;
    let origin = origin::of(&image.source, &image.root).await;
    let origin = origin.map_err(|error| Failure::store(Side::Source, &request.source, error))?;
    Ok((image, origin))
}

/// A tag that is source and destination was asked for once, as the source.
fn note_source(
    request: &Request,
    destinations: &[Destination],
    seen: &mut [Seen],
    image: &Resolved,
) {
    for (destination, seen) in destinations.iter().zip(seen) {
        seen.source(destination, &request.source, image.found());
    }
}

/// Whether the image's own labels have a say in its tags.
fn needs_origin(request: &Request) -> bool {
    let named_by_branch = || {
        let facts = request.facts.as_ref();
        facts.is_some_and(|facts| !matches!(facts.release_branch(), Ok(None)))
    };
    request.verb == Verb::Promote
        && (request.rules.need_commit() || request.existing == Existing::Keep || named_by_branch())
}
