use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::LayoutFault;
use crate::image::{
    self, Digest, DigestError, MEMBERS_LIMIT, Manifest, MediaType, Tag, exact_names,
};
use crate::notices::to_printable;

const REF_NAME_ANNOTATION: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME_ANNOTATION: &str = "io.containerd.image.name";
const CONTAINERD_SUBJECT_ANNOTATION: &str = "io.containerd.manifest.subject";
/// What an entry is in a layout that `cosign save` wrote.
const COSIGN_KIND_ANNOTATION: &str = "kind";
const COSIGN_IMAGE_KINDS: [&str; 2] = [
    "dev.cosignproject.cosign/image",
    "dev.cosignproject.cosign/imageIndex",
];
/// The kinds of what belongs to the image, with the endings of its tags in a registry.
const COSIGN_TAGGED_KINDS: [(&str, &str); 3] = [
    ("dev.cosignproject.cosign/sigs", "sig"),
    ("dev.cosignproject.cosign/atts", "att"),
    ("dev.cosignproject.cosign/sboms", "sbom"),
];
const REFERENCE_TYPE_ANNOTATION: &str = "vnd.docker.reference.type";

/// An `index.json`: all that stands in it, and what its entries say.
#[derive(Debug, Clone)]
pub(crate) struct LayoutIndex {
    json: Map<String, Value>,
    entries: Vec<IndexEntry>,
    /// The places of the entries of each digest.
    places: HashMap<Digest, Vec<usize>>,
}

/// An entry of `index.json`: a manifest, perhaps with a name.
#[derive(Debug, Clone)]
pub(crate) struct IndexEntry {
    digest: Result<Digest, (String, DigestError)>,
    media_type: Option<String>,
    size: Option<u64>,
    annotations: BTreeMap<String, String>,
}

impl LayoutIndex {
    /// The index of a layout that names nothing yet.
    pub fn empty() -> Self {
        let mut json = Map::new();
        json.insert("schemaVersion".to_owned(), 2.into());
        json.insert("mediaType".to_owned(), MediaType::OciIndex.as_str().into());
        json.insert("manifests".to_owned(), Value::Array(Vec::new()));
        Self::new(json, Vec::new())
    }

    fn new(json: Map<String, Value>, entries: Vec<IndexEntry>) -> Self {
        let mut index = Self {
            json,
            entries: Vec::new(),
            places: HashMap::new(),
        };
        entries.into_iter().for_each(|entry| index.push(entry));
        index
    }

    fn push(&mut self, entry: IndexEntry) {
        if let Ok(digest) = entry.digest {
            let places = self.places.entry(digest).or_default();
            places.push(self.entries.len());
        }
        self.entries.push(entry);
    }

