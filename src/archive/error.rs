use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::EngineFault;
use crate::image::Digest;
use crate::layout::{ABSENT_PATH_HINT, LayoutFault, list};

/// Why an archive cannot be used.
#[derive(Debug, Error)]
#[error("{}: {fault}", path.display())]
pub struct ArchiveError {
    /// The archive's file.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: ArchiveFault,
}

/// What can be wrong with an archive as a whole.
#[derive(Debug, Error)]
pub enum ArchiveFault {
    /// There is nothing at the path.
    #[error("the file does not exist")]
    Absent,
    /// The path is a directory.
    #[error("is a directory, not an archive: read an image layout directory with oci:")]
    Directory,
    /// The path is a pipe, a socket or a device, which cannot be read in any order.
    #[error(
        "is not a regular file: an archive must be on disk, or piped to oci-archive:- or docker-archive:-"
    )]
    NotAFile,
    /// Standard input is a terminal.
    #[error("is a terminal: pipe an archive to it")]
    Terminal,
    /// What is compressed cannot be unpacked.
    #[error("cannot be unpacked: {0}")]
    Unpack(io::Error),
    /// There is no room for the unpacked archive.
    #[error("cannot be unpacked into {}: {error}", directory.display())]
    Scratch {
        /// Where it was to go.
        directory: PathBuf,
        /// What the system answered.
        error: io::Error,
    },
    /// What is in it takes more room than it may.
    #[error("unpacks to more than {}, the limit", size(*.limit))]
    TooLarge {
        /// The most bytes that it may unpack to.
        limit: u64,
    },
    /// It is no tar at all.
    #[error("is not a tar archive: {0}")]
    NotTar(String),
    /// A header cannot be read.
    #[error("is damaged after entry {after:?}: {reason}")]
    Header {
        /// The last entry that could be read.
        after: String,
        /// What is wrong.
        reason: String,
    },
    /// The file ends too early.
    #[error("is cut short: entry {entry:?} ends at byte {end}, the archive at byte {len}")]
    CutShort {
        /// The entry that is not whole.
        entry: String,
        /// Where it ends.
        end: u64,
        /// Where the archive ends.
        len: u64,
    },
    /// An entry's name leads out of the archive.
    #[error("entry {entry:?} {why}: it could be written outside the archive's directory")]
    Name {
        /// The entry.
        entry: String,
        /// What is wrong with its name.
        why: &'static str,
    },
    /// A sparse file cannot be put together.
    #[error("entry {entry:?} is a sparse file: {reason}")]
    Sparse {
        /// The entry.
        entry: String,
        /// What is wrong.
        reason: String,
    },
    /// A link leads out of the archive.
    #[error("entry {entry:?} is a link to {target:?}, outside the archive")]
    LinkOut {
        /// The link.
        entry: String,
        /// Where it leads.
        target: String,
    },
    /// Two entries of one name, of which different readers would take different ones.
    #[error("has two entries {0:?}, and tools differ in which one they read")]
    DuplicateEntry(String),
    /// More entries than any image has.
    #[error("has more entries than any image")]
    TooMany,
    /// It is what `docker save` wrote before version 25, and was to be a layout.
    #[error("is a docker-archive (manifest.json, but no index.json): read it with docker-archive:")]
    DockerArchive,
    /// There is no list of images, and no sign of the end of a tar either.
    #[error("is cut short after entry {after:?}: it has no {name} and no end mark")]
    EndMissing {
        /// What is missing.
        name: &'static str,
        /// The last entry there is.
        after: String,
    },
    /// It has neither a `manifest.json` nor an `index.json`.
    #[error(
        "has no manifest.json, so it is not a docker-archive (Docker before 1.10 wrote none: save the image again)"
    )]
    NoImages,
    /// Its `manifest.json` cannot be understood.
    #[error("its manifest.json {0}")]
    List(String),
    /// It is a layout as well, and that has another image.
    #[error(
        "its manifest.json and its index.json are about different images: image {listed} of manifest.json is not in {root}, which index.json names; tools differ in which one they read"
    )]
    TwoImages {
        /// The image in `manifest.json`, by a name or its id.
        listed: String,
        /// The root of the image in the layout.
        root: Digest,
    },
    /// The only image was asked for, and there are several.
    #[error("contains several images; select one, such as docker-archive:FILE:NAME: {}", list(.0))]
    SeveralImages(Vec<String>),
    /// No image has that id.
    #[error("has no image with the id {0}")]
    NoSuchId(Digest),
    /// What its `manifest.json` says of an image is not so.
    #[error("its image {image}: {problem}")]
    Image {
        /// The image, by a name or its id.
        image: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The Docker engine gave no image.
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// What it holds is no usable layout.
    #[error(transparent)]
    Layout(#[from] LayoutFault),
}

impl ArchiveFault {
    /// Whether the machine is to blame, not what was given.
    pub fn is_service(&self) -> bool {
        match self {
            Self::Scratch { .. } => true,
            Self::Engine(fault) => {
                !matches!(fault, EngineFault::Host(_) | EngineFault::NoSuchImage)
            }
            _ => false,
        }
    }

    /// What the person at the failed job can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Absent => Some(ABSENT_PATH_HINT.to_owned()),
            Self::Engine(fault) => Some(fault.hint()),
            Self::TooLarge { .. } => Some(
                "if you trust the archive, set scratch-limit to the GiB that it unpacks to"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}
