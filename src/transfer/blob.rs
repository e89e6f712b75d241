//! One blob to one destination.

use std::sync::atomic::{AtomicU32, Ordering};

use super::verified::{Failure, verified};
use super::{Copy, Error, Source, Store, StoreError};
use crate::image::{Descriptor, Repository};
use crate::layout::{Layout, WriteError};
use crate::registry::{self, Mount, Remote, Upload};

/// How a blob came to be where it should; with its size.
pub(super) enum Placed {
    Moved(u64),
    Mounted(u64),
    Present(u64),
}

/// After this many refusals a registry is taken not to mount at all.
const MOUNT_REFUSALS: u32 = 2;

/// Whether blobs can be mounted, and how often that was refused.
pub(super) struct Mounts<'a> {
    from: Option<&'a Repository>,
    refused: AtomicU32,
}

impl<'a> Mounts<'a> {
    /// Mounting is for two repositories of one registry.
    pub(super) fn new(source: &'a Source, destination: &Store) -> Self {
        let from = match destination {
            Store::Registry(remote) => source.repository().filter(|from| {
                from.registry() == remote.repository().registry() && *from != remote.repository()
            }),
            Store::Layout(_) => None,
        };
        Self {
            from,
            refused: AtomicU32::new(0),
        }
    }

    fn from(&self) -> Option<&'a Repository> {
        self.from
            .filter(|_| self.refused.load(Ordering::Relaxed) < MOUNT_REFUSALS)
    }
}

/// Sees to it that the destination has the blob.
pub(super) async fn place(
    copy: &Copy<'_>,
    blob: &Descriptor,
    mounts: &Mounts<'_>,
) -> Result<Placed, Error> {
    let placed = match copy.destination {
        Store::Registry(remote) => into_registry(copy, remote, blob, mounts).await?,
        Store::Layout(layout) => into_layout(copy, layout, blob).await?,
    };
    if !matches!(placed, Placed::Moved(_)) {
        copy.meter.spare(blob.size);
    }
    Ok(placed)
}

async fn into_layout(copy: &Copy<'_>, layout: &Layout, blob: &Descriptor) -> Result<Placed, Error> {
    let at_destination = |error| StoreError::Layout(error).at_destination();
    if layout.has_blob(blob).await.map_err(at_destination)? {
        return Ok(Placed::Present(blob.size));
    }
    let mut tried = 0;
    loop {
        tried += 1;
        let source = copy
            .source
            .open_blob(blob)
            .await
            .map_err(StoreError::at_source)?;
        let failure = Failure::default();
        let body = verified(source, blob, copy.meter.clone(), &failure);
        let error = match layout.write_blob(blob, body).await {
            Ok(()) => return Ok(Placed::Moved(blob.size)),
            Err(WriteError::Layout(error)) => return Err(at_destination(error)),
            Err(WriteError::Source(_)) => failure.take().unwrap_or_else(|| unexplained(blob)),
        };
        again(copy, blob, error.at_source(), tried).await?;
    }
}

async fn into_registry(
    copy: &Copy<'_>,
    remote: &Remote,
    blob: &Descriptor,
    mounts: &Mounts<'_>,
) -> Result<Placed, Error> {
    let mut upload = None;
    if let Some(from) = mounts.from() {
        match remote.mount(blob.digest, from).await {
            Ok(Mount::Mounted) => return Ok(Placed::Mounted(blob.size)),
            Ok(Mount::Declined(session)) => upload = Some(session),
            // Some registries refuse what they cannot do instead of declining it.
            Err(error) if error.is_refusal() => {}
            Err(error) => return Err(at_destination(error)),
        }
        mounts.refused.fetch_add(1, Ordering::Relaxed);
    }
    if remote.has_blob(blob).await.map_err(at_destination)? {
        if let Some(upload) = upload {
            remote.cancel(upload).await;
        }
        return Ok(Placed::Present(blob.size));
    }
    send(copy, remote, blob, upload).await?;
    Ok(Placed::Moved(blob.size))
}

/// Uploads a blob, again from the start where it has to be.
async fn send(
    copy: &Copy<'_>,
    remote: &Remote,
    blob: &Descriptor,
    mut opened: Option<Upload>,
) -> Result<(), Error> {
    let mut tried = 0;
    loop {
        tried += 1;
        let upload = match opened.take() {
            Some(upload) => upload,
            None => remote.start_upload().await.map_err(at_destination)?,
        };
        let Err(error) = stream_once(copy, remote, blob, &upload).await else {
            return Ok(());
        };
        remote.cancel(upload).await;
        again(copy, blob, error, tried).await?;
        // The blob may have been stored, and only the answer lost.
        if remote.has_blob(blob).await.map_err(at_destination)? {
            copy.meter.spare(blob.size);
            return Ok(());
        }
    }
}

async fn stream_once(
    copy: &Copy<'_>,
    remote: &Remote,
    blob: &Descriptor,
    upload: &Upload,
) -> Result<(), Error> {
    let source = copy
        .source
        .open_blob(blob)
        .await
        .map_err(StoreError::at_source)?;
    let failure = Failure::default();
    let body = verified(source, blob, copy.meter.clone(), &failure);
    match remote.upload(upload, blob, body).await {
        Ok(()) => Ok(()),
        Err(error) => {
            if failure.refused() {
                copy.meter.undo(blob.size);
            }
            // A source that fails breaks the upload: then it is the one to blame.
            Err(failure
                .take()
                .map_or_else(|| at_destination(error), StoreError::at_source))
        }
    }
}

/// Waits before another try, or gives up.
async fn again(copy: &Copy<'_>, blob: &Descriptor, error: Error, tried: u32) -> Result<(), Error> {
    let timing = match copy.destination {
        Store::Registry(remote) => remote.timing(),
        Store::Layout(_) => copy.source.timing(),
    };
    if !error.error.is_transient() || tried >= timing.attempts {
        return Err(error);
    }
    copy.notices.info(format!(
        "blob {}: {error}; trying again ({tried} of {} tries)",
        blob.digest.short(),
        timing.attempts
    ));
    tokio::time::sleep(timing.delay(tried)).await;
    Ok(())
}

fn unexplained(blob: &Descriptor) -> StoreError {
    StoreError::WrongBlob {
        expected: blob.digest,
        problem: "its source failed".to_owned(),
    }
}

fn at_destination(error: registry::Error) -> Error {
    StoreError::Registry(error).at_destination()
}
