//! Copies one blob to all destinations of a copy that lack it.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::blob_index::{BlobLocation, BlobOrigin};
use super::blob_receiver::{BlobReceiver, ResumableUpload};
use super::copy_stats::Placement;
use super::copy_target::CopyTarget;
use super::pending_target::PendingTarget;
use super::send_blob::send_blob;
use super::{CopyError, CopyRequest, ImageStore, StoreError};
use crate::image::{CanonicalRegistry, Descriptor, Repository};
use crate::layout::LayoutDirectory;
use crate::registry::{self, MountResult, RepositoryClient};

/// So many bytes more show that an upload gets on, however often it breaks off.
const PROGRESS_THRESHOLD: u64 = 1 << 20;

/// What a destination says when it is offered a blob.
enum OfferResponse {
    /// It is there.
    AlreadyStored(Placement),
    /// It wants the bytes.
    NeedsContent(BlobReceiver),
}

/// Sees to it that the destinations have the blob, or says why one has not.
pub(super) async fn copy_blob(
    copy: &CopyRequest<'_>,
    blob: &Descriptor,
    targets: Vec<&CopyTarget<'_>>,
) {
    let mut pending: Vec<PendingTarget> = targets.into_iter().map(PendingTarget::new).collect();
    while !pending.is_empty() {
        pending.retain(|pending| !pending.target.has_failed());
        let (now, later) = locate_blobs(copy, blob, pending).await;
        let offers = now.into_iter().map(|(mut pending, lead)| async move {
            let answer = pending.offer(copy, blob, &lead).await;
            (pending, lead, answer)
        });
        let (mut wanting, mut again, mut guards) = (Vec::new(), Vec::new(), Vec::new());
        for (pending, lead, answer) in join_all(offers).await {
            match answer {
                Ok(OfferResponse::AlreadyStored(placed)) => pending.finish(copy, blob, placed),
                Ok(OfferResponse::NeedsContent(receiver)) => {
                    guards.push(lead);
                    wanting.push((pending, receiver));
                }
                Err(error) => pending.target.record_failure(error),
            }
        }
        for (pending, sent) in send_blob(copy, blob, wanting).await {
            match sent {
                Ok(placed) => pending.finish(copy, blob, placed),
                Err(failed_upload) => again.extend(pending.retry_later(copy, blob, failed_upload)),
            }
        }
        drop(guards);
        wait_before_retry(&again).await;
        pending = later;
        pending.extend(again);
    }
}

/// Where each destination's registry has the blob; those that have to wait for another one, on the
/// same registry, come later. Registries are in order, so that no two images ever wait for each other.
async fn locate_blobs<'a>(
    copy: &CopyRequest<'_>,
    blob: &Descriptor,
    mut pending: Vec<PendingTarget<'a>>,
) -> (
    Vec<(PendingTarget<'a>, BlobLocation)>,
    Vec<PendingTarget<'a>>,
) {
    let of = |pending: &PendingTarget<'_>| {
        pending
            .target
            .store
            .registry()
            .map(CanonicalRegistry::from_name)
    };
    pending.sort_by_cached_key(of);
    let mut first: HashSet<CanonicalRegistry> = HashSet::new();
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for pending in pending {
        let ImageStore::Registry(remote) = pending.target.store else {
            now.push((pending, BlobLocation::Unknown(None)));
            continue;
        };
        let repository = remote.repository();
        let registry = CanonicalRegistry::from_name(repository.registry());
        if first.contains(&registry) {
            later.push(pending);
            continue;
        }
        let readable = remote.readable_paths();
        let lead = copy
            .blob_index
            .locate(repository, blob.digest, readable)
            .await;
        if let BlobLocation::Unknown(Some(_)) = lead {
            first.insert(registry);
        }
        now.push((pending, lead));
    }
    (now, later)
}

async fn offer_to_layout(
    layout: &LayoutDirectory,
    blob: &Descriptor,
) -> Result<OfferResponse, CopyError> {
    let there = layout.has_blob(blob).await;
    let there = there.map_err(|error| StoreError::Layout(error).at_destination())?;
    Ok(if there {
        OfferResponse::AlreadyStored(Placement::Present)
    } else {
        OfferResponse::NeedsContent(BlobReceiver::Layout(layout.clone()))
    })
}

