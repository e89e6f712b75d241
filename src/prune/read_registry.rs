//! Reads the content of a repository in a registry: every tag, and every manifest that can be reached from one over
//! children, referrers and subjects.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;

use super::content_cache::ContentCache;
use super::read_listing::{ListedNames, add_listed_facts, add_unreadable};
use super::repository_content::{RepositoryContent, printable};
use super::request_budget::RequestBudget;
use crate::image::{Digest, Manifest, ManifestError, Tag, TagOrDigest};
use crate::registry::{RegistryError, RepositoryClient, RequestErrorKind};
use crate::registry_api::{RegistryApiError, RepositoryApi, RepositoryListing};
use crate::retention::{
    ObservedContent, ObservedManifest, ObservedTag, RegistryDeletion, ReservedTag,
};

/// Requests in flight: many small ones, of which each waits for the registry alone. The client sends fewer where the
/// registry says "not now", or takes fewer streams on a connection.
const READ_CONCURRENCY: usize = 256;

/// Repository that is read.
pub(super) struct RegistryReading<'a> {
    /// Client of the repository.
    pub(super) remote: &'a RepositoryClient,
    /// Registry's own API, where it is used.
    pub(super) api: Option<&'a RepositoryApi>,
    /// How the registry deletes.
    pub(super) deletion: RegistryDeletion,
    /// Cache of manifests.
    pub(super) cache: &'a ContentCache,
    /// Limit on requests.
    pub(super) budget: &'a RequestBudget,
    /// Manifests to ask for that nothing may name: those of a plan that an earlier run began to apply.
    pub(super) planned: &'a [Digest],
}

/// Reason why a repository could not be read.
#[derive(Debug)]
pub(super) enum ReadingError {
    /// The registry refuses to list tags for this login, or does not answer at all.
    Registry(Box<RegistryError>),
    /// The registry's own API refuses the login.
    Api(Box<RegistryApiError>),
    /// The limit on requests is reached.
    BudgetSpent {
        /// Manifests that were read.
        read: usize,
        /// Requests that are known to be left.
        left: usize,
    },
}

/// Entry of the list of the referrers API.
#[derive(Deserialize)]
struct ReferrerEntryJson {
    digest: String,
}

/// One request that a reading needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ReadTask {
    Tag(Tag),
    /// Manifest that the registry lists, or that a manifest of it lists.
    Manifest(Digest),
    /// Manifest that others are about. Whether it exists, only the registry tells.
    Subject(Digest),
    Referrers(Digest),
}

/// Answer to a request.
enum ReadAnswer {
    /// A tag names a manifest, which was read with it if it is given.
    Tag(Tag, Digest, Option<ManifestAnswer>),
    /// A listed tag is not there.
    NoTag(Tag),
    Manifest(Digest, ManifestAnswer),
    Referrers(Digest, Vec<Digest>),
    NoReferrersApi,
    /// What is not known now.
    Unknown(String),
    /// The limit on requests is reached.
    BudgetSpent,
}

/// What is known of a manifest.
enum ManifestAnswer {
    Read(Box<Manifest>),
    Absent,
    Unknown(ObservedContent),
}

/// State of a reading.
struct ReadingState {
    content: RepositoryContent,
    pending: VecDeque<ReadTask>,
    /// Manifests that were requested.
    requested: HashSet<Digest>,
    has_referrers_api: bool,
    /// Requests that the limit left out.
    refused: usize,
}

