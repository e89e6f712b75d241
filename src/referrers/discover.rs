//! Discovers the referrers of an image at every level: those of its root, of its children, and of
//! these referrers; and cosign's images under tags.
//!
//! A list or manifest that cannot be read never counts as absent. Where a registry returns all its
//! tags in one response, that response tells which digest tags exist; otherwise each of them is
//! requested.

use std::collections::HashSet;

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::limits::{GRAPH_LIMIT, REFERRERS_LIMIT, SIZE_LIMIT};
use super::referrer_entry::ReferrerEntry;
use super::referrer_graph::{CosignTagImage, Referrer};
use super::subject_referrers::{ReferrerLists, SubjectReferrers};
use super::{ReferrerError, ReferrerGraph, ReferrerKind, ReferrerSelection, SkipReason};
use crate::image::{Digest, Manifest, ManifestLink, WalkDepth, WalkPolicy};
use crate::transfer::{ImageReader, StoreError, read_manifest_tree};

/// Questions to a source at the same time.
const REQUEST_CONCURRENCY: usize = 16;

impl ReferrerGraph {
    /// Discovers the referrers of `root` and of all manifests below it in `source`, except those of
    /// the manifests `made` by this run, which the source cannot have.
    ///
    /// # Errors
    /// Whatever cannot be read, or more than can stand beside an image.
    pub async fn discover(
        source: &ImageReader,
        root: &Manifest,
        made: &[Digest],
        selection: ReferrerSelection,
    ) -> Result<Self, ReferrerError> {
        if selection == ReferrerSelection::None {
            return Ok(Self::default());
        }
        let (lists, graph) = try_join(
            ReferrerLists::load(source),
            manifest_tree(source, root.digest, ManifestLink::from_manifest(root)),
        )
        .await?;
        let seen: HashSet<Digest> = graph.iter().copied().collect();
        let there = graph.into_iter().filter(|node| !made.contains(node));
        Self::walk_outwards(source, lists, there, seen, selection).await
    }

    /// Discovers the referrers of `subjects`, and not of manifests below them.
    ///
    /// # Errors
    /// As [`ReferrerGraph::discover`].
    pub async fn discover_direct(
        source: &ImageReader,
        subjects: &[Digest],
        selection: ReferrerSelection,
    ) -> Result<Self, ReferrerError> {
        let lists = ReferrerLists::load(source).await?;
        let seen = subjects.iter().copied().collect();
        Self::walk_outwards(source, lists, subjects.iter().copied(), seen, selection).await
    }

    /// Goes outwards from `subjects`: what is about them, what is about that, and so on.
    async fn walk_outwards(
        source: &ImageReader,
        lists: ReferrerLists<'_>,
        subjects: impl IntoIterator<Item = Digest>,
        mut seen: HashSet<Digest>,
        selection: ReferrerSelection,
    ) -> Result<Self, ReferrerError> {
        let mut found = Self::default();
        let mut room = RemainingLimits::new(selection);
        let mut wave = lists.referrers_of_all(subjects).await?;
        while !wave.is_empty() {
            let mut candidates = Vec::new();
            for about in wave {
                found.add_cosign_images(about.cosign_images, &mut room);
                let new = about.entries.into_iter();
                let new = new.filter(|entry| seen.insert(entry.digest));
                candidates
                    .extend(new.map(|entry| ReferrerCandidate::from_entry(about.subject, entry)));
            }
            if seen.len() > GRAPH_LIMIT {
                return Err(ReferrerError::TooManyReferrers);
            }
            let candidates = found.select_candidates(candidates, selection, &mut room);
            wave = Vec::new();
            let looked = stream::iter(candidates)
                .map(|candidate| read_candidate(source, &lists, candidate, selection))
                .buffered(REQUEST_CONCURRENCY);
            let mut looked = std::pin::pin!(looked);
            let mut entries = 0;
            while let Some((candidate, looked, about)) = looked.try_next().await? {
                if found.add_referrer(candidate, looked, selection, &mut room) {
                    let listed = about.iter().map(|about| about.entries.len());
                    entries += listed.sum::<usize>();
                    wave.extend(about);
                }
                if entries > GRAPH_LIMIT {
                    return Err(ReferrerError::TooManyReferrers);
                }
            }
        }
        Ok(found)
    }

