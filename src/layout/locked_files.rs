//! What is made in a layout: its directories, the lock, and files on their way to their place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::folder::{Folder, Links};
use super::{
    BLOB_DIRECTORY, BlobFault, INDEX_FILE, LAYOUT_FILE, LayoutDirectory, LayoutFault, LayoutIndex,
};

/// Our own corner of a layout: the lock and files that are being written.
const PRIVATE_DIRECTORY: &str = ".shipmark";
const LOCK_FILE: &str = "lock";
/// The names of files that are being written: this, and 32 hexadecimal digits.
const TEMPORARY_PREFIX: &str = "tmp-";

/// The lock of a layout, held until dropped or until the process ends.
pub(super) struct LayoutLock(
    #[expect(dead_code, reason = "closing the file lets go of the lock")] File,
);

/// A file on its way to its place. It is locked while in use, so that those of dead runs are known, and
/// removed if it comes to no place.
pub(super) struct Temporary {
    corner: Folder,
    name: String,
    file: File,
    is_placed: bool,
}

impl Temporary {
    fn new(corner: Folder) -> io::Result<Self> {
        let random = (fastrand::u64(..), fastrand::u64(..));
        let name = format!("{TEMPORARY_PREFIX}{:016x}{:016x}", random.0, random.1);
        let file = corner.new_file(&name)?;
        let temporary = Self {
            corner,
            name,
            file,
            is_placed: false,
        };
        temporary.file.lock()?;
        Ok(temporary)
    }

    /// Writes it to disk and gives it its name there, in place of what has that name.
    pub(super) fn place(mut self, folder: &Folder, name: &str) -> io::Result<()> {
        self.file.sync_all()?;
        self.corner.move_file(&self.name, folder, name)?;
        self.is_placed = true;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_placed {
            let _ = self.corner.remove_file(&self.name);
        }
    }
}

impl LayoutDirectory {
    /// Makes the directory an empty layout, if it is none yet. Refuses one that holds something
    /// else.
    pub(super) fn ensure_layout(&self) -> Result<(), LayoutFault> {
        let is_layout = match self.require_layout_file() {
            Ok(()) => true,
            Err(LayoutFault::NoLayoutFile) => false,
            Err(fault) => return Err(fault),
        };
        if !is_layout {
            self.refuse_foreign()?;
        }
        fs::create_dir_all(self.path()).map_err(LayoutFault::io("create the directory"))?;
        for path in [BLOB_DIRECTORY, PRIVATE_DIRECTORY] {
            self.make(path)?;
        }
        if !is_layout {
            self.create_layout()?;
        }
        Ok(())
    }

    /// Makes directories in it, one in the other, as far as they are not there.
    fn make(&self, path: &str) -> Result<Folder, LayoutFault> {
        let mut folder = self.root()?;
        for name in path.split('/') {
            folder = folder.make_folder(name).map_err(LayoutFault::blob(name))?;
        }
        Ok(folder)
    }

    /// Opens directories in it, one in the other.
    pub(super) fn inside(&self, path: &str) -> Result<Folder, LayoutFault> {
        let mut folder = self.root()?;
        for name in path.split('/') {
            let inner = folder.folder(name, Links::Refused);
            let inner = inner.and_then(|inner| inner.ok_or(BlobFault::Missing));
            folder = inner.map_err(LayoutFault::blob(name))?;
        }
        Ok(folder)
    }

    fn root(&self) -> Result<Folder, LayoutFault> {
        Folder::open(self.path()).map_err(LayoutFault::io("open it"))
    }

