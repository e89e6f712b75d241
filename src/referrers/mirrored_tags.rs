//! Appends to the referrers index and the `.sig` image of one subject together. Each holds, in an
//! annotation, the members of the other, so that a member that a run overwrites in one of them is
//! found in the other. A run writes one of them at a time, and before it writes the next it reads
//! that one again: when another run is done with both, at most one write of this run can be in
//! flight that rests on an earlier read. That write destroys one copy; this run then finds the
//! other copy, and corrects the first.
//!
//! So the first write may rest on a read long before, while planning, and every later one only on a
//! read after the write before it; the last step is to read both.
//!
//! Three runs or more can lose an entry: one of them is done, and two others have a write in flight
//! to one tag each, both resting on earlier reads. Only a registry that compares and writes in one
//! step, or a tag for each run, would prevent that: a run that is done cannot correct what happens
//! later, and no read tells a run of a copy that was overwritten twice.

use futures_util::future::try_join;
use serde_json::Value;

use super::append_to_tag::{ROUNDS_LIMIT, pause_before_round};
use super::mirror_annotation::read_mirrored_members;
use super::tag_members::merge_members;
use super::{AppendableTag, ReferrerError, cosign_image};
use crate::image::{Descriptor, Digest, Manifest, TagOrDigest};
use crate::transfer::{ImageStore, StoreError};

/// What a round takes where nobody disturbs: reading and writing each, and reading both.
const STEPS_PER_ROUND: u32 = 6;

/// Members to add to both tags, those of the referrers index first.
#[derive(Debug, Clone, Default)]
pub struct MirroredAdditions {
    /// The members. Their blobs are there.
    pub ours: [Vec<Value>; 2],
    /// What was seen there.
    pub seen: [Vec<Value>; 2],
}

impl MirroredAdditions {
    /// Returns whether there is nothing to add.
    pub fn is_empty(&self) -> bool {
        self.ours.iter().all(Vec::is_empty)
    }
}

/// Referrers index and `.sig` image of one subject, each with a copy of the other's members.
#[derive(Debug, Clone)]
pub struct MirroredTags([AppendableTag; 2]);

/// What is known of the tags while they are added to.
struct MirroredTagsState {
    manifests: [Option<Manifest>; 2],
    /// Which of them was read since the last write.
    is_fresh: [bool; 2],
}

impl MirroredTags {
    /// Returns the tags of the image `subject`.
    pub fn new(subject: Digest) -> Self {
        Self([
            AppendableTag::referrers_index(subject),
            AppendableTag::signatures(subject),
        ])
    }

    /// Adds to both and keeps all that was seen in either. `read` is what they named when they were
    /// looked at; `fresh` says whether this run has written neither since. Returns what they name at
    /// last.
    ///
    /// # Errors
    /// A tag that cannot be read or changed.
    pub async fn append(
        &self,
        store: &ImageStore,
        read: [Option<Manifest>; 2],
        fresh: bool,
        add: &mut MirroredAdditions,
    ) -> Result<[Option<Manifest>; 2], ReferrerError> {
        let mut known = MirroredTagsState {
            manifests: read,
            is_fresh: [fresh; 2],
        };
        for step in 0..STEPS_PER_ROUND * ROUNDS_LIMIT {
            let mut all = self.merged_members(store, &known, add).await?;
            let Some(which) = self.next_to_write(&known, &all) else {
                if known.is_fresh == [true; 2] {
                    return Ok(known.manifests);
                }
                self.reread(store, &mut known).await?;
                continue;
            };
            if !known.is_fresh[which] {
                pause_before_round((step / STEPS_PER_ROUND).saturating_sub(1)).await;
                known.manifests[which] = self.0[which].read_to_add(store).await?;
                known.is_fresh[which] = true;
                continue;
            }
            let others = all[1 - which].clone();
            let ours = std::mem::take(&mut all[which]);
            let there = known.manifests[which].as_ref();
            let (written, _) = self.0[which]
                .write_members(store, there, ours, Some(&others))
                .await?;
            known.manifests[which] = Some(written);
            known.is_fresh = [false; 2];
        }
        Err(ReferrerError::Contended(self.0[0].tag.clone()))
    }

    async fn reread(
        &self,
        store: &ImageStore,
        known: &mut MirroredTagsState,
    ) -> Result<(), ReferrerError> {
        let [list, sig] = &self.0;
        let (list, sig) = try_join(list.read_to_add(store), sig.read_to_add(store)).await?;
        known.manifests = [list, sig];
        known.is_fresh = [true; 2];
        Ok(())
    }

    /// What each should name: what it names, what was ever seen there, what the other holds of it,
    /// and ours.
    async fn merged_members(
        &self,
        store: &ImageStore,
        known: &MirroredTagsState,
        add: &mut MirroredAdditions,
    ) -> Result<[Vec<Value>; 2], ReferrerError> {
        let mut all = [Vec::new(), Vec::new()];
        for (which, all) in all.iter_mut().enumerate() {
            *all = self.members(which, &known.manifests);
            merge_members(all, &add.seen[which]);
            merge_members(all, &add.ours[which]);
            let before = all.clone();
            for value in read_mirrored_members(known.manifests[1 - which].as_ref()) {
                let mut with = before.clone();
                merge_members(&mut with, std::slice::from_ref(&value));
                if with.len() > before.len() && member_exists(store, which, &value).await? {
                    merge_members(all, &[value]);
                }
            }
            merge_members(&mut add.seen[which], all);
        }
        Ok(all)
    }

    /// The first that lacks a member, or else the first whose copy of the other's members is old.
    fn next_to_write(&self, known: &MirroredTagsState, all: &[Vec<Value>; 2]) -> Option<usize> {
        let is_overwritten = |which: usize| {
            let there = known.manifests[which].as_ref();
            there.is_some_and(|there| self.0[which].is_overwritten(there))
        };
        let lacks = |which: &usize| {
            let members = self.members(*which, &known.manifests).len();
            all[*which].len() > members || is_overwritten(*which)
        };
        let is_old = |which: &usize| {
            read_mirrored_members(known.manifests[*which].as_ref()) != all[1 - which]
        };
        (0..2).find(lacks).or_else(|| (0..2).find(is_old))
    }

    fn members(&self, which: usize, there: &[Option<Manifest>; 2]) -> Vec<Value> {
        let there = there[which].as_ref();
        there
            .map(|there| self.0[which].members(there))
            .unwrap_or_default()
    }
}

/// Whether what only the other tag still names is there to be named: it may have been removed.
async fn member_exists(
    store: &ImageStore,
    which: usize,
    value: &Value,
) -> Result<bool, ReferrerError> {
    let digest = value["digest"].as_str().and_then(|text| text.parse().ok());
    let (Some(digest), ImageStore::Registry(remote)) = (digest, store) else {
        return Ok(false);
    };
    let found = match which {
        0 => remote
            .head_manifest(&TagOrDigest::Digest(digest))
            .await
            .map(|head| head.is_some()),
        _ => {
            let is_signature = value["annotations"]
                .get(cosign_image::SIGNATURE_ANNOTATION)
                .is_some();
            let size = value["size"].as_u64().unwrap_or_default();
            let blob = Descriptor::new("", digest, size);
            Ok(is_signature && remote.has_blob(&blob).await.map_err(StoreError::from)?)
        }
    };
    Ok(found.map_err(StoreError::from)?)
}
