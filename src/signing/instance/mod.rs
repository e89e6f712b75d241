//! Services of a Sigstore instance: where they are, and requests to them.

mod endpoints;
mod instance_source;
mod log_and_timestamp;
mod sigstore_service;
mod timestamp_authority;
mod transparency_log;

pub use endpoints::{EndpointsError, FromSigningConfig, InstanceEndpoints, LogEndpoints};
pub use instance_source::InstanceSource;
pub(super) use log_and_timestamp::LogAndTimestampClients;
pub(super) use sigstore_service::{FULCIO_SERVICE, ID_TOKEN_SERVICE, SigstoreService};
pub use sigstore_service::{SigstoreErrorKind, SigstoreServiceError};
