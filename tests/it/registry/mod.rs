//! A registry in this process, over real HTTP.
//!
//! [`Registry::start`] answers on 127.0.0.1 as its [`Profile`] says, until it is dropped.
//! It can be looked into and filled without HTTP, tells exactly what it was asked, and
//! [`Fault`]s break any request. What the known registries answer otherwise than the spec
//! says is in `flavor.rs`.

mod answer;
mod auth;
mod blobs;
mod ca;
mod call;
mod connection;
mod content;
mod damage;
mod fault;
mod fixture;
mod flavor;
mod front;
mod gate;
mod glob;
mod guard;
mod host;
mod issuer;
mod links;
mod log;
mod manifests;
mod page;
mod profile;
mod referrers;
mod route;
mod scope;
mod service;
mod store;
mod tags;
mod token_rules;
mod token_server;
mod upload;
mod uploads;

mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

pub use answer::Answer;
pub use auth::Auth;
pub use ca::TestCa;
pub use call::{Call, Presented};
pub use content::digest;
pub use fault::{Effect, Fault};
pub use fixture::fixture;
pub use front::Handler;
pub use gate::Gate;
pub use host::{Bound, Host};
pub use issuer::Issuer;
pub use log::{Authorization, Exchange};
pub use profile::{PASSWORD, Profile, TagOrder, USER, UnknownLast};
pub use token_rules::{Merging, TokenKey, TokenRules};
pub use token_server::TokenServer;

use content::Content;
use guard::Guard;
use service::Service;
use store::{Manifest, Repository, Store};

/// A registry that answers until it is dropped.
pub struct Registry {
    host: Host,
    store: Store,
    token_server: Option<TokenServer>,
}

impl Registry {
    pub async fn start(profile: Profile) -> Self {
        Self::start_with(profile, Store::default()).await
    }

    /// Another host with the same content, so that a test can tell who asks.
    pub async fn beside(&self, profile: Profile) -> Self {
        Self::start_with(profile, self.store()).await
    }

    async fn start_with(profile: Profile, store: Store) -> Self {
        let bound = Bound::new(profile.identity.as_ref()).await;
        let mut token_server = None;
        let mut realm_path = None;
        let guard = match profile.auth.clone() {
            Auth::None => Guard::Open,
            Auth::Basic { user, password } => Guard::Basic { user, password },
            Auth::Shared { issuer, realm } => Guard::Bearer { issuer, realm },
            Auth::OwnRealm(rules) => {
                let realm = format!("{}{}", bound.url(), rules.path);
                realm_path = Some(rules.path.clone());
                Guard::Bearer {
                    issuer: Arc::new(Issuer::new(rules)),
                    realm,
                }
            }
            Auth::TokenHost(rules) => {
                let server = token_server.insert(TokenServer::start(rules).await);
                Guard::Bearer {
                    issuer: Arc::clone(&server.issuer),
                    realm: server.realm(),
                }
            }
        };
        let service = Service {
            profile,
            guard,
            store: store.clone(),
            host: bound.host(),
            url: bound.url(),
            realm_path,
        };
        Self {
            host: bound.serve(Arc::new(service)),
            store,
            token_server,
        }
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        self.host.host.clone()
    }

    /// The same with `http://` or `https://`.
    pub fn url(&self) -> String {
        self.host.url.clone()
    }

    /// The token host that started with this registry.
    pub fn token_server(&self) -> &TokenServer {
        self.token_server
            .as_ref()
            .expect("a profile with a token host")
    }

    fn store(&self) -> Store {
        self.store.clone()
    }
}

/// What it was asked.
impl Registry {
    pub fn log(&self) -> Vec<Exchange> {
        self.host.front.log()
    }

    /// Lines such as `HEAD /v2/team/app/manifests/1.4.0 404`, in the order of arrival.
    pub fn requests(&self) -> Vec<String> {
        self.log().iter().map(Exchange::line).collect()
    }

    pub fn count(&self) -> usize {
        self.log().len()
    }

    /// How many requests begin like this: `PUT /v2/team/app/manifests/`.
    pub fn count_of(&self, start: &str) -> usize {
        let log = self.log();
        log.iter()
            .filter(|exchange| exchange.request().starts_with(start))
            .count()
    }

    /// What the token host that started with it was asked, if one did.
    pub fn token_requests(&self) -> Vec<String> {
        let server = self.token_server.as_ref();
        server.map(TokenServer::requests).unwrap_or_default()
    }

    pub fn clear_log(&self) {
        self.host.front.clear_log();
    }
}

