use std::io::Write;

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use thiserror::Error;

use super::blobs::{CHUNK_SIZE, run_blocking};
use super::locked_files::Temporary;
use super::{BlobFault, LayoutDirectory, LayoutError, LayoutFault};
use crate::image::{Descriptor, Digest, DigestHasher, Manifest};

/// Why a blob was not written: the side that gave it failed, or the layout did.
#[derive(Debug, Error)]
pub enum BlobWriteError<E: std::error::Error + 'static> {
    /// The stream ended with an error.
    #[error(transparent)]
    Source(E),
    /// The bytes were not those of the blob, or the layout could not take them.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl LayoutDirectory {
    /// Writes a blob, unless it is there with the right size and digest (then the stream is not read).
    /// It comes into place when it is whole and has the right size and digest; else nothing stays.
    pub async fn write_blob<S, E>(
        &self,
        blob: &Descriptor,
        stream: S,
    ) -> Result<(), BlobWriteError<E>>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: std::error::Error + 'static,
    {
        if self.has_blob(blob).await? {
            return Ok(());
        }
        let (digest, size) = (blob.digest, blob.size);
        let mut incoming = self
            .run_blocking(move |layout| {
                layout.ensure_layout()?;
                Ok(IncomingBlob::new(layout.create_temporary()?, digest, size))
            })
            .await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(chunk) = stream.next().await {
            incoming
                .buffered
                .push(chunk.map_err(BlobWriteError::Source)?);
            if incoming.is_full() {
                incoming = self.flush_incoming(incoming).await?;
            }
        }
        let incoming = self.flush_incoming(incoming).await?;
        self.run_blocking(move |layout| incoming.commit(layout))
            .await?;
        Ok(())
    }

    /// Writes a small blob that was made here.
    pub async fn write_small_blob(&self, blob: &Bytes) -> Result<(), LayoutError> {
        let whole = futures_util::stream::iter([Ok::<_, Infallible>(blob.clone())]);
        match self.write_blob(&Descriptor::from_bytes(blob), whole).await {
            Ok(()) => Ok(()),
            Err(BlobWriteError::Layout(error)) => Err(error),
            Err(BlobWriteError::Source(never)) => match never {},
        }
    }

    async fn flush_incoming(
        &self,
        mut incoming: IncomingBlob,
    ) -> Result<IncomingBlob, LayoutError> {
        let what = format!("blob {}", incoming.digest);
        let (incoming, result) = run_blocking(move || {
            let result = incoming.flush();
            (incoming, result)
        })
        .await;
        match result {
            Ok(()) => Ok(incoming),
            Err(fault) => Err(LayoutFault::Blob { what, fault }.at(self.path())),
        }
    }

    /// Writes a manifest as a blob, without a tag. Everything that it names must be there already,
    /// as a registry demands: so nothing in the layout ever names what is missing. Returns whether it
    /// was written: one that is there and right is kept.
    pub async fn write_manifest(&self, manifest: &Manifest) -> Result<bool, LayoutError> {
        let manifest = manifest.clone();
        self.run_blocking(move |layout| {
            layout.ensure_layout()?;
            layout.write_manifest_blocking(&manifest)
        })
        .await
    }

    pub(super) fn write_manifest_blocking(&self, manifest: &Manifest) -> Result<bool, LayoutFault> {
        let size = manifest.bytes.len() as u64;
        for part in manifest.children().chain(manifest.blobs()) {
            self.require_right(part.digest, part.size)
                .map_err(LayoutFault::blob(format!(
                    "{}, which manifest {} names,",
                    part.digest, manifest.digest
                )))?;
        }
        if self.require_right(manifest.digest, size).is_ok() {
            return Ok(false);
        }
        let mut incoming = IncomingBlob::new(self.create_temporary()?, manifest.digest, size);
        incoming.buffered.push(manifest.bytes.clone());
        let what = format!("manifest {}", manifest.digest);
        incoming.flush().map_err(LayoutFault::blob(what))?;
        incoming.commit(self)?;
        Ok(true)
    }
}

/// A blob on its way into the layout.
struct IncomingBlob {
    file: Temporary,
    hasher: DigestHasher,
    digest: Digest,
    size: u64,
    written: u64,
    /// What has come and is not written yet: small pieces are gathered, to be written as one.
    buffered: Vec<Bytes>,
}

impl IncomingBlob {
    fn new(file: Temporary, digest: Digest, size: u64) -> Self {
        Self {
            file,
            hasher: DigestHasher::new(),
            digest,
            size,
            written: 0,
            buffered: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.buffered.iter().map(Bytes::len).sum::<usize>() >= CHUNK_SIZE
    }

    fn flush(&mut self) -> Result<(), BlobFault> {
        for chunk in std::mem::take(&mut self.buffered) {
            self.written += chunk.len() as u64;
            // An endless stream must not fill the disk.
            if self.written > self.size {
                return Err(BlobFault::Size {
                    is: self.written,
                    should: self.size,
                });
            }
            self.hasher.update(&chunk);
            self.file.write_all(&chunk).map_err(BlobFault::Write)?;
        }
        Ok(())
    }

    /// Gives the blob its name, if it is what it should be.
    fn commit(self, layout: &LayoutDirectory) -> Result<(), LayoutFault> {
        let what = format!("blob {}", self.digest);
        let is = self.hasher.finish();
        let fault = if self.written != self.size {
            BlobFault::Size {
                is: self.written,
                should: self.size,
            }
        } else if is != self.digest {
            BlobFault::Digest { is }
        } else {
            layout.place_blob(self.file, &self.digest.to_hex())?;
            layout.note_right(self.digest);
            return Ok(());
        };
        Err(LayoutFault::Blob { what, fault })
    }
}