    /// Reads an `index.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self, LayoutFault> {
        let fault = |text: &str| LayoutFault::Index(text.to_owned());
        if image::members(bytes) > MEMBERS_LIMIT {
            return Err(LayoutFault::Index(format!(
                "has more than {MEMBERS_LIMIT} members"
            )));
        }
        let json: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|error| LayoutFault::Index(format!("is not a JSON object: {error}")))?;
        exact_names::check(bytes, exact_names::MANIFEST)
            .map_err(|error| LayoutFault::Index(format!("is not clear: {error}")))?;
        let entries = match json.get("manifests") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => entries
                .iter()
                .map(|entry| {
                    IndexEntry::parse(entry).ok_or_else(|| fault("has an entry without a digest"))
                })
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(fault("has a member manifests that is not a list")),
        };
        Ok(Self::new(json, entries))
    }

    /// The bytes to write: members and entries that we know nothing of stay as they were.
    pub fn to_bytes(&self) -> Vec<u8> {
        Value::Object(self.json.clone()).to_string().into_bytes()
    }

    /// All entries, in order.
    pub fn entries(&self) -> &[IndexEntry] {
        &self.entries
    }

    /// The media type that an entry gives a manifest.
    pub fn media_type_of(&self, digest: Digest) -> Option<&str> {
        self.entries_of(digest)
            .find_map(|entry| entry.media_type.as_deref())
    }

    /// The size that an entry gives a manifest.
    pub fn size_of(&self, digest: Digest) -> Option<u64> {
        self.entries_of(digest).find_map(|entry| entry.size)
    }

    fn entries_of(&self, digest: Digest) -> impl Iterator<Item = &IndexEntry> {
        let places = self.places.get(&digest).into_iter().flatten();
        places.map(|at| &self.entries[*at])
    }

    /// The tags: names that read as one, in order.
    pub fn tags(&self) -> Vec<Tag> {
        let mut tags: Vec<Tag> = self.entries.iter().filter_map(IndexEntry::tag).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// The distinct digests that a tag stands for: one, unless two writers without a lock met.
    pub fn digests_of_tag(&self, tag: &Tag) -> Result<Vec<Digest>, LayoutFault> {
        let mut digests = Vec::new();
        let mut seen = HashSet::new();
        let of_tag = self.entries.iter().filter(|entry| self.has_tag(entry, tag));
        for entry in of_tag {
            let digest = entry.digest()?;
            if seen.insert(digest) {
                digests.push(digest);
            }
        }
        Ok(digests)
    }

    /// The tag that an entry has in a registry, where that is made of a manifest's digest. In a layout of
    /// `cosign save` it is made of the digest of the one image.
    pub fn digest_tag(&self, entry: &IndexEntry) -> Option<Tag> {
        if let Some(tag) = entry.own_digest_tag() {
            return Some(tag);
        }
        let ending = entry.cosign_ending()?;
        let mut images = self.entries.iter().filter(|entry| entry.is_saved_image());
        let (image, None) = (images.next()?.digest().ok()?, images.next()) else {
            return None;
        };
        format!("sha256-{}.{ending}", image.to_hex()).parse().ok()
    }

    /// Gives `manifest` an entry without a name, if it has none; whether there was anything to do.
    pub fn add_unnamed(&mut self, manifest: &Manifest) -> bool {
        if self
            .entries_of(manifest.digest)
            .any(|entry| entry.names().next().is_none())
        {
            return false;
        }
        let mut value = json!({
            "mediaType": manifest.media_type.as_str(),
            "digest": manifest.digest.to_string(),
            "size": manifest.bytes.len(),
        });
        if let Some(kind) = &manifest.artifact_type {
            value["artifactType"] = kind.as_str().into();
        }
        if !manifest.annotations.is_empty() {
            value["annotations"] = json!(manifest.annotations);
        }
        if let Some(entry) = IndexEntry::parse(&value) {
            self.push(entry);
        }
        match self.json.entry("manifests").or_insert(Value::Null) {
            Value::Array(values) => values.push(value),
            list => *list = Value::Array(vec![value]),
        }
        true
    }

    /// Returns the tags of a manifest, with those that signatures have in a registry.
    pub fn tags_of(&self, digest: Digest) -> Vec<Tag> {
        let entries = self.entries_of(digest);
        let tags = entries.flat_map(|entry| entry.tag().into_iter().chain(self.digest_tag(entry)));
        tags.collect()
    }

    /// Removes the entries of a tag.
    pub fn remove_tag(&mut self, tag: &Tag) {
        let of_tag: Vec<bool> = self
            .entries
            .iter()
            .map(|it| self.has_tag(it, tag))
            .collect();
        self.retain_entries(&of_tag);
    }

    /// Removes the entries of a manifest. Returns whether there were any.
    pub fn remove_digest(&mut self, digest: Digest) -> bool {
        let entries = self.entries.iter();
        let of_digest: Vec<bool> = entries.map(|it| it.digest == Ok(digest)).collect();
        self.retain_entries(&of_digest);
        of_digest.contains(&true)
    }

    /// Keeps the entries that are not marked.
    fn retain_entries(&mut self, is_removed: &[bool]) {
        let mut json = std::mem::take(&mut self.json);
        let mut values = match json.get_mut("manifests").map(Value::take) {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        };
        let mut marks = is_removed.iter();
        values.retain(|_| marks.next() != Some(&true));
        let entries = values.iter().filter_map(IndexEntry::parse).collect();
        json.insert("manifests".to_owned(), Value::Array(values));
        *self = Self::new(json, entries);
    }

    fn has_tag(&self, entry: &IndexEntry, tag: &Tag) -> bool {
        entry.is_tagged(tag)
            || entry.cosign_ending().is_some() && self.digest_tag(entry).as_ref() == Some(tag)
    }

    /// Makes `tag` name `manifest`, in place of whatever it named.
    pub fn set_tag(&mut self, tag: &Tag, manifest: &Manifest) {
        let value = json!({
            "mediaType": manifest.media_type.as_str(),
            "digest": manifest.digest.to_string(),
            "size": manifest.bytes.len(),
            "annotations": {REF_NAME_ANNOTATION: tag.as_str()},
        });
        let mut json = std::mem::take(&mut self.json);
        let list = json.entry("manifests").or_insert(Value::Null);
        let mut values = match list.take() {
            Value::Array(values) => values,
            _ => Vec::new(),
        };
        let is_tagged =
            |value: &Value| IndexEntry::parse(value).is_some_and(|entry| entry.is_tagged(tag));
        let place = values.iter().position(is_tagged).unwrap_or(values.len());
        values.retain(|value| !is_tagged(value));
        values.insert(place, value);
        let entries = values.iter().filter_map(IndexEntry::parse).collect();
        *list = Value::Array(values);
        *self = Self::new(json, entries);
    }
}