/// What goes wrong.
impl Registry {
    pub fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }

    pub fn clear_faults(&self) {
        self.host.front.clear_faults();
    }

    /// Lets requests about tags wait until the test releases them.
    pub fn gate(&self) -> Arc<Gate> {
        self.host.front.gate()
    }

    /// Waits until a fault has stopped this registry for good.
    pub async fn stopped(&self) {
        self.host.front.stopped().await;
    }

    /// Ends a stop: new requests are answered, those that came during it never are.
    pub fn resume(&self) {
        self.host.front.resume();
    }
}

/// What it held at a moment.
pub struct Snapshot(BTreeMap<String, Repository>);

/// What it holds: seen and changed without HTTP, and not counted.
impl Registry {
    /// Returns what it holds, to be put back with [`Registry::restore`].
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.store.lock().repositories.clone())
    }

    /// Puts back what it held, and forgets faults, uploads and the log.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.clear_faults();
        self.resume();
        self.clear_log();
        let mut state = self.store.lock();
        state.repositories = snapshot.0.clone();
        state.uploads.clear();
    }

    /// Copies all that a repository holds into another one, as who may write to it can.
    pub fn copy_content(&self, from: &str, to: &str) {
        let mut state = self.store.lock();
        let copied = state.repository(from).clone();
        let target = state.repository(to);
        target.blobs.extend(copied.blobs);
        for (digest, manifest) in copied.manifests {
            target.put(&digest, manifest);
        }
        for (tag, digest) in copied.tags {
            target.tags.entry(tag).or_insert(digest);
        }
    }

    pub fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Bytes)> {
        let mut state = self.store.lock();
        let (_, manifest) = state.repository(repository).find(reference)?;
        Some((manifest.media_type.clone(), manifest.bytes.clone()))
    }

    /// What says something about a manifest, as the referrers API would list it.
    pub fn referrers(&self, repository: &str, subject: &str) -> Vec<Value> {
        referrers::of(self.store.lock().repository(repository), subject, None)
    }

    pub fn has_manifest(&self, repository: &str, reference: &str) -> bool {
        self.manifest(repository, reference).is_some()
    }

    pub fn has_blob(&self, repository: &str, digest: &str) -> bool {
        self.store
            .lock()
            .repository(repository)
            .blobs
            .contains_key(digest)
    }

    /// The bytes of a blob that is kept whole.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        match self.store.lock().repository(repository).blobs.get(digest)? {
            Content::Kept(bytes) => Some(bytes.clone()),
            Content::Synthetic { .. } | Content::Discarded(_) => None,
        }
    }

    /// Tags and the digests they name.
    pub fn tags(&self, repository: &str) -> BTreeMap<String, String> {
        self.store.lock().repository(repository).tags.clone()
    }

    /// Makes these all the tags there are.
    pub fn set_tags(&self, repository: &str, tags: BTreeMap<String, String>) {
        self.store.lock().repository(repository).tags = tags;
    }

    /// The digests of its manifests.
    pub fn manifests(&self, repository: &str) -> Vec<String> {
        let mut state = self.store.lock();
        state
            .repository(repository)
            .manifests
            .keys()
            .cloned()
            .collect()
    }

    pub fn remove_manifest(&self, repository: &str, digest: &str) {
        self.store
            .lock()
            .repository(repository)
            .manifests
            .remove(digest);
    }

    pub fn remove_blob(&self, repository: &str, digest: &str) {
        self.store
            .lock()
            .repository(repository)
            .blobs
            .remove(digest);
    }

    /// Puts a manifest in place, unchecked, and tells its digest.
    pub fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> String {
        let manifest = Manifest {
            media_type: media_type.to_owned(),
            bytes: bytes.into(),
        };
        self.store
            .lock()
            .repository(repository)
            .put(reference, manifest)
    }

    pub fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> String {
        self.put_content(repository, Content::Kept(bytes.into()))
    }

    /// A blob of any size, made up while it is read.
    pub fn put_synthetic_blob(&self, repository: &str, size: u64, seed: u64) -> String {
        self.put_content(repository, Content::synthetic(size, seed))
    }

    fn put_content(&self, repository: &str, content: Content) -> String {
        let digest = content.digest();
        self.store
            .lock()
            .repository(repository)
            .blobs
            .insert(digest.clone(), content);
        digest
    }

    /// How many upload sessions are neither finished nor deleted.
    pub fn open_uploads(&self) -> usize {
        self.store.lock().uploads.len()
    }

    /// Every hole below every tag; empty when no tag names anything unfinished.
    pub fn dangling(&self) -> Vec<String> {
        links::dangling(&self.store.lock())
    }
}
