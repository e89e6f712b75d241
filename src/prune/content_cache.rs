//! Cache of manifests and configs by digest, on disk. It is verified when it is read, and safe to lose.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::cache_segment::{ContentExtent, SegmentWriter, open_segments, read_content};
use crate::image::{Digest, Manifest};
use crate::notices::Notices;

/// Cache of small content by digest. Reading and writing take microseconds, so that they are done where they are asked
/// for.
#[derive(Clone)]
pub(super) struct ContentCache(Option<Arc<CacheFolder>>);

struct CacheFolder {
    path: PathBuf,
    /// Segments that were there when it was opened.
    segments: Vec<File>,
    /// Whether they had anything.
    has_content: bool,
    state: Mutex<CacheState>,
    notices: Notices,
}

struct CacheState {
    /// Where a content is, by the number of its segment; nothing of content that this run wrote.
    places: HashMap<Digest, Vec<(usize, ContentExtent)>>,
    writer: CacheWriter,
}

/// Segment that this run writes.
enum CacheWriter {
    NotNeeded,
    Open(SegmentWriter),
    /// The log says that it cannot be written.
    Unwritable,
}

impl ContentCache {
    /// Opens a cache in a directory, which need not exist; without one nothing is cached.
    pub(super) fn open(path: Option<&Path>, notices: &Notices) -> Self {
        Self(path.map(|path| {
            let mut places: HashMap<Digest, Vec<_>> = HashMap::new();
            let segments = open_segments(path, |digest, segment, extent| {
                places.entry(digest).or_default().push((segment, extent));
            });
            Arc::new(CacheFolder {
                path: path.to_owned(),
                segments,
                has_content: !places.is_empty(),
                state: Mutex::new(CacheState {
                    places,
                    writer: CacheWriter::NotNeeded,
                }),
                notices: notices.clone(),
            })
        }))
    }

    /// Returns whether it had anything when it was opened: then a digest may be all that a registry is asked for.
    pub(super) fn has_content(&self) -> bool {
        self.0.as_ref().is_some_and(|folder| folder.has_content)
    }

    /// Returns a manifest; `None` if it is not there as its digest says.
    pub(super) fn manifest(&self, digest: Digest) -> Option<Manifest> {
        Manifest::parse(self.bytes(digest)?, None).ok()
    }

    /// Returns content; `None` if it is not there as its digest says.
    pub(super) fn bytes(&self, digest: Digest) -> Option<Bytes> {
        let folder = self.0.as_ref()?;
        let places = folder.lock().places.get(&digest).cloned()?;
        let mut places = places.into_iter();
        let read =
            places.find_map(|(at, extent)| read_content(&folder.segments[at], extent, digest));
        if read.is_none() {
            folder.lock().places.remove(&digest);
        }
        read.map(Bytes::from)
    }

    /// Stores a manifest that names its media type itself: without it, only the registry tells.
    pub(super) fn add_manifest(&self, manifest: &Manifest) {
        if self.0.is_some() && Manifest::declares_media_type(&manifest.bytes) {
            self.add(manifest.digest, &manifest.bytes);
        }
    }

    /// Stores content that is not there. A cache that cannot be written is a warning, once.
    pub(super) fn add(&self, digest: Digest, bytes: &[u8]) {
        let Some(folder) = &self.0 else { return };
        let mut state = folder.lock();
        if state.places.contains_key(&digest) {
            return;
        }
        state.places.insert(digest, Vec::new());
        if let Err(error) = state.writer.add(&folder.path, digest, bytes) {
            state.writer = CacheWriter::Unwritable;
            let path = folder.path.display();
            folder.notices.warning(format!(
                "cache: {path} cannot be written, the next run reads everything again: {error}"
            ));
        }
    }
}

impl CacheFolder {
    fn lock(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheWriter {
    fn add(&mut self, path: &Path, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        if matches!(self, Self::NotNeeded) {
            *self = Self::Open(SegmentWriter::create(path)?);
        }
        match self {
            Self::Open(segment) => segment.add(digest, bytes),
            Self::NotNeeded | Self::Unwritable => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_cache_gives_only_what_its_digest_says() {
        let folder = tempfile::tempdir().unwrap();
        let notices = Notices::new(|notice| panic!("{notice:?}"));
        let open = || ContentCache::open(Some(folder.path()), &notices);
        let contents = [&b"{}"[..], b"", b"{\"a\":1}"].map(|it| (Digest::from_bytes(it), it));
        assert!(!open().has_content());
        let cache = open();
        for (digest, bytes) in contents {
            cache.add(digest, bytes);
            assert_eq!(cache.bytes(digest), None, "this run has it");
        }
        drop(cache);
        let is_whole = |(digest, bytes): (Digest, &'static [u8])| {
            let read = open().bytes(digest);
            assert!(read.is_none() || read.as_deref() == Some(bytes));
            read.is_some()
        };
        assert_eq!(contents.map(is_whole), [true; 3]);
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap();
        let file = file.unwrap().path();
        let whole = fs::read(&file).unwrap();
        // Whatever a segment lost or whichever byte is another one.
        for length in 0..whole.len() {
            fs::write(&file, &whole[..length]).unwrap();
            assert!(!contents.map(is_whole)[2], "{length}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            fs::write(&file, damaged).unwrap();
            assert_ne!(contents.map(is_whole), [true; 3], "{at}");
        }
    }

    #[test]
    fn damaged_content_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let notices = Notices::new(|notice| panic!("{notice:?}"));
        let open = || ContentCache::open(Some(folder.path()), &notices);
        let digest = Digest::from_bytes(b"{}");
        open().add(digest, b"[]");
        let cache = open();
        assert_eq!(cache.bytes(digest), None);
        cache.add(digest, b"{}");
        drop(cache);
        open().add(digest, b"{}");
        assert_eq!(open().bytes(digest).as_deref(), Some(&b"{}"[..]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_contents_of_many_runs_are_merged() {
        let folder = tempfile::tempdir().unwrap();
        let notices = Notices::new(|notice| panic!("{notice:?}"));
        let open = || ContentCache::open(Some(folder.path()), &notices);
        let contents: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        for content in &contents {
            let bytes = content.as_bytes();
            open().add(Digest::from_bytes(bytes), bytes);
        }
        let cache = open();
        for content in &contents {
            let read = cache.bytes(Digest::from_bytes(content.as_bytes()));
            assert_eq!(read.as_deref(), Some(content.as_bytes()));
        }
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 16);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_one_warning() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let taken = warnings.clone();
        let notices = Notices::new(move |notice| taken.lock().unwrap().push(format!("{notice:?}")));
        let cache = ContentCache::open(Some(&file.join("cache")), &notices);
        for content in [&b"{}"[..], b"[]"] {
            cache.add(Digest::from_bytes(content), content);
        }
        assert_eq!(warnings.lock().unwrap().len(), 1);
        let none = ContentCache::open(None, &notices);
        none.add(Digest::from_bytes(b""), b"");
        assert_eq!(none.bytes(Digest::from_bytes(b"")), None);
    }
}
