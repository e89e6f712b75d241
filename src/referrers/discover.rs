//! What stands beside an image and all below it, at every level: the referrers of its root, of its
//! children, and of those referrers; and what cosign's older form keeps under tags.
//!
//! Nothing that cannot be read counts as absent. Where a registry's tags come in one answer, that
//! says which tags of this kind there are; else each of them is asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::list::{self, Entry};
use super::{Ending, Error, Kind, Shared, shared};
use crate::image::{Body, Digest, Manifest, Reservation, Tag};
use crate::layout::Evidence;
use crate::registry::{FewTags, Remote};
use crate::transfer::{Source, Store, StoreError};

/// Which referrers travel with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selection {
    /// Those of known kinds, up to `COUNT` of them and `SIZE` bytes.
    #[default]
    Known,
    /// All but the release records of another environment.
    All,
    /// None; nothing is looked for.
    None,
}

/// The most known referrers that travel with an image. One that is scanned every night for a year
/// has fewer.
pub const COUNT: usize = 1_000;
/// The most bytes that known referrers may have together: 1 GiB.
pub const SIZE: u64 = 1 << 30;
/// The most referrers that an image may have at all levels. More is an attack, or a mistake.
pub(super) const BOUND: usize = 20_000;
/// What a member of a layer takes in memory once it is read in whole.
const LAYER_MEMBER: usize = 200;
/// Questions to a source at the same time.
const QUESTIONS: usize = 16;

/// What stands beside an image.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The referrers that travel, each after what it is about.
    pub referrers: Vec<Referrer>,
    /// The images under tags that travel.
    pub tagged: Vec<Tagged>,
    /// What does not travel.
    pub left: Vec<Left>,
}

/// A referrer that travels.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// What it says something about.
    pub subject: Digest,
    /// What it is.
    pub kind: Kind,
    /// Which one it is. It is read again when it is written: thousands may stand beside an image.
    pub digest: Digest,
}

/// An image of cosign's older form.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// What it says something about.
    pub subject: Digest,
    /// How its tag ends.
    pub ending: Ending,
    /// It.
    pub manifest: Manifest,
    /// The layers of it that travel, and what each is.
    pub layers: Vec<(Kind, Value)>,
    /// The memory that its layers take.
    _memory: Option<Arc<Reservation>>,
}

/// Some things of a kind that do not travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What they are.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: Reason,
}

/// Why something does not travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Records of a release to another environment never do.
    Record,
    /// Its kind is none of the known ones.
    Unknown,
    /// There are too many of them, or they are too large together.
    Cap,
    /// It is listed, and is not there any more.
    Gone,
    /// It does not say that it is about what it is listed for.
    Foreign,
    /// The destination has another one under the same tag.
    Taken,
}

impl Left {
    /// Whether a person should look at it: it was meant to travel, or is not as it should be.
    pub fn is_odd(&self) -> bool {
        !matches!(self.reason, Reason::Record | Reason::Unknown)
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.kind.counted(self.count);
        match self.reason {
            Reason::Record => write!(f, "{what}, of another environment"),
            Reason::Unknown => write!(f, "{what}, no known kind (referrers: all takes it along)"),
            Reason::Cap => write!(
                f,
                "{what}, beyond the {COUNT} referrers or the {} GiB that travel (referrers: all takes all)",
                SIZE >> 30
            ),
            Reason::Gone => write!(f, "{what}, listed at the source and not there any more"),
            Reason::Foreign => write!(f, "{what}, listed at the source for what it does not name"),
            Reason::Taken => write!(f, "{what}: the destination has another one under its tag"),
        }
    }
}

