//! Whether a repository is new: then nothing need be asked for that cannot be there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use tokio::sync::OnceCell;

use super::Remote;
use super::call::Call;

/// What is known of the repositories of a registry.
#[derive(Default)]
pub(super) struct Newness(Mutex<HashMap<String, Known>>);

#[derive(Default)]
struct Known {
    is_new: Arc<OnceCell<bool>>,
    has_manifest: bool,
}

impl Newness {
    fn of<T>(&self, path: &str, read: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read(known.entry(path.to_owned()).or_default())
    }

    fn is_new(&self, path: &str) -> Arc<OnceCell<bool>> {
        self.of(path, |known| known.is_new.clone())
    }
}

impl Known {
    fn learn(&mut self, is_new: bool) {
        // Once it holds something it is never new again.
        if self.is_new.set(is_new).is_err() && !is_new {
            self.is_new = Arc::new(OnceCell::new_with(Some(false)));
        }
    }
}

impl Remote {
    /// Whether the registry has no manifest in the repository, as far as its list of tags tells. Asked
    /// once; a registry that does not say is taken to have some. There may be blobs of a run that died:
    /// [`Remote::open_unless_there`] finds them.
    pub async fn is_new(&self) -> bool {
        self.is_new_by(self.ask_whether_new()).await
    }

    /// The same, as an answer of its own tells it where nobody has asked yet.
    pub(super) async fn is_new_by(&self, ask: impl Future<Output = bool>) -> bool {
        let known = self.host.newness.is_new(self.repository.path());
        *known.get_or_init(|| ask).await
    }

    /// Whether it is known by now, without asking, that it has none.
    pub fn is_known_new(&self) -> bool {
        let known = self.host.newness.is_new(self.repository.path());
        known.get() == Some(&true)
    }

    /// Whether it is known by now that it holds something, be it blobs alone.
    pub(super) fn is_known_to_hold_something(&self) -> bool {
        let known = self.host.newness.is_new(self.repository.path());
        known.get() == Some(&false)
    }

    /// Whether an answer has shown by now that it has a manifest.
    pub(super) fn is_known_to_have_manifests(&self) -> bool {
        let newness = &self.host.newness;
        newness.of(self.repository.path(), |known| known.has_manifest)
    }

    /// Notes that the repository holds something, be it blobs alone.
    pub fn holds_something(&self) {
        self.learn_newness(false);
    }

    pub(super) fn has_manifests(&self) {
        let newness = &self.host.newness;
        newness.of(self.repository.path(), |known| {
            known.learn(false);
            known.has_manifest = true;
        });
    }

    pub(super) fn learn_newness(&self, is_new: bool) {
        let newness = &self.host.newness;
        newness.of(self.repository.path(), |known| known.learn(is_new));
    }

    async fn ask_whether_new(&self) -> bool {
        let call = Call::new(Method::GET, "tag list", self.url("tags/list?n=1"))
            .header(ACCEPT, "application/json");
        let answer = self.call(&call).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND)
    }
}
