//! An open directory of a layout. What is in it is opened by its name there, so that a link in a layout
//! that somebody else has prepared leads nowhere, and nothing waits for the other end of a pipe.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::BlobFault;

/// Whether links in a layout are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// They are, where a layout is only read: Bazel makes them of blobs, and what is read is checked.
    Followed,
    /// They are not, where a layout is written to.
    Refused,
}

impl Links {
    fn flags(self) -> OFlags {
        match self {
            Self::Followed => OFlags::empty(),
            Self::Refused => OFlags::NOFOLLOW,
        }
    }
}

/// An open directory.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// Opens without waiting, and without making a terminal ours.
const AT_ONCE: OFlags = OFlags::NONBLOCK
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);
/// As any new file: what the umask leaves of it.
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);

impl Folder {
    /// Opens the directory of a layout, which the user named.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::open(path, FOLDER, Mode::empty())?))
    }

    /// Opens a directory in it; none where there is nothing of that name.
    pub(super) fn folder(&self, name: &str, links: Links) -> Result<Option<Self>, BlobFault> {
        match rustix::fs::openat(&self.0, name, FOLDER | links.flags(), Mode::empty()) {
            Ok(folder) => Ok(Some(Self(folder))),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                Err(BlobFault::NotADirectory(self.kind(name, "a file")))
            }
            Err(error) => Err(BlobFault::Io(error.into())),
        }
    }

    /// Makes a directory in it, unless there is one, and opens it.
    pub(super) fn make_folder(&self, name: &str) -> Result<Self, BlobFault> {
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(BlobFault::Write(error.into())),
        }
        self.folder(name, Links::Refused)?.ok_or(BlobFault::Missing)
    }

    /// Opens a file in it to be read; none where there is nothing of that name.
    pub(super) fn file(&self, name: &str, links: Links) -> Result<Option<File>, BlobFault> {
        match rustix::fs::openat(
            &self.0,
            name,
            OFlags::RDONLY | AT_ONCE | links.flags(),
            Mode::empty(),
        ) {
            Ok(file) => regular(file.into()).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.not_opened(name, error)),
        }
    }

    /// Opens a file in it that two processes may lock, and makes it where there is none.
    pub(super) fn lock_file(&self, name: &str) -> Result<File, BlobFault> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | AT_ONCE;
        match rustix::fs::openat(&self.0, name, flags, FILE_MODE) {
            Ok(file) => regular(file.into()),
            Err(error) => Err(self.not_opened(name, error)),
        }
    }

    /// Makes a file in it that was not there.
    pub(super) fn new_file(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, FILE_MODE)?.into())
    }

    /// Moves a file of it into another directory, in place of what is there.
    pub(super) fn move_file(&self, name: &str, to: &Self, new_name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, name, &to.0, new_name)?)
    }

    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// The names of what is in it, as far as they are text.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_str().map(str::to_owned);
            names.extend(name.ok().filter(|name| name != "." && name != ".."));
        }
        Ok(names)
    }

    /// Makes the names in it last.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    fn not_opened(&self, name: &str, error: Errno) -> BlobFault {
        match self.kind(name, "") {
            "" => BlobFault::Io(error.into()),
            kind => BlobFault::NotAFile(kind),
        }
    }

    /// What is there that is not what it should be, if it can be told.
    fn kind(&self, name: &str, otherwise: &'static str) -> &'static str {
        let status = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW);
        match status.map(|status| FileType::from_raw_mode(status.st_mode)) {
            Ok(FileType::Symlink) => "a link",
            Ok(FileType::Directory) => "a directory",
            Ok(FileType::RegularFile) | Err(_) => otherwise,
            Ok(_) => "a special file",
        }
    }
}

fn regular(file: File) -> Result<File, BlobFault> {
    let metadata = file.metadata().map_err(BlobFault::Io)?;
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(BlobFault::NotAFile("a directory")),
        _ => Err(BlobFault::NotAFile("a special file")),
    }
}