impl IndexEntry {
    fn parse(json: &Value) -> Option<Self> {
        let text = json.get("digest")?.as_str()?;
        let annotations = json.get("annotations").and_then(Value::as_object);
        Some(Self {
            digest: text
                .parse()
                .map_err(|reason| (to_printable(text, 160), reason)),
            media_type: json
                .get("mediaType")
                .and_then(Value::as_str)
                .map(str::to_owned),
            size: json.get("size").and_then(Value::as_u64),
            annotations: annotations
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        })
    }

    /// The digest, or why it is none.
    pub fn digest(&self) -> Result<Digest, LayoutFault> {
        self.digest
            .clone()
            .map_err(|(digest, reason)| LayoutFault::EntryDigest { digest, reason })
    }

    /// The media type that it gives the manifest.
    pub fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }

    /// Its tag, where that is made of a manifest's digest.
    fn own_digest_tag(&self) -> Option<Tag> {
        let name = self.ref_name().map(tag_of_name)?;
        is_digest_tag(name).then(|| name.parse().ok()).flatten()
    }

    /// Returns its name, if that is a tag.
    pub fn tag(&self) -> Option<Tag> {
        self.ref_name()?.parse().ok()
    }

    fn ref_name(&self) -> Option<&str> {
        self.annotations
            .get(REF_NAME_ANNOTATION)
            .map(String::as_str)
    }

    fn cosign_kind(&self) -> Option<&str> {
        self.annotations
            .get(COSIGN_KIND_ANNOTATION)
            .map(String::as_str)
    }

    /// Whether this is the image in a layout that `cosign save` wrote.
    fn is_saved_image(&self) -> bool {
        let kind = self.cosign_kind();
        kind.is_some_and(|kind| COSIGN_IMAGE_KINDS.contains(&kind))
    }

    /// The ending of the tag of what `cosign save` wrote beside an image.
    fn cosign_ending(&self) -> Option<&'static str> {
        let kind = self.cosign_kind()?;
        let mut kinds = COSIGN_TAGGED_KINDS.iter();
        kinds
            .find(|(known, _)| *known == kind)
            .map(|(_, ending)| *ending)
    }

    fn is_tagged(&self, tag: &Tag) -> bool {
        self.ref_name() == Some(tag.as_str())
    }

    /// Every name the entry has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [REF_NAME_ANNOTATION, CONTAINERD_NAME_ANNOTATION]
            .into_iter()
            .filter_map(|key| self.annotations.get(key).map(String::as_str))
            .filter(|name| !name.is_empty())
    }

    /// The name to show: the first of its names, else its digest.
    pub fn label(&self) -> String {
        match (self.names().next(), &self.digest) {
            (Some(name), _) => to_printable(name, 160),
            (None, Ok(digest)) => format!("@{digest}"),
            (None, Err((text, _))) => format!("@{text}"),
        }
    }

    /// Whether the entry says that it belongs to another one: an attestation, or a signature or
    /// list of referrers under a tag made of the other's digest.
    pub fn is_referrer(&self) -> bool {
        self.annotations.contains_key(REFERENCE_TYPE_ANNOTATION)
            || self.annotations.contains_key(CONTAINERD_SUBJECT_ANNOTATION)
            || self.names().any(is_digest_tag)
            || self.cosign_ending().is_some()
    }
}

/// `sha256-<64 hex digits>`, alone or with one of cosign's endings.
fn is_digest_tag(name: &str) -> bool {
    let Some(rest) = tag_of_name(name).strip_prefix("sha256-") else {
        return false;
    };
    let hex = rest.split('.').next().unwrap_or_default();
    let ending = &rest[hex.len()..];
    hex.len() == 64
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
        && matches!(ending, "" | ".sig" | ".att" | ".sbom")
}

/// The tag in a name that is a whole reference, else the name.
pub(crate) fn tag_of_name(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => name,
    }
}
