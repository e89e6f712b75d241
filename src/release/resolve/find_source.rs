//! Finds the source of a promotion by the commit that it was built from: under the SHA tags of the
//! commit, of which all are asked for at once. Exactly one image must be found, and its label must name
//! the commit.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;

use super::image_store::open_source_store;
use crate::image::{Digest, NamedCommit, Tag, TagOrDigest};
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
    let digests: BTreeSet<Digest> = found.iter().map(|(_, digest)| *digest).collect();
    let tag = match found.first() {
        None => return Err(unbuilt_failure(request, lookup, &store).await),
        Some(_) if digests.len() > 1 => return Err(ambiguous_failure(lookup, &found)),
        Some((tag, _)) => tag,
    };
    let source = lookup.image(tag);
    context.notices.info(format!(
        "source: found by commit {}, which {} names, as tag {tag}: {source}",
        lookup.commit, lookup.named_by
    ));
    Ok(Cow::Owned(ReleaseRequest {
        source,
        ..request.clone()
    }))
}

/// Refuses an image that was found by a commit and does not name it.
///
/// # Errors
/// A label that names another commit, and none that names a whole one.
pub(crate) fn require_sought_commit(
    request: &ReleaseRequest,
    origin: &ImageOrigin,
) -> Result<(), Failure> {
    let Some(lookup) = &request.lookup else {
        return Ok(());
    };
    let says = match &origin.revision {
        Some(built) if lookup.commit.may_be(built) => return Ok(()),
        Some(built) => format!("but its label names the commit {built}"),
        None => match &origin.malformed_revision {
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

fn ambiguous_failure(lookup: &SourceLookup, found: &[(Tag, Digest)]) -> Failure {
    let SourceLookup {
        commit,
        named_by,
        place,
        ..
    } = lookup;
    let mut tags: BTreeMap<Digest, Vec<&str>> = BTreeMap::new();
    for (tag, digest) in found {
        tags.entry(*digest).or_default().push(tag.as_str());
    }
    let images = tags
        .iter()
        .map(|(digest, tags)| format!("{digest} ({})", tags.join(", ")));
    let images: Vec<_> = images.collect();
    let first = found
        .first()
        .map(|(_, digest)| place.to_source(TagOrDigest::Digest(*digest)));
    let example = first.map_or_else(String::new, |image| format!(", such as {image}"));
    Failure::refused(format!(
        "commit {commit} has {} images in {place}: {}",
        images.len(),
        images.join(", ")
    ))
    .with_reason(format!(
        "a promotion without source releases the one image that was built from the commit which {named_by} names"
    ))
    .with_hint(format!("give the right one as source{example}"))
}