impl Beside {
    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.referrers.is_empty() && self.tagged.is_empty() && self.left.is_empty()
    }

    /// What stands beside `root` and all below it in `source`, apart from the manifests `made` here,
    /// about which the source cannot have anything.
    ///
    /// # Errors
    /// Whatever cannot be read, or more than can stand beside an image.
    pub async fn of(
        source: &Source,
        root: &Manifest,
        made: &[Digest],
        selection: Selection,
    ) -> Result<Self, Error> {
        if selection == Selection::None {
            return Ok(Self::default());
        }
        let (lists, graph) = try_join(
            Lists::of(source),
            nodes(source, root.digest, Child::all(root)),
        )
        .await?;
        let seen: HashSet<Digest> = graph.iter().copied().collect();
        let there = graph.into_iter().filter(|node| !made.contains(node));
        Self::around(source, lists, there, seen, selection).await
    }

    /// What stands beside `subjects`, and not below them.
    ///
    /// # Errors
    /// As [`Beside::of`].
    pub async fn about(
        source: &Source,
        subjects: &[Digest],
        selection: Selection,
    ) -> Result<Self, Error> {
        let lists = Lists::of(source).await?;
        let seen = subjects.iter().copied().collect();
        Self::around(source, lists, subjects.iter().copied(), seen, selection).await
    }

    /// How many of each kind there are, of those that would travel.
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        let referrers = self.referrers.iter().map(|referrer| &referrer.kind);
        let tagged = self.tagged.iter().flat_map(|tagged| &tagged.layers);
        let mut counts = BTreeMap::new();
        for kind in referrers.chain(tagged.map(|(kind, _)| kind)) {
            *counts.entry(kind.clone()).or_default() += 1;
        }
        counts
    }

    /// Goes outwards from `subjects`: what is about them, what is about that, and so on.
    async fn around(
        source: &Source,
        lists: Lists<'_>,
        subjects: impl IntoIterator<Item = Digest>,
        mut seen: HashSet<Digest>,
        selection: Selection,
    ) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut room = Room::of(selection);
        let mut wave = lists.about_all(subjects).await?;
        while !wave.is_empty() {
            let mut candidates = Vec::new();
            for about in wave {
                found.take_tagged(about.tagged, &mut room);
                let new = about.entries.into_iter();
                let new = new.filter(|entry| seen.insert(entry.digest));
                candidates.extend(new.map(|entry| Candidate::new(about.subject, entry)));
            }
            if seen.len() > BOUND {
                return Err(Error::Boundless);
            }
            let candidates = found.choose(candidates, selection, &mut room);
            wave = Vec::new();
            let looked = stream::iter(candidates)
                .map(|candidate| look(source, &lists, candidate))
                .buffered(QUESTIONS);
            let mut looked = std::pin::pin!(looked);
            let mut entries = 0;
            while let Some((candidate, looked, about)) = looked.try_next().await? {
                if found.add(candidate, looked, selection, &mut room) {
                    let listed = about.iter().map(|about| about.entries.len());
                    entries += listed.sum::<usize>();
                    wave.extend(about);
                }
                if entries > BOUND {
                    return Err(Error::Boundless);
                }
            }
        }
        Ok(found)
    }

    /// The candidates that may travel as far as their entries tell, the most telling kinds first.
    fn choose(
        &mut self,
        mut candidates: Vec<Candidate>,
        selection: Selection,
        room: &mut Room,
    ) -> Vec<Candidate> {
        candidates.retain(|candidate| {
            let said = candidate.said.as_ref();
            let reason = said.and_then(|kind| selection.refuses(kind));
            if let (Some(kind), Some(reason)) = (said, reason) {
                self.leave(kind.clone(), reason);
            }
            reason.is_none()
        });
        candidates.sort_by(|a, b| a.said.cmp(&b.said));
        for over in candidates.split_off(candidates.len().min(room.count)) {
            self.leave(over.kind(), Reason::Cap);
        }
        candidates
    }

    /// Takes a referrer along that was read; whether it does travel.
    fn add(
        &mut self,
        candidate: Candidate,
        looked: Option<Looked>,
        selection: Selection,
        room: &mut Room,
    ) -> bool {
        let digest = candidate.digest;
        let Some(looked) = looked else {
            self.leave(candidate.kind(), Reason::Gone);
            return false;
        };
        let kind = looked.kind;
        let reason = selection.refuses(&kind).or_else(|| {
            let foreign = !looked.is_about_subject;
            foreign
                .then_some(Reason::Foreign)
                .or_else(|| (!room.take(looked.size)).then_some(Reason::Cap))
        });
        if let Some(reason) = reason {
            self.leave(kind, reason);
            return false;
        }
        self.referrers.push(Referrer {
            subject: candidate.subject,
            kind,
            digest,
        });
        true
    }

    fn take_tagged(&mut self, tagged: Vec<Tagged>, room: &mut Room) {
        for mut tagged in tagged {
            let records = tagged
                .layers
                .extract_if(.., |(kind, _)| *kind == Kind::Record);
            for (kind, _) in records.collect::<Vec<_>>() {
                self.leave(kind, Reason::Record);
            }
            if tagged.layers.is_empty() {
                continue;
            }
            if room.take(size(&tagged.manifest)) {
                self.tagged.push(tagged);
            } else {
                for (kind, _) in tagged.layers {
                    self.leave(kind, Reason::Cap);
                }
            }
        }
    }

    fn leave(&mut self, kind: Kind, reason: Reason) {
        let mut known = self.left.iter_mut();
        match known.find(|left| left.kind == kind && left.reason == reason) {
            Some(left) => left.count += 1,
            None => self.left.push(Left {
                kind,
                count: 1,
                reason,
            }),
        }
    }
}

