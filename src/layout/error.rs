use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::image::{Digest, DigestError, ManifestError, Tag};
use crate::notices::to_printable;

/// Hint for a path with nothing at it.
pub(crate) const ABSENT_PATH_HINT: &str = "check the path; the action sees the workspace of the job and RUNNER_TEMP, not the machine's /tmp and home";

/// What is wrong with a layout, in a directory or an archive, or with what was asked of it.
#[derive(Debug, Error)]
#[error("{}: {fault}", path.display())]
pub struct LayoutError {
    /// The directory or archive.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: LayoutFault,
}

/// What can be wrong with a layout.
#[derive(Debug, Error)]
pub enum LayoutFault {
    /// There is nothing at the path.
    #[error("the directory does not exist")]
    Absent,
    /// The path is a file.
    #[error("is a file, not an image layout directory: read a tar of a layout with oci-archive:")]
    NotADirectory,
    /// The path has `..` behind a symbolic link.
    #[error(
        "goes up with .. from the symbolic link {}, which leads elsewhere than it reads: write the path without ..",
        to_printable(&.0.display().to_string(), 200)
    )]
    UpBehindLink(PathBuf),
    /// The path is or lies below a symbolic link to nothing.
    #[error(
        "cannot be resolved: the symbolic link {} points to nothing",
        to_printable(&.0.display().to_string(), 200)
    )]
    DanglingLink(PathBuf),
    /// There is no file `oci-layout`.
    #[error("is not an OCI image layout: it has no file oci-layout")]
    NoLayoutFile,
    /// The file `oci-layout` cannot be understood.
    #[error("is not an OCI image layout: its file oci-layout {0}")]
    LayoutFile(String),
    /// The layout is of another version than 1.x.
    #[error("is an image layout of version {0:?}; only 1.x is supported")]
    Version(String),
    /// A directory to be written to that holds something else.
    #[error("contains {0:?} and is not an image layout: use an empty or a new directory")]
    Foreign(String),
    /// There is no `index.json`.
    #[error("has no index.json, so it names no image")]
    NoIndex,
    /// `index.json` cannot be understood.
    #[error("its index.json {0}")]
    Index(String),
    /// `index.json` names something by what is no digest, or by one that cannot be checked.
    #[error("its index.json names {digest:?}, which {reason}")]
    EntryDigest {
        /// The text in place of a digest.
        digest: String,
        /// What is wrong with it.
        reason: DigestError,
    },
    /// `index.json` has no entries, or only signatures and attestations.
    #[error("its index.json names no image")]
    NoImage,
    /// The only image was asked for, and there are several.
    #[error(
        "contains several images; select one, such as oci:DIR:NAME or oci:DIR@DIGEST: {}",
        list(names)
    )]
    SeveralImages {
        /// Their names, or digests with `@` where they have none, in order.
        names: Vec<String>,
    },
    /// No image has that name.
    #[error("has no image named {name:?}; {}", list_available(names))]
    NoSuchName {
        /// The name asked for.
        name: String,
        /// The names there are, in order.
        names: Vec<String>,
    },
    /// Several images have that name.
    #[error(
        "has several images named {name:?}; select one by digest: {}",
        list(digests)
    )]
    Ambiguous {
        /// The name asked for.
        name: String,
        /// The digests it stands for.
        digests: Vec<String>,
    },
    /// No manifest has that digest.
    #[error("has no manifest {0}")]
    NoSuchDigest(Digest),
    /// A blob or manifest is missing or wrong.
    #[error("{what} {fault}")]
    Blob {
        /// Which one, and what names it.
        what: String,
        /// What is wrong with it.
        fault: BlobFault,
    },
    /// A tag that must not move names another image.
    #[error("tag {tag} points to {there}, expected {wanted}")]
    TagConflict {
        /// The tag.
        tag: Tag,
        /// The digest it has.
        there: Digest,
        /// The digest it was to get.
        wanted: Digest,
    },
    /// The file system refused.
    #[error("cannot {doing}: {error}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the system answered.
        error: io::Error,
    },
}

/// What can be wrong with one blob or manifest.
#[derive(Debug, Error)]
pub enum BlobFault {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// There is something else in its place.
    #[error("is {0}, not a file")]
    NotAFile(&'static str),
    /// There is something else in the place of a directory.
    #[error("is {0}, not a directory")]
    NotADirectory(&'static str),
    /// It is a link to nothing.
    #[error("is a link to {0:?}, which is not a file")]
    Link(String),
    /// Its size is not the one that its descriptor gives.
    #[error("has {is} bytes, expected {should}")]
    Size {
        /// The size it has.
        is: u64,
        /// The size it should have.
        should: u64,
    },
    /// Its bytes have another digest.
    #[error("is damaged: its content has the digest {is}")]
    Digest {
        /// The digest it has.
        is: Digest,
    },
    /// It is no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// It cannot be written.
    #[error("cannot be written: {0}")]
    Write(io::Error),
}

impl LayoutFault {
    /// Whether a manifest is there and cannot be read as one.
    pub fn is_unreadable_manifest(&self) -> bool {
        let Self::Blob { fault, .. } = self else {
            return false;
        };
        matches!(fault, BlobFault::Manifest(error) if error.is_malformed())
    }

    /// Whether a blob or manifest is missing, or can never be read.
    pub fn is_unusable_content(&self) -> bool {
        let Self::Blob { fault, .. } = self else {
            return false;
        };
        match fault {
            BlobFault::Missing | BlobFault::Size { .. } | BlobFault::Digest { .. } => true,
            BlobFault::Manifest(error) => error.is_lasting(),
            _ => false,
        }
    }

    /// What the person at the failed job can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent => Some(ABSENT_PATH_HINT),
            Self::Blob {
                fault: BlobFault::NotADirectory(_) | BlobFault::NotAFile(_),
                ..
            } => Some(
                "a layout that is written to may contain only plain files and directories, no links: remove the link, or use another directory",
            ),
            _ => None,
        }
    }

    /// This fault, of the layout at `path`.
    pub(crate) fn at(self, path: &Path) -> LayoutError {
        LayoutError {
            path: path.to_owned(),
            fault: self,
        }
    }

    /// For `map_err`: the system's answer to `doing`.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io {
            doing: doing.into(),
            error,
        }
    }

    /// For `map_err`: a fault of the blob that `what` describes.
    pub(crate) fn blob(what: impl Into<String>) -> impl FnOnce(BlobFault) -> Self {
        move |fault| Self::Blob {
            what: what.into(),
            fault,
        }
    }
}

/// The most names that a message lists.
const LISTED_NAMES: usize = 20;

fn list_available(names: &[String]) -> String {
    match names {
        [] => "its images have no names".to_owned(),
        names => format!("there are {}", list(names)),
    }
}

pub(crate) fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(LISTED_NAMES)].join(", ");
    match names.len().saturating_sub(LISTED_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
