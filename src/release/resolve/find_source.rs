//! Finds the source of a promotion by the commit that it was built from: under the SHA tags of the
//! commit, of which all are asked for at once. Exactly one image must be found, and its label must name
//! the commit.

use std::borrow::Cow;
use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::image::ResolvedImage;
use super::image_origin::read_image_origin;
use super::image_store::open_source_store;
use super::several_images::choose_image;
use super::sought_origin::{SoughtOrigin, read_sought_origin};
use crate::image::{Digest, NamedCommit, Tag};
use crate::notices::to_printable;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::request::ReleaseRequest;
use crate::release::source_lookup::SourceLookup;
use crate::tagging::{ImageOrigin, tags_of_commit};
use crate::transfer::{ImageStore, Side};

/// Most tags that a message suggests.
const SUGGESTIONS: usize = 3;
/// Fewer digits than a whole commit has.
const SHORT_TAG: usize = 40;

/// Returns the request with the source that is found, where it asks for one by commit; else the request
/// itself.
///
/// # Errors
/// No image of the commit, or several.
pub(crate) async fn find_source<'a>(
    request: &'a ReleaseRequest,
    context: &ReleaseContext,
) -> Result<Cow<'a, ReleaseRequest>, Failure> {
    let Some(lookup) = &request.lookup else {
        return Ok(Cow::Borrowed(request));
    };
    let store = open_source_store(context, &request.source)?;
    let found = resolve_tags(lookup, &store).await?;
    if found.is_empty() {
        return Err(unbuilt_failure(request, lookup, &store).await);
    }
    let (tag, digest) = choose_image(lookup, &store, &found).await?;
    let source = lookup.image(&tag);
    context.notices.info(format!(
        "source: found by commit {}, which {} names, as tag {tag}: {source}",
        lookup.commit, lookup.named_by
    ));
    Ok(Cow::Owned(ReleaseRequest {
        source,
        lookup: Some(SourceLookup {
            found: Some(digest),
            ..lookup.clone()
        }),
        ..request.clone()
    }))
}

/// Reads what the image names. One that was found by a commit must name it in all its parts.
///
/// # Errors
/// A label that names another commit, and none that names a whole one.
pub(crate) async fn read_origin(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &ResolvedImage,
) -> Result<ImageOrigin, Failure> {
    let to_failure = |error| Failure::from_store_error(Side::Source, &request.source, error);
    let Some(lookup) = &request.lookup else {
        let origin = read_image_origin(&image.reader, &image.root).await;
        return origin.map_err(to_failure);
    };
    let read = read_sought_origin(&image.reader, &image.root).await;
    let read = read.map_err(to_failure)?;
    require_sought_commit(request, lookup, &read)?;
    if let Some(warning) = other_repository_warning(request, &read.origin) {
        context.notices.warning(warning);
    }
    Ok(read.origin)
}

/// Returns a warning if the image names another source repository than the run's.
fn other_repository_warning(request: &ReleaseRequest, origin: &ImageOrigin) -> Option<String> {
    let own = request.facts.as_ref()?.repository.as_ref()?;
    let named = origin.source.as_ref().filter(|named| !named.is_empty())?;
    let path = named.trim_end_matches('/').trim_end_matches(".git");
    let path = path.to_ascii_lowercase().replace(':', "/");
    let is_own = path.ends_with(&format!("/{}", own.to_ascii_lowercase()));
    (!is_own).then(|| {
        format!(
            "{} names the source repository {} (label org.opencontainers.image.source), the run is of {}",
            request.source,
            to_printable(named, 200),
            to_printable(own, 200)
        )
    })
}

fn require_sought_commit(
    request: &ReleaseRequest,
    lookup: &SourceLookup,
    read: &SoughtOrigin,
) -> Result<(), Failure> {
    let origin = &read.origin;
    let says = match (&origin.revision, &read.contradiction) {
        (Some(built), Some(other)) => {
            format!("but its labels name two commits, {built} and {other}")
        }
        (Some(built), None) if lookup.commit.may_be(built) => return Ok(()),
        (Some(built), None) => format!("but its label names the commit {built}"),
        (None, _) => match &origin.malformed_revision {
            Some(text) => format!(
                "but its label says {:?}, which is no full commit",
                to_printable(text, 80)
            ),
            None => "but no label of it names a commit".to_owned(),
        },
    };
    Err(Failure::refused(format!(
        "{} was found by the commit {}, which {} names, {says}",
        request.source, lookup.commit, lookup.named_by
    ))
    .with_reason("an image that is found by its commit must name that commit itself, in the label or annotation org.opencontainers.image.revision: a tag can be moved, and an abbreviated commit can be two")
    .with_hint(format!(
        "build the image with the labels of docker/metadata-action or of command: tags (docker/build-push-action: labels), or give source: {}, if it is the right image",
        request.source
    )))
}