impl Selection {
    fn refuses(self, kind: &Kind) -> Option<Reason> {
        match (self, kind) {
            (_, Kind::Record) => Some(Reason::Record),
            (Self::Known, Kind::Other(_)) => Some(Reason::Unknown),
            _ => None,
        }
    }
}

/// How much more may travel.
struct Room {
    count: usize,
    size: u64,
}

impl Room {
    fn of(selection: Selection) -> Self {
        match selection {
            Selection::Known => Self {
                count: COUNT,
                size: SIZE,
            },
            Selection::All | Selection::None => Self {
                count: usize::MAX,
                size: u64::MAX,
            },
        }
    }

    /// Takes the room that one thing of so many bytes needs, if there is as much.
    fn take(&mut self, size: u64) -> bool {
        let fits = self.count > 0 && self.size >= size;
        if fits {
            self.count -= 1;
            self.size -= size;
        }
        fits
    }
}

/// The bytes of a manifest's blobs.
fn size(manifest: &Manifest) -> u64 {
    manifest
        .blobs()
        .fold(0, |sum, blob| sum.saturating_add(blob.size))
}

/// A referrer that is listed.
struct Candidate {
    subject: Digest,
    digest: Digest,
    /// What its entry says that it is.
    said: Option<Kind>,
    /// The type that its entry gives.
    named: Option<String>,
}

impl Candidate {
    fn new(subject: Digest, entry: Entry) -> Self {
        Self {
            subject,
            digest: entry.digest,
            said: Kind::said(entry.kind.as_deref(), &entry.annotations),
            named: entry.kind,
        }
    }

    fn kind(self) -> Kind {
        let named = self.named.unwrap_or_default();
        self.said
            .unwrap_or_else(|| Kind::Other(crate::notice::printable(&named, 120)))
    }
}

/// What a referrer's manifest says. It is not held: thousands may be looked at.
struct Looked {
    kind: Kind,
    /// Whether it says that it is about what it is listed for.
    is_about_subject: bool,
    /// The bytes of its blobs.
    size: u64,
    children: Vec<Child>,
}

/// A manifest that an index names.
#[derive(Clone, Copy)]
struct Child {
    parent: Digest,
    digest: Digest,
    may_be_index: bool,
}

