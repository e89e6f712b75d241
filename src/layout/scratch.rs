use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{BLOB_DIRECTORY, INDEX, Layout, LayoutFault, MARKER};

/// Our own corner of a layout: the lock and files that are being written.
const CORNER: &str = ".shipmark";
const LOCK: &str = "lock";
const TEMPORARY: &str = "tmp-";

/// The lock of a layout, held until dropped or until the process ends.
pub(super) struct Lock(#[expect(dead_code, reason = "closing the file lets go of the lock")] File);

impl Layout {
    /// Makes the directories of the layout where they are missing; what else it needs is written by
    /// the first tag. Refuses a directory that holds something else.
    pub(super) fn prepare(&self) -> Result<(), LayoutFault> {
        match self.require_marker() {
            Ok(()) => {}
            Err(LayoutFault::NoMarker) => self.refuse_foreign()?,
            Err(fault) => return Err(fault),
        }
        for name in [BLOB_DIRECTORY, CORNER] {
            fs::create_dir_all(self.join(name))
                .map_err(LayoutFault::io(format!("make the directory {name}")))?;
        }
        Ok(())
    }

    fn refuse_foreign(&self) -> Result<(), LayoutFault> {
        let entries = match fs::read_dir(self.path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(LayoutFault::NotADirectory);
            }
            Err(error) => return Err(LayoutFault::io("look at it")(error)),
        };
        for entry in entries {
            let name = entry.map_err(LayoutFault::io("look at it"))?.file_name();
            // What another run may just have made.
            let ours = [CORNER, "blobs", INDEX, MARKER];
            if !ours.iter().any(|known| name == *known) {
                return Err(LayoutFault::Foreign(name.to_string_lossy().into_owned()));
            }
        }
        Ok(())
    }

    /// Waits until no other process holds the lock.
    pub(super) fn lock(&self) -> Result<Lock, LayoutFault> {
        let file = self.lock_file()?;
        file.lock().map_err(LayoutFault::io("lock it"))?;
        Ok(Lock(file))
    }

    fn lock_file(&self) -> Result<File, LayoutFault> {
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.join(CORNER).join(LOCK))
            .map_err(LayoutFault::io("open its lock file"))
    }

    /// A new file that is renamed into place once it is whole, and removed if it is dropped before.
    /// It is locked while in use, so that those of dead runs are known.
    pub(super) fn temporary(&self) -> Result<NamedTempFile, LayoutFault> {
        let lock = self.lock_file()?;
        lock.lock_shared().map_err(LayoutFault::io("lock it"))?;
        self.temporary_under_lock()
    }

    /// The same for who holds the lock already.
    pub(super) fn temporary_under_lock(&self) -> Result<NamedTempFile, LayoutFault> {
        let make = || {
            let file = tempfile::Builder::new()
                .prefix(TEMPORARY)
                // As any new file: what the umask leaves of it.
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(self.join(CORNER))?;
            file.as_file().lock()?;
            Ok(file)
        };
        make().map_err(LayoutFault::io("make a temporary file"))
    }

    /// Removes what runs that died left behind. To be called under the lock, since every temporary
    /// file is made and locked under it; one that is not locked has no writer any more.
    pub(super) fn clean(&self) {
        let Ok(entries) = fs::read_dir(self.join(CORNER)) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                remove_if_dead(&entry.path());
            }
        }
    }
}

/// Dead files are harmless, so what cannot be removed stays.
fn remove_if_dead(path: &Path) {
    if File::open(path).is_ok_and(|file| file.try_lock().is_ok()) {
        let _ = fs::remove_file(path);
    }
}

/// Makes the names in a directory last.
pub(super) fn sync_directory(path: &Path) -> Result<(), LayoutFault> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(LayoutFault::io("write the directory to disk"))
}