async fn offer_to_registry(
    copy: &CopyRequest<'_>,
    remote: &RepositoryClient,
    blob: &Descriptor,
    lead: &BlobLocation,
) -> Result<OfferResponse, registry::RegistryError> {
    let mut session = None;
    match lead {
        BlobLocation::SameRepository(since) => {
            return Ok(OfferResponse::AlreadyStored(
                since.to_placement(Placement::Present),
            ));
        }
        BlobLocation::OtherRepository(from, since) => {
            let mounted = try_mount(copy, remote, blob, from).await?;
            match mounted {
                Some(MountResult::Mounted) => {
                    return Ok(OfferResponse::AlreadyStored(
                        since.to_placement(Placement::Mounted),
                    ));
                }
                Some(MountResult::Declined(upload)) => session = Some(upload),
                None => {}
            }
        }
        BlobLocation::Unknown(_)
            if remote.is_new().await
                && copy
                    .blob_index
                    .supports_mount(remote.repository().registry()) =>
        {
            return Ok(OfferResponse::NeedsContent(BlobReceiver::NewRepository(
                remote.clone(),
            )));
        }
        BlobLocation::Unknown(_) => {}
    }
    if remote.has_blob(blob).await? {
        if let Some(session) = session {
            remote.cancel_upload(session).await;
        }
        return Ok(OfferResponse::AlreadyStored(Placement::Present));
    }
    let session = session.map(ResumableUpload::from);
    Ok(OfferResponse::NeedsContent(BlobReceiver::Registry(
        remote.clone(),
        session,
    )))
}

/// Asks where an upload that broke off goes on. It may have come through, and only the answer not.
async fn resume_offer(
    remote: &RepositoryClient,
    blob: &Descriptor,
    mut session: ResumableUpload,
) -> Result<OfferResponse, registry::RegistryError> {
    if remote.has_blob(blob).await? {
        remote.cancel_upload(session.upload).await;
        return Ok(OfferResponse::AlreadyStored(Placement::Present));
    }
    let session = match remote.resume_upload(session.upload, blob).await {
        Some(upload) => {
            session.upload = upload;
            Some(session)
        }
        None => None,
    };
    Ok(OfferResponse::NeedsContent(BlobReceiver::Registry(
        remote.clone(),
        session,
    )))
}

/// Asks for a mount; nothing where the registry refuses it, as some do with what they cannot do.
async fn try_mount(
    copy: &CopyRequest<'_>,
    remote: &RepositoryClient,
    blob: &Descriptor,
    from: &Repository,
) -> Result<Option<MountResult>, registry::RegistryError> {
    let outcome = match remote.mount_blob(blob.digest, from).await {
        Ok(mount) => Some(mount),
        // A mount reads another repository, for which there may be no token.
        Err(error) if error.is_unusable_answer() || error.lacks_login() => None,
        Err(error) => return Err(error),
    };
    let did = matches!(outcome, Some(MountResult::Mounted));
    copy.blob_index
        .record_mount(remote.repository().registry(), did);
    Ok(outcome)
}

impl BlobOrigin {
    /// How a blob was placed that would have been placed so, had it been there before the run.
    fn to_placement(self, before: Placement) -> Placement {
        match self {
            Self::BeforeRun => before,
            Self::ThisRun => Placement::Shared,
        }
    }
}

impl PendingTarget<'_> {
    async fn offer(
        &mut self,
        copy: &CopyRequest<'_>,
        blob: &Descriptor,
        lead: &BlobLocation,
    ) -> Result<OfferResponse, CopyError> {
        let remote = match self.target.store {
            ImageStore::Registry(remote) => remote,
            ImageStore::Layout(layout) => return offer_to_layout(layout, blob).await,
        };
        let answer = match self.session.take() {
            Some(session) => resume_offer(remote, blob, session).await,
            None => offer_to_registry(copy, remote, blob, lead).await,
        };
        if let Ok(OfferResponse::NeedsContent(BlobReceiver::Registry(_, Some(session)))) = &answer {
            let begin = session.upload.received_bytes();
            if begin >= self.furthest + PROGRESS_THRESHOLD {
                (self.furthest, self.attempts) = (begin, 0);
            }
        }
        answer.map_err(|error| StoreError::Registry(error).at_destination())
    }
}

/// Waits before what did not work is tried again.
async fn wait_before_retry(again: &[PendingTarget<'_>]) {
    if let Some(pause) = again.iter().map(|missing| missing.pause).max() {
        tokio::time::sleep(pause).await;
    }
}
