//! What Sigstore's public instance is today: its roots, and where its services are, as its repository
//! says by TUF (The Update Framework), beginning with the root of trust in this program.
//!
//! A repository that gives no answer can be gone on without: with what it gave before, as long as
//! that holds, else with the copy in this program. That is what somebody between could bring about in
//! any case, by letting nothing through. One that answers with what does not hold (a signature that is
//! not its own, an older version, something expired, longer or other than what was announced) is
//! refused: it is broken or attacked, and nobody would look at a warning.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use sigstore_trust_root::{
    SIGNING_CONFIG_TARGET, SigningConfig, SigstoreInstance, TRUSTED_ROOT_TARGET,
};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{FileStore, Repository, StoreRepository, Updater, UpdaterConfig};
use thiserror::Error;
use url::Url;

use super::{BUNDLE_LIMIT, TrustRoot, TrustRootError};
use crate::http::{HttpClient, HttpError, ServiceRequest};
use crate::notices::{Notices, to_printable};

/// A repository that says what the public instance is.
#[derive(Debug, Clone)]
pub struct TufRepository {
    /// Where it is.
    pub address: Url,
    /// Its `root.json`, with which trust in it begins.
    pub root: Cow<'static, [u8]>,
    /// The time at which nothing may have expired.
    pub now: Timestamp,
    /// How long it may take in all.
    pub timeout: Duration,
    /// The folder for what it gave, if that is kept. What is there is proven anew at each use.
    pub cache_dir: Option<PathBuf>,
}

/// That a repository cannot be trusted.
#[derive(Debug, Clone, Error)]
pub enum TufError {
    /// It answers with what does not hold.
    #[error("the metadata of {address} is not valid: {why}")]
    Invalid {
        /// Its address.
        address: Url,
        /// What is wrong.
        why: String,
    },
    /// What it says cannot be used here.
    #[error("{0}")]
    Root(#[from] TrustRootError),
    /// The services that it names cannot be read.
    #[error("its services: {0}")]
    Services(String),
}

/// Why there is nothing of today.
enum TargetsUnavailable {
    Unanswered(String),
    Invalid(String),
}

impl TufRepository {
    /// The public instance's, with what it gave kept in a folder.
    pub fn new(now: Timestamp, cache_dir: Option<PathBuf>) -> Self {
        let instance = SigstoreInstance::PublicGood;
        Self {
            address: Url::parse(instance.tuf_url()).expect("a constant is an address"),
            root: instance.tuf_root().into(),
            now,
            timeout: Duration::from_secs(20),
            cache_dir,
        }
    }

