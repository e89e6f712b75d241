//! Lists the referrers of an image, and reads the artifacts among them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::found_referrer::{is_cosign_image, unread_form};
use super::index_entry_json::IndexEntryJson;
use super::mirror_annotation::read_mirrored_members;
use super::referrer_entry::ReferrerEntry;
use super::{
    AppendableTag, FoundArtifact, FoundReferrer, ReferrerError, ReferrerKind, TagSnapshot,
    UnreadSignature,
};
use crate::image::{Digest, Manifest, ManifestBody};
use crate::layout::LayoutReferrers;
use crate::transfer::{ImageReader, ImageStore, StoreError};

/// The most that an artifact's blob may have to be looked at.
const CONTENT_LIMIT: u64 = 8 << 20;
/// Reads of a list after the first one: some registries list a referrer seconds after they took it.
const LIST_READS_LIMIT: u32 = 8;
/// Pause before the second read; each further one is longer by as much. All last twelve seconds.
const LIST_PAUSE: Duration = Duration::from_millis(330);
/// Artifacts that are read at the same time.
const READ_CONCURRENCY: usize = 8;

/// Place where a store lists the referrers of an image.
#[derive(Debug, Clone)]
pub enum ReferrersSource {
    /// In a list that it keeps itself.
    Native,
    /// In an index under a tag, which every writer adds to: this one, if it is there.
    TagSchema(Option<Box<Manifest>>),
}

impl ReferrersSource {
    /// Returns the layers of the `.sig` image that the index holds too (see `mirrored_tags.rs`).
    pub fn mirrored_layers(&self) -> Vec<Value> {
        match self {
            Self::Native => Vec::new(),
            Self::TagSchema(index) => read_mirrored_members(index.as_deref()),
        }
    }

    /// Returns whether the store serves the referrers API for `subject`, once it has `subject`.
    /// Some registries have no list for a repository that does not exist yet, and serve one as soon
    /// as it does.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn is_native_now(
        &self,
        store: &ImageStore,
        subject: Digest,
    ) -> Result<bool, ReferrerError> {
        match (self, store) {
            (Self::TagSchema(None), ImageStore::Registry(remote)) => {
                let lists = remote.supports_referrers_api(subject).await;
                Ok(lists.map_err(StoreError::from)?)
            }
            (listing, _) => Ok(matches!(listing, Self::Native)),
        }
    }

    /// Reads the list again, just before it is added to.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub async fn reread(&self, store: &ImageStore, subject: Digest) -> Result<Self, ReferrerError> {
        if matches!(self, Self::Native) {
            return Ok(Self::Native);
        }
        let under_tag = AppendableTag::referrers_index(subject);
        let is_own = self.is_native_now(store, subject);
        Ok(
            match try_join(is_own, under_tag.read_to_add(store)).await? {
                (true, _) => Self::Native,
                (false, index) => Self::TagSchema(index.map(Box::new)),
            },
        )
    }

    /// Returns the first of `manifests` that the store does not list as a referrer of `subject`.
    ///
    /// # Errors
    /// A list that cannot be read.
    async fn find_unlisted(
        store: &ImageStore,
        subject: Digest,
        manifests: &[Digest],
    ) -> Result<Option<Digest>, ReferrerError> {
        let (_, entries) = list_referrers(store, subject, &TagSnapshot::Unknown).await?;
        let is_listed = |digest: &Digest| entries.iter().any(|entry| entry.digest == *digest);
        Ok(manifests.iter().find(|digest| !is_listed(digest)).copied())
    }

    /// Waits until the store lists all of `manifests` as referrers of `subject`.
    ///
    /// # Errors
    /// A list that cannot be read, or that lacks one after twelve seconds.
    pub async fn wait_until_listed(
        store: &ImageStore,
        subject: Digest,
        manifests: &[Digest],
    ) -> Result<(), ReferrerError> {
        let mut round = 0;
        while let Some(digest) = Self::find_unlisted(store, subject, manifests).await? {
            round += 1;
            if round > LIST_READS_LIMIT {
                return Err(ReferrerError::Unlisted(digest));
            }
            tokio::time::sleep(LIST_PAUSE * round).await;
        }
        Ok(())
    }
}

/// Referrer as a list names it.
#[derive(Debug, Clone)]
pub struct ListedReferrer {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Artifact type, if the list has it.
    pub artifact_type: Option<String>,
    /// Annotations, if the list has them.
    pub annotations: BTreeMap<String, String>,
}

