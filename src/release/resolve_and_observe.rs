//! Resolves the source and observes the destinations: the first step of a release, both at the same
//! time where the tags do not depend on the image.

use std::collections::BTreeSet;

use futures_util::future::{join, try_join3};

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
    /// State of each destination.
    pub(super) states: Vec<DestinationState>,
    /// Timelines of the environments that the image may come from, the one that it comes from first; none if no
    /// policy names one.
    pub(super) sources: Vec<TimelineView>,
}

/// Resolves the source and looks at the destinations, at once where the tags can be told without
/// the image. Lists the timelines meanwhile, except those in `listed`, and reads what they say of the image as soon as
/// it is known.
pub(super) async fn resolve_and_observe(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    listed: Vec<TimelineView>,
) -> Result<ResolvedRelease, Failure> {
    let facts = request.facts.as_ref();
    let source_tags = SourceTags::open(request.record.as_ref(), context);
    let source_tags = source_tags.as_ref();
    let sources = list_source_timelines(request.record.as_ref(), context, listed, source_tags);
    if !needs_origin(request) {
        let derived = derive_without_image(request)?;
        naming_checks::check_contradictions(request, context, &derived)?;
        let (mut image, mut states, sources) = try_join3(
            resolve_source(request, context),
            observe::observe_destinations(destinations, &derived.tags, request, Vec::new()),
            sources,
        )
        .await?;
        record_source_tags(request, destinations, &mut states, &image);
        let mut derived = derived;
        image_origin::check_commit_label(&mut image, request, &mut derived).await?;
        let tags: Vec<BTreeSet<Tag>> = states.iter().map(|state| state.tags.clone()).collect();
        let listed = tags.iter().map(Some);
        let early = read_early(request, destinations, listed, sources.first(), &image);
        let names = observe::read_record_names(destinations, &mut states);
        let (read, ()) = join(names, early).await;
        read?;
        return Ok(ResolvedRelease {
            image,
            derived,
            states,
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
    let resolved = resolve_with_origin(request, context, source_tags);
    let ((mut image, origin), listed, sources) = try_join3(resolved, early, sources).await?;
    let derived =
        tagging::derive_promote_tags(facts, &origin, request.environment.as_ref(), &request.rules)?;
    naming_checks::check_names(request, context, &derived)?;
    image.origin = Some(origin);
    let tags = listed.clone();
    let tags = tags.iter().map(Option::as_ref);
    let early = read_early(request, destinations, tags, sources.first(), &image);
    let observed = async {
        let tags = &derived.tags;
        let mut states = observe::observe_destinations(destinations, tags, request, listed).await?;
        observe::read_record_names(destinations, &mut states).await?;
        Ok::<_, Failure>(states)
    };
    let (states, ()) = join(observed, early).await;
    let mut states = states?;
    record_source_tags(request, destinations, &mut states, &image);
    Ok(ResolvedRelease {
        image,
        derived,
        states,
        sources,
    })
}

async fn resolve_with_origin(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    source_tags: Option<&SourceTags>,
) -> Result<(ResolvedImage, ImageOrigin), Failure> {
    let image = resolve_source(request, context).await?;
    let mut origin = sought_label::read_origin(request, context, &image).await?;
    let named = image_names::add_image_names(&mut origin, request, context, &image, source_tags);
    named.await?;
    Ok((image, origin))
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
