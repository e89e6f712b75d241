//! Finding the artifacts about an image.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;
use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::wire::Listed;
use super::{Error, Kind, Prior, Shared, pair};
use crate::image::{Body, Digest, Manifest, Tag, Target};
use crate::layout::Evidence;
use crate::transfer::{Source, Store, StoreError};

/// The most that an artifact's blob may have to be looked at.
const CONTENT_LIMIT: u64 = 8 << 20;
/// Artifacts that are read at the same time.
const READS: usize = 8;

/// Where a store lists what it has about an image.
#[derive(Debug)]
pub enum Listing {
    /// In a list that it keeps itself.
    Own,
    /// In an index under a tag, which every writer adds to: this one, if it is there.
    Tag(Option<Box<Manifest>>),
}

/// An artifact that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The digest of its manifest.
    pub digest: Digest,
    /// What the annotation says that was asked for, where it is there.
    pub says: Option<String>,
    /// Its content, or what is wrong with it.
    pub content: Result<Bytes, String>,
}

/// An entry of a list, as far as it matters.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) digest: Digest,
    pub(super) kind: Option<String>,
    /// Those that say what it is ([`Kind::TELLING`]).
    pub(super) annotations: BTreeMap<String, String>,
}

impl Listing {
    /// The layers of the `.sig` image that the index holds too (see `pair.rs`).
    pub fn beside(&self) -> Vec<Value> {
        match self {
            Self::Own => Vec::new(),
            Self::Tag(index) => pair::mirror(index.as_deref()),
        }
    }

    /// Whether the store lists what is about `subject` itself, once it has that. Some registries have no
    /// list for a repository that does not exist yet, and one as soon as it does.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn is_own_by_now(&self, store: &Store, subject: Digest) -> Result<bool, Error> {
        match (self, store) {
            (Self::Tag(None), Store::Registry(remote)) => {
                let lists = remote.lists_referrers(subject).await;
                Ok(lists.map_err(StoreError::from)?)
            }
            (listing, _) => Ok(matches!(listing, Self::Own)),
        }
    }

    /// Where it is listed now, just before it is added to.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub async fn read_again(&self, store: &Store, subject: Digest) -> Result<Self, Error> {
        if matches!(self, Self::Own) {
            return Ok(Self::Own);
        }
        let under_tag = Shared::list(subject);
        let is_own = self.is_own_by_now(store, subject);
        Ok(
            match try_join(is_own, under_tag.read_to_add(store)).await? {
                (true, _) => Self::Own,
                (false, index) => Self::Tag(index.map(Box::new)),
            },
        )
    }

    /// The first of `manifests` that the store does not list among those about `subject`.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub async fn lacks(
        store: &Store,
        subject: Digest,
        manifests: &[Digest],
    ) -> Result<Option<Digest>, Error> {
        let (_, entries) = list(store, subject, &Prior::Unknown).await?;
        let is_listed = |digest: &Digest| entries.iter().any(|entry| entry.digest == *digest);
        Ok(manifests.iter().find(|digest| !is_listed(digest)).copied())
    }

    /// The artifacts about `subject` of a type that begins with `kind`, apart from those whose
    /// annotation `wanted.0` says what `wanted.1` does not want. `look` sees each, so that no more
    /// contents are held than are on their way.
    ///
    /// # Errors
    /// A list that cannot be read, or an entry of it.
    pub async fn read<T>(
        store: &Store,
        prior: &Prior,
        subject: Digest,
        kind: &str,
        wanted: (&str, impl Fn(&str) -> bool),
        look: impl Fn(Found) -> T,
    ) -> Result<(Self, Vec<T>), Error> {
        let (listing, entries) = list(store, subject, prior).await?;
        let found = open_all(store, entries, kind, wanted, look).await?;
        Ok((listing, found))
    }
}

impl Found {
    /// As [`Listing::read`], of all that is listed anywhere: a registry with a list of its own may have
    /// got it after somebody wrote the index under the tag. What is listed in both is one; what is
    /// listed and not there is nothing more than that.
    ///
    /// # Errors
    /// A list that cannot be read, or an entry of it.
    pub async fn everywhere<T>(
        store: &Store,
        subject: Digest,
        kind: &str,
        wanted: (&str, impl Fn(&str) -> bool),
        look: impl Fn(Self) -> T,
    ) -> Result<Vec<T>, Error> {
        let entries = match store {
            Store::Layout(layout) => {
                let evidence = layout.evidence().await.map_err(StoreError::from)?;
                on_disk(&evidence, subject)?
            }
            Store::Registry(remote) => {
                let own = async {
                    let own = remote.referrers(subject).await;
                    own.map_err(|error| crate::transfer::StoreError::from(error).into())
                };
                let list = Shared::list(subject);
                let (own, tagged) = try_join(own, list.read(store)).await?;
                let tagged = tagged.map(|index| list.listed(&index));
                entries(subject, [own, tagged].into_iter().flatten().flatten())?
            }
        };
        open_all(store, entries, kind, wanted, look).await
    }
}

