//! What stands beside an image, brought to a destination: looked at before anything is written, then
//! copied by digest and listed there, so that a run that is repeated writes nothing.
//!
//! Referrers travel as the bytes they came as. On a registry that keeps no list of them itself they
//! are added to the list under a tag; images of cosign's older form are written as they are where
//! there is none, and are added to the one that is there, layer by layer.

use std::collections::BTreeMap;

use futures_util::future::{try_join, try_join_all};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::discover::{Beside, Left, Reason, Referrer, Tagged};
use super::list::{self, Listing};
use super::{Ending, Error, Kind, Shared, Sided, shared};
use crate::image::{Body, Digest, Manifest};
use crate::notice::Notices;
use crate::transfer::{Copy, Known, Meter, Source, Store, StoreError};

/// Referrers that travel at the same time.
const COPIES: usize = 8;

/// What is brought to one destination.
pub struct Carry<'a> {
    source: &'a Source,
    store: &'a Store,
    known: &'a Known,
    notices: &'a Notices,
    meter: &'a Meter,
    subjects: Vec<Subject<'a>>,
    tags: Vec<Tag<'a>>,
    /// What the destination has of all this, by kind.
    travelled: Travelled,
    /// The tags that were added to.
    added: Vec<Addition>,
}

/// What was added to a tag, to look whether it is still there.
struct Addition {
    shared: Shared,
    ours: Vec<Value>,
    /// All that was there.
    seen: Vec<Value>,
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

/// What is missing about one manifest.
struct Subject<'a> {
    digest: Digest,
    missing: Vec<&'a Referrer>,
    listing: Listing,
    /// Whether a list under a tag is there, and has to be added to.
    changes_tag: bool,
}

/// What is missing under one tag.
struct Tag<'a> {
    tagged: &'a Tagged,
    missing: Vec<Value>,
    /// Whether the tag is there, and has to be added to.
    changes_tag: bool,
}

impl<'a> Carry<'a> {
    /// Looks at what the destination has.
    ///
    /// # Errors
    /// A destination that cannot tell.
    pub async fn look(
        source: &'a Source,
        beside: &'a Beside,
        store: &'a Store,
        known: &'a Known,
        notices: &'a Notices,
        meter: &'a Meter,
    ) -> Result<Self, Error> {
        let mut travelled = Travelled {
            left: beside.left.clone(),
            ..Travelled::default()
        };
        let mut about: BTreeMap<Digest, Vec<&Referrer>> = BTreeMap::new();
        for referrer in &beside.referrers {
            about.entry(referrer.subject).or_default().push(referrer);
        }
        let on_disk = match store {
            Store::Layout(layout) => Some(layout.evidence().await.map_err(StoreError::from)?),
            Store::Registry(_) => None,
        };
        let on_disk = on_disk.as_ref();
        let subjects = stream::iter(about)
            .map(|(digest, wanted)| async move {
                let (listing, entries) = match on_disk {
                    Some(evidence) => (Listing::Own, list::on_disk(evidence, digest)?),
                    None => list::list(store, digest).await?,
                };
                Ok::<_, Error>((digest, wanted, listing, entries))
            })
            .buffered(COPIES);
        let tags = stream::iter(&beside.tagged)
            .map(|tagged| async move {
                let there = tagged.shared().read(store).await?;
                Ok::<_, Error>((tagged, there))
            })
            .buffered(COPIES);
        let (subjects, tags): (Vec<_>, Vec<_>) =
            try_join(subjects.try_collect(), tags.try_collect()).await?;
        let subjects = subjects
            .into_iter()
            .map(|(digest, wanted, listing, entries)| {
                let known = |one: &&Referrer| {
                    entries
                        .iter()
                        .any(|entry| entry.digest == one.manifest.digest)
                };
                let (present, missing): (Vec<_>, Vec<_>) = wanted.into_iter().partition(known);
                travelled.count(true, present.iter().map(|one| &one.kind));
                travelled.count(false, missing.iter().map(|one| &one.kind));
                let has_list = matches!(&listing, Listing::Tag(_)) && !entries.is_empty();
                Subject {
                    digest,
                    changes_tag: has_list && !missing.is_empty(),
                    missing,
                    listing,
                }
            })
            .collect();
        let tags = tags
            .into_iter()
            .map(|(tagged, there)| travelled.tag(tagged, there.as_ref()))
            .collect();
        Ok(Self {
            source,
            store,
            known,
            notices,
            meter,
            subjects,
            tags,
            travelled,
            added: Vec::new(),
        })
    }

    /// What came of it; before [`Carry::write`], what is to come.
    pub fn into_travelled(self) -> Travelled {
        self.travelled
    }

