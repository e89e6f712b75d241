//! What the destinations have: each tag that matters once, and the list of tags where lines move.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join, try_join_all};

use super::{Destination, Failure};
use crate::image::{Digest, Location, Place, Tag, Target};
use crate::tagging::{Follows, Kind, Move, PlannedTag, Releases, Series};
use crate::transfer::{Side, StoreError};

/// What a destination had when it was looked at.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What each planned tag names, and the highest release of each planned line.
    pub(super) named: BTreeMap<Tag, Option<Digest>>,
    /// All tags, where version lines are planned.
    pub(super) tags: BTreeSet<Tag>,
    /// The releases that were taken back. Nothing says so yet: release records will.
    pub(super) withdrawn: BTreeSet<Tag>,
    /// Branch tags that name a newer image than ours, and how that is known.
    pub(super) newer: BTreeMap<Tag, String>,
    /// Tags of branches and pull requests that are those of version lines, and how that is known.
    pub(super) lines: BTreeMap<Tag, String>,
}

impl Destination {
    /// The tag of this destination that the source is.
    fn tag_of<'a>(&self, source: &'a Location) -> Option<&'a Tag> {
        match (&self.place, source) {
            (Place::Registry(repository), Location::Registry(reference)) => match &reference.target
            {
                Target::Tag(tag) if reference.repository == *repository => Some(tag),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Seen {
    /// Notes what the source names, where it is a tag of the destination.
    pub(super) fn source(&mut self, destination: &Destination, source: &Location, root: Digest) {
        if let Some(tag) = destination.tag_of(source) {
            self.named.insert(tag.clone(), Some(root));
        }
    }

    pub(super) fn named(&self, tag: &Tag) -> Option<Digest> {
        self.named.get(tag).copied().flatten()
    }

    pub(super) fn releases(&self, series: &Series) -> Releases {
        Releases::among(&self.tags, series, &self.withdrawn)
    }

    /// Looks up what the highest releases name where lines are not for ours. A tag that is listed
    /// and names nothing is taken for deleted since.
    pub(super) async fn look_up_highest(
        &mut self,
        destination: &Destination,
        lines: &[PlannedTag],
    ) -> Result<(), StoreError> {
        loop {
            let unknown = self.unknown_highest(lines);
            if unknown.is_empty() {
                return Ok(());
            }
            for (tag, digest) in named(destination, &unknown).await? {
                if digest.is_none() {
                    self.tags.remove(&tag);
                }
                self.named.insert(tag, digest);
            }
        }
    }

    fn unknown_highest(&self, lines: &[PlannedTag]) -> BTreeSet<Tag> {
        lines
            .iter()
            .filter_map(|planned| match &planned.kind {
                Kind::Moving(Follows::Line {
                    line,
                    series,
                    version,
                }) => match self.releases(series).line_move(*line, version) {
                    Move::Stays { highest, .. } => Some(highest?.tag),
                    Move::Moves => None,
                },
                _ => None,
            })
            .filter(|tag| self.named(tag).is_none())
            .collect()
    }
}

/// The tags of each destination, where it could tell them: asked for while it is not known yet which
/// of them matter, so that by then the connections stand and are logged in.
pub(super) async fn list_early(destinations: &[Destination]) -> Vec<Option<BTreeSet<Tag>>> {
    let lists = destinations.iter().map(|destination| async {
        // What fails fails again where it matters.
        destination.store.tags().await.ok()
    });
    join_all(lists).await
}

/// Looks at all destinations at once. Where the source is a tag of a destination, what it names is
/// for [`Seen::source`] to say. What was `listed` early is not listed again.
pub(super) async fn at_all(
    destinations: &[Destination],
    tags: &[PlannedTag],
    source: &Location,
    listed: Vec<Option<BTreeSet<Tag>>>,
) -> Result<Vec<Seen>, Failure> {
    let listed = listed.into_iter().chain(std::iter::repeat(None));
    let each = destinations.iter().zip(listed);
    try_join_all(each.map(|(destination, listed)| async move {
        at(destination, tags, source, listed)
            .await
            .map_err(|error| Failure::store(Side::Destination, &destination.place, error))
    }))
    .await
}

async fn at(
    destination: &Destination,
    planned: &[PlannedTag],
    source: &Location,
    listed: Option<BTreeSet<Tag>>,
) -> Result<Seen, StoreError> {
    let source = destination.tag_of(source);
    let own = planned.iter().map(|planned| planned.tag.clone());
    let own = own.filter(|tag| Some(tag) != source).collect();
    let listing = async {
        match listed {
            Some(listed) => Ok(listed),
            None if planned.iter().any(needs_list) => destination.store.tags().await,
            None => Ok(BTreeSet::new()),
        }
    };
    let (named, tags) = try_join(named(destination, &own), listing).await?;
    let mut seen = Seen {
        named,
        tags,
        ..Seen::default()
    };
    seen.look_up_highest(destination, planned).await?;
    Ok(seen)
}

/// Whether all tags of a repository have a say in what becomes of one.
fn needs_list(planned: &PlannedTag) -> bool {
    planned.kind.is_line() || planned.may_take_line()
}

/// What tags name.
pub(super) async fn named(
    destination: &Destination,
    tags: &BTreeSet<Tag>,
) -> Result<BTreeMap<Tag, Option<Digest>>, StoreError> {
    let heads = tags.iter().map(|tag| async {
        let digest = destination.store.resolve(tag).await?;
        Ok::<_, StoreError>((tag.clone(), digest))
    });
    Ok(try_join_all(heads).await?.into_iter().collect())
}
