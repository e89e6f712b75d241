//! Tags that every run adds to: the referrers tag schema and the images under `.sig` and `.att`.

use serde_json::Value;

use crate::image::{Digest, Manifest, ManifestBody};
use crate::referrers::{
    AppendableTag, CosignTagSuffix, MirroredAdditions, MirroredTags, ReferrerError,
};
use crate::release::context::ReleaseContext;
use crate::transfer::ImageStore;

/// Additions to shared tags, to check later that they are still listed.
pub(super) struct SharedTagUpdate {
    pub(super) root: Digest,
    /// Whether the referrers tag and the `.sig` image are mirrored.
    pub(super) is_mirrored: bool,
    pub(super) additions: MirroredAdditions,
    pub(super) attestations: AttTagUpdate,
}

/// Layers that are added to the `.att` image.
#[derive(Default)]
pub(super) struct AttTagUpdate {
    pub(super) own_layers: Vec<Value>,
    pub(super) seen_layers: Vec<Value>,
}

/// Images under the tags `.sig` and `.att`.
#[derive(Clone, Default)]
pub(super) struct CosignImages {
    pub(super) signatures: Option<Manifest>,
    pub(super) attestations: Option<Manifest>,
}

impl SharedTagUpdate {
    /// Appends what is missing to the tags as they were read. `fresh`: this run has written neither
    /// since.
    pub(super) async fn write(
        &mut self,
        store: &ImageStore,
        context: &ReleaseContext,
        (list, images): (Option<Manifest>, CosignImages),
        fresh: bool,
    ) -> Result<CosignImages, ReferrerError> {
        let read = [list, images.signatures];
        for (tag, there) in Self::list_and_sig_tags(self.root).iter().zip(&read) {
            tag.warn_of_overwritten(there.as_ref(), &context.notices);
        }
        let signatures = match self.is_mirrored && !self.additions.is_empty() {
            true => {
                let pair = MirroredTags::new(self.root);
                let [_, sig] = pair.append(store, read, fresh, &mut self.additions).await?;
                sig
            }
            false => self.write_separately(store, context, read).await?,
        };
        let AttTagUpdate {
            own_layers: ours,
            seen_layers: seen,
        } = &mut self.attestations;
        let attestations = match ours.is_empty() {
            true => None,
            false => {
                let tag = AppendableTag::cosign_image(self.root, CosignTagSuffix::Att);
                let (there, notices) = (images.attestations, &context.notices);
                tag.warn_of_overwritten(there.as_ref(), notices);
                tag.append(store, there, ours, None, seen, notices).await?;
                tag.recheck(store, ours, seen, notices).await?
            }
        };
        Ok(CosignImages {
            signatures,
            attestations,
        })
    }

    /// Appends to the referrers tag and to the `.sig` image separately. Returns the image as it is read
    /// back, since it holds the signatures; for the list the registry's receipt is enough.
    async fn write_separately(
        &mut self,
        store: &ImageStore,
        context: &ReleaseContext,
        [list, sig]: [Option<Manifest>; 2],
    ) -> Result<Option<Manifest>, ReferrerError> {
        let notices = &context.notices;
        let MirroredAdditions {
            ours: [listed, signatures],
            seen: [seen_listed, seen_signatures],
        } = &mut self.additions;
        let [list_tag, sig_tag] = Self::list_and_sig_tags(self.root);
        if !listed.is_empty() {
            let add = list_tag.append(store, list, listed, None, seen_listed, notices);
            add.await?;
        }
        if signatures.is_empty() {
            return Ok(None);
        }
        let add = sig_tag.append(store, sig, signatures, None, seen_signatures, notices);
        add.await?;
        sig_tag
            .recheck(store, signatures, seen_signatures, notices)
            .await
    }

    fn list_and_sig_tags(root: Digest) -> [AppendableTag; 2] {
        [
            AppendableTag::referrers_index(root),
            AppendableTag::signatures(root),
        ]
    }

    /// Reads the list once more, and the `images` too if tags were written since.
    pub(super) async fn recheck(
        &mut self,
        store: &ImageStore,
        context: &ReleaseContext,
        images: bool,
    ) -> Result<(), ReferrerError> {
        let notices = &context.notices;
        let MirroredAdditions {
            ours: [listed, signatures],
            seen: [seen_listed, seen_signatures],
        } = &mut self.additions;
        let [list_tag, sig_tag] = Self::list_and_sig_tags(self.root);
        if !self.is_mirrored && !listed.is_empty() {
            let recheck = list_tag.recheck(store, listed, seen_listed, notices);
            recheck.await?;
        }
        if images && !self.is_mirrored && !signatures.is_empty() {
            let recheck = sig_tag.recheck(store, signatures, seen_signatures, notices);
            recheck.await?;
        }
        let AttTagUpdate {
            own_layers: ours,
            seen_layers: seen,
        } = &mut self.attestations;
        if images && !ours.is_empty() {
            let tag = AppendableTag::cosign_image(self.root, CosignTagSuffix::Att);
            tag.recheck(store, ours, seen, notices).await?;
        }
        Ok(())
    }
}

/// Returns the image with only these layers: the others are checked before, or belong to others.
pub(super) fn retain_layers(mut image: Manifest, digests: &[Digest]) -> Manifest {
    if let ManifestBody::Image { layers, .. } = &mut image.body {
        layers.retain(|layer| digests.contains(&layer.digest));
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::referrers::cosign_layer;

    #[test]
    fn only_the_layers_of_this_run_are_checked_again() {
        let layers = [b"ours", b"else"]
            .map(|payload| cosign_layer("text/plain", payload, &std::collections::BTreeMap::new()));
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let config = serde_json::json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::from_bytes(b"{}").to_string(), "size": 2,
        });
        let image = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers,
        });
        let image = Manifest::parse(image.to_string().into(), Some(media_type)).unwrap();
        let ManifestBody::Image { layers, .. } =
            retain_layers(image, &[Digest::from_bytes(b"ours")]).body
        else {
            panic!("an image stays an image");
        };
        let digests: Vec<Digest> = layers.iter().map(|layer| layer.digest).collect();
        assert_eq!(digests, [Digest::from_bytes(b"ours")]);
    }
}
