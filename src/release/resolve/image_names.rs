//! Finds the names of a promoted image: by the request, and by the tags of the source repository.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::image::ResolvedImage;
use crate::image::{Digest, Tag};
use crate::registry::TagPage;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::source_tags::SourceTags;
use crate::release::request::ReleaseRequest;
use crate::tagging::{ImageNames, ImageOrigin, UnknownNames};
use crate::transfer::{ImageStore, Side, StoreError};

/// Adds the names of a promoted image to its origin. Where the tags of the default table are given,
/// the tags of the source repository are looked up, if nothing else says a name; `source_tags` may have listed them.
pub(crate) async fn add_image_names(
    origin: &mut ImageOrigin,
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &ResolvedImage,
    source_tags: Option<&SourceTags>,
) -> Result<(), Failure> {
    origin.names = ImageNames {
        requested_version: request.naming.version.clone(),
        source_tag: request.source.tag(),
        commit_tag_form: request.commit_tag_form().cloned(),
        repository_tags: Vec::new(),
    };
    if !request.rules.is_default() {
        return Ok(());
    }
    let unknown = UnknownNames::of_promotion(request.facts.as_ref(), origin)?;
    let Some(store) = image.reader.as_store().filter(|_| !unknown.is_empty()) else {
        return Ok(());
    };
    let tags = list_tags(store, image, context, source_tags).await?;
    let candidates = unknown.candidates(&tags, &request.excluded_versions);
    origin.names.repository_tags = find_names(store, &candidates, image, request).await?;
    Ok(())
}

/// Lists the tags of the source repository; none where the registry does not list them for the login.
async fn list_tags(
    store: &ImageStore,
    image: &ResolvedImage,
    context: &ReleaseContext,
    source_tags: Option<&SourceTags>,
) -> Result<BTreeSet<Tag>, Failure> {
    match image.reader.known_tag_page() {
        Some(TagPage::Complete(tags)) => return Ok(tags.clone()),
        Some(TagPage::NoRepository) => return Ok(BTreeSet::new()),
        Some(TagPage::Incomplete) | None => {}
    }
    let listed = match source_tags.filter(|tags| tags.are_of(&image.location)) {
        Some(tags) => tags.list().await.cloned(),
        None => store.tags().await,
    };
    match listed {
        Ok(tags) => Ok(tags),
        Err(StoreError::Registry(error)) if error.is_refusal() && !error.is_transient() => {
            context.notices.warning(format!(
                "source {}: the registry does not list the tags of the repository, so they give no version and no SHA tag: {error}",
                image.location
            ));
            Ok(BTreeSet::new())
        }
        Err(error) => Err(source_failure(image, error)),
    }
}

/// Returns the candidates that name the image, all asked for at once.
async fn find_names(
    store: &ImageStore,
    candidates: &BTreeSet<Tag>,
    image: &ResolvedImage,
    request: &ReleaseRequest,
) -> Result<Vec<Tag>, Failure> {
    let digest = image.source_digest();
    let source_tag = request.source.tag();
    let heads = candidates.iter().map(|tag| async {
        // The source itself was resolved under its tag.
        let named: Option<Digest> = match source_tag.as_ref() == Some(tag) {
            true => Some(digest),
            false => store.resolve_tag(tag).await?,
        };
        Ok::<_, StoreError>((named == Some(digest)).then(|| tag.clone()))
    });
    let named = try_join_all(heads).await;
    let named = named.map_err(|error| source_failure(image, error))?;
    Ok(named.into_iter().flatten().collect())
}

fn source_failure(image: &ResolvedImage, error: StoreError) -> Failure {
    Failure::from_store_error(Side::Source, &image.location, error)
}