    /// The candidates that may travel as far as their entries tell, the most telling kinds first.
    fn select_candidates(
        &mut self,
        mut candidates: Vec<ReferrerCandidate>,
        selection: ReferrerSelection,
        room: &mut RemainingLimits,
    ) -> Vec<ReferrerCandidate> {
        candidates.retain(|candidate| {
            let declared = candidate.declared_kind.as_ref();
            let reason = declared.and_then(|kind| selection.skip_reason(kind));
            if let (Some(kind), Some(reason)) = (declared, reason) {
                self.skip(kind.clone(), reason);
            }
            reason.is_none()
        });
        candidates.sort_by(|a, b| a.declared_kind.cmp(&b.declared_kind));
        for over in candidates.split_off(candidates.len().min(room.count)) {
            self.skip(over.into_kind(), SkipReason::LimitExceeded);
        }
        candidates
    }

    /// Takes a referrer along that was read; whether it does travel.
    fn add_referrer(
        &mut self,
        candidate: ReferrerCandidate,
        looked: Result<ReferrerFacts, SkipReason>,
        selection: ReferrerSelection,
        room: &mut RemainingLimits,
    ) -> bool {
        let digest = candidate.digest;
        let looked = match looked {
            Ok(looked) => looked,
            Err(reason) => {
                self.skip(candidate.into_kind(), reason);
                return false;
            }
        };
        let kind = looked.kind;
        let reason = selection.skip_reason(&kind).or_else(|| {
            let foreign = !looked.is_about_subject;
            foreign
                .then_some(SkipReason::OtherSubject)
                .or_else(|| (!room.reserve(looked.size)).then_some(SkipReason::LimitExceeded))
        });
        if let Some(reason) = reason {
            self.skip(kind, reason);
            return false;
        }
        self.referrers.push(Referrer {
            subject: candidate.subject,
            kind,
            digest,
        });
        true
    }

    fn add_cosign_images(&mut self, tagged: Vec<CosignTagImage>, room: &mut RemainingLimits) {
        for mut tagged in tagged {
            let records = tagged
                .layers
                .extract_if(.., |(kind, _)| *kind == ReferrerKind::ReleaseRecord);
            for (kind, _) in records.collect::<Vec<_>>() {
                self.skip(kind, SkipReason::ReleaseRecord);
            }
            if tagged.layers.is_empty() {
                continue;
            }
            if room.reserve(total_blob_size(&tagged.manifest)) {
                self.cosign_images.push(tagged);
            } else {
                for (kind, _) in tagged.layers {
                    self.skip(kind, SkipReason::LimitExceeded);
                }
            }
        }
    }
}

/// How much more may travel.
struct RemainingLimits {
    count: usize,
    size: u64,
}

impl RemainingLimits {
    fn new(selection: ReferrerSelection) -> Self {
        match selection {
            ReferrerSelection::Known => Self {
                count: REFERRERS_LIMIT,
                size: SIZE_LIMIT,
            },
            ReferrerSelection::All | ReferrerSelection::None => Self {
                count: usize::MAX,
                size: u64::MAX,
            },
        }
    }

    /// Takes the room that one thing of so many bytes needs, if there is as much.
    fn reserve(&mut self, size: u64) -> bool {
        let fits = self.count > 0 && self.size >= size;
        if fits {
            self.count -= 1;
            self.size -= size;
        }
        fits
    }
}

