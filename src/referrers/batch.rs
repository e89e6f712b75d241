//! Some of what stands beside an image, on its way to one destination: blobs first, then manifests,
//! then the tags that name them.

use futures_util::future::{try_join, try_join_all};
use serde_json::Value;

use super::discover::{Referrer, Tagged};
use super::list::{self, Listing};
use super::shared::MEMBERS_LIMIT;
use super::{Between, Error, Shared, Sided, shared};
use crate::image::{Body, Digest, MANIFEST_LIMIT, Manifest};
use crate::layout::Layout;
use crate::notice::Notices;
use crate::transfer::{Bringing, Copy, Root, Roots, Side, Source, Store, StoreError};

/// The bytes of manifests that are written to a layout together.
const TOGETHER: usize = 4 << 20;

/// What is missing about one manifest.
pub(super) struct Subject {
    pub(super) digest: Digest,
    pub(super) missing: Vec<Referrer>,
    pub(super) listing: Listing,
}

/// What is missing under one tag.
pub(super) struct Tag {
    pub(super) tagged: Tagged,
    pub(super) missing: Vec<Value>,
}

pub(super) struct Batch<'a> {
    source: &'a Source,
    store: &'a Store,
    notices: &'a Notices,
    subjects: Vec<Subject>,
    tags: Vec<Tag>,
    referrers: Bringing<'a>,
    /// The layers of the images under tags.
    layers: Bringing<'a>,
    additions: Vec<Addition>,
}

/// What is added to a tag.
struct Addition {
    shared: Shared,
    /// Where it is a list of what is about this, and not there yet.
    lists: Option<Digest>,
    /// What the tag names, read just before it is written.
    there: Option<Manifest>,
    ours: Vec<Value>,
    /// What is written where nothing is there.
    whole: Option<Manifest>,
    /// All that was there.
    seen: Vec<Value>,
}

