//! Finds the images of a commit in all places that are searched: by the records of their environments and, at
//! the same time, under the SHA tags of the commit.

use futures_util::future::{try_join, try_join_all};

use super::open_origin::OpenOrigin;
use crate::image::{CommitId, Digest, NamedCommit, Tag, TagOrDigest};
use crate::release::Failure;
use crate::release::records::commit_releases::CommitRelease;

/// Image that may be of the commit.
pub(super) struct CommitCandidate {
    pub(super) digest: Digest,
    /// Number of the place that it comes from: the first with a record, else the first with a tag.
    pub(super) origin: usize,
    /// Numbers of the places with a record of it.
    pub(super) recorded_in: Vec<usize>,
    /// Tags that name it, each with the number of its place.
    pub(super) tags: Vec<(usize, Tag)>,
    /// Commit that a record, or all parts of the image, name.
    pub(super) built: Option<CommitId>,
}

impl CommitCandidate {
    fn new(digest: Digest, origin: usize) -> Self {
        Self {
            digest,
            origin,
            recorded_in: Vec::new(),
            tags: Vec::new(),
            built: None,
        }
    }

    /// Returns the commit that a record names.
    pub(super) fn recorded_commit(&self) -> Option<CommitId> {
        let is_recorded = !self.recorded_in.is_empty();
        self.built.clone().filter(|_| is_recorded)
    }

    /// Returns the tag of the place that it comes from; its digest if a record alone names it.
    pub(super) fn target(&self) -> TagOrDigest {
        let own = self.tags.iter().find(|(at, _)| *at == self.origin);
        match own {
            Some((_, tag)) => TagOrDigest::Tag(tag.clone()),
            None => TagOrDigest::Digest(self.digest),
        }
    }
}

/// Images of one place.
struct OriginImages {
    recorded: Vec<CommitRelease>,
    tagged: Vec<(Tag, Digest)>,
}

/// Finds the candidates: those with a record first, each in the order of the places.
///
/// # Errors
/// A store that fails.
pub(super) async fn find_candidates(
    origins: &[OpenOrigin<'_>],
    commit: &NamedCommit,
    short_sha: usize,
) -> Result<Vec<CommitCandidate>, Failure> {
    let each = origins
        .iter()
        .map(|origin| find_in_origin(origin, commit, short_sha));
    let found = try_join_all(each).await?;
    let mut candidates: Vec<CommitCandidate> = Vec::new();
    for (at, images) in found.iter().enumerate() {
        for release in &images.recorded {
            let candidate = candidate_of(&mut candidates, release.root, at);
            candidate.recorded_in.push(at);
            candidate.built.get_or_insert(release.commit.clone());
        }
    }
    for (at, images) in found.iter().enumerate() {
        for (tag, digest) in &images.tagged {
            let candidate = candidate_of(&mut candidates, *digest, at);
            candidate.tags.push((at, tag.clone()));
        }
    }
    Ok(candidates)
}

fn candidate_of(
    candidates: &mut Vec<CommitCandidate>,
    digest: Digest,
    origin: usize,
) -> &mut CommitCandidate {
    let known = candidates.iter().position(|it| it.digest == digest);
    let at = known.unwrap_or_else(|| {
        candidates.push(CommitCandidate::new(digest, origin));
        candidates.len() - 1
    });
    &mut candidates[at]
}

async fn find_in_origin(
    origin: &OpenOrigin<'_>,
    commit: &NamedCommit,
    short_sha: usize,
) -> Result<OriginImages, Failure> {
    let recorded = async {
        match origin.timeline().await? {
            Some(timeline) => timeline.find_commit(commit).await,
            None => Ok(Vec::new()),
        }
    };
    let tags = origin.origin.commit_tags(commit, short_sha);
    let tagged = tags.into_iter().map(|tag| async move {
        let named = origin.resolve_tag(&tag).await?;
        Ok::<_, Failure>(named.map(|digest| (tag, digest)))
    });
    let (recorded, tagged) = try_join(recorded, try_join_all(tagged)).await?;
    Ok(OriginImages {
        recorded,
        tagged: tagged.into_iter().flatten().collect(),
    })
}
