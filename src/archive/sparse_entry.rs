//! Sparse files in a tar, whose holes are not stored (GNU tar manual, "Storing Sparse Files"): the old form
//! of GNU, with a header of its own, and the PAX formats 0.0, 0.1 and 1.0.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use tar::{GnuExtSparseHeader, GnuHeader, GnuSparseHeader, PaxExtensions};

/// Most parts of one sparse file.
const SEGMENTS_LIMIT: usize = 100_000;
/// Most bytes of a map that lies before the content.
const MAP_LIMIT: u64 = 4 << 20;
const TAR_BLOCK_SIZE: u64 = 512;
/// Bytes that are copied at once.
const COPY_SIZE: u64 = 256 << 10;

/// What the PAX headers of an entry say of a sparse file.
#[derive(Debug, Default)]
pub(super) struct SparseRecords {
    /// Name of the file, where the header has another one.
    pub(super) name: Option<Vec<u8>>,
    is_sparse: bool,
    /// Whether the map lies before the content.
    has_leading_map: bool,
    size: Option<u64>,
    /// Offsets and lengths in turn.
    map: Vec<u64>,
}

/// Sparse file: its size, and the parts that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SparseFile {
    pub(super) len: u64,
    segments: Vec<StoredSegment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StoredSegment {
    /// Offset in the file.
    offset: u64,
    /// Offset in the tar.
    stored_at: u64,
    len: u64,
}

impl SparseRecords {
    /// Reads the records of an entry.
    ///
    /// # Errors
    /// Records that cannot be understood.
    pub(super) fn parse(records: PaxExtensions<'_>) -> Result<Self, &'static str> {
        let malformed = "its sparse map cannot be read";
        let mut parsed = Self::default();
        for record in records {
            let record = record.map_err(|_| malformed)?;
            let Some(key) = record.key_bytes().strip_prefix(b"GNU.sparse.") else {
                continue;
            };
            parsed.is_sparse = true;
            let value = record.value_bytes();
            let text = || std::str::from_utf8(value).map_err(|_| malformed);
            let number = || text()?.parse::<u64>().map_err(|_| malformed);
            match key {
                b"name" => parsed.name = Some(value.to_vec()),
                b"major" => parsed.has_leading_map = number()? == 1,
                b"minor" if number()? != 0 => return Err("its sparse format is not known"),
                b"realsize" | b"size" => parsed.size = Some(number()?),
                b"offset" | b"numbytes" => parsed.map.push(number()?),
                b"map" => {
                    let numbers = text()?.split(',').map(str::parse);
                    parsed.map = numbers.collect::<Result<_, _>>().map_err(|_| malformed)?;
                }
                _ => {}
            }
            if parsed.map.len() > 2 * SEGMENTS_LIMIT {
                return Err("its sparse map has more parts than any image needs");
            }
        }
        Ok(parsed)
    }

    /// Returns the sparse file whose `stored` bytes begin at `offset` of a tar; `None` if it is not sparse.
    ///
    /// # Errors
    /// A map that does not fit the content.
    pub(super) fn locate(
        &self,
        tar: &File,
        offset: u64,
        stored: u64,
    ) -> Result<Option<SparseFile>, &'static str> {
        if !self.is_sparse {
            return Ok(None);
        }
        let len = self.size.ok_or("its sparse map has no size")?;
        let (map, map_len) = match self.has_leading_map {
            true => read_leading_map(tar, offset, stored)?,
            false => (self.map.clone(), 0),
        };
        let rest = stored.checked_sub(map_len).ok_or(MISFIT)?;
        SparseFile::new(len, &map, offset + map_len, rest).map(Some)
    }
}

const MISFIT: &str = "its sparse map does not fit its content";

/// Reads a map of format 1.0: the count of its parts, and the offset and length of each, a number a line,
/// filled up to a block. Returns it with its size in the tar.
fn read_leading_map(tar: &File, offset: u64, stored: u64) -> Result<(Vec<u64>, u64), &'static str> {
    let malformed = "its sparse map cannot be read";
    let mut text = vec![0; usize::try_from(stored.min(MAP_LIMIT)).unwrap_or_default()];
    tar.read_exact_at(&mut text, offset)
        .map_err(|_| malformed)?;
    let mut used = 0;
    let mut next = || {
        let line = text[used..].split(|byte| *byte == b'\n').next()?;
        used += line.len() + 1;
        std::str::from_utf8(line).ok()?.parse::<u64>().ok()
    };
    let count = next().and_then(|count| usize::try_from(count).ok());
    let count = count
        .filter(|count| *count <= SEGMENTS_LIMIT)
        .ok_or(malformed)?;
    let map: Option<Vec<u64>> = (0..2 * count).map(|_| next()).collect();
    let size = (used as u64).next_multiple_of(TAR_BLOCK_SIZE);
    Ok((map.ok_or(malformed)?, size))
}

