//! A gate before a host: requests about tags wait there until a test lets each one go.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use super::fault::Effect;
use super::store::lock;

/// Requests that wait. Those of clients that have gone are not counted.
#[derive(Default)]
pub struct Gate(Mutex<Vec<Held>>, AtomicBool);

struct Held {
    request: String,
    go: oneshot::Sender<Option<Effect>>,
}

impl Gate {
    /// Lets all requests wait, also those that are about no tag.
    pub fn hold_all(&self) {
        self.1.store(true, Ordering::Relaxed);
    }

    /// The requests that wait: `HEAD /v2/web/manifests/1.4.0`.
    pub fn held(&self) -> Vec<String> {
        let mut held = lock(&self.0);
        held.retain(|held| !held.go.is_closed());
        held.iter().map(|held| held.request.clone()).collect()
    }

    /// Lets a request go, as a fault may have it.
    pub fn release(&self, request: &str, effect: Option<Effect>) {
        let mut all = lock(&self.0);
        let at = all.iter().position(|held| held.request == request);
        let held = all.remove(at.expect("a request that waits"));
        let _ = held.go.send(effect);
    }

    /// Forgets who waits; they are never answered.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Waits for the test's leave; what is about no tag needs none.
    pub(super) async fn pass(&self, request: &str) -> Option<Effect> {
        if !is_about_tags(request) && !self.1.load(Ordering::Relaxed) {
            return None;
        }
        let (go, leave) = oneshot::channel();
        let request = request.to_owned();
        lock(&self.0).push(Held { request, go });
        leave.await.unwrap_or(Some(Effect::StopForGood))
    }
}

fn is_about_tags(request: &str) -> bool {
    request.contains("/tags/list")
        || (request.contains("/manifests/") && !request.contains("/manifests/sha256:"))
}
