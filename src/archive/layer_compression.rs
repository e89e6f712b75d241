//! Layers as they are kept in a registry: compressed, and always to the same bytes.
//!
//! The digest of a compressed layer is known to registries, signatures and people, and nothing but
//! this file decides it: gzip (RFC 1952) without a name or a time, at one level, by one version of
//! one compressor, whose output depends neither on the processor nor on how the bytes come in. A
//! change here that changes a digest makes every image of a docker-archive another one: it is a
//! breaking change, and the golden digests in the tests are there to say so.

use std::io::{self, BufReader, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::GzBuilder;

use super::decompression::{Compression, MAGIC_LEN};
use super::scratch::Scratch;
use crate::image::{Digest, DigestHasher};
use crate::layout::{CHUNK_SIZE, FileExtent};

/// What gzip itself, docker and buildx use.
const GZIP_LEVEL: u32 = 6;
/// "Unknown" (RFC 1952, 2.3.1): the system that compresses is nobody's business.
const GZIP_UNKNOWN_SYSTEM: u8 = 255;

const GZIP_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZSTD_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// A compressed layer.
#[derive(Clone)]
pub(super) struct CompressedLayer {
    pub(super) media_type: &'static str,
    pub(super) digest: Digest,
    pub(super) extent: FileExtent,
}

/// What is wrong with a layer.
pub(super) enum LayerFault {
    /// Its tar has another digest than the config says.
    Content(Digest),
    /// It cannot be read, or unpacked.
    Read(io::Error),
    /// There is no room for the compressed one.
    Write(io::Error),
    /// It unpacks to more than the archive may.
    TooLarge,
}

/// The layer whose tar, compressed or not, is at `from`, and which must have the digest `diff_id`
/// once it is unpacked (OCI image specification, config.md). One that is compressed already stays
/// as it is, since a registry may have it by that digest, unless no media type of the specification
/// tells its compression. What takes memory to be unpacked waits for its `turn`.
pub(super) fn compress_layer(
    from: FileExtent,
    diff_id: Digest,
    scratch: &Scratch,
    turn: &Mutex<()>,
) -> Result<CompressedLayer, LayerFault> {
    let mut start = Vec::new();
    from.reader()
        .take(MAGIC_LEN)
        .read_to_end(&mut start)
        .map_err(LayerFault::Read)?;
    let (layer, content) = match Compression::detect(&start) {
        None => compress_content(from.reader(), from.len, scratch)?,
        Some(Compression::Gzip) => {
            hash_compressed(from, Compression::Gzip, GZIP_TYPE, scratch.limit())?
        }
        Some(Compression::Zstd) => {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            hash_compressed(from, Compression::Zstd, ZSTD_TYPE, scratch.limit())?
        }
        Some(other @ (Compression::Xz | Compression::Bzip2)) => {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let source = BufReader::with_capacity(CHUNK_SIZE, from.reader());
            compress_content(other.decompress(source), scratch.limit(), scratch)?
        }
    };
    if content != diff_id {
        return Err(LayerFault::Content(content));
    }
    Ok(layer)
}

/// Compresses a layer of at most `limit` bytes. Returns it with the digest of what it was made of.
fn compress_content(
    mut source: impl Read,
    limit: u64,
    scratch: &Scratch,
) -> Result<(CompressedLayer, Digest), LayerFault> {
    let file = scratch.file().map_err(LayerFault::Write)?;
    let mut target = GzBuilder::new()
        .mtime(0)
        .operating_system(GZIP_UNKNOWN_SYSTEM)
        .write(HashingFile::new(file), flate2::Compression::new(GZIP_LEVEL));
    let mut content = DigestHasher::new();
    let mut buffer = vec![0; CHUNK_SIZE];
    let mut left = limit;
    loop {
        match source.read(&mut buffer).map_err(LayerFault::Read)? {
            0 => break,
            size => {
                let rest = left.checked_sub(size as u64);
                left = rest.ok_or(LayerFault::TooLarge)?;
                content.update(&buffer[..size]);
                target
                    .write_all(&buffer[..size])
                    .map_err(LayerFault::Write)?;
            }
        }
    }
    let (file, digest, len) = target.finish().map_err(LayerFault::Write)?.into_parts();
    let file = file.finish().map_err(LayerFault::Write)?;
    let extent = FileExtent {
        file: Arc::new(file),
        offset: 0,
        len,
    };
    let layer = CompressedLayer {
        media_type: GZIP_TYPE,
        digest,
        extent,
    };
    Ok((layer, content.finish()))
}

/// A layer that is compressed already, and the digest of what is in it: of up to `limit` bytes, since it
/// takes time to unpack.
fn hash_compressed(
    extent: FileExtent,
    compression: Compression,
    media_type: &'static str,
    limit: u64,
) -> Result<(CompressedLayer, Digest), LayerFault> {
    let source = BufReader::with_capacity(CHUNK_SIZE, HashingFile::new(extent.reader()));
    let mut unpacked = compression.decompress(source);
    let mut content = DigestHasher::new();
    let mut buffer = vec![0; CHUNK_SIZE];
    let mut left = limit;
    loop {
        let size = unpacked.read(&mut buffer).map_err(LayerFault::Read)?;
        if size == 0 {
            break;
        }
        let rest = left.checked_sub(size as u64);
        left = rest.ok_or(LayerFault::TooLarge)?;
        content.update(&buffer[..size]);
    }
    let (_, digest, len) = unpacked.into_inner().into_inner().into_parts();
    if len != extent.len {
        let rest = io::Error::other("data follows the compressed content");
        return Err(LayerFault::Read(rest));
    }
    let layer = CompressedLayer {
        media_type,
        digest,
        extent,
    };
    Ok((layer, content.finish()))
}

/// A file whose bytes are hashed as they are read or written.
struct HashingFile<F> {
    file: F,
    hasher: DigestHasher,
    len: u64,
}

impl<F> HashingFile<F> {
    fn new(file: F) -> Self {
        Self {
            file,
            hasher: DigestHasher::new(),
            len: 0,
        }
    }

    fn record(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
    }

    fn into_parts(self) -> (F, Digest, u64) {
        (self.file, self.hasher.finish(), self.len)
    }
}

impl<W: Write> Write for HashingFile<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.file.write(bytes)?;
        self.record(&bytes[..size]);
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<R: Read> Read for HashingFile<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.file.read(buffer)?;
        self.record(&buffer[..size]);
        Ok(size)
    }
}