/// What is wanted of a list's entries, each once. `look` sees each.
async fn open_all<T>(
    store: &Store,
    entries: Vec<Entry>,
    kind: &str,
    (annotation, wants): (&str, impl Fn(&str) -> bool),
    look: impl Fn(Found) -> T,
) -> Result<Vec<T>, Error> {
    let source = Source::store(store.clone());
    let wanted = |entry: &Entry| {
        // Cosign before 3.1 gave the config's type in place of the artifact's.
        let typed = entry.kind.as_deref().is_none_or(|is| {
            is.is_empty() || is.starts_with(kind) || is == "application/vnd.oci.empty.v1+json"
        });
        let says = entry.annotations.get(annotation);
        typed && says.is_none_or(|says| wants(says))
    };
    let mut known = BTreeSet::new();
    let once = entries.into_iter().filter(wanted);
    let once = once.filter(|entry| known.insert(entry.digest));
    // Each is looked at as soon as it is read: a content that waits for the ones before it would be in
    // memory with them.
    let looks = once.map(|entry| async {
        let found = open(&source, entry, kind, annotation).await?;
        Ok(found.map(&look))
    });
    stream::iter(looks)
        .buffered(READS)
        .try_filter_map(|looked| std::future::ready(Ok(looked)))
        .try_collect()
        .await
}

/// Returns what a store lists about `subject`, to add to it.
pub(super) async fn list(
    store: &Store,
    subject: Digest,
    prior: &Prior,
) -> Result<(Listing, Vec<Entry>), Error> {
    let remote = match store {
        Store::Layout(layout) => {
            let evidence = layout.evidence().await.map_err(StoreError::from)?;
            return Ok((Listing::Own, on_disk_to_add(&evidence, subject)?));
        }
        Store::Registry(remote) => remote,
    };
    let under_tag = Shared::list(subject);
    let own = async { Ok(remote.referrers(subject).await.map_err(StoreError::from)?) };
    let (own, index) = match prior.has(under_tag.tag()) {
        // Most likely it is the one that counts.
        Some(true) => try_join(own, under_tag.read_to_add(store)).await?,
        Some(false) => (own.await?, None),
        None => match own.await? {
            None => (None, under_tag.read_to_add(store).await?),
            own => (own, None),
        },
    };
    let (listing, listed) = match own {
        Some(listed) => (Listing::Own, listed),
        None => {
            let listed = index.as_ref().map(|index| under_tag.listed(index));
            let listed = listed.unwrap_or_default();
            (Listing::Tag(index.map(Box::new)), listed)
        }
    };
    Ok((listing, entries(subject, listed)?))
}

/// Returns what a layout lists about `subject`, in the one way or the other, to go by it.
///
/// # Errors
/// A list under a tag that something has overwritten, or an entry that cannot be read.
pub(super) fn on_disk(evidence: &Evidence, subject: Digest) -> Result<Vec<Entry>, Error> {
    let under_tag = Shared::list(subject);
    if let Some(index) = evidence.tagged.get(under_tag.tag()) {
        under_tag.accept(Manifest::clone(index))?;
    }
    on_disk_to_add(evidence, subject)
}

/// Returns the same, to add to it.
pub(super) fn on_disk_to_add(evidence: &Evidence, subject: Digest) -> Result<Vec<Entry>, Error> {
    let under_tag = Shared::list(subject);
    let index = evidence.tagged.get(under_tag.tag());
    let listed = index.map(|index| under_tag.listed(index));
    let mut found = entries(subject, listed.unwrap_or_default())?;
    let mut known: HashSet<Digest> = found.iter().map(|entry| entry.digest).collect();
    let own = evidence.referrers.iter();
    for manifest in own.filter(|manifest| manifest.is_about(subject)) {
        if known.insert(manifest.digest) {
            found.push(Entry::of(manifest));
        }
    }
    Ok(found)
}

/// The entries of a list.
pub(super) fn entries(
    subject: Digest,
    listed: impl IntoIterator<Item = Listed>,
) -> Result<Vec<Entry>, Error> {
    let entries = listed
        .into_iter()
        .map(|listed| listed.entry().ok_or(Error::Entry(subject)));
    entries.collect()
}

/// The entry of a list that names `manifest` (OCI distribution specification 1.1, "Listing
/// Referrers").
pub(super) fn descriptor(manifest: &Manifest) -> Value {
    let config = match &manifest.body {
        Body::Image { config, .. } => Some(&config.media_type),
        Body::Index(_) => None,
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

impl Entry {
    fn of(manifest: &Manifest) -> Self {
        let telling = Kind::TELLING.into_iter();
        let telling = telling.filter_map(|name| Some((name, manifest.annotations.get(name)?)));
        Self {
            digest: manifest.digest,
            kind: manifest.artifact_type.clone(),
            annotations: telling
                .map(|(name, text)| (name.to_owned(), text.clone()))
                .collect(),
        }
    }
}

/// The content of an artifact; none where it turns out to be of another type.
async fn open(
    source: &Source,
    mut entry: Entry,
    kind: &str,
    annotation: &str,
) -> Result<Option<Found>, Error> {
    let content = match source.manifest(entry.digest).await? {
        None => Err("it is listed, and not there".to_owned()),
        Some(manifest) => match only_layer(&manifest, kind) {
            None => return Ok(None),
            Some(Ok(layer)) => Ok(source.small_blob(&layer, CONTENT_LIMIT).await?),
            Some(Err(problem)) => Err(problem),
        },
    };
    Ok(Some(Found {
        digest: entry.digest,
        says: entry.annotations.remove(annotation),
        content,
    }))
}

fn only_layer(manifest: &Manifest, kind: &str) -> Option<Result<crate::image::Descriptor, String>> {
    let Body::Image { layers, .. } = &manifest.body else {
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

/// What a tag names, by the tag.
pub(super) fn tag_target(tag: &Tag) -> Target {
    Target::Tag(tag.clone())
}
