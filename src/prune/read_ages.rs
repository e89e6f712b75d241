//! Reads when images were made, from their configs: of those alone whose age decides, and where the registry does not
//! tell.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::content_cache::ContentCache;
use super::read_registry::{ReadingError, find_candidates};
use super::repository_content::{CREATED_ANNOTATION, RepositoryContent, parse_time};
use super::request_budget::RequestBudget;
use crate::image::{Descriptor, Digest, Tag};
use crate::record::RecordTime;
use crate::retention::{ReservedTag, RetentionRules};
use crate::transfer::{ImageReader, ImageStore};

/// Configs that are read at the same time. Large ones wait for their turn.
const CONFIG_CONCURRENCY: usize = 256;
/// Most bytes of a config.
const CONFIG_LIMIT: u64 = 4 << 20;

/// Config of an image, as far as it says when the image was made.
#[derive(Deserialize)]
struct ImageConfigJson {
    created: Option<String>,
    config: Option<ContainerConfigJson>,
}

#[derive(Deserialize)]
struct ContainerConfigJson {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// Times of a config: its own, and that of its labels.
type ConfigTimes = (Option<RecordTime>, Option<RecordTime>);

/// Adds the times of the configs of the images whose age decides by the rules. A config that cannot be read tells
/// nothing.
///
/// # Errors
/// A budget that is spent.
pub(super) async fn read_ages(
    content: &mut RepositoryContent,
    rules: &RetentionRules,
    store: &ImageStore,
    cache: &ContentCache,
    budget: &RequestBudget,
) -> Result<(), ReadingError> {
    let is_described = |tag: &Tag| ReservedTag::parse(tag).is_none() && rules.describes(tag);
    let candidates = find_candidates(content, is_described, rules.describes_untagged());
    let configs = candidates.into_iter().filter_map(|digest| {
        let config = content.configs.get(&digest)?;
        Some((digest, config.clone()))
    });
    let configs: Vec<(Digest, Descriptor)> = configs.collect();
    let reader = ImageReader::from_store(store.clone());
    let reads = configs.into_iter().map(|(digest, config)| {
        let reader = &reader;
        let read = async move { (digest, read_config(reader, &config, cache, budget).await) };
        Box::pin(read) as BoxFuture<'_, _>
    });
    let read: Vec<_> = stream::iter(reads)
        .buffer_unordered(CONFIG_CONCURRENCY)
        .collect()
        .await;
    let mut left = 0;
    for (digest, times) in read {
        let observed = content.snapshot.manifests.get_mut(&digest);
        match (times, observed) {
            (ConfigReading::BudgetSpent, _) => left += 1,
            (ConfigReading::Read((created, labelled)), Some(observed)) => {
                observed.times.config_created = created;
                let annotated = observed.times.annotation_created;
                observed.times.annotation_created = annotated.max(labelled);
            }
            _ => {}
        }
    }
    match left {
        0 => Ok(()),
        left => Err(ReadingError::BudgetSpent {
            read: content.snapshot.manifests.len(),
            left,
        }),
    }
}

/// What came of reading a config.
enum ConfigReading {
    Read(ConfigTimes),
    Unreadable,
    BudgetSpent,
}

async fn read_config(
    reader: &ImageReader,
    config: &Descriptor,
    cache: &ContentCache,
    budget: &RequestBudget,
) -> ConfigReading {
    let cached = cache.bytes(config.digest);
    let bytes = match cached {
        Some(bytes) => bytes,
        None if config.size > CONFIG_LIMIT => return ConfigReading::Unreadable,
        None if !budget.reserve() => return ConfigReading::BudgetSpent,
        None => match reader.read_small_blob(config, CONFIG_LIMIT).await {
            Ok(bytes) => {
                cache.add(config.digest, &bytes);
                bytes
            }
            Err(_) => return ConfigReading::Unreadable,
        },
    };
    parse_config(&bytes).map_or(ConfigReading::Unreadable, ConfigReading::Read)
}

fn parse_config(bytes: &Bytes) -> Option<ConfigTimes> {
    let config: ImageConfigJson = serde_json::from_slice(bytes).ok()?;
    let labels = config.config.and_then(|config| config.labels);
    let labelled = labels.and_then(|labels| parse_time(labels.get(CREATED_ANNOTATION)?));
    Some((config.created.and_then(|text| parse_time(&text)), labelled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_says_when_an_image_was_made_in_two_ways() {
        let parse = |json: &'static str| parse_config(&Bytes::from_static(json.as_bytes()));
        let times = parse(
            r#"{"created":"2026-11-01T00:00:00.123+02:00","config":{"Labels":{"org.opencontainers.image.created":"2026-11-02T00:00:00Z"}}}"#,
        );
        let (created, labelled) = times.unwrap();
        assert!(created.unwrap() < labelled.unwrap());
        assert_eq!(
            parse(r#"{"created":"yesterday","config":null}"#),
            Some((None, None))
        );
        assert_eq!(parse("{}"), Some((None, None)));
        assert_eq!(parse("[]"), None);
    }
}
