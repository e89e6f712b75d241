//! Cache of manifests and configs by digest, on disk. It is verified when it is read, and safe to lose.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::image::{Digest, MANIFEST_LIMIT, Manifest};
use crate::layout::run_blocking;
use crate::notices::Notices;

/// Cache of small content by digest.
#[derive(Clone)]
pub(super) struct ContentCache(Option<Arc<CacheFolder>>);

struct CacheFolder {
    path: PathBuf,
    /// Whether it had anything when it was opened.
    has_content: bool,
    /// Whether the log says already that it cannot be written.
    is_unwritable: AtomicBool,
    notices: Notices,
}

impl ContentCache {
    /// Opens a cache in a directory, which need not exist; without one nothing is cached.
    pub(super) fn open(path: Option<&Path>, notices: &Notices) -> Self {
        Self(path.map(|path| {
            let path = path.join("sha256");
            let has_content = fs::read_dir(&path).is_ok_and(|mut files| files.next().is_some());
            Arc::new(CacheFolder {
                path,
                has_content,
                is_unwritable: AtomicBool::new(false),
                notices: notices.clone(),
            })
        }))
    }

    /// Returns whether it had anything when it was opened: then a digest may be all that a registry is asked for.
    pub(super) fn has_content(&self) -> bool {
        self.0.as_ref().is_some_and(|folder| folder.has_content)
    }

    /// Returns a manifest; `None` if it is not there as its digest says.
    pub(super) async fn manifest(&self, digest: Digest) -> Option<Manifest> {
        Manifest::parse(self.bytes(digest).await?, None).ok()
    }

    /// Returns content; `None` if it is not there as its digest says.
    pub(super) async fn bytes(&self, digest: Digest) -> Option<Bytes> {
        let folder = self.0.clone().filter(|folder| folder.has_content)?;
        let read = run_blocking(move || read_small(&folder.path.join(digest.to_hex()))).await;
        let bytes = read.ok()?;
        (Digest::from_bytes(&bytes) == digest).then(|| bytes.into())
    }

    /// Stores a manifest that names its media type itself: without it, only the registry tells.
    pub(super) async fn add_manifest(&self, manifest: &Manifest) {
        if self.0.is_some() && Manifest::declares_media_type(&manifest.bytes) {
            self.add(manifest.digest, manifest.bytes.clone()).await;
        }
    }

    /// Stores content. A cache that cannot be written is a warning, once.
    pub(super) async fn add(&self, digest: Digest, bytes: Bytes) {
        let Some(folder) = self.0.clone() else { return };
        run_blocking(move || {
            let written = write_file(&folder.path, &digest.to_hex(), &bytes);
            if let Err(error) = written
                && !folder.is_unwritable.swap(true, Ordering::Relaxed)
            {
                let path = folder.path.display();
                folder.notices.warning(format!(
                    "cache: {path} cannot be written, the next run reads everything again: {error}"
                ));
            }
        })
        .await;
    }
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MANIFEST_LIMIT as u64)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file in one step, unless it is there.
fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    if path
        .metadata()
        .is_ok_and(|it| it.len() == bytes.len() as u64)
    {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!("{name}.{:016x}", fastrand::u64(..)));
    let written = File::create_new(&temporary).and_then(|mut file| file.write_all(bytes));
    let placed = written.and_then(|()| fs::rename(&temporary, &path));
    if placed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cache_gives_only_what_its_digest_says() {
        let folder = tempfile::tempdir().unwrap();
        let notices = Notices::new(|notice| panic!("{notice:?}"));
        let open = || ContentCache::open(Some(folder.path()), &notices);
        let bytes = Bytes::from_static(b"{}");
        let digest = Digest::from_bytes(&bytes);
        assert!(!open().has_content());
        open().add(digest, bytes.clone()).await;
        assert_eq!(open().bytes(digest).await, Some(bytes));
        let file = folder.path().join("sha256").join(digest.to_hex());
        for damaged in [&b"[]"[..], b"", b"{} "] {
            fs::write(&file, damaged).unwrap();
            assert_eq!(open().bytes(digest).await, None);
        }
        fs::remove_file(&file).unwrap();
        assert_eq!(open().bytes(digest).await, None);
        let none = ContentCache::open(None, &notices);
        none.add(digest, Bytes::new()).await;
        assert_eq!(none.bytes(digest).await, None);
    }
}
