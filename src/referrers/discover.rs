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

use super::list_referrers::{self, ReferrerEntry};
use super::{AppendableTag, CosignTagSuffix, ReferrerError, ReferrerKind, appendable_tag};
use crate::image::{Digest, Manifest, ManifestBody, Reservation, Tag};
use crate::layout::LayoutReferrers;
use crate::registry::{RepositoryClient, TagPage};
use crate::transfer::{ImageReader, ImageStore, StoreError};

/// Which referrers travel with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferrerSelection {
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
pub const REFERRERS_LIMIT: usize = 1_000;
/// The most bytes that known referrers may have together: 1 GiB.
pub const SIZE_LIMIT: u64 = 1 << 30;
/// The most referrers that an image may have at all levels. More is an attack, or a mistake.
pub(super) const GRAPH_LIMIT: usize = 20_000;
/// What a member of a layer takes in memory once it is read in whole.
const LAYER_MEMBER: usize = 200;
/// Questions to a source at the same time.
const REQUEST_CONCURRENCY: usize = 16;

/// What stands beside an image.
#[derive(Debug, Clone, Default)]
pub struct ReferrerGraph {
    /// The referrers that travel, each after what it is about.
    pub referrers: Vec<Referrer>,
    /// The images under tags that travel.
    pub cosign_images: Vec<CosignTagImage>,
    /// What does not travel.
    pub skipped: Vec<SkippedReferrer>,
}

/// A referrer that travels.
#[derive(Debug, Clone)]
pub struct Referrer {
    /// What it says something about.
    pub subject: Digest,
    /// What it is.
    pub kind: ReferrerKind,
    /// Which one it is. It is read again when it is written: thousands may stand beside an image.
    pub digest: Digest,
}

/// An image of cosign's older form.
#[derive(Debug, Clone)]
pub struct CosignTagImage {
    /// What it says something about.
    pub subject: Digest,
    /// How its tag ends.
    pub suffix: CosignTagSuffix,
    /// It.
    pub manifest: Manifest,
    /// The layers of it that travel, and what each is.
    pub layers: Vec<(ReferrerKind, Value)>,
    /// The memory that its layers take.
    _memory: Option<Arc<Reservation>>,
}

/// Some things of a kind that do not travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedReferrer {
    /// What they are.
    pub kind: ReferrerKind,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: SkipReason,
}

/// Why something does not travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// Records of a release to another environment never do.
    ReleaseRecord,
    /// Its kind is none of the known ones.
    UnknownKind,
    /// There are too many of them, or they are too large together.
    LimitExceeded,
    /// It is listed, and is not there any more.
    Missing,
    /// It does not say that it is about what it is listed for.
    OtherSubject,
    /// The destination has another one under the same tag.
    TagConflict,
}

impl SkippedReferrer {
    /// Whether a person should look at it: it was meant to travel, or is not as it should be.
    pub fn is_unexpected(&self) -> bool {
        !matches!(
            self.reason,
            SkipReason::ReleaseRecord | SkipReason::UnknownKind
        )
    }
}

impl fmt::Display for SkippedReferrer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.kind.count_phrase(self.count);
        match self.reason {
            SkipReason::ReleaseRecord => write!(f, "{what}, of another environment"),
            SkipReason::UnknownKind => {
                write!(f, "{what}, no known kind (referrers: all takes it along)")
            }
            SkipReason::LimitExceeded => write!(
                f,
                "{what}, beyond the {REFERRERS_LIMIT} referrers or the {} GiB that travel (referrers: all takes all)",
                SIZE_LIMIT >> 30
            ),
            SkipReason::Missing => write!(f, "{what}, listed at the source and not there any more"),
            SkipReason::OtherSubject => {
                write!(f, "{what}, listed at the source for what it does not name")
            }
            SkipReason::TagConflict => {
                write!(f, "{what}: the destination has another one under its tag")
            }
        }
    }
}

