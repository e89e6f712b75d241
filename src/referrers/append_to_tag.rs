//! Appends members to a tag that every writer appends to.
//!
//! Registries cannot compare and write in one step. So [`AppendableTag::append`] reads, merges and
//! writes, one right after the other; and after the pipeline has written its tags,
//! [`AppendableTag::recheck`] reads again until our members and all others that were ever seen are
//! listed. What another run writes between our read and our write is lost to us, but not to that
//! run: it reads again as well, later than the time from a read to a write.

use std::time::Duration;

use serde_json::{Map, Value};

use super::appendable_tag::TagContent;
use super::cosign_image::{cosign_config, cosign_config_descriptor};
use super::digest_tags::tag_target;
use super::mirror_annotation::set_mirrored_members;
use super::overwritten_tag::{has_image_config, is_filesystem};
use super::tag_members::{MEMBERS_LIMIT, merge_members};
use super::{AppendableTag, ReferrerError, TagSnapshot};
use crate::image::{Manifest, ManifestBody};
use crate::layout::{LayoutFault, TagPrecondition};
use crate::notices::Notices;
use crate::registry;
use crate::transfer::{ImageStore, StoreError};

/// Most writes of one tag; after them, too many other runs write the tag.
pub(super) const ROUNDS_LIMIT: u32 = 12;
/// The longest pause before the second round; each one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(40);

/// What came of adding to a tag once.
enum AppendResult {
    /// Nothing was missing.
    Complete(Option<Manifest>),
    /// Something was, and it was written; whether the store's answer vouches for that.
    Written { manifest: Manifest, stored: bool },
}

impl AppendableTag {
    /// Reads what the tag names, to go by it.
    ///
    /// # Errors
    /// A store that cannot tell, or something else under the tag: something has overwritten it.
    pub async fn read(&self, store: &ImageStore) -> Result<Option<Manifest>, ReferrerError> {
        match self.fetch(store).await? {
            Some(found) => self.accept(found).map(Some),
            None => Ok(None),
        }
    }