/// Returns the tags that exist, with what they name, in the order of the request.
async fn resolve_tags(
    lookup: &SourceLookup,
    store: &ImageStore,
) -> Result<Vec<(Tag, Digest)>, Failure> {
    let each = lookup.tags.iter().map(|tag| async move {
        let named = store.resolve_tag(tag).await;
        let named = named
            .map_err(|error| Failure::from_store_error(Side::Source, &lookup.image(tag), error))?;
        Ok::<_, Failure>(named.map(|digest| (tag.clone(), digest)))
    });
    Ok(try_join_all(each).await?.into_iter().flatten().collect())
}

/// Returns that no image of the commit exists, with what the list of tags tells.
async fn unbuilt_failure(
    request: &ReleaseRequest,
    lookup: &SourceLookup,
    store: &ImageStore,
) -> Failure {
    let SourceLookup {
        commit, named_by, ..
    } = lookup;
    // What fails here only leaves the message shorter.
    let existing = store.tags().await.ok();
    let reason = absence_reason(lookup, existing.as_ref());
    let near = existing.iter().flat_map(|tags| similar_tags(tags, commit));
    let near: Vec<_> = near.map(|tag| lookup.image(&tag).to_string()).collect();
    let (failure, hint) = match &request.path.from {
        Some(from) => (
            Failure::refused(format!("commit {commit} is not in {from}: {reason}")).with_reason(format!(
                "without source promote releases the image in {from} that was built from the commit which {named_by} names"
            )),
            format!("release the commit to {from} first, or wait until the run that does so has finished; or give source"),
        ),
        None => (
            Failure::refused(format!("commit {commit} is not built: {reason}")).with_reason(format!(
                "promote builds nothing: without source it releases the image that was built from the commit which {named_by} names"
            )),
            UNBUILT_HINT.to_owned(),
        ),
    };
    failure.with_hint(match near.as_slice() {
        [] => hint,
        near => format!(
            "give source, if one of these is its image: {}",
            near.join(", ")
        ),
    })
}

/// Returns what the list of tags says about an image that was not found.
fn absence_reason(lookup: &SourceLookup, existing: Option<&BTreeSet<Tag>>) -> String {
    let place = &lookup.place;
    match existing {
        Some(tags) if tags.is_empty() => format!("there is no {place}, or it has no tags"),
        _ => format!("{place} has no tag {}", tag_phrase(lookup)),
    }
}

const UNBUILT_HINT: &str = "wait until the workflow that builds the commit has finished, or run it; release a commit that is built, such as one of the default branch; or give source";

/// Returns the tags that end in the commit, in another spelling than was searched.
fn similar_tags(tags: &BTreeSet<Tag>, commit: &NamedCommit) -> Vec<Tag> {
    let NamedCommit::Whole(commit) = commit else {
        return Vec::new();
    };
    let near = tags_of_commit(tags, commit).into_iter();
    near.take(SUGGESTIONS).cloned().collect()
}

/// Returns the searched tags: the short ones, and that whole ones were searched too.
fn tag_phrase(lookup: &SourceLookup) -> String {
    let is_short = |tag: &&Tag| tag.as_str().len() < SHORT_TAG;
    let short: Vec<_> = lookup
        .tags
        .iter()
        .filter(is_short)
        .map(Tag::as_str)
        .collect();
    let whole = lookup.tags.len() - short.len();
    match (short.as_slice(), whole) {
        ([], _) => {
            let all: Vec<_> = lookup.tags.iter().map(Tag::as_str).collect();
            all.join(" or ")
        }
        (short, 0) => short.join(" or "),
        (short, _) => format!("{}, and none with the whole commit", short.join(" or ")),
    }
}
