//! Why a registry does not have the image that a release asks for: the repository or the tag is unknown.

use std::collections::BTreeSet;

use crate::image::{ImageSource, Reference, Tag, TagOrDigest};
use crate::notices::similar_words;
use crate::registry::RepositoryClient;
use crate::release::Failure;
use crate::tagging::{is_commit_spelling, names_other_commit};
use crate::transfer::ImageStore;

/// Most tags that a message suggests.
const SUGGESTIONS: usize = 5;

/// Returns that the source has no such image.
pub(crate) fn no_such_image(source: &ImageSource) -> Failure {
    Failure::input(format!("source {source}: image not found"))
        .with_hint("check the tag or digest; some registries also answer this if the login may not read the repository")
}

/// Returns that a store has no such image.
pub(crate) async fn no_such_image_in(store: &ImageStore, source: &ImageSource) -> Failure {
    match (store, source) {
        (ImageStore::Registry(client), ImageSource::Registry(reference)) => {
            no_such_image_in_registry(client, reference).await
        }
        _ => no_such_image(source),
    }
}

/// Returns that a registry has no such image, with what its list of tags tells: whether the repository exists,
/// and tags that are like the one that was asked for.
async fn no_such_image_in_registry(client: &RepositoryClient, reference: &Reference) -> Failure {
    let Reference { repository, target } = reference;
    let missing =
        |why: String| Failure::input(format!("source {reference}: image not found: {why}"));
    let Ok(tags) = client.tags().await else {
        return no_such_image(&ImageSource::Registry(reference.clone()));
    };
    if tags.is_empty() {
        return missing(format!("there is no repository {repository}, or it has no tags"))
            .with_hint("check the name of the repository; some registries also answer this if the login may not read it");
    }
    let tag = match target {
        TagOrDigest::Digest(_) => {
            return missing(format!("{repository} exists and has no such digest"))
                .with_hint("check the digest, and that the image was pushed to this repository");
        }
        TagOrDigest::Tag(tag) => tag,
    };
    missing(format!("{repository} has no tag {tag}")).with_hint(similar_tags_hint(tag, &tags))
}

/// Returns a hint with the tags that are like the missing one. The tag of another commit is another image,
/// however alike the digits are.
fn similar_tags_hint(tag: &Tag, tags: &BTreeSet<Tag>) -> String {
    let may_be_meant = tags.iter().filter(|other| !names_other_commit(other, tag));
    let near = similar_words(tag.as_str(), may_be_meant.map(Tag::as_str), SUGGESTIONS);
    match near.as_slice() {
        [] if is_commit_spelling(tag) => format!(
            "wait until the workflow that builds the commit has finished, or run it; the repository has {} other tags",
            tags.len()
        ),
        [] => format!("check the tag; the repository has {} others", tags.len()),
        near => format!("did you mean {}?", near.join(", ")),
    }
}