    /// Reads what the tag names, to add to it: what something has overwritten is written anew.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn read_to_add(
        &self,
        store: &ImageStore,
    ) -> Result<Option<Manifest>, ReferrerError> {
        let found = self.fetch(store).await?;
        Ok(found.map(|mut found| {
            let may_run = self.content == TagContent::CosignImage && has_image_config(&found);
            if let (true, ManifestBody::Image { layers, .. }) = (may_run, &mut found.body) {
                layers.retain(|layer| !is_filesystem(&layer.media_type));
            }
            found
        }))
    }

    /// Reads what the tag names as `AppendableTag::read_to_add` does, unless the tag is known to be
    /// absent.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn read_unless_absent(
        &self,
        store: &ImageStore,
        prior: &TagSnapshot,
    ) -> Result<Option<Manifest>, ReferrerError> {
        match prior.contains(&self.tag) {
            Some(false) => Ok(None),
            Some(true) | None => self.read_to_add(store).await,
        }
    }

    async fn fetch(&self, store: &ImageStore) -> Result<Option<Manifest>, ReferrerError> {
        if store.is_known_new() {
            return Ok(None);
        }
        let Some(found) = store.get_manifest(&tag_target(&self.tag)).await? else {
            return Ok(None);
        };
        // GitLab: oras-go#1396.
        if found.digest == self.subject {
            return Ok(None);
        }
        if found.members() > MEMBERS_LIMIT {
            return Err(ReferrerError::UnexpectedTagContent {
                tag: self.tag.clone(),
                problem: "a list that is too large to be read and extended",
            });
        }
        Ok(Some(found))
    }

    /// Adds `ours`, whose blobs are there, to what was read just now, and keeps all that was seen
    /// there. Where nothing is there, `whole`, which holds all of ours, is written as it is.
    /// Returns what the tag names then, as the store answered or as it is read back.
    ///
    /// # Errors
    /// A tag that cannot be read or changed.
    pub async fn append(
        &self,
        store: &ImageStore,
        there: Option<Manifest>,
        ours: &[Value],
        whole: Option<&Manifest>,
        seen: &mut Vec<Value>,
        notices: &Notices,
    ) -> Result<Option<Manifest>, ReferrerError> {
        match self.append_once(store, there, ours, whole, seen).await? {
            AppendResult::Complete(there) => Ok(there),
            AppendResult::Written {
                manifest,
                stored: true,
            } => Ok(Some(manifest)),
            AppendResult::Written { .. } => self.recheck(store, ours, seen, notices).await,
        }
    }

    /// Reads what the tag names, and adds what others have written over since. Returns what it names
    /// at last.
    ///
    /// # Errors
    /// As [`AppendableTag::append`].
    pub async fn recheck(
        &self,
        store: &ImageStore,
        ours: &[Value],
        seen: &mut Vec<Value>,
        notices: &Notices,
    ) -> Result<Option<Manifest>, ReferrerError> {
        for round in 0..ROUNDS_LIMIT {
            pause_before_round(round).await;
            let there = self.read_to_add(store).await?;
            match self.append_once(store, there, ours, None, seen).await? {
                AppendResult::Complete(there) => return Ok(there),
                AppendResult::Written { .. } => notices.info(format!(
                    "tag {}: another run wrote it as well; added to its content",
                    self.tag
                )),
            }
        }
        Err(ReferrerError::Contended(self.tag.clone()))
    }

    /// Adds to what was read, where something is missing there.
    async fn append_once(
        &self,
        store: &ImageStore,
        there: Option<Manifest>,
        ours: &[Value],
        whole: Option<&Manifest>,
        seen: &mut Vec<Value>,
    ) -> Result<AppendResult, ReferrerError> {
        let members = there.as_ref().map(|there| self.members(there));
        let members = members.unwrap_or_default();
        let mut all = members.clone();
        merge_members(seen, &all);
        merge_members(&mut all, seen);
        merge_members(&mut all, ours);
        let is_overwritten = there.as_ref().is_some_and(|it| self.is_overwritten(it));
        if all.len() == members.len() && !is_overwritten {
            return Ok(AppendResult::Complete(there));
        }
        let is_free = there.is_none() || (is_overwritten && members.is_empty());
        let wrote = match whole {
            Some(whole) if is_free => AppendResult::Written {
                stored: self.write_manifest(store, there.as_ref(), whole).await?,
                manifest: whole.clone(),
            },
            _ => {
                let (manifest, stored) =
                    self.write_members(store, there.as_ref(), all, None).await?;
                AppendResult::Written { manifest, stored }
            }
        };
        merge_members(seen, ours);
        Ok(wrote)
    }

    /// Writes what the tag names anew. Returns that, and whether the store's answer vouches for it: in
    /// a layout another run may have been faster, and only reading tells.
    pub(super) async fn write_members(
        &self,
        store: &ImageStore,
        there: Option<&Manifest>,
        all: Vec<Value>,
        mirror: Option<&[Value]>,
    ) -> Result<(Manifest, bool), ReferrerError> {
        let kept = there.filter(|there| !self.is_overwritten(there));
        let mut json = kept
            .and_then(|there| serde_json::from_slice::<Map<String, Value>>(&there.bytes).ok())
            .unwrap_or_else(|| self.empty_manifest());
        if self.content == TagContent::CosignImage {
            let config = cosign_config(&all);
            json.insert("config".to_owned(), cosign_config_descriptor(&config));
            store.put_blob(&config).await?;
        }
        if let Some(mirror) = mirror {
            set_mirrored_members(&mut json, mirror);
        }
        json.insert(self.member_name().to_owned(), Value::Array(all));
        let manifest = Manifest::parse(Value::Object(json).to_string().into(), None);
        let Ok(manifest) = manifest else {
            return Err(ReferrerError::UnexpectedTagContent {
                tag: self.tag.clone(),
                problem: "content that cannot be extended",
            });
        };
        let stored = self.write_manifest(store, there, &manifest).await?;
        Ok((manifest, stored))
    }

    /// Makes the tag name `manifest` in place of what was `there`; whether the store's answer vouches
    /// for it.
    async fn write_manifest(
        &self,
        store: &ImageStore,
        there: Option<&Manifest>,
        manifest: &Manifest,
    ) -> Result<bool, ReferrerError> {
        let written = match store {
            ImageStore::Registry(remote) => remote
                .put_manifest(&tag_target(&self.tag), manifest)
                .await
                .map(|receipt| receipt.stored)
                .map_err(StoreError::from),
            ImageStore::Layout(layout) => {
                let was = TagPrecondition::Unchanged(there.map(|there| there.digest));
                match layout.write_tag(&self.tag, manifest, was).await {
                    // Another run was faster: the next round reads what it wrote.
                    Err(error) if matches!(error.fault, LayoutFault::TagConflict { .. }) => {
                        Ok(false)
                    }
                    other => other.map(|_| true).map_err(StoreError::from),
                }
            }
        };
        match written {
            Ok(stored) => Ok(stored),
            Err(error) if there.is_some() && is_immutable_refusal(&error) => {
                Err(ReferrerError::ImmutableTag {
                    tag: self.tag.clone(),
                    error: Box::new(error),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Waits before a round that others make necessary, longer each time and by chance.
pub(super) async fn pause_before_round(round: u32) {
    if round > 1 {
        let most = FIRST_PAUSE.saturating_mul(1 << round.min(6));
        tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
    }
}

/// A refusal of a write where a first write was taken: the way of every registry to say that tags
/// are immutable (ECR 400, Docker Hub and Artifactory 403, Harbor 412, GAR 400).
fn is_immutable_refusal(error: &StoreError) -> bool {
    match error {
        StoreError::Registry(registry::RegistryError {
            cause: registry::RequestErrorKind::Status { status, .. },
            ..
        }) => matches!(status.as_u16(), 400 | 403 | 409 | 412),
        _ => false,
    }
}
