use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::scratch::{Scratch, ScratchFile};
use super::zstd_frames::ZstdFrames;
use super::{ArchiveFault, Unpacking, tar_entries};
use crate::layout::CHUNK_SIZE;

/// What archives and layers are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

/// Largest dictionary of an xz stream, in MiB: that of `xz -9`.
const XZ_DICTIONARY_LIMIT: u32 = 64;
/// Most memory of an xz stream, in KiB: its dictionary and its buffers.
const XZ_MEMORY_LIMIT: u32 = (XZ_DICTIONARY_LIMIT + 1) << 10;

/// The archive as a plain tar, the file itself or what a compressed one unpacks to, and the room for
/// what is made of it.
pub(super) fn open_tar(
    path: &Path,
    unpacking: &Unpacking,
) -> Result<(File, Scratch), ArchiveFault> {
    let mut file = open_regular(path)?;
    let len = file.metadata().map_err(ArchiveFault::Read)?.len();
    let scratch = unpacking.of_archive(path, len);
    let tar = match detect_compression(&mut file).map_err(ArchiveFault::Read)? {
        None => file,
        Some(compression) => {
            let source = BufReader::with_capacity(CHUNK_SIZE, file);
            copy_tar(compression.decompress(source), &scratch)?
        }
    };
    Ok((tar, scratch))
}

/// Reads an archive, compressed or not, that comes in one piece after the other, into a file.
pub(super) fn spool_tar(
    mut source: impl BufRead,
    unpacking: &Unpacking,
) -> Result<(File, Scratch), ArchiveFault> {
    let scratch = unpacking.of_stream();
    let mut start = Vec::new();
    (&mut source)
        .take(MAGIC_LEN)
        .read_to_end(&mut start)
        .map_err(ArchiveFault::Read)?;
    let compression = Compression::detect(&start);
    let source = io::Cursor::new(start).chain(source);
    let tar = match compression {
        None => copy_tar(source, &scratch)?,
        Some(compression) => copy_tar(compression.decompress(source), &scratch)?,
    };
    Ok((tar, scratch))
}

/// Opens a file, but not a pipe, which would wait for its other end, whenever it comes to be there.
fn open_regular(path: &Path) -> Result<File, ArchiveFault> {
    let without_waiting = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = File::options()
        .read(true)
        .custom_flags(without_waiting.bits().cast_signed())
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ArchiveFault::Absent,
            _ if path
                .metadata()
                .is_ok_and(|it| !it.is_dir() && !it.is_file()) =>
            {
                ArchiveFault::NotAFile
            }
            _ => ArchiveFault::Read(error),
        })?;
    match file.metadata().map_err(ArchiveFault::Read)? {
        metadata if metadata.is_dir() => Err(ArchiveFault::Directory),
        metadata if !metadata.is_file() => Err(ArchiveFault::NotAFile),
        _ => Ok(file),
    }
}

fn detect_compression(file: &mut File) -> io::Result<Option<Compression>> {
    let mut start = Vec::new();
    (&*file).take(MAGIC_LEN).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(Compression::detect(&start))
}

/// How many bytes tell how a file is compressed.
pub(super) const MAGIC_LEN: u64 = 6;

impl Compression {
    /// What a file is compressed with, by its first bytes.
    pub(super) fn detect(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // A frame to be skipped (RFC 8878, 3.1.2), with which pzstd begins each part.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Self::Xz),
            _ => None,
        }
    }

    /// Reads what is compressed in `source`.
    pub(super) fn decompress<R: BufRead>(self, source: R) -> Decompressed<R> {
        match self {
            Self::Gzip => Decompressed::Gzip(Box::new(MultiGzDecoder::new(source))),
            Self::Zstd => Decompressed::Zstd(Box::new(ZstdFrames::new(source))),
            Self::Xz => {
                let streams = XzReader::new_mem_limit(source, true, XZ_MEMORY_LIMIT);
                Decompressed::Xz(Box::new(streams))
            }
            Self::Bzip2 => Decompressed::Bzip2(Box::new(MultiBzDecoder::new(source))),
        }
    }
}

/// What comes out of something compressed.
pub(super) enum Decompressed<R: Read> {
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(Box<ZstdFrames<R>>),
    Xz(Box<XzReader<R>>),
    Bzip2(Box<MultiBzDecoder<R>>),
}

impl<R: BufRead> Decompressed<R> {
    pub(super) fn into_inner(self) -> R {
        match self {
            Self::Gzip(source) => source.into_inner(),
            Self::Zstd(source) => source.into_inner(),
            Self::Xz(source) => source.into_inner(),
            Self::Bzip2(source) => source.into_inner(),
        }
    }
}

impl<R: BufRead> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(source) => source.read(buffer),
            Self::Zstd(source) => source.read(buffer),
            Self::Xz(source) => source.read(buffer).map_err(xz_error),
            Self::Bzip2(source) => source.read(buffer),
        }
        .map_err(early_end)
    }
}

/// Says of compressed data that is cut off what it is.
fn early_end(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::UnexpectedEof => {
            io::Error::new(kind, "the compressed data ends early")
        }
        _ => error,
    }
}

/// Says of an xz stream that takes too much memory how much it may.
fn xz_error(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::OutOfMemory => io::Error::other(format!(
            "it was compressed with a dictionary of more than {XZ_DICTIONARY_LIMIT} MiB"
        )),
        _ => error,
    }
}

/// Writes a tar into a file without a name, up to where it ends: nothing that follows is looked for
/// there. Memory stays small whatever comes out.
fn copy_tar(source: impl Read, scratch: &Scratch) -> Result<File, ArchiveFault> {
    let mut copying = Copying {
        source,
        target: scratch.file().map_err(|error| scratch.fault(error))?,
        broken: None,
    };
    tar_entries::pass(&mut copying);
    match copying.broken.take() {
        Some(Broken::Source(error)) => return Err(ArchiveFault::Unpack(error)),
        Some(Broken::Target(error)) => return Err(scratch.fault(error)),
        None => {}
    }
    // What is compressed is whole only if its own end is right.
    let mut padding = copying.source.take(PADDING);
    io::copy(&mut padding, &mut io::sink()).map_err(ArchiveFault::Unpack)?;
    copying
        .target
        .finish()
        .map_err(|error| scratch.fault(error))
}

/// How much may follow a tar before its compressed stream ends, to be read and thrown away: tools fill
/// a tar up to a multiple of 10 KiB, some to more.
const PADDING: u64 = 1 << 20;

/// What keeps a tar from being unpacked.
enum Broken {
    Source(io::Error),
    Target(io::Error),
}

/// Writes down what is read.
struct Copying<R> {
    source: R,
    target: ScratchFile,
    broken: Option<Broken>,
}

impl<R: Read> Read for Copying<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stop = |_| io::Error::other("it cannot be unpacked");
        let size = match self.source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read
                .map_err(|error| self.broken = Some(Broken::Source(error)))
                .map_err(stop)?,
        };
        let written = self.target.write_all(&buffer[..size]);
        written
            .map_err(|error| self.broken = Some(Broken::Target(error)))
            .map_err(stop)?;
        Ok(size)
    }
}
