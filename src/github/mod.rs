//! GitHub's REST API: facts that the event does not contain, and the store of attestations.

mod attestation_store;
mod error;
mod issue_comments;
mod repository_api;
mod repository_url;

pub use attestation_store::{AttestationStore, AttestationUploadError, UploadErrorKind};
pub use error::GithubApiError;
pub use issue_comments::IssueComment;
pub use repository_api::GithubApi;
