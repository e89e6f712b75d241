//! The road that every verb which releases an image takes.
//!
//! Resolve the source to a root, derive the tags, look at what each destination has, plan, transfer,
//! sign, tag. Further steps (gates, records) come between those; their order is that of promise 2
//! of the design, and a tag is always last.
//!
//! The road answers with an [`Outcome`] or a [`Failure`]; it reads no environment and prints nothing.

mod beside;
mod branch;
mod carry;
mod existing;
mod failure;
mod fleet;
mod look;
mod origin;
mod outcome;
mod plan;
mod settle;
mod sign;
mod source;
mod subset;
mod tag;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::future::{try_join, try_join_all};

pub use beside::{Attestation, Checked, Form};
pub use failure::{Complaint, Failure};
pub use fleet::{End, Fleet, FleetOutcome};
pub use outcome::{Change, Outcome, Released, TagResult};
pub use sign::{Signed, Signing};
pub use subset::{Platforms, Subset};
pub use verify::{Check, Image, Missing, Verification, Verify, Wanted, verify};

use crate::event::Facts;
use crate::git::Ancestry;
use crate::image::{Commit, Digest, Location, Place};
use crate::notice::Notices;
use crate::referrers::{Selection, Travelled};
use crate::registry;
use crate::tagging::{self, Derived, Environment, Origin, TagRules};
use crate::transfer::{Content, Copy, Known, Meter, Side, Store};
use look::Seen;
use plan::{Plan, Step};
use sign::Work;
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
    /// What the source has to have beside it before anything is copied, if anything.
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
    /// A directory for unpacked archives, where there is one.
    pub scratch: Option<PathBuf>,
    /// Where the Docker engine listens, if not at the usual socket (`DOCKER_HOST`).
    pub docker_host: Option<String>,
}