impl Child {
    fn all(parent: &Manifest) -> Vec<Self> {
        let children = parent.children().map(|child| Self {
            parent: parent.digest,
            digest: child.digest,
            may_be_index: child.may_be_index(),
        });
        children.collect()
    }
}

/// Reads a referrer, and what stands beside it.
async fn look(
    source: &Source,
    lists: &Lists<'_>,
    candidate: Candidate,
) -> Result<(Candidate, Option<Looked>, Vec<About>), Error> {
    let read = async {
        let found = source.manifest(candidate.digest).await?;
        Ok::<_, Error>(found.map(|manifest| Looked {
            kind: Kind::of(&manifest),
            is_about_subject: manifest.is_about(candidate.subject),
            size: size(&manifest),
            children: Child::all(&manifest),
        }))
    };
    let (mut looked, about) = try_join(read, lists.about(candidate.digest)).await?;
    let mut all = vec![about];
    let children = looked
        .as_mut()
        .map(|looked| std::mem::take(&mut looked.children));
    if let Some(children) = children.filter(|children| !children.is_empty()) {
        let below = nodes(source, candidate.digest, children).await?;
        all.extend(lists.about_all(below.into_iter().skip(1)).await?);
    }
    Ok((candidate, looked, all))
}

/// The root and all manifests below it. Only what may be an index is read.
async fn nodes(source: &Source, root: Digest, below: Vec<Child>) -> Result<Vec<Digest>, Error> {
    let mut nodes = Nodes {
        all: vec![root],
        seen: HashSet::from([root]),
    };
    let mut level = nodes.add(below)?;
    while !level.is_empty() {
        let indexes = level.into_iter().filter(|child| child.may_be_index);
        let read = stream::iter(indexes).map(|index| async move {
            let (parent, child) = (index.parent, index.digest);
            let found = source.manifest(child).await?;
            let missing = || Error::from(StoreError::MissingChild { child, parent });
            Ok::<_, Error>(Child::all(&found.ok_or_else(missing)?))
        });
        let mut read = std::pin::pin!(read.buffered(QUESTIONS));
        level = Vec::new();
        while let Some(below) = read.try_next().await? {
            level.extend(nodes.add(below)?);
        }
    }
    Ok(nodes.all)
}

/// A root and what is below it, as far as it was found.
struct Nodes {
    all: Vec<Digest>,
    seen: HashSet<Digest>,
}

impl Nodes {
    /// Adds what an index names. Returns those of it that are new.
    fn add(&mut self, mut below: Vec<Child>) -> Result<Vec<Child>, Error> {
        below.retain(|child| self.seen.insert(child.digest));
        self.all.extend(below.iter().map(|child| child.digest));
        match self.all.len() > BOUND {
            true => Err(Error::Boundless),
            false => Ok(below),
        }
    }
}

/// What is listed about one manifest.
struct About {
    subject: Digest,
    entries: Vec<Entry>,
    tagged: Vec<Tagged>,
}

/// Where a source lists what stands beside its images.
enum Lists<'a> {
    Disk(Evidence),
    Registry {
        store: &'a Store,
        remote: &'a Remote,
        /// All its tags, where they come in one answer.
        tags: Option<&'a BTreeSet<Tag>>,
    },
}

impl<'a> Lists<'a> {
    async fn of(source: &'a Source) -> Result<Self, Error> {
        if let Some(store @ Store::Registry(remote)) = source.as_store() {
            return Ok(Self::Registry {
                store,
                remote,
                tags: match source.few_tags().await? {
                    FewTags::All(tags) => Some(tags),
                    // Only asking for each of them shows that nothing is lost.
                    FewTags::NoRepository | FewTags::Unknown => None,
                },
            });
        }
        let evidence = source.evidence().await?;
        let tagged = evidence.tagged.values().map(Arc::as_ref);
        for manifest in evidence.referrers.iter().chain(tagged) {
            source.keep(manifest.clone());
        }
        Ok(Self::Disk(evidence))
    }

