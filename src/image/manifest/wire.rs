use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};

use crate::image::manifest_limits::LIMITED_LIST;
use crate::image::{Descriptor, Digest, ManifestError, Platform};

/// The most blobs or manifests that one manifest may name.
const DESCRIPTORS_LIMIT: usize = 20_000;
/// The most addresses of one blob.
const URLS_LIMIT: usize = 100;
/// The largest content that is taken from a descriptor itself; larger ones are read as blobs.
const DATA_LIMIT: usize = 16 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MediaTypeJson {
    pub media_type: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManifestJson {
    pub schema_version: Option<u64>,
    pub media_type: Option<String>,
    pub artifact_type: Option<String>,
    pub config: Option<DescriptorJson>,
    #[serde(default, deserialize_with = "descriptors")]
    pub layers: Option<Vec<DescriptorJson>>,
    #[serde(default, deserialize_with = "descriptors")]
    pub manifests: Option<Vec<DescriptorJson>>,
    #[serde(default, deserialize_with = "descriptors")]
    pub blobs: Option<Vec<DescriptorJson>>,
    pub subject: Option<DescriptorJson>,
    pub annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescriptorJson {
    media_type: Option<String>,
    digest: String,
    size: i64,
    platform: Option<PlatformJson>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "urls")]
    urls: Option<Vec<String>>,
    data: Option<String>,
}

/// Reads a list of no more descriptors than a manifest may name.
fn descriptors<'de, D: Deserializer<'de>>(
    list: D,
) -> Result<Option<Vec<DescriptorJson>>, D::Error> {
    list.deserialize_option(AtMost::<DescriptorJson>::of(DESCRIPTORS_LIMIT))
}

/// Reads a list of no more addresses than one blob can have.
fn urls<'de, D: Deserializer<'de>>(list: D) -> Result<Option<Vec<String>>, D::Error> {
    list.deserialize_option(AtMost::<String>::of(URLS_LIMIT))
}

/// Reads a list of at most so many elements, or `null`.
pub(crate) struct AtMost<T> {
    limit: usize,
    of: PhantomData<T>,
}

impl<T> AtMost<T> {
    /// The list of at most `limit` elements.
    pub(crate) fn of(limit: usize) -> Self {
        let of = PhantomData;
        Self { limit, of }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LIMITED_LIST} {} elements", self.limit)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, list: D) -> Result<Self::Value, D::Error> {
        list.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() == self.limit {
                return Err(A::Error::invalid_length(self.limit + 1, &self));
            }
            elements.push(element);
        }
        Ok(Some(elements))
    }
}

#[derive(Deserialize)]
struct PlatformJson {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
}

/// Content that a pointer carries. What is large, or not what the digest says, is left where it is:
/// the blob has to be read.
fn checked_content(data: &str, digest: Digest) -> Option<Bytes> {
    if data.len() > DATA_LIMIT / 3 * 4 {
        return None;
    }
    let data = BASE64_STANDARD.decode(data).ok()?;
    (Digest::from_bytes(&data) == digest).then(|| data.into())
}

impl DescriptorJson {
    pub(super) fn parse(self) -> Result<Descriptor, ManifestError> {
        let digest = self
            .digest
            .parse()
            .map_err(|reason| ManifestError::Digest {
                digest: self.digest.clone(),
                reason,
            })?;
        Ok(Descriptor {
            media_type: self.media_type.unwrap_or_default(),
            digest,
            size: self
                .size
                .try_into()
                .map_err(|_| ManifestError::Size(digest))?,
            platform: self.platform.map(|platform| Platform {
                os: platform.os.unwrap_or_default(),
                architecture: platform.architecture.unwrap_or_default(),
                variant: platform.variant,
                os_version: platform.os_version,
            }),
            annotations: self.annotations.unwrap_or_default(),
            urls: self.urls.unwrap_or_default(),
            data: self.data.and_then(|data| checked_content(&data, digest)),
        })
    }
}
