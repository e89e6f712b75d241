//! Reads when an image was created: the newest `created` of its platforms' configs.

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;

use crate::image::{Digest, Manifest, ManifestBody};
use crate::transfer::{ImageReader, StoreError};

/// The most bytes that a config may have.
const CONFIG_LIMIT: u64 = 8 << 20;
/// How many levels of indexes are read.
const INDEX_DEPTH_LIMIT: usize = 4;
/// The most manifests of one index that are read.
const CHILDREN_LIMIT: usize = 64;
/// End of the year 1970: reproducible builds set times of that year in place of a real one.
const END_OF_1970: i64 = 31_536_000;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Time in whole seconds of the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CreationTime(pub(crate) i64);

impl CreationTime {
    /// Returns whether the time is more than 24 hours before `other`.
    pub(crate) fn is_a_day_before(self, other: Self) -> bool {
        other.0.saturating_sub(self.0) > DAY_SECONDS
    }
}

#[derive(Deserialize)]
struct ConfigJson {
    created: Option<String>,
}

/// Reads when the image of `root` was created; `None` if no platform says so, or says 1970. What is
/// missing or cannot be parsed says nothing; attestation manifests do not count.
pub(crate) async fn read_creation_time(
    reader: &ImageReader,
    root: &Manifest,
) -> Result<Option<CreationTime>, StoreError> {
    let times = platform_times(reader, root, INDEX_DEPTH_LIMIT).await?;
    Ok(times.into_iter().max())
}

/// The same for an image that is read by its digest.
pub(crate) async fn read_creation_time_of(
    reader: &ImageReader,
    digest: Digest,
) -> Result<Option<CreationTime>, StoreError> {
    match reader.get_manifest(digest).await? {
        Some(root) => read_creation_time(reader, &root).await,
        None => Ok(None),
    }
}

async fn platform_times(
    reader: &ImageReader,
    manifest: &Manifest,
    depth: usize,
) -> Result<Vec<CreationTime>, StoreError> {
    if let ManifestBody::Image { config, .. } = &manifest.body {
        let bytes = reader.read_small_blob(config, CONFIG_LIMIT).await?;
        return Ok(created_time(&bytes).into_iter().collect());
    }
    if depth == 0 {
        return Ok(Vec::new());
    }
    let platforms = manifest
        .children()
        .filter(|child| !child.says_attestation())
        .take(CHILDREN_LIMIT);
    let times = platforms.map(|child| {
        let digest = child.digest;
        Box::pin(async move {
            match reader.get_manifest(digest).await? {
                Some(child) => platform_times(reader, &child, depth - 1).await,
                None => Ok(Vec::new()),
            }
        })
    });
    Ok(try_join_all(times).await?.concat())
}

fn created_time(config: &[u8]) -> Option<CreationTime> {
    let created = serde_json::from_slice::<ConfigJson>(config).ok()?.created?;
    let seconds = created.parse::<Timestamp>().ok()?.as_second();
    (seconds >= END_OF_1970).then_some(CreationTime(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_1970_or_none_says_nothing() {
        for (config, seconds) in [
            (r#"{"created":"2026-11-20T10:00:00Z"}"#, Some(1_795_168_800)),
            (
                r#"{"created":"2026-11-20T10:00:00.5+01:00"}"#,
                Some(1_795_165_200),
            ),
            (r#"{"created":"1970-01-01T00:00:00Z"}"#, None),
            (r#"{"created":"1970-12-31T23:59:59Z"}"#, None),
            (r#"{"created":"0001-01-01T00:00:00Z"}"#, None),
            (r#"{"created":"yesterday"}"#, None),
            (r#"{"created":null}"#, None),
            (r#"{"created":7}"#, None),
            ("{}", None),
            ("", None),
        ] {
            let time = created_time(config.as_bytes());
            assert_eq!(time, seconds.map(CreationTime), "{config}");
        }
    }
}
