//! File of a cache: contents one after the other, each behind its digest and length. A file for each content would cost
//! more than the requests that it saves.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::image::{Digest, MANIFEST_LIMIT};

/// First bytes of a segment, with the version of its format.
const MAGIC: &[u8; 16] = b"shipmark cache 1";
/// Ending of the names of segments.
const ENDING: &str = "segment";
/// Most segments that are open. Each run that reads something new writes one; beyond, they are merged.
const SEGMENTS_LIMIT: usize = 16;
/// Most contents that are looked up in a cache.
const CONTENTS_LIMIT: usize = 1 << 20;

/// Place of a content in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentExtent {
    /// Offset in bytes.
    offset: u64,
    /// Length in bytes.
    length: u32,
}

/// Opens the segments of a directory, and gives each content that they name to `take`, with the number of its segment.
/// Other files, and what is damaged, are passed over: content is verified when it is read.
pub(super) fn open_segments(
    path: &Path,
    mut take: impl FnMut(Digest, usize, ContentExtent),
) -> Vec<File> {
    let mut paths = find_segments(path);
    if paths.len() > SEGMENTS_LIMIT {
        // Where that fails, as many as may be open are read.
        let _ = merge_segments(path, &paths);
        paths = find_segments(path);
    }
    let files = paths.iter().take(SEGMENTS_LIMIT);
    let files = files.filter_map(|path| File::open(path).ok());
    let mut opened = Vec::new();
    let mut left = CONTENTS_LIMIT;
    for file in files {
        let number = opened.len();
        // An error ends the list: the rest is read from the registry again.
        let _ = list_contents(&file, &mut left, |digest, extent| {
            take(digest, number, extent);
            Ok(())
        });
        opened.push(file);
    }
    opened
}

fn find_segments(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let segments = paths.filter(|path| path.extension().is_some_and(|it| it == ENDING));
    segments.collect()
}

/// Writes the contents of segments into a new one, and removes them. Runs that have them open still read them.
fn merge_segments(path: &Path, segments: &[PathBuf]) -> io::Result<()> {
    let mut merged = SegmentWriter::create(path)?;
    let mut known = HashSet::new();
    let mut left = CONTENTS_LIMIT;
    for segment in segments {
        let file = File::open(segment)?;
        let listed = list_contents(&file, &mut left, |digest, extent| {
            match read_content(&file, extent, digest) {
                Some(bytes) if known.insert(digest) => merged.add(digest, &bytes),
                _ => Ok(()),
            }
        });
        // The end of a segment is no failure, and neither is one that was cut.
        listed.or_else(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(()),
            _ => Err(error),
        })?;
    }
    merged.0.flush()?;
    for segment in segments {
        fs::remove_file(segment)?;
    }
    Ok(())
}

/// Gives at most `left` contents to `take`, and counts them down.
fn list_contents(
    file: &File,
    left: &mut usize,
    mut take: impl FnMut(Digest, ContentExtent) -> io::Result<()>,
) -> io::Result<()> {
    let size = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Ok(());
    }
    let mut offset = MAGIC.len() as u64;
    while *left > 0 {
        *left -= 1;
        let (mut digest, mut length) = ([0; 32], [0; 4]);
        reader.read_exact(&mut digest)?;
        reader.read_exact(&mut length)?;
        offset += 36;
        let length = u32::from_le_bytes(length);
        let end = offset + u64::from(length);
        if length as usize > MANIFEST_LIMIT || end > size {
            return Ok(());
        }
        take(Digest::from_array(digest), ContentExtent { offset, length })?;
        reader.seek_relative(i64::from(length))?;
        offset = end;
    }
    Ok(())
}

/// Reads a content; `None` if it is not what its digest says.
pub(super) fn read_content(file: &File, extent: ContentExtent, digest: Digest) -> Option<Vec<u8>> {
    let mut bytes = vec![0; extent.length as usize];
    file.read_exact_at(&mut bytes, extent.offset).ok()?;
    (Digest::from_bytes(&bytes) == digest).then_some(bytes)
}

/// Segment that a run writes.
pub(super) struct SegmentWriter(BufWriter<File>);

impl SegmentWriter {
    /// Creates a segment with a name that no other has.
    ///
    /// # Errors
    /// A directory that cannot be made or written.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let name = format!("{:016x}.{ENDING}", fastrand::u64(..));
        let mut file = BufWriter::new(File::create_new(path.join(name))?);
        file.write_all(MAGIC)?;
        Ok(Self(file))
    }

    /// Adds a content of at most 4 GiB.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn add(&mut self, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.0.write_all(digest.as_bytes())?;
        self.0.write_all(&length.to_le_bytes())?;
        self.0.write_all(bytes)
    }
}
