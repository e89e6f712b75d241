use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::ArchiveFault;
use crate::layout::CHUNK;

/// The archive as a plain tar: the file itself, or what a gzipped one unpacks to.
pub(super) fn open_tar(path: &Path, scratch_folder: Option<&Path>) -> Result<File, ArchiveFault> {
    let mut file = open_regular(path)?;
    match compression(&mut file).map_err(ArchiveFault::Read)? {
        None => Ok(file),
        Some("gzip") => unpack(file, scratch(path, scratch_folder)),
        Some(other) => Err(ArchiveFault::Compression(other)),
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

fn compression(file: &mut File) -> io::Result<Option<&'static str>> {
    let mut start = Vec::new();
    (&*file).take(MAGIC_LEN).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(compression_of(&start))
}

/// How many bytes tell how a file is compressed.
pub(super) const MAGIC_LEN: u64 = 6;

/// What a file is compressed with, by its first bytes.
pub(super) fn compression_of(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [b'B', b'Z', b'h', ..] => Some("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some("xz"),
        _ => None,
    }
}

/// Unpacks into a file without a name. Memory stays small whatever comes out; how much may come
/// out is for the file system to say.
fn unpack(file: File, directory: &Path) -> Result<File, ArchiveFault> {
    let scratch_fault = |error| ArchiveFault::Scratch {
        directory: directory.to_owned(),
        error,
    };
    let mut target = tempfile::tempfile_in(directory).map_err(scratch_fault)?;
    let mut source = MultiGzDecoder::new(BufReader::with_capacity(CHUNK, file));
    let mut buffer = vec![0; CHUNK];
    loop {
        match source.read(&mut buffer).map_err(ArchiveFault::Gzip)? {
            0 => break,
            size => target.write_all(&buffer[..size]).map_err(scratch_fault)?,
        }
    }
    target.rewind().map_err(scratch_fault)?;
    Ok(target)
}
