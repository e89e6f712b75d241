//! The client of registries (OCI distribution specification 1.1, Docker token authentication).
//!
//! Invariants:
//! - Only a 404 means absent; every other status that is not a success is an error.
//! - Manifests are hashed when they are read and written; the reader of a blob hashes it.
//! - A credential goes to its own registry and to the token realm that this registry names, never over
//!   plain HTTP (except on loopback) and never after a redirect to another host.
//! - A registry leads to no address that only this machine can reach, and the response of another host
//!   is not shown.
//! - Repeatable requests are retried, and downloads resume where they broke. A streamed upload is not
//!   repeated, since only the caller can open its source again; it resumes at the registry's offset.

mod access_token;
mod attempt_request;
mod auth;
mod blobs;
mod cancel_uploads;
mod challenge;
mod chunk_policy;
mod delete_manifest;
mod download;
mod error;
mod error_envelope;
mod error_hint;

mod manifests;
mod new_repository;
mod pages;
mod quirks;
mod referrers_api;
mod referrers_support;
mod registry_client;
mod registry_settings;
mod registry_state;
mod registry_transport;
mod repository_access;
mod repository_client;
mod repository_existence;
mod request;
mod send_request;
mod single_post;
mod tag_list;
mod tag_list_from;
mod token_realm;
mod token_scopes;
mod upload_content;
mod upload_session;
mod url_scheme;

pub use delete_manifest::DeletionResult;
pub(crate) use download::skip_bytes;
pub use download::{BlobDownload, ResumedBytes};
pub use error::{AccessProblem, RegistryError, RequestErrorKind};
pub use manifests::{ManifestHead, PutManifestReceipt};
pub use quirks::{QuirkEvidence, REGISTRY_QUIRKS, RegistryQuirk};
pub use registry_client::RegistryClient;
pub use registry_settings::RegistrySettings;
pub use repository_access::RepositoryAccess;
pub use repository_client::{LargeTurn, RepositoryClient};
pub use tag_list::TagPage;
pub use upload_session::{MountResult, TransferSlot, UploadSession};