impl ReferrerGraph {
    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.referrers.is_empty() && self.cosign_images.is_empty() && self.skipped.is_empty()
    }

    /// What stands beside `root` and all below it in `source`, apart from the manifests `made` here,
    /// about which the source cannot have anything.
    ///
    /// # Errors
    /// Whatever cannot be read, or more than can stand beside an image.
    pub async fn discover(
        source: &ImageReader,
        root: &Manifest,
        made: &[Digest],
        selection: ReferrerSelection,
    ) -> Result<Self, ReferrerError> {
        if selection == ReferrerSelection::None {
            return Ok(Self::default());
        }
        let (lists, graph) = try_join(
            ReferrerLists::load(source),
            manifest_tree(source, root.digest, Child::all(root)),
        )
        .await?;
        let seen: HashSet<Digest> = graph.iter().copied().collect();
        let there = graph.into_iter().filter(|node| !made.contains(node));
        Self::walk_outwards(source, lists, there, seen, selection).await
    }

    /// What stands beside `subjects`, and not below them.
    ///
    /// # Errors
    /// As [`ReferrerGraph::discover`].
    pub async fn discover_direct(
        source: &ImageReader,
        subjects: &[Digest],
        selection: ReferrerSelection,
    ) -> Result<Self, ReferrerError> {
        let lists = ReferrerLists::load(source).await?;
        let seen = subjects.iter().copied().collect();
        Self::walk_outwards(source, lists, subjects.iter().copied(), seen, selection).await
    }

    /// How many of each kind there are, of those that would travel.
    pub fn counts(&self) -> BTreeMap<ReferrerKind, u64> {
        let referrers = self.referrers.iter().map(|referrer| &referrer.kind);
        let tagged = self.cosign_images.iter().flat_map(|tagged| &tagged.layers);
        let mut counts = BTreeMap::new();
        for kind in referrers.chain(tagged.map(|(kind, _)| kind)) {
            *counts.entry(kind.clone()).or_default() += 1;
        }
        counts
    }

    /// Goes outwards from `subjects`: what is about them, what is about that, and so on.
    async fn walk_outwards(
        source: &ImageReader,
        lists: ReferrerLists<'_>,
        subjects: impl IntoIterator<Item = Digest>,
        mut seen: HashSet<Digest>,
        selection: ReferrerSelection,
    ) -> Result<Self, ReferrerError> {
        let mut found = Self::default();
        let mut room = RemainingLimits::new(selection);
        let mut wave = lists.referrers_of_all(subjects).await?;
        while !wave.is_empty() {
            let mut candidates = Vec::new();
            for about in wave {
                found.add_cosign_images(about.cosign_images, &mut room);
                let new = about.entries.into_iter();
                let new = new.filter(|entry| seen.insert(entry.digest));
                candidates
                    .extend(new.map(|entry| ReferrerCandidate::from_entry(about.subject, entry)));
            }
            if seen.len() > GRAPH_LIMIT {
                return Err(ReferrerError::TooManyReferrers);
            }
            let candidates = found.select_candidates(candidates, selection, &mut room);
            wave = Vec::new();
            let looked = stream::iter(candidates)
                .map(|candidate| read_candidate(source, &lists, candidate))
                .buffered(REQUEST_CONCURRENCY);
            let mut looked = std::pin::pin!(looked);
            let mut entries = 0;
            while let Some((candidate, looked, about)) = looked.try_next().await? {
                if found.add_referrer(candidate, looked, selection, &mut room) {
                    let listed = about.iter().map(|about| about.entries.len());
                    entries += listed.sum::<usize>();
                    wave.extend(about);
                }
                if entries > GRAPH_LIMIT {
                    return Err(ReferrerError::TooManyReferrers);
                }
            }
        }
        Ok(found)
    }

    /// The candidates that may travel as far as their entries tell, the most telling kinds first.
    fn select_candidates(
        &mut self,
        mut candidates: Vec<ReferrerCandidate>,
        selection: ReferrerSelection,
        room: &mut RemainingLimits,
    ) -> Vec<ReferrerCandidate> {
        candidates.retain(|candidate| {
            let declared = candidate.declared_kind.as_ref();
            let reason = declared.and_then(|kind| selection.skip_reason(kind));
            if let (Some(kind), Some(reason)) = (declared, reason) {
                self.skip(kind.clone(), reason);
            }
            reason.is_none()
        });
        candidates.sort_by(|a, b| a.declared_kind.cmp(&b.declared_kind));
        for over in candidates.split_off(candidates.len().min(room.count)) {
            self.skip(over.into_kind(), SkipReason::LimitExceeded);
        }
        candidates
    }

    /// Takes a referrer along that was read; whether it does travel.
    fn add_referrer(
        &mut self,
        candidate: ReferrerCandidate,
        looked: Option<Looked>,
        selection: ReferrerSelection,
        room: &mut RemainingLimits,
    ) -> bool {
        let digest = candidate.digest;
        let Some(looked) = looked else {
            self.skip(candidate.into_kind(), SkipReason::Missing);
            return false;
        };
        let kind = looked.kind;
        let reason = selection.skip_reason(&kind).or_else(|| {
            let foreign = !looked.is_about_subject;
            foreign
                .then_some(SkipReason::OtherSubject)
                .or_else(|| (!room.reserve(looked.size)).then_some(SkipReason::LimitExceeded))
        });
        if let Some(reason) = reason {
            self.skip(kind, reason);
            return false;
        }
        self.referrers.push(Referrer {
            subject: candidate.subject,
            kind,
            digest,
        });
        true
    }

    fn add_cosign_images(&mut self, tagged: Vec<CosignTagImage>, room: &mut RemainingLimits) {
        for mut tagged in tagged {
            let records = tagged
                .layers
                .extract_if(.., |(kind, _)| *kind == ReferrerKind::ReleaseRecord);
            for (kind, _) in records.collect::<Vec<_>>() {
                self.skip(kind, SkipReason::ReleaseRecord);
            }
            if tagged.layers.is_empty() {
                continue;
            }
            if room.reserve(total_blob_size(&tagged.manifest)) {
                self.cosign_images.push(tagged);
            } else {
                for (kind, _) in tagged.layers {
                    self.skip(kind, SkipReason::LimitExceeded);
                }
            }
        }
    }

    fn skip(&mut self, kind: ReferrerKind, reason: SkipReason) {
        let mut known = self.skipped.iter_mut();
        match known.find(|left| left.kind == kind && left.reason == reason) {
            Some(left) => left.count += 1,
            None => self.skipped.push(SkippedReferrer {
                kind,
                count: 1,
                reason,
            }),
        }
    }
}

