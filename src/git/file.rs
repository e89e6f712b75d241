//! A file as a commit has it, whatever the working tree says.

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

/// What git calls a plain file, executable or not; a symbolic link is none.
const PLAIN: [i32; 2] = [0o100_644, 0o100_755];

impl Checkout {
    /// The file at `path`, from the root of the repository, as `commit` has it.
    ///
    /// # Errors
    /// What is there is no plain file, or the repository is broken.
    pub fn file_at(&self, commit: &Commit, path: &Path) -> Result<FileAt, GitError> {
        let failed = GitError::at(&self.path);
        let id = Oid::from_str(commit.as_str()).map_err(failed)?;
        let tree = self.repository.find_commit(id).and_then(|it| it.tree());
        let Some(mut tree) = here(tree).map_err(failed)? else {
            return Ok(FileAt::NotHere);
        };
        let mut names = path.components().peekable();
        while let Some(name) = names.next() {
            let Some((kind, mode, id)) = entry(&tree, name) else {
                return Ok(FileAt::Absent);
            };
            if names.peek().is_none() {
                if kind != Some(ObjectType::Blob) || !PLAIN.contains(&mode) {
                    return Err(GitError::NoFile(path.to_owned()));
                }
                let blob = here(self.repository.find_blob(id)).map_err(failed)?;
                return Ok(blob.map_or(FileAt::NotHere, |blob| {
                    FileAt::Bytes(blob.content().to_owned())
                }));
            }
            if kind != Some(ObjectType::Tree) {
                return Ok(FileAt::Absent);
            }
            match here(self.repository.find_tree(id)).map_err(failed)? {
                Some(below) => tree = below,
                None => return Ok(FileAt::NotHere),
            }
        }
        Err(GitError::NoFile(path.to_owned()))
    }
}

/// The kind, mode and id of what a folder has under a name.
fn entry(tree: &Tree<'_>, name: Component<'_>) -> Option<(Option<ObjectType>, i32, Oid)> {
    let entry = tree.get_name(name.as_os_str().to_str()?)?;
    Some((entry.kind(), entry.filemode(), entry.id()))
}

fn here<T>(found: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