impl ListedReferrer {
    /// Returns the kind that the list states; `None` where only the manifest can tell.
    pub fn kind(&self) -> Option<ReferrerKind> {
        ReferrerKind::from_entry(self.artifact_type.as_deref(), &self.annotations)
    }

    /// Reads the content of its only blob; `Err` with the reason if it has another form or is missing.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn read_content(
        &self,
        store: &ImageStore,
    ) -> Result<Result<(String, Bytes), String>, StoreError> {
        let source = ImageReader::from_store(store.clone());
        let manifest = match source.get_manifest(self.digest).await {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Ok(Err("it is listed, but missing".to_owned())),
            Err(error) if error.is_unusable_content() => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        match single_layer(&manifest, "") {
            None => Ok(Err("it has no layer".to_owned())),
            Some(Err(problem)) => Ok(Err(problem)),
            Some(Ok(layer)) => match source.read_small_blob(&layer, CONTENT_LIMIT).await {
                Ok(content) => Ok(Ok((layer.media_type, content))),
                Err(error) if error.is_unusable_content() => Ok(Err(error.to_string())),
                Err(error) => Err(error),
            },
        }
    }
}

/// What is wanted of a list's entries, each once. `look` sees each. Where `other_types` names types of
/// other forms of signatures, they and the forms that are not read are wanted too.
pub(super) async fn open_artifacts<T>(
    store: &ImageStore,
    entries: Vec<ReferrerEntry>,
    kind: &str,
    (annotation, wants): (&str, impl Fn(&str) -> bool),
    other_types: &[&str],
    look: impl Fn(FoundReferrer) -> T,
) -> Result<Vec<T>, ReferrerError> {
    let source = ImageReader::from_store(store.clone());
    let wanted = |entry: &ReferrerEntry| {
        // Cosign before 3.1 gave the config's type in place of the artifact's.
        let typed = entry.artifact_type.as_deref().is_none_or(|is| {
            is.is_empty() || is.starts_with(kind) || is == "application/vnd.oci.empty.v1+json"
        });
        let says = entry.annotations.get(annotation);
        let is_other = |is: &str| {
            let mut types = other_types.iter();
            types.any(|other| is.starts_with(other))
                || (!other_types.is_empty() && unread_form(is).is_some())
        };
        typed && says.is_none_or(|says| wants(says))
            || entry.artifact_type.as_deref().is_some_and(is_other)
    };
    let mut known = BTreeSet::new();
    let once = entries.into_iter().filter(wanted);
    let once = once.filter(|entry| known.insert(entry.digest));
    // Each is looked at as soon as it is read: a content that waits for the ones before it would be in
    // memory with them.
    let looks = once.map(|entry| async {
        let form = entry.artifact_type.as_deref().and_then(unread_form);
        let found = match form {
            Some(form) => Some(FoundReferrer::UnreadSignature(UnreadSignature {
                digest: entry.digest,
                form,
            })),
            None => open_artifact(&source, entry, kind, annotation).await?,
        };
        Ok(found.map(&look))
    });
    stream::iter(looks)
        .buffered(READ_CONCURRENCY)
        .try_filter_map(|looked| std::future::ready(Ok(looked)))
        .try_collect()
        .await
}

/// Returns what a store lists about `subject`, to add to it.
pub(super) async fn list_referrers(
    store: &ImageStore,
    subject: Digest,
    prior: &TagSnapshot,
) -> Result<(ReferrersSource, Vec<ReferrerEntry>), ReferrerError> {
    let remote = match store {
        ImageStore::Layout(layout) => {
            let evidence = layout.read_referrers().await.map_err(StoreError::from)?;
            return Ok((ReferrersSource::Native, on_disk_to_add(&evidence, subject)?));
        }
        ImageStore::Registry(remote) => remote,
    };
    let under_tag = AppendableTag::referrers_index(subject);
    let own = async { Ok(remote.referrers(subject).await.map_err(StoreError::from)?) };
    let (own, index) = match prior.contains(under_tag.tag()) {
        // Most likely it is the one that counts.
        Some(true) => try_join(own, under_tag.read_to_add(store)).await?,
        Some(false) => (own.await?, None),
        None => match own.await? {
            None => (None, under_tag.read_to_add(store).await?),
            own => (own, None),
        },
    };
    let (listing, listed) = match own {
        Some(listed) => (ReferrersSource::Native, listed),
        None => {
            let listed = index.as_ref().map(|index| under_tag.listed(index));
            let listed = listed.unwrap_or_default();
            (ReferrersSource::TagSchema(index.map(Box::new)), listed)
        }
    };
    Ok((listing, parse_entries(subject, listed)?))
}

