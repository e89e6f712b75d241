//! Destination that still lacks a blob, with its attempts.

use std::time::Duration;

use super::blob_index::BlobOrigin;
use super::blob_receiver::{FailedUpload, ResumableUpload};
use super::copy_stats::Placement;
use super::copy_target::CopyTarget;
use super::{CopyRequest, ImageStore};
use crate::image::Descriptor;

/// A destination that the blob is still to come to.
pub(super) struct PendingTarget<'a> {
    pub(super) target: &'a CopyTarget<'a>,
    /// How often it was sent in vain, since it last came further.
    pub(super) attempts: u32,
    /// How far it has come.
    pub(super) furthest: u64,
    pub(super) was_sent: bool,
    /// An upload that broke off, which may go on.
    pub(super) session: Option<ResumableUpload>,
    pub(super) pause: Duration,
}

impl<'a> PendingTarget<'a> {
    /// Returns a destination to which nothing was sent yet.
    pub(super) fn new(target: &'a CopyTarget<'a>) -> Self {
        Self {
            target,
            attempts: 0,
            furthest: 0,
            was_sent: false,
            session: None,
            pause: Duration::ZERO,
        }
    }

    pub(super) fn finish(self, copy: &CopyRequest<'_>, blob: &Descriptor, placed: Placement) {
        if placed != Placement::Moved {
            copy.meter.skip_bytes(blob.size);
        }
        // One that was sent, and only the answer lost, is found the next time.
        let placed = if self.was_sent {
            Placement::Moved
        } else {
            placed
        };
        if let ImageStore::Registry(remote) = self.target.store {
            let since = match placed {
                Placement::Present => BlobOrigin::BeforeRun,
                _ => BlobOrigin::ThisRun,
            };
            copy.blob_index
                .record(remote.repository(), blob.digest, since);
        }
        self.target.record_placement(placed, blob.size);
    }

    /// Returns itself to be tried again; `None` if another attempt is of no use.
    pub(super) fn retry_later(
        mut self,
        copy: &CopyRequest<'_>,
        blob: &Descriptor,
        failed_upload: FailedUpload,
    ) -> Option<Self> {
        let FailedUpload { error, session } = failed_upload;
        self.was_sent = true;
        self.session = session;
        let timing = copy.destination_timing(self.target.store);
        // What was only too much at once has not failed yet.
        let (mut next, mut pause) = ("sending smaller chunks".to_owned(), Duration::ZERO);
        if !error.wants_smaller_chunk() {
            self.attempts += 1;
            let (tried, attempts) = (self.attempts, timing.attempts);
            next = format!("trying again ({tried} of {attempts} tries)");
            pause = timing.delay(tried);
        }
        if !error.is_retryable() || self.attempts >= timing.attempts {
            self.target.record_failure(error);
            return None;
        }
        self.pause = pause;
        let short = blob.digest.short();
        copy.notices.info(format!("blob {short}: {error}; {next}"));
        Some(self)
    }
}