impl ReferrerSelection {
    fn skip_reason(self, kind: &ReferrerKind) -> Option<SkipReason> {
        match (self, kind) {
            (_, ReferrerKind::ReleaseRecord) => Some(SkipReason::ReleaseRecord),
            (Self::Known, ReferrerKind::Other(_)) => Some(SkipReason::UnknownKind),
            _ => None,
        }
    }
}

/// How much more may travel.
struct RemainingLimits {
    count: usize,
    size: u64,
}

impl RemainingLimits {
    fn new(selection: ReferrerSelection) -> Self {
        match selection {
            ReferrerSelection::Known => Self {
                count: REFERRERS_LIMIT,
                size: SIZE_LIMIT,
            },
            ReferrerSelection::All | ReferrerSelection::None => Self {
                count: usize::MAX,
                size: u64::MAX,
            },
        }
    }

    /// Takes the room that one thing of so many bytes needs, if there is as much.
    fn reserve(&mut self, size: u64) -> bool {
        let fits = self.count > 0 && self.size >= size;
        if fits {
            self.count -= 1;
            self.size -= size;
        }
        fits
    }
}

/// The bytes of a manifest's blobs.
fn total_blob_size(manifest: &Manifest) -> u64 {
    manifest
        .blobs()
        .fold(0, |sum, blob| sum.saturating_add(blob.size))
}

/// A referrer that is listed.
struct ReferrerCandidate {
    subject: Digest,
    digest: Digest,
    /// What its entry says that it is.
    declared_kind: Option<ReferrerKind>,
    /// The type that its entry gives.
    declared_type: Option<String>,
}

impl ReferrerCandidate {
    fn from_entry(subject: Digest, entry: ReferrerEntry) -> Self {
        Self {
            subject,
            digest: entry.digest,
            declared_kind: ReferrerKind::from_entry(
                entry.artifact_type.as_deref(),
                &entry.annotations,
            ),
            declared_type: entry.artifact_type,
        }
    }