/// A destination and what is known of it.
struct Destination {
    place: Place,
    store: Store,
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
        check.require(context, asked, &request.source).await?;
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
        image.beside = carry::find(request, context, &destinations, &image).await?;
        if let Some(signing) = &request.signing {
            let root = image.root.digest;
            sign::require(signing, context, &destinations, &seen, root).await?;
        }
    }
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
    /// Whether all is as it should be. Of signatures, and of what travels beside the image, that is
    /// not known yet.
    fn changes_nothing(&self) -> bool {
        let mut steps = self.plans.iter().flat_map(|plan| &plan.steps);
        self.request.signing.is_none()
            && self.image.beside.is_empty()
            && !steps.any(|step| step.change.touches())
    }

    /// Transfers, signs, tags; on a dry run says what that would be.
    async fn carry_out(self) -> Result<Outcome, Failure> {
        let Self {
            request,
            context,
            destinations,
            asked,
            image,
            commit,
            derived,
            seen,
            mut plans,
            branches,
        } = self;
        say_plan(context, &destinations, &plans);
        let said = said(request, commit.as_ref(), derived.version.as_deref());
        let mut signatures: Vec<Vec<Work>> = match &request.signing {
            Some(signing) => {
                sign::look(signing, context, &destinations, &plans, &image, &said).await?
            }
            None => destinations.iter().map(|_| Vec::new()).collect(),
        };
        let mut beside = carry::look(context, &image, &destinations, &plans).await?;
        for (works, carried) in signatures.iter_mut().zip(&beside) {
            if carried.is_some() {
                works.iter_mut().for_each(Work::comes_after_others);
            }
        }
        let content = if request.dry_run {
            vec![Default::default(); plans.len()]
        } else {
            carry::write(&mut beside, true).await?;
            sign(&mut signatures, true).await?;
            let by_tag = request.signing.is_none() && beside.iter().all(Option::is_none);
            let content = transfer(context, &image, &destinations, &plans, by_tag).await?;
            carry::write(&mut beside, false).await?;
            sign(&mut signatures, false).await?;
            write_tags(context, &image, &destinations, &plans, true).await?;
            if let Some(branches) = &branches {
                branches.look_again(&destinations, &mut plans).await?;
            }
            write_tags(context, &image, &destinations, &plans, false).await?;
            settle_lines(context, &image, &destinations, &mut plans, &seen).await?;
            try_join_all(beside.iter_mut().flatten().map(carry::Work::settle)).await?;
            try_join_all(signatures.iter_mut().flatten().map(Work::settle)).await?;
            content
        };
        let signatures: Vec<Vec<Signed>> = signatures
            .iter()
            .map(|works| works.iter().flat_map(Work::results).collect())
            .collect();
        let beside = beside.into_iter();
        let beside: Vec<Option<Travelled>> =
            beside.map(|work| work.map(carry::Work::results)).collect();
        let released = destinations
            .into_iter()
            .zip(plans)
            .zip(content)
            .zip(signatures)
            .zip(beside)
            .map(
                |((((destination, plan), content), signatures), beside)| Released {
                    place: destination.place,
                    tags: plan.into_results(),
                    content,
                    beside: beside.unwrap_or_default(),
                    signatures,
                },
            );
        Ok(Outcome {
            verb: request.verb,
            dry_run: request.dry_run,
            source: request.source.clone(),
            root: image.root.digest,
            media_type: image.root.media_type,
            subset: image.subset,
            kept: Some(asked).filter(|asked| *asked != image.root.digest),
            version: derived.version,
            commit,
            destinations: released.collect(),
            notes: derived.notes,
        })
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
    if let Some(twice) = request
        .destinations
        .iter()
        .enumerate()
        .find(|(at, place)| request.destinations[..*at].contains(place))
    {
        return Err(Failure::input(format!(
            "the destination {} is given twice",
            twice.1
        )));
    }
    if request.destinations.is_empty() {
        return Err(Failure::input("no destination is given").hint("name one or more in images"));
    }
    Ok(request
        .destinations
        .iter()
        .map(|place| Destination {
            place: place.clone(),
            store: source::destination(context, place, &request.source),
        })
        .collect())
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
        let resolved = async {
            let mut image = source::resolve(request, context).await?;
            image.beside = carry::find(request, context, destinations, &image).await?;
            Ok(image)
        };
        let (mut image, mut seen) = try_join(
            resolved,
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
    let (mut seen, beside) = try_join(
        look::at_all(destinations, &derived.tags, &request.source, listed),
        carry::find(request, context, destinations, &image),
    )
    .await?;
    image.beside = beside;
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

async fn transfer(
    context: &Context,
    image: &Resolved,
    destinations: &[Destination],
    plans: &[Plan],
    by_tag: bool,
) -> Result<Vec<Content>, Failure> {
    // Whoever names the root already has it.
    let lacks = |plan: &Plan| plan.writes();
    let lacking = destinations
        .iter()
        .zip(plans)
        .filter(|(_, plan)| lacks(plan));
    let lacking: Vec<&Destination> = lacking.map(|(destination, _)| destination).collect();
    let copy = Copy {
        source: &image.source,
        root: &image.root,
        destinations: lacking
            .iter()
            .map(|destination| &destination.store)
            .collect(),
        known: &context.known,
        notices: &context.notices,
        meter: &context.meter,
    };
    // The first tag brings the root along, where one is sure to come.
    let is_sure = |plan: &Plan| !lacks(plan) || plan.is_sure_to_write();
    let outcomes = match by_tag && plans.iter().all(is_sure) {
        true => copy.run_below().await,
        false => copy.run().await,
    };
    let outcomes = outcomes.into_iter().zip(lacking);
    let copied = outcomes.map(|(outcome, destination)| {
        outcome.map_err(|error| {
            let at: &dyn std::fmt::Display = match error.side {
                Side::Source => &image.location,
                Side::Destination => &destination.place,
            };
            Failure::store(error.side, at, error.error)
        })
    });
    let mut copied = copied
        .collect::<Result<Vec<Content>, Failure>>()?
        .into_iter();
    let content = plans.iter().map(|plan| match lacks(plan) {
        true => copied.next().unwrap_or_default(),
        false => Content::default(),
    });
    Ok(content.collect())
}

/// What a signature says of the release, beside what the surface gives.
fn said(
    request: &Request,
    commit: Option<&Commit>,
    version: Option<&str>,
) -> BTreeMap<String, String> {
    let facts = request.facts.as_ref();
    let git_ref = facts.and_then(|facts| facts.git_ref.as_ref());
    [
        ("commit", commit.map(ToString::to_string)),
        ("ref", git_ref.map(ToString::to_string)),
        ("version", version.map(str::to_owned)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// Makes the signatures that are still to be made; with `by_tag` alone those that a tag which is
/// there has to be added to for.
async fn sign(signatures: &mut [Vec<Work<'_>>], by_tag: bool) -> Result<(), Failure> {
    let works = signatures.iter_mut().flatten();
    let works = works.filter(|work| !by_tag || work.changes_tag());
    try_join_all(works.map(Work::attach)).await?;
    Ok(())
}

/// Writes the immutable tags, or the moving ones. The immutable ones are first, everywhere: once a moving
/// tag names a release, the release's own name is there.
async fn write_tags(
    context: &Context,
    image: &Resolved,
    destinations: &[Destination],
    plans: &[Plan],
    immutable: bool,
) -> Result<(), Failure> {
    let now = |step: &&Step| step.writes() && step.planned.kind.is_immutable() == immutable;
    let writes = destinations
        .iter()
        .zip(plans)
        .flat_map(|(destination, plan)| {
            let steps = plan.steps.iter().filter(now);
            steps.map(move |step| tag::write(context, destination, step, &image.root))
        });
    try_join_all(writes).await.map(drop)
}

async fn settle_lines(
    context: &Context,
    image: &Resolved,
    destinations: &[Destination],
    plans: &mut [Plan],
    seen: &[Seen],
) -> Result<(), Failure> {
    let each = destinations.iter().zip(plans).zip(seen);
    let settled = each.map(|((destination, plan), seen)| {
        settle::lines(context, destination, plan, seen, &image.root)
    });
    try_join_all(settled).await.map(drop)
}

fn say_plan(context: &Context, destinations: &[Destination], plans: &[Plan]) {
    for (destination, plan) in destinations.iter().zip(plans) {
        for Step { planned, change } in &plan.steps {
            if let Change::Stays { why, .. } = change {
                context
                    .notices
                    .info(format!("{}: tag {}: {why}", destination.place, planned.tag));
            }
        }
    }
}