impl RegistryReading<'_> {
    /// Reads the content of the repository.
    ///
    /// # Errors
    /// A login that may not list tags, and a budget that is spent.
    pub(super) async fn read(&self) -> Result<RepositoryContent, ReadingError> {
        let mut content = RepositoryContent::default();
        let repository = self.remote.repository();
        content.snapshot.name = repository.to_string();
        content.snapshot.registry = self.deletion;
        let listing = self.list_content(&mut content).await?;
        let names = listing.as_ref();
        let names = names.map(|listing| add_unreadable(&mut content, listing));
        let mut state = ReadingState::new(content);
        self.list_tags(&mut state).await?;
        if let Some(names) = names {
            state.add_listed(names);
        }
        let mut content = self.read_pending(state).await?;
        if let Some(listing) = listing {
            add_listed_facts(&mut content, listing);
        }
        Ok(content)
    }

    /// Reads tags again, with all that they name now and that is not known.
    ///
    /// # Errors
    /// A budget that is spent.
    pub(super) async fn read_more(
        &self,
        mut known: RepositoryContent,
        tags: Vec<Tag>,
    ) -> Result<RepositoryContent, ReadingError> {
        for tag in &tags {
            known.snapshot.tags.remove(tag);
        }
        let mut state = ReadingState::new(known);
        state.pending.extend(tags.into_iter().map(ReadTask::Tag));
        self.read_pending(state).await
    }

    async fn read_pending(
        &self,
        mut state: ReadingState,
    ) -> Result<RepositoryContent, ReadingError> {
        self.remote.raise_request_limit(READ_CONCURRENCY);
        let mut planned = self.planned;
        let mut running: FuturesUnordered<BoxFuture<'_, ReadAnswer>> = FuturesUnordered::new();
        loop {
            while running.len() < READ_CONCURRENCY
                && let Some(task) = state.pending.pop_front()
            {
                if state.is_useful(&task) {
                    running.push(Box::pin(self.answer(task)));
                }
            }
            match running.next().await {
                Some(answer) => state.take(answer),
                None if !planned.is_empty() => {
                    let rest = std::mem::take(&mut planned).iter().copied();
                    state.pending.extend(rest.map(ReadTask::Subject));
                }
                None => return state.into_content(),
            }
        }
    }

    /// Asks the registry's own API for all that is there. A list that it does not give as a whole is a fact.
    async fn list_content(
        &self,
        content: &mut RepositoryContent,
    ) -> Result<Option<RepositoryListing>, ReadingError> {
        let Some(api) = self.api else {
            return Ok(None);
        };
        if !self.budget.reserve() {
            return Err(ReadingError::BudgetSpent { read: 0, left: 1 });
        }
        match api.list_content().await {
            Ok(listing) => Ok(Some(listing)),
            Err(error) if error.is_login() => Err(ReadingError::Api(Box::new(error))),
            Err(error) => {
                let list = format!("the list of manifests: {}", printable(&error));
                content.snapshot.incomplete_lists.push(list);
                Ok(None)
            }
        }
    }

    /// Lists the tags. A list that the registry does not give as a whole is a fact.
    async fn list_tags(&self, state: &mut ReadingState) -> Result<(), ReadingError> {
        if !self.budget.reserve() {
            return Err(ReadingError::BudgetSpent { read: 0, left: 1 });
        }
        match self.remote.tags().await {
            Ok(tags) => state.pending.extend(tags.into_iter().map(ReadTask::Tag)),
            Err(error) if error.access_problem().is_some() => {
                return Err(ReadingError::Registry(Box::new(error)));
            }
            Err(error) => {
                let list = format!("the list of tags: {}", printable(&error));
                state.content.snapshot.incomplete_lists.push(list);
            }
        }
        Ok(())
    }

    async fn answer(&self, task: ReadTask) -> ReadAnswer {
        if let ReadTask::Manifest(digest) = task
            && let Some(manifest) = self.cache.manifest(digest)
        {
            return ReadAnswer::Manifest(digest, ManifestAnswer::Read(Box::new(manifest)));
        }
        if !self.budget.reserve() {
            return ReadAnswer::BudgetSpent;
        }
        match task {
            ReadTask::Tag(tag) => self.read_tag(tag).await,
            ReadTask::Manifest(digest) | ReadTask::Subject(digest) => {
                ReadAnswer::Manifest(digest, self.read_manifest(digest).await)
            }
            ReadTask::Referrers(subject) => self.read_referrers(subject).await,
        }
    }

    /// Reads what a tag names; with a cache that has content, its digest alone.
    async fn read_tag(&self, tag: Tag) -> ReadAnswer {
        let target = TagOrDigest::Tag(tag.clone());
        let unknown = |tag: &Tag, error: &RegistryError| {
            ReadAnswer::Unknown(format!("the tag {tag}: {}", printable(error)))
        };
        if !self.cache.has_content() {
            match self.remote.get_manifest(&target).await {
                Ok(Some(manifest)) => {
                    self.cache.add_manifest(&manifest);
                    let digest = manifest.digest;
                    let read = ManifestAnswer::Read(Box::new(manifest));
                    return ReadAnswer::Tag(tag, digest, Some(read));
                }
                Ok(None) => return ReadAnswer::NoTag(tag),
                // The digest tells which manifest it is that cannot be read.
                Err(error) if is_malformed(&error) => {}
                Err(error) => return unknown(&tag, &error),
            }
        }
        match self.remote.head_manifest(&target).await {
            Ok(Some(head)) => ReadAnswer::Tag(tag, head.digest, None),
            Ok(None) => ReadAnswer::NoTag(tag),
            Err(error) => unknown(&tag, &error),
        }
    }

    async fn read_manifest(&self, digest: Digest) -> ManifestAnswer {
        match self.remote.get_manifest(&TagOrDigest::Digest(digest)).await {
            Ok(Some(manifest)) => {
                self.cache.add_manifest(&manifest);
                ManifestAnswer::Read(Box::new(manifest))
            }
            Ok(None) => ManifestAnswer::Absent,
            Err(error) => ManifestAnswer::Unknown(match &error.cause {
                RequestErrorKind::Manifest(ManifestError::MediaType(media_type)) => {
                    ObservedContent::UnknownType(printable(media_type))
                }
                _ => ObservedContent::Unreadable(printable(&error)),
            }),
        }
    }

    async fn read_referrers(&self, subject: Digest) -> ReadAnswer {
        let unknown =
            |reason: String| ReadAnswer::Unknown(format!("the referrers of {subject}: {reason}"));
        match self.remote.referrers::<ReferrerEntryJson>(subject).await {
            Ok(None) => ReadAnswer::NoReferrersApi,
            Ok(Some(entries)) => {
                let digests = entries.iter().map(|entry| entry.digest.parse());
                match digests.collect::<Result<Vec<Digest>, _>>() {
                    Ok(digests) => ReadAnswer::Referrers(subject, digests),
                    Err(error) => unknown(printable(&error)),
                }
            }
            Err(error) => unknown(printable(&error)),
        }
    }
}