    fn into_kind(self) -> ReferrerKind {
        let named = self.declared_type.unwrap_or_default();
        self.declared_kind
            .unwrap_or_else(|| ReferrerKind::Other(crate::notices::to_printable(&named, 120)))
    }
}

/// What a referrer's manifest says. It is not held: thousands may be looked at.
struct Looked {
    kind: ReferrerKind,
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
async fn read_candidate(
    source: &ImageReader,
    lists: &ReferrerLists<'_>,
    candidate: ReferrerCandidate,
) -> Result<(ReferrerCandidate, Option<Looked>, Vec<SubjectReferrers>), ReferrerError> {
    let read = async {
        let found = source.get_manifest(candidate.digest).await?;
        Ok::<_, ReferrerError>(found.map(|manifest| Looked {
            kind: ReferrerKind::from_manifest(&manifest),
            is_about_subject: manifest.has_subject(candidate.subject),
            size: total_blob_size(&manifest),
            children: Child::all(&manifest),
        }))
    };
    let (mut looked, about) = try_join(read, lists.referrers_of(candidate.digest)).await?;
    let mut all = vec![about];
    let children = looked
        .as_mut()
        .map(|looked| std::mem::take(&mut looked.children));
    if let Some(children) = children.filter(|children| !children.is_empty()) {
        let below = manifest_tree(source, candidate.digest, children).await?;
        all.extend(lists.referrers_of_all(below.into_iter().skip(1)).await?);
    }
    Ok((candidate, looked, all))
}

/// The root and all manifests below it. Only what may be an index is read.
async fn manifest_tree(
    source: &ImageReader,
    root: Digest,
    below: Vec<Child>,
) -> Result<Vec<Digest>, ReferrerError> {
    let mut nodes = Nodes {
        all: vec![root],
        seen: HashSet::from([root]),
    };
    let mut level = nodes.add(below)?;
    while !level.is_empty() {
        let indexes = level.into_iter().filter(|child| child.may_be_index);
        let read = stream::iter(indexes).map(|index| async move {
            let (parent, child) = (index.parent, index.digest);
            let found = source.get_manifest(child).await?;
            let missing = || ReferrerError::from(StoreError::MissingChild { child, parent });
            Ok::<_, ReferrerError>(Child::all(&found.ok_or_else(missing)?))
        });
        let mut read = std::pin::pin!(read.buffered(REQUEST_CONCURRENCY));
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
    fn add(&mut self, mut below: Vec<Child>) -> Result<Vec<Child>, ReferrerError> {
        below.retain(|child| self.seen.insert(child.digest));
        self.all.extend(below.iter().map(|child| child.digest));
        match self.all.len() > GRAPH_LIMIT {
            true => Err(ReferrerError::TooManyReferrers),
            false => Ok(below),
        }
    }
}

/// What is listed about one manifest.
struct SubjectReferrers {
    subject: Digest,
    entries: Vec<ReferrerEntry>,
    cosign_images: Vec<CosignTagImage>,
}

/// Where a source lists what stands beside its images.
enum ReferrerLists<'a> {
    Layout(LayoutReferrers),
    Registry {
        store: &'a ImageStore,
        remote: &'a RepositoryClient,
        /// All its tags, where they come in one answer.
        tags: Option<&'a BTreeSet<Tag>>,
    },
}

impl<'a> ReferrerLists<'a> {
    async fn load(source: &'a ImageReader) -> Result<Self, ReferrerError> {
        if let Some(store @ ImageStore::Registry(remote)) = source.as_store() {
            return Ok(Self::Registry {
                store,
                remote,
                tags: match source.first_tag_page().await? {
                    TagPage::Complete(tags) => Some(tags),
                    // Only asking for each of them shows that nothing is lost.
                    TagPage::NoRepository | TagPage::Incomplete => None,
                },
            });
        }
        let evidence = source.read_layout_referrers().await?;
        let tagged = evidence.digest_tags.values().map(Arc::as_ref);
        for manifest in evidence.referrers.iter().chain(tagged) {
            source.cache_manifest(manifest.clone());
        }
        Ok(Self::Layout(evidence))
    }

