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

use super::scratch::Scratch;
use super::unpack::{Compression, MAGIC_LEN};
use crate::image::{Digest, Hasher};
use crate::layout::{CHUNK, Extent};

/// What gzip itself, docker and buildx use.
const LEVEL: u32 = 6;
/// "Unknown" (RFC 1952, 2.3.1): the system that compresses is nobody's business.
const OPERATING_SYSTEM: u8 = 255;

const GZIP_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZSTD_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// A compressed layer.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) media_type: &'static str,
    pub(super) digest: Digest,
    pub(super) extent: Extent,
}

/// What is wrong with a layer.
pub(super) enum LayerFault {
    /// It is compressed in a way that cannot be looked into.
    Compression(&'static str),
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
/// as it is, since a registry may have it by that digest. What takes memory to be unpacked waits for
/// its `turn`.
pub(super) fn layer(
    from: Extent,
    diff_id: Digest,
    scratch: &Scratch,
    turn: &Mutex<()>,
) -> Result<Layer, LayerFault> {
    let mut start = Vec::new();
    from.reader()
        .take(MAGIC_LEN)
        .read_to_end(&mut start)
        .map_err(LayerFault::Read)?;
    let (layer, content) = match Compression::of(&start) {
        None => compress(&from, scratch)?,
        Some(Compression::Zstd) => {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            look_into(from, Compression::Zstd, ZSTD_TYPE, scratch.limit())?
        }
        Some(other) => look_into(from, other, GZIP_TYPE, scratch.limit())?,
    };
    if content != diff_id {
        return Err(LayerFault::Content(content));
    }
    Ok(layer)
}

/// The layer compressed, and the digest of what it was made of.
fn compress(from: &Extent, scratch: &Scratch) -> Result<(Layer, Digest), LayerFault> {
    let file = scratch.file().map_err(LayerFault::Write)?;
    let mut target = GzBuilder::new()
        .mtime(0)
        .operating_system(OPERATING_SYSTEM)
        .write(Hashing::new(file), flate2::Compression::new(LEVEL));
    let mut content = Hasher::new();
    let mut source = from.reader();
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer).map_err(LayerFault::Read)? {
            0 => break,
            size => {
                content.update(&buffer[..size]);
                target
                    .write_all(&buffer[..size])
                    .map_err(LayerFault::Write)?;
            }
        }
    }
    let (file, digest, len) = target.finish().map_err(LayerFault::Write)?.into_parts();
    let file = file.finish().map_err(LayerFault::Write)?;
    let extent = Extent {
        file: Arc::new(file),
        offset: 0,
        len,
    };
    let layer = Layer {
        media_type: GZIP_TYPE,
        digest,
        extent,
    };
    Ok((layer, content.finish()))
}

/// A layer that is compressed already, and the digest of what is in it: of up to `limit` bytes, since it
/// takes time to unpack.
fn look_into(
    extent: Extent,
    compression: Compression,
    media_type: &'static str,
    limit: u64,
) -> Result<(Layer, Digest), LayerFault> {
    let source = BufReader::with_capacity(CHUNK, Hashing::new(extent.reader()));
    let mut unpacked = compression
        .unpack(source)
        .map_err(LayerFault::Compression)?;
    let mut content = Hasher::new();
    let mut buffer = vec![0; CHUNK];
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
        let rest = io::Error::other("something follows what is compressed");
        return Err(LayerFault::Read(rest));
    }
    let layer = Layer {
        media_type,
        digest,
        extent,
    };
    Ok((layer, content.finish()))
}

/// A file whose bytes are hashed as they are read or written.
struct Hashing<F> {
    file: F,
    hasher: Hasher,
    len: u64,
}

impl<F> Hashing<F> {
    fn new(file: F) -> Self {
        Self {
            file,
            hasher: Hasher::new(),
            len: 0,
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
    }

    fn into_parts(self) -> (F, Digest, u64) {
        (self.file, self.hasher.finish(), self.len)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.file.write(bytes)?;
        self.pass(&bytes[..size]);
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.file.read(buffer)?;
        self.pass(&buffer[..size]);
        Ok(size)
    }
}
