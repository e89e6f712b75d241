use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::ArchiveFault;
use super::zstd::Frames;
use crate::layout::CHUNK;

/// What archives and layers are compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    /// Something else, which is not read.
    Other(&'static str),
}

/// The archive as a plain tar: the file itself, or what a compressed one unpacks to.
pub(super) fn open_tar(path: &Path, scratch_folder: Option<&Path>) -> Result<File, ArchiveFault> {
    let mut file = open_regular(path)?;
    match compression(&mut file).map_err(ArchiveFault::Read)? {
        None => Ok(file),
        Some(compression) => unpack(file, compression, scratch(path, scratch_folder)),
    }
}

/// Where to put nameless files: in the folder for such, or beside the archive.
pub(super) fn scratch<'a>(path: &'a Path, folder: Option<&'a Path>) -> &'a Path {
    let beside = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    folder.or(beside).unwrap_or(Path::new("."))
}

/// Opens a file, but not a pipe, which would wait for its other end.
fn open_regular(path: &Path) -> Result<File, ArchiveFault> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(ArchiveFault::Directory),
        Ok(metadata) if !metadata.is_file() => Err(ArchiveFault::NotAFile),
        Ok(_) => File::open(path).map_err(ArchiveFault::Read),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ArchiveFault::Absent),
        Err(error) => Err(ArchiveFault::Read(error)),
    }
}

fn compression(file: &mut File) -> io::Result<Option<Compression>> {
    let mut start = Vec::new();
    (&*file).take(MAGIC_LEN).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(Compression::of(&start))
}

/// How many bytes tell how a file is compressed.
pub(super) const MAGIC_LEN: u64 = 6;

impl Compression {
    /// What a file is compressed with, by its first bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', ..] => Some(Self::Other("bzip2")),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Self::Other("xz")),
            _ => None,
        }
    }

    /// Reads what is compressed in `source`; the name of what is not read.
    pub(super) fn unpack<R: BufRead>(self, source: R) -> Result<Unpacked<R>, &'static str> {
        match self {
            Self::Gzip => Ok(Unpacked::Gzip(Box::new(MultiGzDecoder::new(source)))),
            Self::Zstd => Ok(Unpacked::Zstd(Box::new(Frames::new(source)))),
            Self::Other(name) => Err(name),
        }
    }
}

/// What comes out of something compressed.
pub(super) enum Unpacked<R> {
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(Box<Frames<R>>),
}

impl<R: BufRead> Unpacked<R> {
    pub(super) fn into_inner(self) -> R {
        match self {
            Self::Gzip(source) => source.into_inner(),
            Self::Zstd(source) => source.into_inner(),
        }
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(source) => source.read(buffer),
            Self::Zstd(source) => source.read(buffer),
        }
    }
}

/// Unpacks into a file without a name. Memory stays small whatever comes out; how much may come
/// out is for the file system to say.
fn unpack(file: File, compression: Compression, directory: &Path) -> Result<File, ArchiveFault> {
    let scratch_fault = |error| ArchiveFault::Scratch {
        directory: directory.to_owned(),
        error,
    };
    let mut target = tempfile::tempfile_in(directory).map_err(scratch_fault)?;
    let source = BufReader::with_capacity(CHUNK, file);
    let mut source = compression
        .unpack(source)
        .map_err(ArchiveFault::Compression)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer).map_err(ArchiveFault::Unpack)? {
            0 => break,
            size => target.write_all(&buffer[..size]).map_err(scratch_fault)?,
        }
    }
    target.rewind().map_err(scratch_fault)?;
    Ok(target)
}