    fn create_layout(&self) -> Result<(), LayoutFault> {
        let lock = self.lock()?;
        if self.read_index()?.is_none() {
            self.replace_file(&lock, INDEX_FILE, &LayoutIndex::empty().to_bytes())?;
        }
        self.replace_file(&lock, LAYOUT_FILE, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        sync(&self.inside("blobs")?)?;
        sync(&self.root()?)?;
        let above = self.path().parent();
        let above = above.filter(|above| !above.as_os_str().is_empty());
        let above = Folder::open(above.unwrap_or(Path::new(".")));
        sync(&above.map_err(LayoutFault::io("open the directory above"))?)
    }

    /// Puts a small file in place in one step.
    pub(super) fn replace_file(
        &self,
        _: &LayoutLock,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), LayoutFault> {
        let mut file = self.create_temporary_locked()?;
        let root = self.root()?;
        file.write_all(bytes)
            .and_then(|()| file.place(&root, name))
            .map_err(LayoutFault::io(format!("write {name}")))
    }

    /// Puts a blob in place in one step.
    pub(super) fn place_blob(&self, file: Temporary, name: &str) -> Result<(), LayoutFault> {
        let folder = self.inside(BLOB_DIRECTORY)?;
        file.place(&folder, name)
            .map_err(LayoutFault::io(format!("write blob {name}")))
    }

    /// Makes the names of what was written last: those of blobs before those that lead to them.
    pub(super) fn sync_blobs(&self) -> Result<(), LayoutFault> {
        sync(&self.inside(BLOB_DIRECTORY)?)
    }

    /// Makes the names of the small files last.
    pub(super) fn sync_root(&self) -> Result<(), LayoutFault> {
        sync(&self.root()?)
    }

    fn refuse_foreign(&self) -> Result<(), LayoutFault> {
        let entries = match fs::read_dir(self.path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(LayoutFault::NotADirectory);
            }
            Err(error) => return Err(LayoutFault::io("inspect it")(error)),
        };
        for entry in entries {
            let name = entry.map_err(LayoutFault::io("inspect it"))?.file_name();
            // What another run may just have made.
            let ours = [PRIVATE_DIRECTORY, "blobs", INDEX_FILE, LAYOUT_FILE];
            if !ours.iter().any(|known| name == *known) {
                return Err(LayoutFault::Foreign(name.to_string_lossy().into_owned()));
            }
        }
        Ok(())
    }

    /// Waits until no other process holds the lock.
    pub(super) fn lock(&self) -> Result<LayoutLock, LayoutFault> {
        let file = self.lock_file()?;
        file.lock().map_err(LayoutFault::io("lock it"))?;
        Ok(LayoutLock(file))
    }

    fn lock_file(&self) -> Result<File, LayoutFault> {
        let file = self.inside(PRIVATE_DIRECTORY)?.lock_file(LOCK_FILE);
        file.map_err(LayoutFault::blob(format!(
            "{PRIVATE_DIRECTORY}/{LOCK_FILE}"
        )))
    }

    /// A new file that comes to its place once it is whole.
    pub(super) fn create_temporary(&self) -> Result<Temporary, LayoutFault> {
        let lock = self.lock_file()?;
        lock.lock_shared().map_err(LayoutFault::io("lock it"))?;
        self.create_temporary_locked()
    }

    /// The same for who holds the lock already.
    fn create_temporary_locked(&self) -> Result<Temporary, LayoutFault> {
        Temporary::new(self.inside(PRIVATE_DIRECTORY)?)
            .map_err(LayoutFault::io("create a temporary file"))
    }

    /// Removes what runs that died left behind. To be called under the lock, since every temporary
    /// file is made and locked under it; one that is not locked has no writer any more. Dead files are
    /// harmless, so what cannot be removed stays.
    pub(super) fn remove_dead_files(&self, _: &LayoutLock) {
        let Ok(corner) = self.inside(PRIVATE_DIRECTORY) else {
            return;
        };
        for name in corner.names().unwrap_or_default() {
            if is_temporary(&name)
                && let Ok(Some(file)) = corner.file(&name, Links::Refused)
                && file.try_lock().is_ok()
            {
                let _ = corner.remove_file(&name);
            }
        }
    }
}

/// Whether a file has a name such as only [`Temporary`] gives.
fn is_temporary(name: &str) -> bool {
    let digits = name.strip_prefix(TEMPORARY_PREFIX);
    digits.is_some_and(|it| {
        it.len() == 32 && it.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn sync(folder: &Folder) -> Result<(), LayoutFault> {
    folder
        .sync()
        .map_err(LayoutFault::io("write the directory to disk"))
}
