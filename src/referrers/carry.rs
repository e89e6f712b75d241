//! What stands beside an image, brought to a destination: looked at before anything is written, then
//! copied by digest and listed there, so that a run that is repeated writes nothing.
//!
//! Referrers travel as the bytes they came as. On a registry that keeps no list of them itself they
//! are added to the list under a tag; images of cosign's older form are written as they are where
//! there is none, and are added to the one that is there, layer by layer.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::batch::{Batch, Subject, Tag};
use super::discover::{Beside, Left, Reason, Referrer, Tagged};
use super::list::{self, Listing};
use super::{Ending, Error, Kind, Prior, Shared, Sided, shared};
use crate::image::{Digest, Manifest};
use crate::notice::Notices;
use crate::transfer::{Known, Meter, Source, Store, StoreError};

/// Questions to a destination at the same time.
const QUESTIONS: usize = 16;

/// A source and a destination, and what is known of them.
#[derive(Clone, Copy)]
pub struct Between<'a> {
    /// Where things come from.
    pub source: &'a Source,
    /// Where they go.
    pub store: &'a Store,
    /// What the run knows of blobs.
    pub known: &'a Known,
    /// Where to say what is retried.
    pub notices: &'a Notices,
    /// Counts the bytes of all copies of a run.
    pub meter: &'a Meter,
}

/// What is brought to one destination, in steps: each is taken before the next.
pub struct Carry<'a> {
    /// What a tag has to be added to for that is there. A registry that makes tags immutable refuses
    /// that, so it comes before all else.
    to_tags: Batch<'a>,
    /// All the rest.
    rest: Batch<'a>,
    travelled: Travelled,
}

/// What came of bringing something along.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Travelled {
    /// How many of a kind were written, or on a dry run would be.
    pub copied: BTreeMap<Kind, u64>,
    /// How many of a kind were there.
    pub present: BTreeMap<Kind, u64>,
    /// What was left behind.
    pub left: Vec<Left>,
}

impl<'a> Carry<'a> {
    /// Looks at what the destination has. `prior` is what its tags tell.
    ///
    /// # Errors
    /// A side that cannot tell.
    pub async fn look(between: Between<'a>, beside: &Beside, prior: &Prior) -> Result<Self, Sided> {
        let mut travelled = Travelled {
            left: beside.left.clone(),
            ..Travelled::default()
        };
        let looked = try_join(
            listed(between.store, beside, prior),
            tagged(between.store, beside, prior),
        );
        let (listed, tagged) = looked.await.map_err(Sided::there)?;
        let subjects = listed.into_iter().map(|about| travelled.subject(about));
        let (to_lists, subjects): (Vec<_>, Vec<_>) = subjects
            .filter(|(_, subject)| !subject.missing.is_empty())
            .partition(|(is_there, _)| *is_there);
        let tags = tagged.into_iter().map(|(tagged, there)| {
            let tag = travelled.tag(tagged, there.as_ref());
            (there.is_some(), tag)
        });
        let (to_tags, tags): (Vec<_>, Vec<_>) = tags
            .filter(|(_, tag)| !tag.missing.is_empty())
            .partition(|(is_there, _)| *is_there);
        let (to_tags, rest) = try_join(
            Batch::of(&between, seconds(to_lists), seconds(to_tags)),
            Batch::of(&between, seconds(subjects), seconds(tags)),
        )
        .await?;
        Ok(Self {
            to_tags,
            rest,
            travelled,
        })
    }

    /// Whether nothing is missing.
    pub fn is_done(&self) -> bool {
        self.to_tags.is_empty() && self.rest.is_empty()
    }

    /// What came of it; before it is written, what is to come.
    pub fn travelled(&self) -> &Travelled {
        &self.travelled
    }

    /// Brings what a tag has to be added to for that is there.
    ///
    /// # Errors
    /// A side that fails, or a tag that cannot be changed.
    pub async fn add_to_tags(&mut self) -> Result<(), Sided> {
        self.to_tags.blobs().await?;
        self.to_tags.manifests().await?;
        self.to_tags.lists().await
    }

    /// Brings the blobs of the rest.
    ///
    /// # Errors
    /// As [`Carry::add_to_tags`].
    pub async fn blobs(&self) -> Result<(), Sided> {
        self.rest.blobs().await
    }

    /// Writes the manifests of the rest by their digests.
    ///
    /// # Errors
    /// As [`Carry::add_to_tags`].
    pub async fn manifests(&mut self) -> Result<(), Sided> {
        self.rest.manifests().await
    }

    /// Names the rest: lists the referrers, and writes the images under tags.
    ///
    /// # Errors
    /// As [`Carry::add_to_tags`].
    pub async fn lists(&mut self) -> Result<(), Sided> {
        self.rest.lists().await
    }