    async fn about_all(
        &self,
        subjects: impl IntoIterator<Item = Digest>,
    ) -> Result<Vec<About>, Error> {
        let about = stream::iter(subjects).map(|subject| self.about(subject));
        let mut about = std::pin::pin!(about.buffered(QUESTIONS));
        let (mut all, mut entries) = (Vec::new(), 0);
        while let Some(about) = about.try_next().await? {
            entries += about.entries.len();
            if entries > BOUND {
                return Err(Error::Boundless);
            }
            all.push(about);
        }
        Ok(all)
    }

    async fn about(&self, subject: Digest) -> Result<About, Error> {
        let tagged = try_join_all(Ending::ALL.map(|ending| self.tagged(subject, ending)));
        let (entries, tagged) = try_join(self.entries(subject), tagged).await?;
        Ok(About {
            subject,
            entries,
            tagged: tagged.into_iter().flatten().collect(),
        })
    }

    async fn entries(&self, subject: Digest) -> Result<Vec<Entry>, Error> {
        let (remote, tags) = match self {
            Self::Disk(evidence) => return list::on_disk(evidence, subject),
            Self::Registry { remote, tags, .. } => (remote, tags),
        };
        let own = async { Ok(remote.referrers(subject).await.map_err(StoreError::from)?) };
        let list = Shared::list(subject);
        // A registry that got the API later may have older lists under tags.
        let (own, index) = match tags {
            Some(_) => try_join(own, self.under(&list, false)).await?,
            None => {
                let own = own.await?;
                let index = self.under(&list, own.is_none()).await?;
                (own, index)
            }
        };
        let under_tag = index.as_ref().map(|index| list.listed(index));
        // What is listed twice is one: only its first entry is gone by.
        let listed = own.into_iter().chain(under_tag).flatten();
        list::entries(subject, listed)
    }

    async fn tagged(&self, subject: Digest, ending: Ending) -> Result<Option<Tagged>, Error> {
        let found = self.under(&Shared::layers(subject, ending), true).await?;
        let Some(manifest) = found else {
            return Ok(None);
        };
        let memory = match self {
            Self::Disk(_) => None,
            Self::Registry { remote, .. } => {
                let mut memory = remote.manifest_budget().reservation();
                let full = || StoreError::OverBudget(manifest.digest);
                let size = LAYER_MEMBER * manifest.members();
                memory.grow(size).ok_or_else(full)?;
                Some(Arc::new(memory))
            }
        };
        Ok(Some(Tagged {
            subject,
            ending,
            layers: layers(ending, &manifest),
            manifest,
            _memory: memory,
        }))
    }

    /// What a tag names that is made of a digest. Where it is not known whether there is such a tag,
    /// `ask` says whether to find out.
    async fn under(&self, shared: &Shared, ask: bool) -> Result<Option<Manifest>, Error> {
        match self {
            Self::Disk(evidence) => match evidence.tagged.get(shared.tag()) {
                Some(found) => shared.accept(Manifest::clone(found)).map(Some),
                None => Ok(None),
            },
            Self::Registry { store, tags, .. } => {
                let is_there = tags.map(|tags| tags.contains(shared.tag()));
                if is_there.unwrap_or(ask) {
                    shared.read(store).await
                } else {
                    Ok(None)
                }
            }
        }
    }
}

/// The layers of an image of cosign's older form, and what each is.
fn layers(ending: Ending, manifest: &Manifest) -> Vec<(Kind, Value)> {
    let Body::Image { layers, .. } = &manifest.body else {
        return Vec::new();
    };
    let kinds = layers.iter().map(|layer| match ending {
        Ending::Sig => Kind::Signature,
        Ending::Sbom => Kind::Sbom,
        Ending::Att => match Kind::of_layer(&layer.media_type, &layer.annotations) {
            Kind::Other(_) => Kind::Attestation,
            kind => kind,
        },
    });
    kinds.zip(shared::members(manifest, "layers")).collect()
}
