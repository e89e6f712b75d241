use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::task::spawn_blocking;

use super::{BlobFault, LayoutFault, LayoutIndex};
use crate::image::{
    Descriptor, Digest, DigestHasher, MANIFEST_LIMIT, Manifest, ManifestBudget, ManifestError,
};

/// A blob's bytes as they are read, in pieces of at most 128 KiB.
pub type BlobStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// How much of a blob is in memory at a time.
pub(crate) const CHUNK_SIZE: usize = 128 << 10;

/// Where the blobs of a layout lie, by the hex digits of their digest.
pub(crate) const BLOB_DIRECTORY: &str = "blobs/sha256";

/// What keeps the blobs and the index of a layout: a directory or an archive. Its methods block.
pub(crate) trait LayoutBlobs: Clone + Send + Sync + 'static {
    /// Where the blob lies, if it is there.
    fn find_blob(&self, digest: Digest) -> Result<Option<FileExtent>, BlobFault>;

    /// The memory for manifests that are read from here.
    fn budget(&self) -> &ManifestBudget;

    /// What `index.json` says now.
    fn index(&self) -> Result<Arc<LayoutIndex>, LayoutFault>;

    /// The blob, which must be there with the size its descriptor gives.
    fn require_blob(&self, digest: Digest, size: u64) -> Result<FileExtent, BlobFault> {
        let extent = self.find_blob(digest)?.ok_or(BlobFault::Missing)?;
        if extent.len != size {
            return Err(BlobFault::Size {
                is: extent.len,
                should: size,
            });
        }
        Ok(extent)
    }

    /// That a blob is there with its size and digest.
    fn hash(&self, digest: Digest, size: u64) -> Result<(), BlobFault> {
        let is = self
            .require_blob(digest, size)?
            .digest()
            .map_err(BlobFault::Io)?;
        match is == digest {
            true => Ok(()),
            false => Err(BlobFault::Digest { is }),
        }
    }

    /// The manifest with that digest, if it is there; its bytes are checked against it.
    fn read_manifest(
        &self,
        digest: Digest,
        served_as: Option<&str>,
    ) -> Result<Option<Manifest>, BlobFault> {
        let bytes = self.manifest_bytes(digest)?;
        let manifest = bytes.map(|bytes| Manifest::parse(bytes, served_as));
        Ok(manifest.transpose()?)
    }

    /// The same as it lies there.
    fn manifest_bytes(&self, digest: Digest) -> Result<Option<Bytes>, BlobFault> {
        let Some(extent) = self.find_blob(digest)? else {
            return Ok(None);
        };
        if extent.len > MANIFEST_LIMIT as u64 {
            return Err(ManifestError::TooLarge.into());
        }
        let bytes = extent.read().map_err(BlobFault::Io)?;
        let is = Digest::from_bytes(&bytes);
        match is == digest {
            true => Ok(Some(self.budget().hold(bytes.into())?)),
            false => Err(BlobFault::Digest { is }),
        }
    }
}

/// A stretch of an open file: a blob on disk, or the content of an archive's entry.
#[derive(Debug, Clone)]
pub(crate) struct FileExtent {
    pub file: Arc<File>,
    pub offset: u64,
    pub len: u64,
}

impl FileExtent {
    /// All of it. The caller has looked at its length.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        self.read_chunk(0, usize::MAX)
    }

    /// Up to `limit` bytes from `at`; none at the end.
    fn read_chunk(&self, at: u64, limit: usize) -> io::Result<Vec<u8>> {
        let left = self.len.saturating_sub(at);
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(limit);
        let mut chunk = vec![0; size];
        self.file.read_exact_at(&mut chunk, self.offset + at)?;
        Ok(chunk)
    }

    /// A reader of the content, from its start.
    pub fn reader(&self) -> ExtentReader {
        ExtentReader {
            extent: self.clone(),
            at: 0,
        }
    }

    /// The digest of the content.
    pub fn digest(&self) -> io::Result<Digest> {
        let mut hasher = DigestHasher::new();
        let mut buffer = vec![0; CHUNK_SIZE];
        let mut at = 0;
        while at < self.len {
            let size = (self.len - at).min(CHUNK_SIZE as u64) as usize;
            self.file
                .read_exact_at(&mut buffer[..size], self.offset + at)?;
            hasher.update(&buffer[..size]);
            at += size as u64;
        }
        Ok(hasher.finish())
    }

    fn into_stream(self) -> BlobStream {
        Box::pin(stream::try_unfold((self, 0), |(extent, at)| async move {
            let (chunk, extent) = run_blocking(move || {
                let chunk = extent.read_chunk(at, CHUNK_SIZE);
                (chunk, extent)
            })
            .await;
            let chunk = Bytes::from(chunk?);
            let next = at + chunk.len() as u64;
            Ok((!chunk.is_empty()).then_some((chunk, (extent, next))))
        }))
    }
}

/// Reads an [`FileExtent`] in order, whatever else reads the file.
pub(crate) struct ExtentReader {
    extent: FileExtent,
    at: u64,
}

impl io::Read for ExtentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.extent.len - self.at).unwrap_or(usize::MAX);
        let size = buffer.len().min(left);
        let offset = self.extent.offset + self.at;
        self.extent
            .file
            .read_exact_at(&mut buffer[..size], offset)?;
        self.at += size as u64;
        Ok(size)
    }
}

/// A blob's bytes, once its size is found to be right.
pub(crate) fn open_blob(
    blobs: &impl LayoutBlobs,
    blob: &Descriptor,
) -> Result<BlobStream, LayoutFault> {
    blobs
        .require_blob(blob.digest, blob.size)
        .map(FileExtent::into_stream)
        .map_err(LayoutFault::blob(format!("blob {}", blob.digest)))
}

/// Whether a blob is there with the right size and digest.
pub(crate) fn has_blob(blobs: &impl LayoutBlobs, blob: &Descriptor) -> Result<bool, LayoutFault> {
    match blobs.hash(blob.digest, blob.size) {
        Ok(()) => Ok(true),
        Err(fault @ BlobFault::Io(_)) => {
            Err(LayoutFault::blob(format!("blob {}", blob.digest))(fault))
        }
        Err(_) => Ok(false),
    }
}

/// The manifest with that digest, if it is there.
pub(crate) fn get_manifest(
    blobs: &impl LayoutBlobs,
    digest: Digest,
) -> Result<Option<Manifest>, LayoutFault> {
    let name = || format!("manifest {digest}");
    let bytes = blobs.manifest_bytes(digest);
    let Some(bytes) = bytes.map_err(LayoutFault::blob(name()))? else {
        return Ok(None);
    };
    // An index may have thousands of entries, and few manifests leave it to them what they are.
    let index = match Manifest::declares_media_type(&bytes) {
        true => None,
        false => Some(blobs.index()?),
    };
    let served_as = index.as_ref().and_then(|index| index.media_type_of(digest));
    let manifest = Manifest::parse(bytes, served_as);
    let manifest = manifest.map_err(|error| LayoutFault::blob(name())(error.into()));
    manifest.map(Some)
}

/// Runs `work` where it may block.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    match spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: nobody waits for this any more.
            Err(_) => std::future::pending().await,
        },
    }
}