/// Returns what a layout lists about `subject`, in the one way or the other, to go by it.
///
/// # Errors
/// A list under a tag that something has overwritten, or an entry that cannot be read.
pub(super) fn list_in_layout(
    evidence: &LayoutReferrers,
    subject: Digest,
) -> Result<Vec<ReferrerEntry>, ReferrerError> {
    let under_tag = AppendableTag::referrers_index(subject);
    if let Some(index) = evidence.digest_tags.get(under_tag.tag()) {
        under_tag.accept(Manifest::clone(index))?;
    }
    on_disk_to_add(evidence, subject)
}

/// Returns the same, to add to it.
pub(super) fn on_disk_to_add(
    evidence: &LayoutReferrers,
    subject: Digest,
) -> Result<Vec<ReferrerEntry>, ReferrerError> {
    let under_tag = AppendableTag::referrers_index(subject);
    let index = evidence.digest_tags.get(under_tag.tag());
    let listed = index.map(|index| under_tag.listed(index));
    let mut found = parse_entries(subject, listed.unwrap_or_default())?;
    let mut known: HashSet<Digest> = found.iter().map(|entry| entry.digest).collect();
    let own = evidence.referrers.iter();
    for manifest in own.filter(|manifest| manifest.has_subject(subject)) {
        if known.insert(manifest.digest) {
            found.push(ReferrerEntry::from_manifest(manifest));
        }
    }
    Ok(found)
}

/// Parses the entries of a list of referrers of `subject`.
pub(super) fn parse_entries(
    subject: Digest,
    listed: impl IntoIterator<Item = IndexEntryJson>,
) -> Result<Vec<ReferrerEntry>, ReferrerError> {
    let entries = listed
        .into_iter()
        .map(|listed| listed.entry().ok_or(ReferrerError::MalformedEntry(subject)));
    entries.collect()
}

/// Returns the descriptor that names `manifest` in a list of referrers (OCI distribution
/// specification 1.1, "Listing Referrers").
pub(super) fn referrer_descriptor(manifest: &Manifest) -> Value {
    let config = match &manifest.body {
        ManifestBody::Image { config, .. } => Some(&config.media_type),
        ManifestBody::Index(_) | ManifestBody::Artifact(_) => None,
    };
    let mut value = json!({
        "mediaType": manifest.media_type.as_str(),
        "digest": manifest.digest.to_string(),
        "size": manifest.bytes.len(),
    });
    if let Some(kind) = manifest.artifact_type.as_ref().or(config) {
        value["artifactType"] = kind.as_str().into();
    }
    if !manifest.annotations.is_empty() {
        value["annotations"] = json!(manifest.annotations);
    }
    value
}

/// The content of an artifact; none where it turns out to be of another type.
async fn open_artifact(
    source: &ImageReader,
    mut entry: ReferrerEntry,
    kind: &str,
    annotation: &str,
) -> Result<Option<FoundReferrer>, ReferrerError> {
    let content = match source.get_manifest(entry.digest).await? {
        None => Err("it is listed, but missing".to_owned()),
        Some(manifest) => match single_layer(&manifest, kind) {
            None if is_cosign_image(&manifest) => {
                return Ok(Some(FoundReferrer::CosignImage(Box::new(manifest))));
            }
            None => return Ok(None),
            Some(Ok(layer)) => Ok(source.read_small_blob(&layer, CONTENT_LIMIT).await?),
            Some(Err(problem)) => Err(problem),
        },
    };
    Ok(Some(FoundReferrer::Artifact(FoundArtifact {
        digest: entry.digest,
        annotation: entry.annotations.remove(annotation),
        content,
    })))
}

fn single_layer(
    manifest: &Manifest,
    kind: &str,
) -> Option<Result<crate::image::Descriptor, String>> {
    let ManifestBody::Image { layers, .. } = &manifest.body else {
        return None;
    };
    if !layers
        .iter()
        .any(|layer| layer.media_type.starts_with(kind))
    {
        return None;
    }
    Some(match layers.as_slice() {
        [layer] if layer.size <= CONTENT_LIMIT => Ok(layer.clone()),
        [layer] => Err(format!("it has {} bytes", layer.size)),
        several => Err(format!(
            "its manifest has {} layers, not one",
            several.len()
        )),
    })
}
