//! Reads one blob once, and sends its bytes to all receivers.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};

use super::blob_receiver::{BlobReceiver, FailedUpload, ResumableUpload};
use super::copy_stats::Placement;
use super::fan_out::{BlobBody, BodyError, fan_out};
use super::pending_target::PendingTarget;
use super::verified_stream::{HashCheckpoints, SourceFailure, verify_stream};
use super::{CopyError, CopyRequest, Side, StoreError};
use crate::image::Descriptor;
use crate::layout::{BlobWriteError, LayoutDirectory};
use crate::registry::{self, MountResult, RepositoryClient, TransferSlot, UploadSession};

/// What became of a receiver.
enum OpenedReceiver {
    Ready(ReadyReceiver),
    /// It has the blob already.
    AlreadyStored,
}

/// One that can take the bytes now.
enum ReadyReceiver {
    Registry(RepositoryClient, UploadSession),
    Layout(LayoutDirectory),
}

/// Sends the blob to all of them at once, and tells how it came to be there. One that fails, or is
/// too slow, fails by itself.
pub(super) async fn send_blob<'a>(
    copy: &CopyRequest<'_>,
    blob: &Descriptor,
    wanting: Vec<(PendingTarget<'a>, BlobReceiver)>,
) -> Vec<(PendingTarget<'a>, Result<Placement, FailedUpload>)> {
    if wanting.is_empty() {
        return Vec::new();
    }
    let (missing, mut receivers): (Vec<_>, Vec<_>) = wanting.into_iter().unzip();
    let (begin, trail) = find_start(&mut receivers).await;
    let mark = trail.rewind_to(begin);
    let _slots = acquire_slots(copy, &receivers, blob).await;
    let opening = join_all(receivers.into_iter().map(|receiver| receiver.open(blob)));
    // Neither waits for the other.
    let (source, opened) = join(copy.source.open_blob(blob, mark.offset()), opening).await;
    let sent = match source {
        Ok(source) => {
            let failure = SourceFailure::default();
            let before = begin - mark.offset();
            let body = verify_stream(source.stream, blob, mark, &trail, &failure);
            let body = match before {
                0 => body,
                before => registry::skip_bytes(body, before).boxed(),
            };
            let sent = stream_to_receivers(copy, blob, opened, body, &failure, &trail).await;
            let resumed = begin + source.resumed.bytes();
            if resumed > 0 {
                for missing in &missing {
                    missing
                        .target
                        .update_stats(|content| content.resumed.add(resumed));
                }
            }
            sent
        }
        Err(error) => {
            let error = Arc::new(error);
            let unused = opened.into_iter().map(|opened| async {
                match opened {
                    Ok(OpenedReceiver::AlreadyStored) => return Ok(Placement::Present),
                    Ok(OpenedReceiver::Ready(ReadyReceiver::Registry(remote, upload))) => {
                        remote.cancel_upload(upload).await;
                    }
                    Ok(OpenedReceiver::Ready(ReadyReceiver::Layout(_))) | Err(_) => {}
                }
                Err(CopyError::from_source(error.clone()).into())
            });
            join_all(unused).await
        }
    };
    missing.into_iter().zip(sent).collect()
}

/// Where the blob is to be read from, and the hash of what is before that. One receiver alone can go
/// on where it was; several begin anew, since each may have come to another place.
async fn find_start(receivers: &mut [BlobReceiver]) -> (u64, HashCheckpoints) {
    if let [BlobReceiver::Registry(_, Some(session))] = receivers {
        return (session.upload.received_bytes(), session.checkpoints.clone());
    }
    for receiver in receivers {
        if let BlobReceiver::Registry(remote, session) = receiver
            && let Some(begun) = session.take_if(|session| session.upload.received_bytes() > 0)
        {
            remote.cancel_upload(begun.upload).await;
        }
    }
    (0, HashCheckpoints::default())
}

/// Leave to move bulk, of all registries that take part. They are asked in order, so that no two
/// transfers ever wait for each other.
async fn acquire_slots(
    copy: &CopyRequest<'_>,
    receivers: &[BlobReceiver],
    blob: &Descriptor,
) -> Vec<TransferSlot> {
    let at_destinations = receivers.iter().filter_map(|receiver| match receiver {
        BlobReceiver::Registry(remote, _) | BlobReceiver::NewRepository(remote) => Some(remote),
        BlobReceiver::Layout(_) => None,
    });
    let mut remotes: Vec<&RepositoryClient> = at_destinations
        .chain(copy.source.as_repository_client())
        .collect();
    remotes.sort_by_key(|remote| remote.repository().registry().clone());
    remotes.dedup_by_key(|remote| remote.repository().registry().clone());
    let mut slots = Vec::new();
    for remote in remotes {
        slots.extend(remote.acquire_slot(blob.size).await);
    }
    slots
}