    /// Whose word counts. Says where that is from.
    ///
    /// # Errors
    /// A repository that answers with what does not hold.
    pub async fn load_trust_root(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<TrustRoot, TufError> {
        match self
            .load_targets(client, notices, [TRUSTED_ROOT_TARGET])
            .await?
        {
            Some([root]) => Ok(TrustRoot::parse(&root)?),
            None => Ok(TrustRoot::load_embedded()?),
        }
    }

    /// Whose word counts, and where the services are. Says where that is from.
    ///
    /// # Errors
    /// A repository that answers with what does not hold.
    pub(super) async fn load_instance(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<(TrustRoot, SigningConfig), TufError> {
        let names = [TRUSTED_ROOT_TARGET, SIGNING_CONFIG_TARGET];
        let wrong = |error: &dyn fmt::Display| TufError::Services(printable_error(error));
        let (root, services) = match self.load_targets(client, notices, names).await? {
            Some([root, services]) => {
                let services = String::from_utf8(services).map_err(|error| wrong(&error))?;
                (TrustRoot::parse(&root)?, services)
            }
            None => {
                let services = SigstoreInstance::PublicGood.embedded_signing_config_json();
                let services = services.unwrap_or_default().to_owned();
                (TrustRoot::load_embedded()?, services)
            }
        };
        let services = SigningConfig::from_json(&services).map_err(|error| wrong(&error))?;
        Ok((root, services))
    }

    /// What it says of each name, of today or as it was kept; `None` where the copy in this program has
    /// to do.
    async fn load_targets<const N: usize>(
        &self,
        client: &HttpClient,
        notices: &Notices,
        names: [&str; N],
    ) -> Result<Option<[Vec<u8>; N]>, TufError> {
        let remote = HttpTufRepository {
            client: client.clone(),
            address: self.address.clone(),
        };
        let why = match self.read_targets(remote, names).await {
            Ok(found) => {
                notices.info(format!(
                    "Sigstore's public instance: current keys and services, by TUF from {}",
                    self.address
                ));
                return Ok(Some(found));
            }
            Err(TargetsUnavailable::Unanswered(why)) => why,
            Err(TargetsUnavailable::Invalid(why)) => {
                let address = self.address.clone();
                return Err(TufError::Invalid { address, why });
            }
        };
        let kept = match &self.cache_dir {
            Some(folder) => {
                let store = StoreRepository::new(FileStore::new(folder));
                self.read_targets(store, names).await.ok()
            }
            None => None,
        };
        let what = match kept {
            Some(_) => "cached keys and services, which are still valid",
            None => "the keys and services built into this program",
        };
        notices.warning(format!(
            "Sigstore's public instance: {what}, since {} does not answer: {why}",
            self.address
        ));
        Ok(kept)
    }

    async fn read_targets<const N: usize>(
        &self,
        from: impl Repository + 'static,
        names: [&str; N],
    ) -> Result<[Vec<u8>; N], TargetsUnavailable> {
        let read = async {
            let mut updater = Updater::new(from, &self.root)?.with_config(updater_config());
            if let Some(folder) = &self.cache_dir {
                updater = updater.with_store(FileStore::new(folder));
            }
            updater.refresh(self.now).await?;
            let mut found = [const { Vec::new() }; N];
            for (place, name) in found.iter_mut().zip(names) {
                *place = updater.get_target(name, self.now).await?;
            }
            Ok(found)
        };
        match tokio::time::timeout(self.timeout, read).await {
            Ok(read) => read.map_err(TargetsUnavailable::from_tuf_error),
            Err(_) => Err(TargetsUnavailable::Unanswered(format!(
                "none within {} s",
                self.timeout.as_secs_f64()
            ))),
        }
    }
}

/// No file is longer than what is read of anything else.
fn updater_config() -> UpdaterConfig {
    let mut config = UpdaterConfig::default();
    config.snapshot_max_length = config.snapshot_max_length.min(METADATA_LIMIT);
    config.targets_max_length = config.targets_max_length.min(METADATA_LIMIT);
    config.target_max_length = config.target_max_length.min(BUNDLE_LIMIT);
    config
}

/// The most bytes that a list of files may have.
const METADATA_LIMIT: u64 = 1 << 20;

impl TargetsUnavailable {
    fn from_tuf_error(error: sigstore_tuf::Error) -> Self {
        let why = printable_error(&ErrorChain(&error));
        match error {
            sigstore_tuf::Error::Transport { .. } => Self::Unanswered(why),
            _ => Self::Invalid(why),
        }
    }
}

/// An error with all that it comes from.
struct ErrorChain<'a>(&'a dyn std::error::Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        match self.0.source() {
            Some(source) => write!(f, ": {}", ErrorChain(source)),
            None => Ok(()),
        }
    }
}

fn printable_error(error: &dyn fmt::Display) -> String {
    to_printable(&error.to_string(), 200)
}

/// A repository over our own connections.
struct HttpTufRepository {
    client: HttpClient,
    address: Url,
}

impl HttpTufRepository {
    async fn get_file(&self, path: &str, limit: u64) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        let unanswered = |message: String| sigstore_tuf::Error::Transport {
            message,
            source: None,
        };
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        let ask = ServiceRequest {
            service: "Sigstore's TUF repository",
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let answer = match self.client.send_to_service_once(&ask, limit).await {
            Ok(answer) => answer,
            Err(HttpError::TooLong(limit)) => {
                return Err(sigstore_tuf::Error::IntegrityMismatch(format!(
                    "{path} is longer than {limit} bytes"
                )));
            }
            Err(cause) => return Err(unanswered(format!("{path}: {cause}"))),
        };
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body.to_vec())),
            // Stores of objects that hide what is not there say 403.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(None),
            status => Err(unanswered(format!("{path}: it answers {status}"))),
        }
    }
}

impl Repository for HttpTufRepository {
    fn fetch_metadata<'a>(&'a self, name: &'a str, limit: u64) -> FetchFuture<'a> {
        Box::pin(self.get_file(name, limit))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get_file(&format!("targets/{path}"), limit).await })
    }
}
