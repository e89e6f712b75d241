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
pub(super) struct Newness(Mutex<HashMap<String, Arc<OnceCell<bool>>>>);

impl Newness {
    fn of(&self, path: &str) -> Arc<OnceCell<bool>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(path.to_owned()).or_default().clone()
    }

    pub(super) fn learn(&self, path: &str, is_new: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(path.to_owned()).or_default();
        // Once it holds something it is never new again.
        if known.set(is_new).is_err() && !is_new {
            *known = Arc::new(OnceCell::new_with(Some(false)));
        }
    }
}

impl Remote {
    /// Whether the registry has no manifest in the repository, as far as its list of tags tells. Asked
    /// once; a registry that does not say is taken to have some. There may be blobs of a run that died:
    /// [`Remote::open_unless_there`] finds them.
    pub async fn is_new(&self) -> bool {
        let known = self.host.newness.of(self.repository.path());
        *known.get_or_init(|| self.ask_whether_new()).await
    }

    /// Whether it is known by now, without asking, that it has none.
    pub fn is_known_new(&self) -> bool {
        let known = self.host.newness.of(self.repository.path());
        known.get() == Some(&true)
    }

    /// Whether it is known by now that it holds something.
    pub(super) fn is_known_to_hold_something(&self) -> bool {
        let known = self.host.newness.of(self.repository.path());
        known.get() == Some(&false)
    }

    /// Notes that the repository holds something.
    pub fn holds_something(&self) {
        self.learn_newness(false);
    }

    pub(super) fn learn_newness(&self, is_new: bool) {
        self.host.newness.learn(self.repository.path(), is_new);
    }

    async fn ask_whether_new(&self) -> bool {
        let call = Call::new(Method::GET, "tag list", self.url("tags/list?n=1"))
            .header(ACCEPT, "application/json");
        let answer = self.call(&call).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND)
    }
}