/// Returns whether a registry gave a manifest that cannot be read.
fn is_malformed(error: &RegistryError) -> bool {
    matches!(error.cause, RequestErrorKind::Manifest(_))
}

impl ReadingState {
    fn new(content: RepositoryContent) -> Self {
        Self {
            requested: content.snapshot.manifests.keys().copied().collect(),
            pending: VecDeque::new(),
            content,
            has_referrers_api: true,
            refused: 0,
        }
    }

    /// Returns whether a request is needed still. Each manifest is asked for once.
    fn is_useful(&mut self, task: &ReadTask) -> bool {
        match task {
            ReadTask::Tag(_) => true,
            ReadTask::Manifest(digest) | ReadTask::Subject(digest) => {
                self.requested.insert(*digest)
            }
            ReadTask::Referrers(_) => self.has_referrers_api,
        }
    }

    /// Adds what the registry's own API listed. Its tags are read like those of the list.
    fn add_listed(&mut self, names: ListedNames) {
        let manifests = names.manifests.into_iter().map(ReadTask::Manifest);
        let known = self.pending.iter().filter_map(|task| match task {
            ReadTask::Tag(tag) => Some(tag.clone()),
            _ => None,
        });
        let known: HashSet<Tag> = known.collect();
        let tags = names.tags.into_iter().filter(|tag| !known.contains(tag));
        self.pending.extend(tags.map(ReadTask::Tag));
        self.pending.extend(manifests);
    }

