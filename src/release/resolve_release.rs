//! Resolves the source and observes the destinations: the first steps of a release, both at the same
//! time where the tags do not depend on the image.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{join, try_join3};
use tokio::sync::oneshot;

use super::Failure;
use super::context::ReleaseContext;
use super::destination::OpenDestination;
use super::naming_checks;
use super::plan::destination_state::DestinationState;
use super::plan::observe;
use super::records::early_reads::read_early;
use super::records::source_tags::SourceTags;
use super::records::source_timeline::list_source_timelines;
use super::records::timeline_view::TimelineView;
use super::request::{ExistingTagPolicy, ReleaseRequest, ReleaseVerb};
use super::resolve::image::ResolvedImage;
use super::resolve::source::resolve_source;
use super::resolve::{image_names, image_origin, sought_label};
use crate::image::Tag;
use crate::tagging::{self, DerivedTags, ImageOrigin, TagRules};

/// Source that is resolved, with what was seen of the destinations and of the timeline that it comes from.
pub(super) struct ResolvedRelease {
    pub(super) image: ResolvedImage,
    pub(super) derived: DerivedTags,
    /// What was seen of the destinations by then.
    pub(super) seen: SeenDestinations,
    /// Timelines of the environments that the image may come from, the one that it comes from first; none if no
    /// policy names one.
    pub(super) sources: Vec<Arc<TimelineView>>,
}

/// What was seen of the destinations before the image was known.
pub(super) enum SeenDestinations {
    /// State of each.
    States(Vec<DestinationState>),
    /// Tags of each that were listed.
    Tags(Vec<Option<BTreeSet<Tag>>>),
}

/// Takes what is resolved as soon as it is, for who reads at the same time as the rest is resolved and observed.
pub(super) struct ResolvedSender {
    image: oneshot::Sender<ResolvedImage>,
    sources: oneshot::Sender<Vec<Arc<TimelineView>>>,
}

/// Receiver of what is resolved.
pub(super) struct ResolvedReceiver {
    image: oneshot::Receiver<ResolvedImage>,
    sources: oneshot::Receiver<Vec<Arc<TimelineView>>>,
}

impl ResolvedSender {
    /// Returns both ends.
    pub(super) fn new() -> (Self, ResolvedReceiver) {
        let (image, received_image) = oneshot::channel();
        let (sources, received_sources) = oneshot::channel();
        let received = ResolvedReceiver {
            image: received_image,
            sources: received_sources,
        };
        (Self { image, sources }, received)
    }
}

impl ResolvedReceiver {
    /// Waits for the image and the timelines that it may come from; `None` if they cannot be resolved.
    pub(super) async fn receive(self) -> Option<(ResolvedImage, Vec<Arc<TimelineView>>)> {
        let (image, sources) = join(self.image, self.sources).await;
        Some((image.ok()?, sources.ok()?))
    }
}

/// Resolves the source, and looks at the destinations meanwhile: at their planned tags where these can be told without
/// the image. Lists the timelines meanwhile, except those in `listed`.
pub(super) async fn resolve_release(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    listed: Vec<TimelineView>,
    sender: ResolvedSender,
) -> Result<ResolvedRelease, Failure> {
    let facts = request.facts.as_ref();
    let source_tags = SourceTags::open(request.record.as_ref(), context);
    let source_tags = source_tags.as_ref();
    let sources = async {
        let options = request.record.as_ref();
        let listed = list_source_timelines(options, context, listed, source_tags).await?;
        // Who resolves alone has dropped the other end.
        let _ = sender.sources.send(listed.clone());
        Ok(listed)
    };
    let resolve = async {
        let image = resolve_source(request, context).await?;
        let _ = sender.image.send(image.clone());
        Ok(image)
    };
    // A deployment is of the commit that the image was built from.
    if !needs_origin(request) && context.github.is_none() {
        let derived = derive_without_image(request)?;
        naming_checks::check_contradictions(request, context, &derived)?;
        let (mut image, mut states, sources) = try_join3(
            resolve,
            observe::observe_destinations(destinations, &derived.tags, request, Vec::new()),
            sources,
        )
        .await?;
        record_source_tags(request, destinations, &mut states, &image);
        let mut derived = derived;
        image_origin::check_commit_label(&mut image, request, &mut derived).await?;
        return Ok(ResolvedRelease {
            image,
            derived,
            seen: SeenDestinations::States(states),
            sources,
        });
    }
    let early = async {
        // The tags that are given by default follow version lines as a rule.
        Ok(match request.rules {
            TagRules::Default | TagRules::FlavoredDefault(_) => {
                observe::list_tags_early(destinations).await
            }
            TagRules::Custom(_) if request.record.is_some() => {
                observe::list_tags_early(destinations).await
            }
            TagRules::Custom(_) => Vec::new(),
        })
    };
    let resolved = async {
        let image = resolve.await?;
        let origin = read_names(request, context, &image, source_tags).await?;
        Ok((image, origin))
    };
    let ((mut image, origin), listed, sources) = try_join3(resolved, early, sources).await?;
    let derived =
        tagging::derive_promote_tags(facts, &origin, request.environment.as_ref(), &request.rules)?;
    naming_checks::check_names(request, context, &derived)?;
    image.origin = Some(origin);
    Ok(ResolvedRelease {
        image,
        derived,
        seen: SeenDestinations::Tags(listed),
        sources,
    })
}

