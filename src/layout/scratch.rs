use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{BLOB_DIRECTORY, INDEX, Index, Layout, LayoutFault, MARKER};

/// Our own corner of a layout: the lock and files that are being written.
const CORNER: &str = ".shipmark";
const LOCK: &str = "lock";
const TEMPORARY: &str = "tmp-";

/// The lock of a layout, held until dropped or until the process ends.
pub(super) struct Lock(#[expect(dead_code, reason = "closing the file lets go of the lock")] File);

impl Layout {
    /// Makes the directory an empty layout, if it is none yet. Refuses one that holds something
    /// else.
    pub(super) fn prepare(&self) -> Result<(), LayoutFault> {
        let is_layout = match self.require_marker() {
            Ok(()) => true,
            Err(LayoutFault::NoMarker) => false,
            Err(fault) => return Err(fault),
        };
        if !is_layout {
            self.refuse_foreign()?;
        }
        for name in [BLOB_DIRECTORY, CORNER] {
            fs::create_dir_all(self.join(name))
                .map_err(LayoutFault::io(format!("make the directory {name}")))?;
        }
        if !is_layout {
            self.found()?;
        }
        Ok(())
    }

    fn found(&self) -> Result<(), LayoutFault> {
        let lock = self.lock()?;
        if self.read_index()?.is_none() {
            self.replace(&lock, INDEX, &Index::empty().to_bytes())?;
        }
        self.replace(&lock, MARKER, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        sync_directory(&self.join("blobs"))?;
        sync_directory(self.path())?;
        match self.path().parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
            _ => sync_directory(Path::new(".")),
        }
    }

    /// Puts a small file in place in one step.
    pub(super) fn replace(&self, _: &Lock, name: &str, bytes: &[u8]) -> Result<(), LayoutFault> {
        let mut file = self.new_temporary()?;
        let mut write = || {
            file.write_all(bytes)?;
            file.as_file().sync_all()
        };
        write()
            .and_then(|()| file.persist(self.join(name)).map_err(io::Error::from))
            .map(drop)
            .map_err(LayoutFault::io(format!("write {name}")))
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
        self.new_temporary()
    }

    /// The same for who holds the lock already.
    fn new_temporary(&self) -> Result<NamedTempFile, LayoutFault> {
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
    pub(super) fn clean(&self, _: &Lock) {
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