    /// Writes what is missing: with `by_tag` what a tag that is there has to be added to for, which
    /// comes before all else, since a registry that makes tags immutable refuses it; without it the
    /// rest, once the image is in place.
    ///
    /// # Errors
    /// A side that fails, or a tag that cannot be changed.
    pub async fn write(&mut self, by_tag: bool) -> Result<(), Sided> {
        let subjects: Vec<_> = self
            .subjects
            .iter()
            .filter(|subject| subject.changes_tag == by_tag && !subject.missing.is_empty())
            .collect();
        let tags: Vec<_> = self
            .tags
            .iter()
            .filter(|tag| tag.changes_tag == by_tag && !tag.missing.is_empty())
            .collect();
        let referrers = subjects.iter().flat_map(|subject| &subject.missing);
        stream::iter(referrers)
            .map(|referrer| self.copy(&referrer.manifest, true))
            .buffer_unordered(COPIES)
            .try_collect::<()>()
            .await?;
        let (lists, tags) = try_join(
            self.list(&subjects),
            try_join_all(tags.into_iter().map(|tag| self.add(tag))),
        )
        .await?;
        self.added.extend(lists.into_iter().chain(tags));
        Ok(())
    }

    /// Looks once more at the tags that were added to: a run that read one before us may have written
    /// it after us.
    ///
    /// # Errors
    /// As [`Carry::write`].
    pub async fn settle(&mut self) -> Result<(), Sided> {
        if matches!(self.store, Store::Layout(_)) {
            return Ok(());
        }
        let (store, notices) = (self.store, self.notices);
        let again = self.added.iter_mut();
        let again = again.map(|addition| addition.put(store, None, notices));
        try_join_all(again).await.map(drop)
    }

    /// Copies a manifest, or only its blobs.
    async fn copy(&self, manifest: &Manifest, whole: bool) -> Result<(), Sided> {
        let copy = Copy {
            source: self.source,
            root: manifest,
            destinations: vec![self.store],
            known: self.known,
            notices: self.notices,
            meter: self.meter,
        };
        let outcomes = match whole {
            true => copy.run().await,
            false => copy.run_below().await,
        };
        for outcome in outcomes {
            outcome?;
        }
        Ok(())
    }

    /// Sees to it that the destination lists what was copied. Returns the tags that were added to.
    async fn list(&self, subjects: &[&Subject<'_>]) -> Result<Vec<Addition>, Sided> {
        if let Store::Layout(layout) = self.store {
            let all = subjects.iter().flat_map(|subject| &subject.missing);
            let all = all.map(|referrer| referrer.manifest.clone()).collect();
            let written = layout.write_referrers(all).await;
            written.map_err(|error| Sided::there(StoreError::from(error)))?;
            return Ok(Vec::new());
        }
        let added = subjects.iter().map(|subject| async {
            if !self.needs_tag(subject).await? {
                return Ok(None);
            }
            let missing = subject.missing.iter();
            let mut addition = Addition {
                shared: Shared::list(subject.digest),
                ours: missing
                    .map(|referrer| list::descriptor(&referrer.manifest))
                    .collect(),
                seen: Vec::new(),
            };
            addition.put(self.store, None, self.notices).await?;
            Ok::<_, Sided>(Some(addition))
        });
        Ok(try_join_all(added).await?.into_iter().flatten().collect())
    }

    /// Whether what is about a subject has to be listed under a tag.
    async fn needs_tag(&self, subject: &Subject<'_>) -> Result<bool, Sided> {
        let lists = subject.listing.is_own_by_now(self.store, subject.digest);
        lists.await.map(|lists| !lists).map_err(Sided::there)
    }

    /// Writes an image under its tag, or adds what is missing to the one that is there.
    async fn add(&self, tag: &Tag<'_>) -> Result<Addition, Sided> {
        let Tag {
            tagged, missing, ..
        } = tag;
        let is_whole = missing.len() == shared::members(&tagged.manifest, "layers").len();
        let digests: Vec<_> = missing
            .iter()
            .map(|layer| layer["digest"].as_str())
            .collect();
        let mut needed = tagged.manifest.clone();
        if let Body::Image { layers, .. } = &mut needed.body {
            layers.retain(|layer| digests.contains(&Some(layer.digest.to_string().as_str())));
        }
        self.copy(&needed, false).await?;
        let mut addition = Addition {
            shared: tagged.shared(),
            ours: missing.clone(),
            seen: Vec::new(),
        };
        let whole = is_whole.then_some(&tagged.manifest);
        addition.put(self.store, whole, self.notices).await?;
        Ok(addition)
    }
}

impl Addition {
    /// Adds what is missing; where nothing is there, `whole` is written as it is.
    async fn put(
        &mut self,
        store: &Store,
        whole: Option<&Manifest>,
        notices: &Notices,
    ) -> Result<(), Sided> {
        let Self { shared, ours, seen } = self;
        let add = shared.add(store, ours, whole, seen, notices);
        add.await.map(drop).map_err(Sided::there)
    }
}

impl Tagged {
    fn shared(&self) -> Shared {
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

    /// What of an image is missing at a destination that has `there` under its tag.
    fn tag<'t>(&mut self, tagged: &'t Tagged, there: Option<&Manifest>) -> Tag<'t> {
        let known = there.map(|there| shared::members(there, "layers"));
        let known = known.unwrap_or_default();
        let is_known = |(_, layer): &&(Kind, Value)| {
            let mut all = known.clone();
            shared::merge(&mut all, std::slice::from_ref(layer));
            all.len() == known.len()
        };
        let (present, missing): (Vec<_>, Vec<_>) = tagged.layers.iter().partition(is_known);
        self.count(true, present.iter().map(|(kind, _)| kind));
        let mut tag = Tag {
            tagged,
            missing: Vec::new(),
            changes_tag: there.is_some(),
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