/// Image that is resolved, with the tags that it gets.
pub(super) struct TaggedImage<'a> {
    pub(super) image: &'a ResolvedImage,
    pub(super) derived: &'a DerivedTags,
    /// Timelines of the environments that it may come from.
    pub(super) sources: &'a [Arc<TimelineView>],
}

/// Observes what was not `seen` of the destinations, and reads what the timelines say of the image.
///
/// # Errors
/// A store that fails, or too many entries that do not count.
pub(super) async fn observe_release(
    request: &ReleaseRequest,
    destinations: &[OpenDestination],
    release: &TaggedImage<'_>,
    seen: SeenDestinations,
) -> Result<Vec<DestinationState>, Failure> {
    let source = release.sources.first().map(AsRef::as_ref);
    match seen {
        SeenDestinations::States(mut states) => {
            let tags: Vec<BTreeSet<Tag>> = states.iter().map(|state| state.tags.clone()).collect();
            let listed = tags.iter().map(Some);
            let early = read_early(request, destinations, listed, source, release.image);
            let names = observe::read_record_names(destinations, &mut states);
            let (read, ()) = join(names, early).await;
            read?;
            Ok(states)
        }
        SeenDestinations::Tags(listed) => {
            let tags = listed.clone();
            let tags = tags.iter().map(Option::as_ref);
            let early = read_early(request, destinations, tags, source, release.image);
            let observed = async {
                let planned = &release.derived.tags;
                let observed =
                    observe::observe_destinations(destinations, planned, request, listed);
                let mut states = observed.await?;
                observe::read_record_names(destinations, &mut states).await?;
                Ok::<_, Failure>(states)
            };
            let (states, ()) = join(observed, early).await;
            let mut states = states?;
            record_source_tags(request, destinations, &mut states, release.image);
            Ok(states)
        }
    }
}

/// Reads the labels of the image, and its names in the environment that it comes from.
async fn read_names(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &ResolvedImage,
    source_tags: Option<&SourceTags>,
) -> Result<ImageOrigin, Failure> {
    let mut origin = sought_label::read_origin(request, context, image).await?;
    let named = image_names::add_image_names(&mut origin, request, context, image, source_tags);
    named.await?;
    Ok(origin)
}

/// Derives tags that do not depend on the image.
fn derive_without_image(request: &ReleaseRequest) -> Result<DerivedTags, Failure> {
    let facts = request.facts.as_ref();
    Ok(match request.verb {
        ReleaseVerb::Push => {
            tagging::derive_push_tags(facts, request.naming.version.as_ref(), &request.rules)?
        }
        ReleaseVerb::Promote => tagging::derive_promote_tags(
            facts,
            &ImageOrigin::default(),
            request.environment.as_ref(),
            &request.rules,
        )?,
    })
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
        && (request.lookup.is_some()
            || request.rules.need_commit()
            || request.existing == ExistingTagPolicy::Keep
            || named_by_branch())
}