    /// Whether tags are added to, known once the manifests are written.
    pub fn adds_to_tags(&self) -> bool {
        self.to_tags.adds_to_tags() || self.rest.adds_to_tags()
    }

    /// Looks once more at the tags that were added to.
    ///
    /// # Errors
    /// As [`Carry::add_to_tags`].
    pub async fn settle(&mut self) -> Result<(), Sided> {
        try_join(self.to_tags.settle(), self.rest.settle()).await?;
        Ok(())
    }
}

fn seconds<A, B>(pairs: Vec<(A, B)>) -> Vec<B> {
    pairs.into_iter().map(|(_, second)| second).collect()
}

/// What is wanted about one manifest, and what the destination lists about it.
struct About<'b> {
    digest: Digest,
    wanted: Vec<&'b Referrer>,
    listing: Listing,
    there: HashSet<Digest>,
}

async fn listed<'b>(
    store: &Store,
    beside: &'b Beside,
    prior: &Prior,
) -> Result<Vec<About<'b>>, Error> {
    let mut about: BTreeMap<Digest, Vec<&Referrer>> = BTreeMap::new();
    for referrer in &beside.referrers {
        about.entry(referrer.subject).or_default().push(referrer);
    }
    let on_disk = match store {
        Store::Layout(layout) => Some(layout.evidence().await.map_err(StoreError::from)?),
        Store::Registry(_) => None,
    };
    let on_disk = on_disk.as_ref();
    stream::iter(about)
        .map(|(digest, wanted)| async move {
            let (listing, entries) = match on_disk {
                Some(evidence) => (Listing::Own, list::on_disk_to_add(evidence, digest)?),
                None => list::list(store, digest, prior).await?,
            };
            Ok(About {
                digest,
                wanted,
                listing,
                there: entries.iter().map(|entry| entry.digest).collect(),
            })
        })
        .buffered(QUESTIONS)
        .try_collect()
        .await
}

/// The images under tags, and what the destination has under each of these.
async fn tagged<'b>(
    store: &Store,
    beside: &'b Beside,
    prior: &Prior,
) -> Result<Vec<(&'b Tagged, Option<Manifest>)>, Error> {
    stream::iter(&beside.tagged)
        .map(|tagged| async move { Ok((tagged, tagged.shared().look(store, prior).await?)) })
        .buffered(QUESTIONS)
        .try_collect()
        .await
}

impl Tagged {
    pub(super) fn shared(&self) -> Shared {
        Shared::layers(self.subject, self.ending)
    }
}

impl Travelled {
    fn count<'k>(&mut self, present: bool, kinds: impl Iterator<Item = &'k Kind>) {
        for kind in kinds {
            let counts = match present {
                true => &mut self.present,
                false => &mut self.copied,
            };
            *counts.entry(kind.clone()).or_default() += 1;
        }
    }

    /// What is missing about a manifest, and whether a list under a tag is there.
    fn subject(&mut self, about: About<'_>) -> (bool, Subject) {
        let is_there = |one: &&Referrer| about.there.contains(&one.digest);
        let (present, missing): (Vec<_>, Vec<_>) = about.wanted.into_iter().partition(is_there);
        self.count(true, present.iter().map(|one| &one.kind));
        self.count(false, missing.iter().map(|one| &one.kind));
        let has_list = matches!(&about.listing, Listing::Tag(_)) && !about.there.is_empty();
        let subject = Subject {
            digest: about.digest,
            missing: missing.into_iter().cloned().collect(),
            listing: about.listing,
        };
        (has_list, subject)
    }

    /// What of an image is missing at a destination that has `there` under its tag.
    fn tag(&mut self, tagged: &Tagged, there: Option<&Manifest>) -> Tag {
        let known = there.map(|there| tagged.shared().members(there));
        let known = known.unwrap_or_default();
        let known: HashSet<_> = known.iter().map(shared::name).collect();
        let is_known = |(_, layer): &&(Kind, Value)| known.contains(&shared::name(layer));
        let (present, missing): (Vec<_>, Vec<_>) = tagged.layers.iter().partition(is_known);
        self.count(true, present.iter().map(|(kind, _)| kind));
        let mut tag = Tag {
            tagged: tagged.clone(),
            missing: Vec::new(),
        };
        // An image of this kind is one SBOM; with a second one nobody knows which it is.
        if tagged.ending == Ending::Sbom && there.is_some() && !missing.is_empty() {
            self.left.push(Left {
                kind: Kind::Sbom,
                count: missing.len() as u64,
                reason: Reason::Taken,
            });
            return tag;
        }
        self.count(false, missing.iter().map(|(kind, _)| kind));
        tag.missing = missing
            .into_iter()
            .map(|(_, layer)| layer.clone())
            .collect();
        tag
    }
}
