use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a checkout does not say what is wanted.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no repository at the path or above it.
    #[error("there is no git repository at {0} or above it")]
    NoRepository(PathBuf),
    /// There is no commit yet.
    #[error("the git repository at {0} has no commit yet")]
    Unborn(PathBuf),
    /// The repository belongs to somebody else, whose hooks and settings are not to be trusted.
    #[error("the git repository at {0} belongs to another user")]
    ForeignOwner(PathBuf),
    /// There is no such ref here, or it leads to no commit.
    #[error("the git repository has no commit for {name}")]
    NoSuchRef {
        /// The ref that was looked up.
        name: String,
        /// Whether the clone is shallow, so that the ref may exist elsewhere.
        shallow: bool,
    },
    /// What is there under the name of a file is a folder, a link or a submodule.
    #[error("{0} is not a plain file in the commit")]
    NoFile(PathBuf),
    /// A file has more bytes than it may.
    #[error("{0} has more than {1} bytes in the commit")]
    TooLarge(PathBuf, usize),
    /// Anything else that libgit2 says.
    #[error("git failed at {path}: {}", .source.message())]
    Git {
        /// The path that was asked for.
        path: PathBuf,
        /// What libgit2 says.
        source: git2::Error,
    },
}

impl GitError {
    pub(super) fn wrap_at(path: &Path) -> impl Fn(git2::Error) -> Self + Copy {
        move |source| {
            let path = path.to_owned();
            match source.code() {
                git2::ErrorCode::NotFound => Self::NoRepository(path),
                git2::ErrorCode::UnbornBranch => Self::Unborn(path),
                git2::ErrorCode::Owner => Self::ForeignOwner(path),
                _ => Self::Git { path, source },
            }
        }
    }

    /// How to go on.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository(_) => {
                Some("run it in a checkout, or set ref, version or tags".to_owned())
            }
            Self::Unborn(_) => Some("make a commit first, or give tags".to_owned()),
            Self::ForeignOwner(path) => Some(format!(
                "git config --global --add safe.directory {}",
                path.display()
            )),
            Self::NoSuchRef { shallow: true, .. } => {
                Some("the clone is shallow: fetch the ref, or clone with fetch-depth: 0".to_owned())
            }
            Self::NoSuchRef { .. } => Some("fetch the ref first".to_owned()),
            Self::NoFile(_) | Self::TooLarge(..) | Self::Git { .. } => None,
        }
    }
}
