//! What the destinations have: each tag that matters once, and the list of tags where lines move.

use std::collections::BTreeMap;

use futures_util::future::{try_join, try_join_all};

use super::{Destination, Failure};
use crate::image::{Digest, Tag};
use crate::tagging::{Follows, Kind, PlannedTag, Releases};
use crate::transfer::{Side, StoreError};

/// What a destination had when it was looked at.
#[derive(Debug)]
pub(super) struct Seen {
    /// What each planned tag names.
    pub(super) named: BTreeMap<Tag, Option<Digest>>,
    /// The releases, where version lines are planned.
    pub(super) releases: Releases,
}

impl Seen {
    pub(super) fn named(&self, tag: &Tag) -> Option<Digest> {
        self.named.get(tag).copied().flatten()
    }
}

/// Looks at all destinations at once.
pub(super) async fn at_all(
    destinations: &[Destination],
    tags: &[PlannedTag],
) -> Result<Vec<Seen>, Failure> {
    try_join_all(destinations.iter().map(|destination| at(destination, tags))).await
}

async fn at(destination: &Destination, tags: &[PlannedTag]) -> Result<Seen, Failure> {
    let heads = try_join_all(tags.iter().map(|planned| async {
        let digest = destination.store.resolve(&planned.tag).await?;
        Ok::<_, StoreError>((planned.tag.clone(), digest))
    }));
    let (named, releases) = try_join(heads, releases(destination, tags))
        .await
        .map_err(|error| Failure::store(Side::Destination, &destination.place, error))?;
    Ok(Seen {
        named: named.into_iter().collect(),
        releases,
    })
}

async fn releases(destination: &Destination, tags: &[PlannedTag]) -> Result<Releases, StoreError> {
    if tags
        .iter()
        .any(|planned| matches!(planned.kind, Kind::Moving(Follows::Line { .. })))
    {
        Ok(Releases::among(&destination.store.tags().await?))
    } else {
        Ok(Releases::default())
    }
}
