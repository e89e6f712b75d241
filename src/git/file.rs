//! A file or folder as a commit has it, whatever the working tree says.

use std::ffi::OsStr;
use std::path::{Component, Path};

use git2::{ErrorCode, ObjectType, Oid, Tree};

use super::{Checkout, GitError};
use crate::image::Commit;

/// What a clone has of a file of a commit.
#[derive(Debug, PartialEq, Eq)]
pub enum FileAt {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// The commit has no such file.
    Absent,
    /// The commit, or this part of it, is not in the clone: it may be shallow, or leave out blobs.
    NotHere,
}

/// What a clone has of a folder of a commit.
#[derive(Debug, PartialEq, Eq)]
pub enum FolderAt {
    /// What is in it.
    Entries(Vec<Entry>),
    /// The commit has no such folder.
    Absent,
    /// As [`FileAt::NotHere`].
    NotHere,
}

/// What a folder of a commit has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Whether it is a folder itself. A symbolic link or a submodule is none.
    pub is_folder: bool,
}

/// A tree of a commit, as far as it is known.
enum Found<'a> {
    Tree(Tree<'a>),
    Absent,
    NotHere,
}

/// What git calls a plain file, executable or not; a symbolic link is none.
const PLAIN: [i32; 2] = [0o100_644, 0o100_755];

impl Checkout {
    /// The file at `path`, from the root of the repository, as `commit` has it, if it has at most
    /// `limit` bytes.
    ///
    /// # Errors
    /// What is there is no plain file or too large, or the repository is broken.
    pub fn file_at(&self, commit: &Commit, path: &Path, limit: usize) -> Result<FileAt, GitError> {
        let no_file = || GitError::NoFile(path.to_owned());
        let Some(Component::Normal(name)) = path.components().next_back() else {
            return Err(no_file());
        };
        let tree = match self.tree_at(commit, path.parent().unwrap_or(Path::new("")))? {
            Found::Tree(tree) => tree,
            Found::Absent => return Ok(FileAt::Absent),
            Found::NotHere => return Ok(FileAt::NotHere),
        };
        let Some((kind, mode, id)) = entry(&tree, name) else {
            return Ok(FileAt::Absent);
        };
        if kind != Some(ObjectType::Blob) || !PLAIN.contains(&mode) {
            return Err(no_file());
        }
        let failed = GitError::at(&self.path);
        let size = self.repository.odb().and_then(|all| all.read_header(id));
        let Some((size, _)) = here(size).map_err(failed)? else {
            return Ok(FileAt::NotHere);
        };
        if size > limit {
            return Err(GitError::TooLarge(path.to_owned(), limit));
        }
        let blob = here(self.repository.find_blob(id)).map_err(failed)?;
        Ok(blob.map_or(FileAt::NotHere, |blob| {
            FileAt::Bytes(blob.content().to_owned())
        }))
    }

    /// The folder at `path`, from the root of the repository, as `commit` has it. The empty path is
    /// the root.
    ///
    /// # Errors
    /// The repository is broken.
    pub fn folder_at(&self, commit: &Commit, path: &Path) -> Result<FolderAt, GitError> {
        let tree = match self.tree_at(commit, path)? {
            Found::Tree(tree) => tree,
            Found::Absent => return Ok(FolderAt::Absent),
            Found::NotHere => return Ok(FolderAt::NotHere),
        };
        let entries = tree.iter().map(|entry| Entry {
            name: String::from_utf8_lossy(entry.name_bytes()).into_owned(),
            is_folder: entry.kind() == Some(ObjectType::Tree),
        });
        Ok(FolderAt::Entries(entries.collect()))
    }

    fn tree_at(&self, commit: &Commit, path: &Path) -> Result<Found<'_>, GitError> {
        let failed = GitError::at(&self.path);
        let id = Oid::from_str(commit.as_str()).map_err(failed)?;
        let tree = self.repository.find_commit(id).and_then(|it| it.tree());
        let Some(mut tree) = here(tree).map_err(failed)? else {
            return Ok(Found::NotHere);
        };
        for name in path.components() {
            let Some((Some(ObjectType::Tree), _, id)) = entry(&tree, name.as_os_str()) else {
                return Ok(Found::Absent);
            };
            match here(self.repository.find_tree(id)).map_err(failed)? {
                Some(below) => tree = below,
                None => return Ok(Found::NotHere),
            }
        }
        Ok(Found::Tree(tree))
    }
}

/// The kind, mode and id of what a folder has under a name.
fn entry(tree: &Tree<'_>, name: &OsStr) -> Option<(Option<ObjectType>, i32, Oid)> {
    let entry = tree.get_name(name.to_str()?)?;
    Some((entry.kind(), entry.filemode(), entry.id()))
}

fn here<T>(found: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
