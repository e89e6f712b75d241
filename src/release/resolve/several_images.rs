//! Chooses among the images that the SHA tags of a commit name: short tags of two commits may be equal.

use futures_util::future::try_join_all;

use super::sought_origin::read_sought_origin;
use crate::image::{CommitId, Digest, Tag, TagOrDigest};
use crate::release::Failure;
use crate::release::source_lookup::SourceLookup;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// An image that SHA tags of the commit name.
struct Candidate {
    digest: Digest,
    /// Tags, in the order of the search.
    tags: Vec<Tag>,
    /// Commit that all parts of the image name.
    built: Option<CommitId>,
}

/// Returns the image of the commit and its first tag: the only one, or the one that names the commit where
/// all others name another.
///
/// # Errors
/// Several images that may be of the commit, and none of several.
pub(super) async fn choose_image(
    lookup: &SourceLookup,
    store: &ImageStore,
    found: &[(Tag, Digest)],
) -> Result<(Tag, Digest), Failure> {
    let (first, digest) = &found[0];
    if found.iter().all(|(_, other)| other == digest) {
        return Ok((first.clone(), *digest));
    }
    let candidates = read_candidates(lookup, store, found).await?;
    let is_sought = |it: &&Candidate| it.built.as_ref().is_some_and(|it| lookup.commit.may_be(it));
    let sought: Vec<_> = candidates.iter().filter(is_sought).collect();
    let is_known = candidates.iter().all(|candidate| candidate.built.is_some());
    match sought.as_slice() {
        [only] if is_known => Ok((only.tags[0].clone(), only.digest)),
        sought => Err(ambiguous_failure(
            lookup,
            &candidates,
            sought.first().copied(),
        )),
    }
}

async fn read_candidates(
    lookup: &SourceLookup,
    store: &ImageStore,
    found: &[(Tag, Digest)],
) -> Result<Vec<Candidate>, Failure> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (tag, digest) in found {
        match candidates.iter_mut().find(|it| it.digest == *digest) {
            Some(candidate) => candidate.tags.push(tag.clone()),
            None => candidates.push(Candidate {
                digest: *digest,
                tags: vec![tag.clone()],
                built: None,
            }),
        }
    }
    let each = candidates.into_iter().map(|candidate| async move {
        let built = built_commit(lookup, store, candidate.digest).await?;
        Ok::<_, Failure>(Candidate { built, ..candidate })
    });
    try_join_all(each).await
}

/// Returns the commit that all parts of an image name.
async fn built_commit(
    lookup: &SourceLookup,
    store: &ImageStore,
    digest: Digest,
) -> Result<Option<CommitId>, Failure> {
    let reader = ImageReader::from_store(store.clone());
    let read = async {
        let Some(root) = reader.get_manifest(digest).await? else {
            return Ok(None);
        };
        let read = read_sought_origin(&reader, &root).await?;
        Ok(read
            .origin
            .revision
            .filter(|_| read.contradiction.is_none()))
    };
    let image = lookup.place.to_source(TagOrDigest::Digest(digest));
    read.await
        .map_err(|error: StoreError| Failure::from_store_error(Side::Source, &image, error))
}

fn ambiguous_failure(
    lookup: &SourceLookup,
    candidates: &[Candidate],
    suggested: Option<&Candidate>,
) -> Failure {
    let SourceLookup {
        commit,
        named_by,
        place,
        ..
    } = lookup;
    let images = candidates.iter().map(|candidate| {
        let tags: Vec<_> = candidate.tags.iter().map(Tag::as_str).collect();
        let built = candidate
            .built
            .as_ref()
            .filter(|built| !commit.may_be(built));
        let built = built.map_or_else(String::new, |built| format!(", of commit {built}"));
        format!("{} ({}{built})", candidate.digest, tags.join(", "))
    });
    let images: Vec<_> = images.collect();
    let example = suggested.map(|it| place.to_source(TagOrDigest::Digest(it.digest)));
    let example = example.map_or_else(String::new, |image| format!(", such as {image}"));
    Failure::refused(format!(
        "the tags of commit {commit} name {} images in {place}: {}",
        images.len(),
        images.join(", ")
    ))
    .with_reason(format!(
        "a promotion without source releases the one image that was built from the commit which {named_by} names"
    ))
    .with_hint(format!("give the right one as source{example}"))
}
