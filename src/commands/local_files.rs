//! Reading and writing files that inputs name. An error continues the sentence that the caller begins with
//! the file's name; `{:#}` prints it with its cause.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};

const UNREADABLE: &str = "cannot be read";

/// Returns the bytes of a file.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).context(UNREADABLE)
}

/// Returns the text of a file.
pub(super) fn read_text_file(path: &Path) -> Result<String> {
    fs::read_to_string(path).context(UNREADABLE)
}

/// Returns at most `limit` bytes of a file and one more, so that its parser refuses a longer one.
pub(super) fn read_bounded_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let read = || {
        let mut content = Vec::new();
        File::open(path)?
            .take(limit + 1)
            .read_to_end(&mut content)?;
        std::io::Result::Ok(content)
    };
    read().context(UNREADABLE)
}

/// Writes a file as a whole: other processes see the old file or the new one, never a part.
pub(super) fn write_whole_file(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(content)?;
        // Other users may read it, unlike a temporary file.
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(readable)?;
        file.persist(path)?;
        std::io::Result::Ok(())
    };
    write().context("cannot be written")
}