/// The bytes of a manifest's blobs.
fn total_blob_size(manifest: &Manifest) -> u64 {
    manifest
        .blobs()
        .fold(0, |sum, blob| sum.saturating_add(blob.size))
}

/// A referrer that is listed.
struct ReferrerCandidate {
    subject: Digest,
    digest: Digest,
    /// What its entry says that it is.
    declared_kind: Option<ReferrerKind>,
    /// The type that its entry gives.
    declared_type: Option<String>,
}

impl ReferrerCandidate {
    fn from_entry(subject: Digest, entry: ReferrerEntry) -> Self {
        Self {
            subject,
            digest: entry.digest,
            declared_kind: ReferrerKind::from_entry(
                entry.artifact_type.as_deref(),
                &entry.annotations,
            ),
            declared_type: entry.artifact_type,
        }
    }

    fn into_kind(self) -> ReferrerKind {
        let named = self.declared_type.unwrap_or_default();
        self.declared_kind
            .unwrap_or_else(|| ReferrerKind::Other(crate::notices::to_printable(&named, 120)))
    }
}

/// Facts from a referrer's manifest, which is not kept: thousands may be read.
struct ReferrerFacts {
    kind: ReferrerKind,
    /// Whether it says that it is about what it is listed for.
    is_about_subject: bool,
    /// The bytes of its blobs.
    size: u64,
    children: Vec<ManifestLink>,
}

/// Reads a referrer, and what refers to it. Of the known kinds, one that is no manifest is skipped instead of
/// an error, so that it does not keep the image from being released.
async fn read_candidate(
    source: &ImageReader,
    lists: &ReferrerLists<'_>,
    candidate: ReferrerCandidate,
    selection: ReferrerSelection,
) -> Result<
    (
        ReferrerCandidate,
        Result<ReferrerFacts, SkipReason>,
        Vec<SubjectReferrers>,
    ),
    ReferrerError,
> {
    let skips = selection == ReferrerSelection::Known;
    let read = async {
        match source.get_manifest(candidate.digest).await {
            Ok(found) => Ok(found
                .map(|manifest| ReferrerFacts::new(&manifest, candidate.subject))
                .ok_or(SkipReason::Missing)),
            Err(error) if skips && error.is_unreadable_manifest() => {
                Ok(Err(SkipReason::Unreadable))
            }
            Err(error) => Err(ReferrerError::from(error)),
        }
    };
    let (mut looked, about) = try_join(read, lists.referrers_of(candidate.digest)).await?;
    let mut all = vec![about];
    let children = looked
        .as_mut()
        .map(|looked| std::mem::take(&mut looked.children));
    if let Some(children) = children.ok().filter(|children| !children.is_empty()) {
        match manifest_tree(source, candidate.digest, children).await {
            Ok(below) => all.extend(lists.referrers_of_all(below.into_iter().skip(1)).await?),
            Err(ReferrerError::Store(error)) if skips && error.is_unreadable_manifest() => {
                looked = Err(SkipReason::Unreadable);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((candidate, looked, all))
}

impl ReferrerFacts {
    fn new(manifest: &Manifest, subject: Digest) -> Self {
        Self {
            kind: ReferrerKind::from_manifest(manifest),
            is_about_subject: manifest.has_subject(subject),
            size: total_blob_size(manifest),
            children: ManifestLink::from_manifest(manifest),
        }
    }
}

/// Returns the digests of the root and of all manifests below it.
async fn manifest_tree(
    source: &ImageReader,
    root: Digest,
    links: Vec<ManifestLink>,
) -> Result<Vec<Digest>, ReferrerError> {
    let policy = WalkPolicy {
        limit: GRAPH_LIMIT,
        depth: WalkDepth::IndexesOnly,
    };
    let tree = read_manifest_tree(source, root, links, policy).await;
    tree.map_err(|error| match error {
        StoreError::TooManyManifests(_) => ReferrerError::TooManyReferrers,
        error => error.into(),
    })
}
