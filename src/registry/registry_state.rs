//! State of one registry during a run: scheme, login, limits, and what its responses have shown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use url::Url;

use super::auth::RegistryAuth;
use super::chunk_policy::ChunkPolicy;
use super::referrers_support::ReferrersSupport;
use super::repository_existence::RepositoryExistence;
use super::url_scheme::UrlScheme;
use crate::http::{ConcurrencyLimit, ConnectionPool, RetryAfterGate, retry_after, server_time};
use crate::image::{Digest, RegistryName, Repository};

/// Most requests in flight to one registry. With HTTP/2 they share a connection, and servers should allow
/// at least 100 streams on one (RFC 9113, 6.5.2).
const CONTROL_REQUESTS_LIMIT: usize = 100;
/// Most transfers of large blobs at the same time, to or from one registry.
const TRANSFERS_LIMIT: usize = 8;

/// Facts and limits of one registry.
pub(super) struct RegistryState {
    pub(super) name: RegistryName,
    pub(super) auth: RegistryAuth,
    /// Scheme, found out by the first request if the name does not tell it.
    pub(super) scheme: OnceLock<UrlScheme>,
    /// Limits on requests in flight and on transfers of large blobs.
    pub(super) control_limit: ConcurrencyLimit,
    pub(super) transfer_limit: ConcurrencyLimit,
    pub(super) gate: RetryAfterGate,
    /// Whether the log says already that requests were not answered.
    is_unanswered: AtomicBool,
    pub(super) existence: RepositoryExistence,
    pub(super) referrers_support: ReferrersSupport,
    pub(super) chunk_policy: ChunkPolicy,
    /// Open upload sessions.
    pub(super) uploads: Mutex<HashMap<Url, Repository>>,
    /// Held, shared, while an upload session is being opened.
    pub(super) session_opening: Arc<tokio::sync::RwLock<()>>,
    /// Blobs that many images share, each uploaded once per run.
    pub(super) common_blobs: Mutex<HashMap<(Repository, Digest), SharedUpload>>,
    /// Whether it refuses the length of a page of tags that is asked for.
    pub(super) refuses_page_length: AtomicBool,
    /// Time of the registry's last answer, in seconds of the Unix epoch; 0 until one tells it.
    pub(super) server_time: AtomicI64,
}

/// Upload of a shared blob: the first task that needs the blob uploads it, the others wait.
pub(super) type SharedUpload = Arc<tokio::sync::OnceCell<()>>;

impl RegistryState {
    /// Returns the state of a registry to which no request was sent yet.
    pub(super) fn new(name: RegistryName, scheme: OnceLock<UrlScheme>) -> Self {
        Self {
            auth: RegistryAuth::default(),
            scheme,
            control_limit: ConcurrencyLimit::new(CONTROL_REQUESTS_LIMIT),
            transfer_limit: ConcurrencyLimit::new(TRANSFERS_LIMIT),
            gate: RetryAfterGate::default(),
            is_unanswered: AtomicBool::new(false),
            existence: RepositoryExistence::default(),
            referrers_support: ReferrersSupport::default(),
            chunk_policy: ChunkPolicy::for_registry(&name),
            uploads: Mutex::default(),
            session_opening: Arc::default(),
            common_blobs: Mutex::default(),
            refuses_page_length: AtomicBool::new(false),
            server_time: AtomicI64::new(0),
            name,
        }
    }

    /// Records that a request was not answered. Returns whether that is the first since an answer.
    pub(super) fn mark_unanswered(&self) -> bool {
        !self.is_unanswered.swap(true, Ordering::Relaxed)
    }

    /// Records the time that the registry's response tells.
    pub(super) fn note_server_time(&self, headers: &HeaderMap) {
        let since_epoch = server_time(headers).map(|time| time.duration_since(UNIX_EPOCH));
        if let Some(Ok(since_epoch)) = since_epoch {
            let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
            self.server_time.store(seconds, Ordering::Relaxed);
        }
    }

    /// Slows down after a response that says "not now". Returns the pause that it requests.
    pub(super) fn back_off(&self, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
        let pause = retry_after(headers);
        if let Some(pause) = pause {
            self.gate.close_for(pause);
        }
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            self.control_limit.halve();
            self.transfer_limit.halve();
        }
        pause
    }

    /// Counts a response to a request of `pool`.
    pub(super) fn record_answer(&self, pool: ConnectionPool) {
        self.is_unanswered.store(false, Ordering::Relaxed);
        self.concurrency_limit(pool).record_answer();
    }

    fn concurrency_limit(&self, pool: ConnectionPool) -> &ConcurrencyLimit {
        match pool {
            ConnectionPool::Control => &self.control_limit,
            ConnectionPool::Bulk => &self.transfer_limit,
        }
    }
}
