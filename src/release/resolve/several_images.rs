//! Chooses among the images that records and SHA tags of a commit name: short tags of two commits may be equal.

use futures_util::future::try_join_all;

use super::commit_candidates::CommitCandidate;
use super::open_origin::OpenOrigin;
use super::sought_origin::read_sought_origin;
use crate::image::{CommitId, Digest, NamedCommit, TagOrDigest};
use crate::release::Failure;
use crate::transfer::{ImageReader, Side, StoreError};

/// Commit that is searched for, and what names it.
pub(super) struct SoughtName<'a> {
    pub(super) commit: &'a NamedCommit,
    pub(super) named_by: &'a str,
}

/// Returns the image of the commit: the only one, or the one that names the commit where all others name
/// another.
///
/// # Errors
/// Several images that may be of the commit, and none of several.
pub(super) async fn choose_candidate(
    origins: &[OpenOrigin<'_>],
    sought: &SoughtName<'_>,
    mut candidates: Vec<CommitCandidate>,
) -> Result<CommitCandidate, Failure> {
    if candidates.len() == 1 {
        return Ok(candidates.remove(0));
    }
    let built = candidates.iter().map(|candidate| async {
        match &candidate.built {
            Some(built) => Ok(Some(built.clone())),
            None => built_commit(&origins[candidate.origin], candidate.digest).await,
        }
    });
    let built = try_join_all(built).await?;
    for (candidate, built) in candidates.iter_mut().zip(built) {
        candidate.built = built;
    }
    let is_sought =
        |it: &CommitCandidate| it.built.as_ref().is_some_and(|it| sought.commit.may_be(it));
    let is_known = candidates.iter().all(|candidate| candidate.built.is_some());
    let mut of_commit = (0..candidates.len()).filter(|at| is_sought(&candidates[*at]));
    match (of_commit.next(), of_commit.next()) {
        (Some(only), None) if is_known => Ok(candidates.swap_remove(only)),
        (first, second) => {
            let commits = second.map_or_else(Vec::new, |_| sought_commits(sought, &candidates));
            Err(match commits.as_slice() {
                [_, _, ..] => ambiguous_commit(sought, &commits),
                _ => several_images(origins, sought, &candidates, first),
            })
        }
    }
}

/// Returns the different commits that candidates were built from and that may be the sought one.
fn sought_commits<'c>(
    sought: &SoughtName<'_>,
    candidates: &'c [CommitCandidate],
) -> Vec<&'c CommitId> {
    let mut commits: Vec<&CommitId> = Vec::new();
    for built in candidates.iter().filter_map(|it| it.built.as_ref()) {
        if sought.commit.may_be(built) && !commits.contains(&built) {
            commits.push(built);
        }
    }
    commits
}

/// Returns the commit that all parts of an image name.
async fn built_commit(
    origin: &OpenOrigin<'_>,
    digest: Digest,
) -> Result<Option<CommitId>, Failure> {
    let reader = ImageReader::from_store(origin.store.clone());
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
    let image = origin.image(&TagOrDigest::Digest(digest));
    read.await
        .map_err(|error: StoreError| Failure::from_store_error(Side::Source, &image, error))
}

fn several_images(
    origins: &[OpenOrigin<'_>],
    sought: &SoughtName<'_>,
    candidates: &[CommitCandidate],
    suggested: Option<usize>,
) -> Failure {
    let SoughtName { commit, named_by } = sought;
    let images = candidates.iter().map(|candidate| {
        let tags = candidate.tags.iter().map(|(_, tag)| tag.to_string());
        let records = candidate.recorded_in.iter();
        let records = records.map(|at| format!("record of {}", origins[*at].name()));
        let names: Vec<String> = tags.chain(records).collect();
        let built = candidate.built.as_ref();
        let built = built.filter(|built| !commit.may_be(built));
        let built = built.map_or_else(String::new, |built| format!(", of commit {built}"));
        format!("{} ({}{built})", candidate.digest, names.join(", "))
    });
    let images: Vec<_> = images.collect();
    let places = origins.iter().map(|origin| origin.origin.place.to_string());
    let places: Vec<_> = places.collect();
    let example = suggested.map(|at| &candidates[at]);
    let example = example.map(|it| origins[it.origin].image(&TagOrDigest::Digest(it.digest)));
    let example = example.map_or_else(String::new, |image| format!(", such as {image}"));
    Failure::refused(format!(
        "commit {commit} has {} images in {}: {}",
        images.len(),
        places.join(" and "),
        images.join(", ")
    ))
    .with_reason(format!(
        "a promotion without source releases the one image that was built from the commit which {named_by} names"
    ))
    .with_hint(format!("give the right one as source{example}"))
}

fn ambiguous_commit(sought: &SoughtName<'_>, commits: &[&CommitId]) -> Failure {
    let SoughtName { commit, named_by } = sought;
    let commits: Vec<_> = commits.iter().map(ToString::to_string).collect();
    Failure::refused(format!(
        "{commit}, which {named_by} names, is ambiguous: images of {} commits begin with it: {}",
        commits.len(),
        commits.join(", ")
    ))
    .with_reason("an abbreviated commit can be two")
    .with_hint("name the commit with more digits, or give source")
}
