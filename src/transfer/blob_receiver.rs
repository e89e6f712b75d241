//! Receivers of a blob, and uploads that can be resumed.

use super::CopyError;
use super::verified_stream::HashCheckpoints;
use crate::layout::LayoutDirectory;
use crate::registry::{RepositoryClient, UploadSession};

/// Receiver of a blob.
pub(super) enum BlobReceiver {
    /// A repository that lacks it, with the session that it has opened already.
    Registry(RepositoryClient, Option<ResumableUpload>),
    /// A repository that is new: it has the blob at most if a run died while it brought the image.
    NewRepository(RepositoryClient),
    Layout(LayoutDirectory),
}

/// An upload session, and the hash of what went into it.
pub(super) struct ResumableUpload {
    pub(super) upload: UploadSession,
    pub(super) checkpoints: HashCheckpoints,
}

impl From<UploadSession> for ResumableUpload {
    fn from(upload: UploadSession) -> Self {
        let checkpoints = HashCheckpoints::default();
        Self {
            upload,
            checkpoints,
        }
    }
}

/// Failure of a receiver, with the session in which its upload may resume.
pub(super) struct FailedUpload {
    pub(super) error: CopyError,
    pub(super) session: Option<ResumableUpload>,
}

impl From<CopyError> for FailedUpload {
    fn from(error: CopyError) -> Self {
        let session = None;
        Self { error, session }
    }
}