impl<'a> Batch<'a> {
    pub(super) async fn of(
        between: &Between<'a>,
        subjects: Vec<Subject>,
        tags: Vec<Tag>,
    ) -> Result<Self, Sided> {
        let missing = subjects.iter().flat_map(|subject| &subject.missing);
        let referrers = missing
            .map(|referrer| Root::Named(referrer.digest))
            .collect();
        let layers = tags
            .iter()
            .map(|tag| Root::Read(Box::new(tag.needed())))
            .collect();
        let (referrers, layers) =
            try_join(between.copy(referrers).look(), between.copy(layers).look()).await?;
        Ok(Self {
            source: between.source,
            store: between.store,
            notices: between.notices,
            subjects,
            tags,
            referrers,
            layers,
            additions: Vec::new(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.tags.is_empty()
    }

    pub(super) async fn blobs(&self) -> Result<(), Sided> {
        try_join(self.referrers.blobs(), self.layers.blobs()).await?;
        Ok(())
    }

    /// Writes the referrers, and reads meanwhile what their lists, and the images under tags, are.
    pub(super) async fn manifests(&mut self) -> Result<(), Sided> {
        let referrers = async {
            self.referrers.below().await?;
            Ok(self.referrers.roots().await?)
        };
        let ((), additions) = try_join(referrers, self.read()).await?;
        self.additions = additions;
        Ok(())
    }

    async fn read(&self) -> Result<Vec<Addition>, Sided> {
        let subjects = self.subjects.iter();
        let lists = subjects.map(|subject| subject.read(self.source, self.store));
        let tags = self.tags.iter().map(|tag| {
            let (shared, layers) = (tag.tagged.shared(), tag.missing.clone());
            Addition::read(self.store, shared, layers, tag.whole())
        });
        let (lists, tags) = try_join(try_join_all(lists), try_join_all(tags)).await?;
        Ok(lists.into_iter().flatten().chain(tags).collect())
    }

    /// Whether tags have to be added to.
    pub(super) fn adds_to_tags(&self) -> bool {
        !self.additions.is_empty()
    }

    /// Sees to it that the destination lists what was copied.
    pub(super) async fn lists(&mut self) -> Result<(), Sided> {
        if let Store::Layout(layout) = self.store {
            self.list_on_disk(layout).await?;
        }
        let (store, notices) = (self.store, self.notices);
        let mut needed = Vec::with_capacity(self.additions.len());
        for addition in std::mem::take(&mut self.additions) {
            if addition.is_needed(store).await? {
                needed.push(addition);
            }
        }
        self.additions = needed;
        let additions = self.additions.iter_mut();
        try_join_all(additions.map(|addition| addition.put(store, notices))).await?;
        Ok(())
    }

    /// Gives each referrer an entry in a layout, for as many at a time as there is memory for.
    async fn list_on_disk(&self, layout: &Layout) -> Result<(), Sided> {
        let mut read = Vec::new();
        let mut bytes = 0;
        let mut missing = self.subjects.iter().flat_map(|subject| &subject.missing);
        loop {
            let next = missing.next();
            if next.is_none() || bytes > TOGETHER {
                let written = layout.write_referrers(std::mem::take(&mut read)).await;
                written.map_err(|error| Sided::there(StoreError::from(error)))?;
                bytes = 0;
            }
            let Some(referrer) = next else {
                return Ok(());
            };
            let manifest = referrer.read(self.source).await?;
            bytes += manifest.bytes.len();
            read.push(manifest);
        }
    }

    /// Looks once more at the tags that were added to: a run that read one before us may have written
    /// it after us.
    pub(super) async fn settle(&mut self) -> Result<(), Sided> {
        if matches!(self.store, Store::Layout(_)) {
            return Ok(());
        }
        let (store, notices) = (self.store, self.notices);
        let additions = self.additions.iter_mut();
        try_join_all(additions.map(|addition| addition.settle(store, notices))).await?;
        Ok(())
    }
}

impl<'a> Between<'a> {
    fn copy(&self, roots: Vec<Root>) -> Copy<'a> {
        Copy {
            source: self.source,
            roots,
            roots_at: Roots::Missing,
            destinations: vec![self.store],
            known: self.known,
            notices: self.notices,
            meter: self.meter,
        }
    }
}

impl Subject {
    /// What has to be added to the list under a tag, if there is one.
    async fn read(&self, source: &Source, store: &Store) -> Result<Option<Addition>, Sided> {
        let listing = self.listing.read_again(store, self.digest).await;
        Ok(match listing.map_err(Sided::there)? {
            Listing::Own => None,
            Listing::Tag(list) => Some(Addition {
                shared: Shared::list(self.digest),
                lists: list.is_none().then_some(self.digest),
                there: list.map(|list| *list),
                ours: self.entries(source).await?,
                whole: None,
                seen: Vec::new(),
            }),
        })
    }

    /// The entries of a list that name what is missing. They hold its annotations, and a list is a
    /// manifest: it cannot be larger than one.
    async fn entries(&self, source: &Source) -> Result<Vec<Value>, Sided> {
        let mut entries = Vec::with_capacity(self.missing.len());
        let (mut bytes, mut members) = (0, 0);
        for referrer in &self.missing {
            let manifest = referrer.read(source).await?;
            let annotations = manifest.annotations.iter();
            let sizes = annotations.map(|(name, text)| name.len() + text.len());
            bytes += sizes.sum::<usize>();
            members += manifest.annotations.len();
            if bytes > MANIFEST_LIMIT || members > MEMBERS_LIMIT {
                return Err(Sided::there(Error::Foreign {
                    tag: Shared::list(self.digest).tag().clone(),
                    problem: "a list that the annotations of the referrers would make too large",
                }));
            }
            entries.push(list::descriptor(&manifest));
        }
        Ok(entries)
    }
}

impl Referrer {
    /// Reads it, once more where there was no memory to keep it.
    async fn read(&self, source: &Source) -> Result<Manifest, Sided> {
        let failed = |error: StoreError| Sided {
            side: Side::Source,
            error: error.into(),
        };
        let found = source.manifest(self.digest).await.map_err(failed)?;
        found.ok_or_else(|| failed(StoreError::Vanished(self.digest)))
    }
}

impl Tag {
    /// The image with the layers alone that are missing.
    fn needed(&self) -> Manifest {
        let missing = self.missing.iter();
        let digests: Vec<_> = missing.map(|layer| layer["digest"].as_str()).collect();
        let mut needed = self.tagged.manifest.clone();
        if let Body::Image { layers, .. } = &mut needed.body {
            layers.retain(|layer| digests.contains(&Some(layer.digest.to_string().as_str())));
        }
        needed
    }

    /// The image, where all of it is missing.
    fn whole(&self) -> Option<Manifest> {
        let image = &self.tagged.manifest;
        let is_whole = self.missing.len() == shared::members(image, "layers").len();
        is_whole.then(|| image.clone())
    }
}

impl Addition {
    async fn read(
        store: &Store,
        shared: Shared,
        ours: Vec<Value>,
        whole: Option<Manifest>,
    ) -> Result<Self, Sided> {
        Ok(Self {
            there: shared.read_to_add(store).await.map_err(Sided::there)?,
            shared,
            lists: None,
            ours,
            whole,
            seen: Vec::new(),
        })
    }

    /// Whether it is not the registry that lists what is listed here, by what it has said meanwhile.
    async fn is_needed(&self, store: &Store) -> Result<bool, Sided> {
        match self.lists {
            None => Ok(true),
            Some(subject) => {
                let is_own = Listing::Tag(None).is_own_by_now(store, subject).await;
                is_own.map(|is_own| !is_own).map_err(Sided::there)
            }
        }
    }

    /// Adds what is missing; where nothing is there, the whole is written as it is.
    async fn put(&mut self, store: &Store, notices: &Notices) -> Result<(), Sided> {
        let there = self.there.take();
        self.shared.warn_of_overwritten(there.as_ref(), notices);
        let (ours, whole) = (&self.ours, self.whole.as_ref());
        let add = self
            .shared
            .add(store, there, ours, whole, &mut self.seen, notices);
        add.await.map(drop).map_err(Sided::there)
    }

    async fn settle(&mut self, store: &Store, notices: &Notices) -> Result<(), Sided> {
        let Self {
            shared, ours, seen, ..
        } = self;
        let settle = shared.settle(store, ours, seen, notices);
        settle.await.map(drop).map_err(Sided::there)
    }
}
