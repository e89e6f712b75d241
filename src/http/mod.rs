//! HTTP for every remote service: connections, requests that are retried, and bounded responses.
//!
//! Registries, Sigstore's services and GitHub's API share the proxies, certificates, timeouts and retry
//! policy of this room. It adds no credentials and reads no environment.

mod concurrency_limit;
mod host_tls;
mod http_client;
mod http_error;
mod link_header;
mod private_address;
mod proxies;
mod redirect;
mod request_line;
mod response_body;
mod retry;
mod retry_after;
mod retry_timing;
mod server_trust;
mod service_request;
mod settings;

pub(crate) use concurrency_limit::{ConcurrencyLimit, RequestPermit};
pub(crate) use http_client::ConnectionPool;
pub use http_client::HttpClient;
pub use http_error::HttpError;
pub(crate) use link_header::parse_links;
#[cfg(test)]
pub(crate) use private_address::samples as private_address_samples;
pub(crate) use private_address::{host_and_port, is_out_of_bounds, is_this_machine};
pub(crate) use redirect::{redirect_target, resolve_redirect};
pub(crate) use response_body::{
    BufferedResponse, ERROR_LIMIT, LARGE_AT_ONCE, is_web_page, read_buffered, read_limited,
};
pub(crate) use retry::{Attempt, AttemptError, is_transient, retry};
pub(crate) use retry_after::{RetryAfterGate, retry_after, server_time};
pub use retry_timing::RetryTiming;
pub use service_request::{ServiceRequest, ServiceResponse};
pub use settings::{ClientCertificateFiles, HttpSettings, HttpSettingsError, ProxySettings};
