//! Files for whoever owns the workspace: the runner runs an action as root, and what root leaves
//! there a later checkout cannot remove.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

/// A folder that is going to be written to, and who is to own what comes into it.
#[derive(Debug)]
pub struct FolderOwnership {
    /// What does not exist yet, or the folder itself: the outermost first.
    folders: Vec<PathBuf>,
    owner: (u32, u32),
}

const ROOT_USER: u32 = 0;

impl FolderOwnership {
    /// The owner is that of the folder, or of the nearest one above it that there is. None where
    /// that is root, too, or cannot be told.
    pub fn of_folder(folder: &Path) -> Option<Self> {
        let mut folders = vec![folder.to_owned()];
        let mut nearest = folder;
        let found = loop {
            match fs::symlink_metadata(or_current_directory(nearest)) {
                Ok(found) => break found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return None,
            }
            nearest = nearest.parent()?;
            folders.insert(0, nearest.to_owned());
        };
        // The one that there was already belongs to whom it should.
        if folders.len() > 1 {
            folders.remove(0);
        }
        (found.uid() != ROOT_USER).then_some(Self {
            folders,
            owner: (found.uid(), found.gid()),
        })
    }

    /// Gives away what root owns in the folder.
    ///
    /// # Errors
    /// The first that could not be given away; the others are.
    pub fn hand_over(&self) -> io::Result<()> {
        let Some((folder, above)) = self.folders.split_last() else {
            return Ok(());
        };
        let mut result = Ok(());
        for path in above {
            result = result.and(self.give_file(path).map(drop));
        }
        result.and(self.give_all(folder))
    }

    fn give_all(&self, path: &Path) -> io::Result<()> {
        let Some(found) = self.give_file(path)? else {
            return Ok(());
        };
        if !found.is_dir() {
            return Ok(());
        }
        let mut result = Ok(());
        for entry in fs::read_dir(path)? {
            result = result.and(self.give_all(&entry?.path()));
        }
        result
    }

    /// Gives one file or folder away. Links are not followed, and neither they nor sockets and the
    /// like are touched: they are none of ours.
    fn give_file(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let found = match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() || found.is_file() => found,
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if found.uid() == ROOT_USER {
            lchown(path, Some(self.owner.0), Some(self.owner.1))?;
        }
        Ok(Some(found))
    }
}

/// The parent of `out` is the empty path, which means here.
fn or_current_directory(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const RUNNER: u32 = 1001;

    fn owner(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().uid()
    }

    /// A workspace that belongs to somebody else; none where the tests do not run as root.
    fn workspace() -> Option<tempfile::TempDir> {
        let folder = tempfile::tempdir().unwrap();
        lchown(folder.path(), Some(RUNNER), Some(RUNNER)).ok()?;
        Some(folder)
    }

    #[test]
    fn what_root_makes_belongs_to_the_workspaces_owner() {
        let Some(workspace) = workspace() else { return };
        let at = |name: &str| workspace.path().join(name);
        let ownership = FolderOwnership::of_folder(&at("a/b/out")).unwrap();
        fs::create_dir_all(at("a/b/out/blobs")).unwrap();
        fs::create_dir_all(at("a/other")).unwrap();
        fs::write(at("a/b/out/blobs/x"), "x").unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("y"), "y").unwrap();
        symlink(outside.path(), at("a/b/out/link")).unwrap();
        ownership.hand_over().unwrap();
        for name in ["a", "a/b", "a/b/out", "a/b/out/blobs", "a/b/out/blobs/x"] {
            assert_eq!(owner(&at(name)), RUNNER, "{name}");
        }
        for path in [at("a/other"), at("a/b/out/link"), outside.path().join("y")] {
            assert_eq!(owner(&path), ROOT_USER, "{}", path.display());
        }
        let again = FolderOwnership::of_folder(&at("a/b/out")).unwrap();
        fs::write(at("a/b/out/z"), "z").unwrap();
        again.hand_over().unwrap();
        assert_eq!(owner(&at("a/b/out/z")), RUNNER);
    }

    #[test]
    fn roots_own_folders_and_missing_ones_are_left_alone() {
        assert!(FolderOwnership::of_folder(Path::new("/nosuch/out")).is_none());
        let Some(workspace) = workspace() else { return };
        let none = FolderOwnership::of_folder(&workspace.path().join("out")).unwrap();
        none.hand_over().unwrap();
        assert!(!workspace.path().join("out").exists());
    }
}
