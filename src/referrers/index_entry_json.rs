//! Entry of a list of referrers in the format of registries and indexes, with the members that are
//! read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::ReferrerKind;
use super::referrer_entry::ReferrerEntry;
use crate::image::{Manifest, MediaType};

/// Entry of a list. Other members are skipped, and take no memory.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexEntryJson {
    media_type: Option<String>,
    digest: Option<String>,
    platform: Option<IgnoredAny>,
    artifact_type: Option<String>,
    annotations: Option<KindAnnotations>,
}

/// Annotations that state the kind of a referrer.
#[derive(Default)]
struct KindAnnotations(BTreeMap<String, String>);

impl IndexEntryJson {
    /// Reads the entries of an index.
    pub(super) fn all(index: &Manifest) -> Vec<Self> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<IndexEntryJson>,
        }
        let index = serde_json::from_slice::<Index>(&index.bytes);
        index.map_or_else(|_| Vec::new(), |index| index.manifests)
    }

    /// Returns whether this is no entry of a list of referrers. Such an entry states the type of
    /// the referrer; one of an image index states the platform of the image, or neither.
    pub(super) fn is_foreign(&self) -> bool {
        let media_type = self.media_type.as_deref().unwrap_or_default();
        let is_image = MediaType::parse(media_type).is_some_and(MediaType::is_image);
        let says_nothing = is_image && self.annotations.is_none();
        self.artifact_type.as_deref().unwrap_or_default().is_empty()
            && (self.platform.is_some() || says_nothing)
    }

    /// Returns what it says; none where it names no digest.
    pub(super) fn entry(self) -> Option<ReferrerEntry> {
        Some(ReferrerEntry {
            digest: self.digest?.parse().ok()?,
            artifact_type: self.artifact_type,
            annotations: self.annotations.unwrap_or_default().0,
        })
    }
}

/// A text; none of anything else, which takes no memory.
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct OrElse;
        impl<'de> Visitor<'de> for OrElse {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Some(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Text, A::Error> {
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        value.deserialize_any(OrElse)
    }
}

impl<'de> Deserialize<'de> for KindAnnotations {
    fn deserialize<D: Deserializer<'de>>(annotations: D) -> Result<Self, D::Error> {
        struct Few;
        impl<'de> Visitor<'de> for Few {
            type Value = KindAnnotations;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<KindAnnotations, A::Error> {
                let mut kind_annotations = BTreeMap::new();
                while let Some(name) = all.next_key::<String>()? {
                    if !ReferrerKind::READ_ANNOTATIONS.contains(&name.as_str()) {
                        all.next_value::<IgnoredAny>()?;
                    } else if let Text(Some(text)) = all.next_value()? {
                        kind_annotations.insert(name, text);
                    }
                }
                Ok(KindAnnotations(kind_annotations))
            }
        }
        annotations.deserialize_map(Few)
    }
}