async fn stream_to_receivers(
    copy: &CopyRequest<'_>,
    blob: &Descriptor,
    opened: Vec<Result<OpenedReceiver, CopyError>>,
    body: BlobBody,
    failure: &SourceFailure,
    trail: &HashCheckpoints,
) -> Vec<Result<Placement, FailedUpload>> {
    let takes =
        |opened: &Result<OpenedReceiver, CopyError>| matches!(opened, Ok(OpenedReceiver::Ready(_)));
    let takers = opened.iter().filter(|opened| takes(opened)).count();
    let (sharing, mut bodies) = fan_out(body, takers, copy.source.timing().stall / 2);
    let receiving = opened.into_iter().map(|opened| {
        let body = takes(&opened).then(|| bodies.pop()).flatten();
        async move {
            match (opened?, body) {
                (OpenedReceiver::AlreadyStored, _) => Ok(Placement::Present),
                (OpenedReceiver::Ready(ready), Some(body)) => {
                    let received = ready.receive_blob(copy, blob, body, failure, trail).await;
                    received.map(|()| Placement::Moved)
                }
                (_, None) => unreachable!("there is a body for each that is ready"),
            }
        }
    });
    let receiving = join_all(receiving.collect::<Vec<_>>());
    join(sharing, receiving).await.1
}

impl BlobReceiver {
    async fn open(self, blob: &Descriptor) -> Result<OpenedReceiver, CopyError> {
        let failed = |error| StoreError::Registry(error).at_destination();
        let ready = match self {
            Self::Layout(layout) => ReadyReceiver::Layout(layout),
            Self::Registry(remote, Some(session)) => {
                ReadyReceiver::Registry(remote, session.upload)
            }
            Self::Registry(remote, None) => {
                let upload = remote.start_upload(blob.size).await.map_err(failed)?;
                ReadyReceiver::Registry(remote, upload)
            }
            Self::NewRepository(remote) => match open_in_new_repository(&remote, blob)
                .await
                .map_err(failed)?
            {
                MountResult::Mounted => return Ok(OpenedReceiver::AlreadyStored),
                MountResult::Declined(upload) => ReadyReceiver::Registry(remote, upload),
            },
        };
        Ok(OpenedReceiver::Ready(ready))
    }
}

/// Opens a session where the blob is not there. Once one is, the others are asked for before their
/// bytes are.
async fn open_in_new_repository(
    remote: &RepositoryClient,
    blob: &Descriptor,
) -> Result<MountResult, registry::RegistryError> {
    match remote.open_unless_present(blob).await {
        // It does not know the question.
        Err(error) if error.is_unusable_answer() => {
            remote.mark_not_new();
            remote
                .start_upload(blob.size)
                .await
                .map(MountResult::Declined)
        }
        Ok(MountResult::Mounted) => {
            remote.mark_not_new();
            Ok(MountResult::Mounted)
        }
        outcome => outcome,
    }
}

impl ReadyReceiver {
    async fn receive_blob(
        self,
        copy: &CopyRequest<'_>,
        blob: &Descriptor,
        body: BlobBody,
        failure: &SourceFailure,
        trail: &HashCheckpoints,
    ) -> Result<(), FailedUpload> {
        let passage = copy.meter.start_blob();
        let body = passage.count_frames(body);
        let outcome = match self {
            Self::Registry(remote, mut upload) => {
                match remote.upload_blob(&mut upload, blob, body).await {
                    Ok(()) => Ok(()),
                    Err(error) => {
                        let error = attribute_error(failure, StoreError::Registry(error));
                        Err(failed_upload(remote, upload, trail, error).await)
                    }
                }
            }
            Self::Layout(layout) => match layout.write_blob(blob, body).await {
                Ok(()) => Ok(()),
                Err(BlobWriteError::Layout(error)) => {
                    Err(StoreError::Layout(error).at_destination().into())
                }
                Err(BlobWriteError::Source(broken)) => {
                    Err(attribute_error(failure, wrong_blob_error(blob, &broken)).into())
                }
            },
        };
        match outcome {
            Ok(()) => passage.complete(blob.size),
            Err(_) => passage.discard(),
        }
        outcome
    }
}

/// Keeps a session that may be gone on with. What a source got wrong is in it as well.
async fn failed_upload(
    remote: RepositoryClient,
    upload: UploadSession,
    trail: &HashCheckpoints,
    error: CopyError,
) -> FailedUpload {
    if upload.is_closed() || error.side == Side::Source {
        remote.cancel_upload(upload).await;
        return error.into();
    }
    let trail = trail.clone();
    FailedUpload {
        error,
        session: Some(ResumableUpload {
            upload,
            checkpoints: trail,
        }),
    }
}

/// A source that fails breaks the upload: then it is the one to blame.
fn attribute_error(failure: &SourceFailure, error: StoreError) -> CopyError {
    match failure.reason() {
        Some(reason) => CopyError::from_source(reason),
        None => error.at_destination(),
    }
}

fn wrong_blob_error(blob: &Descriptor, broken: &BodyError) -> StoreError {
    StoreError::WrongBlob {
        expected: blob.digest,
        problem: broken.to_string(),
    }
}