    async fn referrers_of_all(
        &self,
        subjects: impl IntoIterator<Item = Digest>,
    ) -> Result<Vec<SubjectReferrers>, ReferrerError> {
        let about = stream::iter(subjects).map(|subject| self.referrers_of(subject));
        let mut about = std::pin::pin!(about.buffered(REQUEST_CONCURRENCY));
        let (mut all, mut entries) = (Vec::new(), 0);
        while let Some(about) = about.try_next().await? {
            entries += about.entries.len();
            if entries > GRAPH_LIMIT {
                return Err(ReferrerError::TooManyReferrers);
            }
            all.push(about);
        }
        Ok(all)
    }

    async fn referrers_of(&self, subject: Digest) -> Result<SubjectReferrers, ReferrerError> {
        let tagged = try_join_all(
            CosignTagSuffix::ALL.map(|ending| self.read_cosign_image(subject, ending)),
        );
        let (entries, tagged) = try_join(self.list_entries(subject), tagged).await?;
        Ok(SubjectReferrers {
            subject,
            entries,
            cosign_images: tagged.into_iter().flatten().collect(),
        })
    }

    async fn list_entries(&self, subject: Digest) -> Result<Vec<ReferrerEntry>, ReferrerError> {
        let (remote, tags) = match self {
            Self::Layout(evidence) => return list_referrers::list_in_layout(evidence, subject),
            Self::Registry { remote, tags, .. } => (remote, tags),
        };
        let own = async { Ok(remote.referrers(subject).await.map_err(StoreError::from)?) };
        let list = AppendableTag::referrers_index(subject);
        // A registry that got the API later may have older lists under tags.
        let (own, index) = match tags {
            Some(_) => try_join(own, self.read_tag(&list, false)).await?,
            None => {
                let own = own.await?;
                let index = self.read_tag(&list, own.is_none()).await?;
                (own, index)
            }
        };
        let under_tag = index.as_ref().map(|index| list.listed(index));
        // What is listed twice is one: only its first entry is gone by.
        let listed = own.into_iter().chain(under_tag).flatten();
        list_referrers::parse_entries(subject, listed)
    }

    async fn read_cosign_image(
        &self,
        subject: Digest,
        ending: CosignTagSuffix,
    ) -> Result<Option<CosignTagImage>, ReferrerError> {
        let found = self
            .read_tag(&AppendableTag::cosign_image(subject, ending), true)
            .await?;
        let Some(manifest) = found else {
            return Ok(None);
        };
        let memory = match self {
            Self::Layout(_) => None,
            Self::Registry { remote, .. } => {
                let mut memory = remote.manifest_budget().reservation();
                let full = || StoreError::OverBudget(manifest.digest);
                let size = LAYER_MEMBER * manifest.members();
                memory.grow(size).ok_or_else(full)?;
                Some(Arc::new(memory))
            }
        };
        Ok(Some(CosignTagImage {
            subject,
            suffix: ending,
            layers: classify_layers(ending, &manifest),
            manifest,
            _memory: memory,
        }))
    }

    /// What a tag names that is made of a digest. Where it is not known whether there is such a tag,
    /// `ask` says whether to find out.
    async fn read_tag(
        &self,
        shared: &AppendableTag,
        ask: bool,
    ) -> Result<Option<Manifest>, ReferrerError> {
        match self {
            Self::Layout(evidence) => match evidence.digest_tags.get(shared.tag()) {
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
fn classify_layers(ending: CosignTagSuffix, manifest: &Manifest) -> Vec<(ReferrerKind, Value)> {
    let ManifestBody::Image { layers, .. } = &manifest.body else {
        return Vec::new();
    };
    let kinds = layers.iter().map(|layer| match ending {
        CosignTagSuffix::Sig => ReferrerKind::Signature,
        CosignTagSuffix::Sbom => ReferrerKind::Sbom,
        CosignTagSuffix::Att => {
            match ReferrerKind::from_layer(&layer.media_type, &layer.annotations) {
                ReferrerKind::Other(_) => ReferrerKind::Attestation,
                kind => kind,
            }
        }
    });
    kinds
        .zip(appendable_tag::read_members(manifest, "layers"))
        .collect()
}
