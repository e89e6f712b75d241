//! Where an archive is unpacked: nameless files, which the system removes with their last reader, and
//! which have a limit together.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use super::ArchiveFault;

/// The most bytes that an archive may unpack to, unless the user says otherwise: more than GitHub's
/// runners have room for.
const LIMIT: u64 = 32 << 30;
/// How many times its own size an archive may unpack to, unless the user says otherwise. One that
/// holds a system's files unpacks to three or four times.
const MULTIPLE: u64 = 100;
/// What a small archive may unpack to whatever its size: a file of zeroes takes hardly any room in it.
const ALWAYS: u64 = 512 << 20;

/// Where archives are unpacked, and how much they may take there.
#[derive(Debug, Clone, Default)]
pub struct Unpacking {
    /// A directory for the files, where there is one: else they lie parent the archive.
    pub directory: Option<PathBuf>,
    /// The most bytes that one archive may take, where the user says so.
    pub limit: Option<u64>,
}

impl Unpacking {
    /// The room for an archive of that size, at that path.
    pub(super) fn of_archive(&self, path: &Path, size: u64) -> Scratch {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = self.directory.as_deref().or(parent);
        let by_size = size.saturating_mul(MULTIPLE).clamp(ALWAYS, LIMIT);
        Scratch::new(directory, self.limit.unwrap_or(by_size))
    }

    /// The room for what comes without a size.
    pub(super) fn of_stream(&self) -> Scratch {
        Scratch::new(self.directory.as_deref(), self.limit.unwrap_or(LIMIT))
    }
}

/// How much an archive may unpack to, as users give it: in GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScratchLimit(u64);

impl ScratchLimit {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.0 << 30
    }
}

impl FromStr for ScratchLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        let sensible = number.filter(|gib| (1..=1 << 20).contains(gib));
        sensible
            .map(Self)
            .ok_or("is not a number of GiB: expected a whole number from 1 to 1048576")
    }
}

/// The room for one archive. Cheap to clone; all clones share the limit.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    directory: Arc<Path>,
    limit: u64,
    taken: Arc<AtomicU64>,
}

impl Scratch {
    fn new(directory: Option<&Path>, limit: u64) -> Self {
        Self {
            directory: directory.unwrap_or(Path::new(".")).into(),
            limit,
            taken: Arc::default(),
        }
    }

    /// Makes a nameless file.
    pub(super) fn file(&self) -> io::Result<ScratchFile> {
        Ok(ScratchFile {
            file: tempfile::tempfile_in(&self.directory)?,
            scratch: self.clone(),
        })
    }

    /// The most bytes that the archive may unpack to.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes room for so many bytes if there is as much. Returns whether there was.
    pub(super) fn try_take(&self, bytes: u64) -> bool {
        let sum = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let taken = self
            .taken
            .try_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        taken.is_ok()
    }

    /// Takes room for so many bytes.
    pub(super) fn take(&self, bytes: u64) -> io::Result<()> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        match before.saturating_add(bytes) > self.limit {
            true => Err(io::Error::other(Full)),
            false => Ok(()),
        }
    }

    /// What it means for an archive that a file could not be written.
    pub(super) fn fault(&self, error: io::Error) -> ArchiveFault {
        match is_full(&error) {
            true => ArchiveFault::TooLarge { limit: self.limit },
            false => ArchiveFault::Scratch {
                directory: self.directory.to_path_buf(),
                error,
            },
        }
    }
}

/// All the room is taken.
#[derive(Debug, Error)]
#[error("the archive unpacks to more than the limit")]
struct Full;

/// Whether a file could not be written since all the room is taken.
pub(super) fn is_full(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Full>())
}

/// A nameless file that takes of the room as it is written.
#[derive(Debug)]
pub(super) struct ScratchFile {
    file: File,
    scratch: Scratch,
}

impl ScratchFile {
    /// The file, at its start.
    pub(super) fn finish(mut self) -> io::Result<File> {
        self.file.rewind()?;
        Ok(self.file)
    }
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.scratch.take(bytes.len() as u64)?;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests;