    fn take(&mut self, answer: ReadAnswer) {
        match answer {
            ReadAnswer::Tag(tag, digest, read) => {
                if let Some(ReservedTag::Evidence(subject)) = ReservedTag::parse(&tag) {
                    self.pending.push_back(ReadTask::Subject(subject));
                }
                let target = ObservedTag {
                    digest,
                    pushed: None,
                };
                self.content.snapshot.tags.insert(tag, target);
                match read {
                    Some(read) if self.requested.insert(digest) => self.take_manifest(digest, read),
                    Some(read) if !self.is_read(digest) => self.take_manifest(digest, read),
                    Some(_) => {}
                    None => self.pending.push_back(ReadTask::Manifest(digest)),
                }
            }
            ReadAnswer::NoTag(tag) => {
                let note =
                    format!("the tag {tag} is listed, and the registry has no manifest for it");
                self.content.notes.push(note);
                self.content.dangling_tags.insert(tag);
            }
            ReadAnswer::Manifest(digest, read) => self.take_manifest(digest, read),
            ReadAnswer::Referrers(subject, digests) => {
                if !digests.is_empty() {
                    let known = self.content.snapshot.referrers.entry(subject).or_default();
                    known.extend(&digests);
                }
                self.pending
                    .extend(digests.into_iter().map(ReadTask::Manifest));
            }
            ReadAnswer::NoReferrersApi => self.has_referrers_api = false,
            ReadAnswer::Unknown(list) => self.content.snapshot.incomplete_lists.push(list),
            ReadAnswer::BudgetSpent => self.refused += 1,
        }
    }

    fn is_read(&self, digest: Digest) -> bool {
        self.content.snapshot.manifests.contains_key(&digest)
    }

    fn take_manifest(&mut self, digest: Digest, read: ManifestAnswer) {
        if self.is_read(digest) {
            return;
        }
        match read {
            ManifestAnswer::Read(manifest) => {
                self.content.add_manifest(&manifest);
                self.content.snapshot.absent.remove(&digest);
                let children = manifest.children().map(|child| child.digest);
                let children = children.map(ReadTask::Manifest);
                self.pending.extend(children);
                let subject = manifest.subject.as_ref();
                let subject = subject.map(|subject| ReadTask::Subject(subject.digest));
                self.pending.extend(subject);
            }
            ManifestAnswer::Absent => {
                self.content.snapshot.absent.insert(digest);
                return;
            }
            ManifestAnswer::Unknown(content) => self.content.add_unknown(digest, content),
        }
        if self.has_referrers_api {
            self.pending.push_back(ReadTask::Referrers(digest));
        }
    }

    fn into_content(self) -> Result<RepositoryContent, ReadingError> {
        match self.refused {
            0 => Ok(self.content),
            left => Err(ReadingError::BudgetSpent {
                read: self.content.snapshot.manifests.len(),
                left,
            }),
        }
    }
}

/// Returns the manifests whose age may decide: those with a tag that `is_described`, and with `takes_untagged` those
/// that nothing names, with all that they list.
pub(super) fn find_candidates(
    content: &RepositoryContent,
    is_described: impl Fn(&Tag) -> bool,
    takes_untagged: bool,
) -> BTreeSet<Digest> {
    let snapshot = &content.snapshot;
    let mut children: BTreeMap<Digest, &[Digest]> = BTreeMap::new();
    let mut named: BTreeSet<Digest> = snapshot.tags.values().map(|it| it.digest).collect();
    for (digest, manifest) in &snapshot.manifests {
        if let Some(links) = manifest.links() {
            children.insert(*digest, &links.children);
            named.extend(&links.children);
            named.extend(links.subject.map(|_| *digest));
        }
    }
    let described = snapshot.tags.iter().filter(|(tag, _)| is_described(tag));
    let mut pending: Vec<Digest> = described.map(|(_, target)| target.digest).collect();
    if takes_untagged {
        let bare = snapshot.manifests.keys();
        pending.extend(bare.filter(|digest| !named.contains(digest)));
    }
    let mut found = BTreeSet::new();
    while let Some(digest) = pending.pop() {
        if found.insert(digest) {
            pending.extend(children.get(&digest).copied().unwrap_or_default());
        }
    }
    let is_undated = |manifest: &ObservedManifest| {
        manifest.times.pushed.is_none() && manifest.times.updated.is_none()
    };
    found.retain(|digest| snapshot.manifests.get(digest).is_some_and(is_undated));
    found
}