/// Reads the map of a header of GNU's old form, and of those that continue it, which lie from `offset` of
/// the tar. Returns it with the offset of the content.
fn read_header_map(
    header: &GnuHeader,
    tar: &File,
    offset: u64,
) -> Result<(Vec<u64>, u64), &'static str> {
    let malformed = "its sparse map cannot be read";
    let mut map = Vec::new();
    let mut add = |parts: &[GnuSparseHeader]| {
        for part in parts.iter().filter(|part| !part.is_empty()) {
            map.push(part.offset().map_err(|_| malformed)?);
            map.push(part.length().map_err(|_| malformed)?);
        }
        match map.len() > 2 * SEGMENTS_LIMIT {
            true => Err("its sparse map has more parts than any image needs"),
            false => Ok(()),
        }
    };
    add(&header.sparse)?;
    let mut is_extended = header.is_extended();
    let mut at = offset;
    while is_extended {
        let mut more = GnuExtSparseHeader::new();
        let read = tar.read_exact_at(more.as_mut_bytes(), at);
        read.map_err(|_| malformed)?;
        add(more.sparse())?;
        is_extended = more.is_extended();
        at += TAR_BLOCK_SIZE;
    }
    Ok((map, at))
}

impl SparseFile {
    /// Returns the sparse file of `len` bytes whose parts, offsets and lengths in turn, lie one after the
    /// other from `offset` of a tar: `stored` bytes.
    fn new(len: u64, map: &[u64], offset: u64, stored: u64) -> Result<Self, &'static str> {
        let mut segments = Vec::with_capacity(map.len() / 2);
        let (mut stored_at, mut end) = (offset, 0);
        for pair in map.chunks(2) {
            let [at, size] = *pair else {
                return Err(MISFIT);
            };
            if at < end {
                return Err(MISFIT);
            }
            end = at
                .checked_add(size)
                .filter(|end| *end <= len)
                .ok_or(MISFIT)?;
            segments.push(StoredSegment {
                offset: at,
                stored_at,
                len: size,
            });
            stored_at = stored_at.checked_add(size).ok_or(MISFIT)?;
        }
        match offset.checked_add(stored) == Some(stored_at) {
            true => Ok(Self { len, segments }),
            false => Err(MISFIT),
        }
    }

    /// Returns the sparse file of a header of GNU's old form, whose continuations and content lie from
    /// `offset` of the tar.
    ///
    /// # Errors
    /// A map that does not fit the content.
    pub(super) fn from_gnu_header(
        header: &GnuHeader,
        tar: &File,
        offset: u64,
    ) -> Result<Self, &'static str> {
        let (map, offset) = read_header_map(header, tar, offset)?;
        let len = header.real_size().map_err(|_| MISFIT)?;
        let stored = header.as_header().entry_size().map_err(|_| MISFIT)?;
        Self::new(len, &map, offset, stored)
    }

    /// Returns the offset in the tar at which the content ends.
    pub(super) fn stored_end(&self) -> u64 {
        let last = self.segments.last();
        last.map_or(0, |last| last.stored_at.saturating_add(last.len))
    }

    /// Writes the file with its holes to `target` at `offset`.
    ///
    /// # Errors
    /// No room on disk, or a tar that cannot be read.
    pub(super) fn expand(&self, tar: &File, target: &mut File, offset: u64) -> io::Result<()> {
        for segment in &self.segments {
            target.seek(SeekFrom::Start(offset + segment.offset))?;
            let mut done = 0;
            while done < segment.len {
                let size = COPY_SIZE.min(segment.len - done);
                let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
                tar.read_exact_at(&mut bytes, segment.stored_at + done)?;
                target.write_all(&bytes)?;
                done += size;
            }
        }
        Ok(())
    }
}
