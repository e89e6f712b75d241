//! A file or folder as a commit has it, whatever the working tree says.

use std::ffi::OsStr;
use std::path::{Component, Path};

use git2::{ErrorCode, ObjectType, Oid, Tree};

use super::{GitCheckout, GitError};
use crate::image::CommitId;

/// What a clone has of a file of a commit.
#[derive(Debug, PartialEq, Eq)]
pub enum CommittedFile {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// The commit has no such file.
    Absent,
    /// The commit, or this part of it, is not in the clone: it may be shallow, or leave out blobs.
    NotInClone,
}

/// What a clone has of a folder of a commit.
#[derive(Debug, PartialEq, Eq)]
pub enum FolderAt {
    /// What is in it.
    Entries(Vec<FolderEntry>),
    /// The commit has no such folder.
    Absent,
    /// As [`CommittedFile::NotInClone`].
    NotHere,
}

/// What a folder of a commit has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// The name.
    pub name: String,
    /// Whether it is a folder itself. A symbolic link or a submodule is none.
    pub is_folder: bool,
}

/// A tree of a commit, as far as it is known.
enum TreeLookup<'a> {
    Tree(Tree<'a>),
    Absent,
    NotHere,
}

/// What git calls a plain file, executable or not; a symbolic link is none.
const REGULAR_FILE_MODES: [i32; 2] = [0o100_644, 0o100_755];

impl GitCheckout {
    /// The file at `path`, from the root of the repository, as `commit` has it, if it has at most
    /// `limit` bytes.
    ///
    /// # Errors
    /// What is there is no plain file or too large, or the repository is broken.
    pub fn file_at(
        &self,
        commit: &CommitId,
        path: &Path,
        limit: usize,
    ) -> Result<CommittedFile, GitError> {
        let no_file = || GitError::NoFile(path.to_owned());
        let Some(Component::Normal(name)) = path.components().next_back() else {
            return Err(no_file());
        };
        let tree = match self.tree_at(commit, path.parent().unwrap_or(Path::new("")))? {
            TreeLookup::Tree(tree) => tree,
            TreeLookup::Absent => return Ok(CommittedFile::Absent),
            TreeLookup::NotHere => return Ok(CommittedFile::NotInClone),
        };
        let Some((kind, mode, id)) = tree_entry(&tree, name) else {
            return Ok(CommittedFile::Absent);
        };
        if kind != Some(ObjectType::Blob) || !REGULAR_FILE_MODES.contains(&mode) {
            return Err(no_file());
        }
        let failed = GitError::wrap_at(&self.path);
        let size = self.repository.odb().and_then(|all| all.read_header(id));
        let Some((size, _)) = found_or_none(size).map_err(failed)? else {
            return Ok(CommittedFile::NotInClone);
        };
        if size > limit {
            return Err(GitError::TooLarge(path.to_owned(), limit));
        }
        let blob = found_or_none(self.repository.find_blob(id)).map_err(failed)?;
        Ok(blob.map_or(CommittedFile::NotInClone, |blob| {
            CommittedFile::Bytes(blob.content().to_owned())
        }))
    }

    /// Returns whether the commit that is checked out has a file at a path of the working tree, which is absolute and
    /// without links.
    pub fn has_file(&self, path: &Path) -> bool {
        let folder = self.repository.workdir().map(Path::canonicalize);
        let folder = folder.and_then(Result::ok);
        let path = folder.and_then(|folder| path.strip_prefix(folder).map(Path::to_owned).ok());
        path.is_some_and(|path| {
            let found = self.file_at(&self.commit, &path, 0);
            matches!(
                found,
                Ok(CommittedFile::Bytes(_)) | Err(GitError::TooLarge(..))
            )
        })
    }

    /// The folder at `path`, from the root of the repository, as `commit` has it. The empty path is
    /// the root.
    ///
    /// # Errors
    /// The repository is broken.
    pub fn folder_at(&self, commit: &CommitId, path: &Path) -> Result<FolderAt, GitError> {
        let tree = match self.tree_at(commit, path)? {
            TreeLookup::Tree(tree) => tree,
            TreeLookup::Absent => return Ok(FolderAt::Absent),
            TreeLookup::NotHere => return Ok(FolderAt::NotHere),
        };
        let entries = tree.iter().map(|entry| FolderEntry {
            name: String::from_utf8_lossy(entry.name_bytes()).into_owned(),
            is_folder: entry.kind() == Some(ObjectType::Tree),
        });
        Ok(FolderAt::Entries(entries.collect()))
    }

    fn tree_at(&self, commit: &CommitId, path: &Path) -> Result<TreeLookup<'_>, GitError> {
        let failed = GitError::wrap_at(&self.path);
        let id = Oid::from_str(commit.as_str()).map_err(failed)?;
        let tree = self.repository.find_commit(id).and_then(|it| it.tree());
        let Some(mut tree) = found_or_none(tree).map_err(failed)? else {
            return Ok(TreeLookup::NotHere);
        };
        for name in path.components() {
            let Some((Some(ObjectType::Tree), _, id)) = tree_entry(&tree, name.as_os_str()) else {
                return Ok(TreeLookup::Absent);
            };
            match found_or_none(self.repository.find_tree(id)).map_err(failed)? {
                Some(below) => tree = below,
                None => return Ok(TreeLookup::NotHere),
            }
        }
        Ok(TreeLookup::Tree(tree))
    }
}

/// The kind, mode and id of what a folder has under a name.
fn tree_entry(tree: &Tree<'_>, name: &OsStr) -> Option<(Option<ObjectType>, i32, Oid)> {
    let entry = tree.get_name(name.to_str()?)?;
    Some((entry.kind(), entry.filemode(), entry.id()))
}

fn found_or_none<T>(found: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
