//! Resolves the source and observes the destinations: the first step of a release, both at the same
//! time where the tags do not depend on the image.

use futures_util::future::try_join;

use super::Failure;
use super::context::ReleaseContext;
use super::destination::OpenDestination;
use super::naming_checks;
use super::plan::destination_state::DestinationState;
use super::plan::observe;
use super::request::{ExistingTagPolicy, ReleaseRequest, ReleaseVerb};
use super::resolve::image::ResolvedImage;
use super::resolve::source::resolve_source;
use super::resolve::{image_names, image_origin, sought_label};
use crate::tagging::{self, DerivedTags, ImageOrigin, TagRules};

/// Resolves the source and looks at the destinations, at once where the tags can be told without
/// the image.
pub(super) async fn resolve_and_observe(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
) -> Result<(ResolvedImage, DerivedTags, Vec<DestinationState>), Failure> {
    let facts = request.facts.as_ref();
    if !needs_origin(request) {
        let derived = derive_without_image(request)?;
        naming_checks::check_contradictions(request, context, &derived)?;
        let (mut image, mut seen) = try_join(
            resolve_source(request, context),
            observe::observe_destinations(destinations, &derived.tags, request, Vec::new()),
        )
        .await?;
        record_source_tags(request, destinations, &mut seen, &image);
        let mut derived = derived;
        image_origin::check_commit_label(&mut image, request, &mut derived).await?;
        return Ok((image, derived, seen));
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
    let ((mut image, origin), listed) =
        try_join(resolve_with_origin(request, context), early).await?;
    let derived =
        tagging::derive_promote_tags(facts, &origin, request.environment.as_ref(), &request.rules)?;
    naming_checks::check_names(request, context, &derived)?;
    image.origin = Some(origin);
    let mut seen =
        observe::observe_destinations(destinations, &derived.tags, request, listed).await?;
    record_source_tags(request, destinations, &mut seen, &image);
    Ok((image, derived, seen))
}

async fn resolve_with_origin(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<(ResolvedImage, ImageOrigin), Failure> {
    let image = resolve_source(request, context).await?;
    let mut origin = sought_label::read_origin(request, context, &image).await?;
    image_names::add_image_names(&mut origin, request, context, &image).await?;
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
