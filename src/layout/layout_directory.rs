use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::blobs::{BLOB_DIRECTORY, BlobStream, FileExtent, LayoutBlobs, run_blocking};
use super::folder::{Folder, Links};
use super::{
    BlobFault, CheckedCounts, INDEX_FILE, LAYOUT_FILE, LayoutError, LayoutFault, LayoutIndex, blobs,
};
use crate::image::{
    Descriptor, Digest, ImageSelector, MANIFEST_LIMIT, Manifest, ManifestBudget, ManifestError, Tag,
};

/// An OCI image layout directory. Cheap to clone. Every call sees what is on disk; what is kept in
/// memory is the index as it was read last, and which blobs have been hashed.
#[derive(Debug, Clone)]
pub struct LayoutDirectory {
    path: Arc<PathBuf>,
    pub(super) links: Links,
    memory: Arc<Memory>,
    /// The memory for its manifests.
    budget: ManifestBudget,
}

/// What is known of a layout.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The last index, and by what its file is told from another.
    index: Mutex<Option<(Stamp, Arc<LayoutIndex>)>>,
    /// Blobs and manifests that have the digest they go by.
    right: Mutex<HashSet<Digest>>,
    /// Manifests below which everything is there and right.
    whole: Mutex<HashSet<Digest>>,
}

/// Tells one state of a file from another: device, inode, size, and when it was changed.
type Stamp = (u64, u64, u64, i64, i64);

impl LayoutDirectory {
    /// A layout to read from, which must be one: `oci-layout` of version 1.x and `index.json`.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let layout = Self::to_read(path);
        layout
            .run_blocking(|layout| {
                layout.require_directory()?;
                layout.require_layout_file()?;
                layout.read_index()?.ok_or(LayoutFault::NoIndex).map(drop)
            })
            .await?;
        Ok(layout)
    }

    /// A layout to write to. It need not exist yet: the first write makes it. Links in it are not
    /// followed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_links(path, Links::Refused)
    }

    /// A layout to look at, which need not exist.
    pub fn to_read(path: impl Into<PathBuf>) -> Self {
        Self::with_links(path, Links::Followed)
    }

    fn with_links(path: impl Into<PathBuf>, links: Links) -> Self {
        Self {
            path: Arc::new(path.into()),
            links,
            memory: Arc::default(),
            budget: ManifestBudget::default(),
        }
    }

    /// Returns the budget for the manifests that are read from it.
    pub fn manifest_budget(&self) -> &ManifestBudget {
        &self.budget
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The root that `selector` means. With [`ImageSelector::Only`], entries that belong to others do
    /// not count: attestations, signatures, referrers, and platforms of an index.
    pub async fn select_image(&self, selector: &ImageSelector) -> Result<Digest, LayoutError> {
        let selector = selector.clone();
        self.run_blocking(move |layout| super::select_image(layout, &selector))
            .await
    }

    /// What a tag names. `None` where there is no such tag, also where there is no layout yet.
    pub async fn resolve_tag(&self, tag: &Tag) -> Result<Option<Digest>, LayoutError> {
        let tag = tag.clone();
        self.run_blocking(move |layout| {
            let digests = layout.index()?.digests_of_tag(&tag)?;
            match digests.as_slice() {
                [] => Ok(None),
                [digest] => Ok(Some(*digest)),
                several => Err(LayoutFault::Ambiguous {
                    name: tag.to_string(),
                    digests: several.iter().map(Digest::to_string).collect(),
                }),
            }
        })
        .await
    }

    /// All tags, in order.
    pub async fn tags(&self) -> Result<Vec<Tag>, LayoutError> {
        self.run_blocking(|layout| Ok(layout.index()?.tags())).await
    }

    /// The manifest with that digest, if it is there. Its bytes have that digest.
    pub async fn get_manifest(&self, digest: Digest) -> Result<Option<Manifest>, LayoutError> {
        self.run_blocking(move |layout| blobs::get_manifest(layout, digest))
            .await
    }

    /// Whether a blob is there with the right size and digest. One that is there and wrong is written
    /// over.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool, LayoutError> {
        let blob = blob.clone();
        self.run_blocking(move |layout| blobs::has_blob(layout, &blob))
            .await
    }

    /// A blob's bytes. Its size is checked here; its digest is for the reader to check.
    pub async fn open_blob(&self, blob: &Descriptor) -> Result<BlobStream, LayoutError> {
        let blob = blob.clone();
        self.run_blocking(move |layout| blobs::open_blob(layout, &blob))
            .await
    }

    /// Checks that everything below `root` is there and has the right size and digest.
    pub async fn check(&self, root: Digest) -> Result<CheckedCounts, LayoutError> {
        self.run_blocking(move |layout| super::check(layout, root))
            .await
    }

    /// Runs blocking `work` on the layout, and names the layout in what goes wrong.
    pub(super) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LayoutFault> + Send + 'static,
    ) -> Result<T, LayoutError> {
        let layout = self.clone();
        run_blocking(move || work(&layout).map_err(|fault| fault.at(&layout.path))).await
    }

    /// Its directory, opened; none where there is none.
    fn folder(&self) -> io::Result<Option<Folder>> {
        match Folder::open(&self.path) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The directory of blobs; none where there is none.
    pub(super) fn blob_folder(&self) -> Result<Option<Folder>, BlobFault> {
        let mut at = self.folder().map_err(BlobFault::Io)?;
        for name in BLOB_DIRECTORY.split('/') {
            let Some(folder) = at else { return Ok(None) };
            at = folder.folder(name, self.links)?;
        }
        Ok(at)
    }

    /// That a blob or manifest is there with its size and digest. Each is hashed once, or never where
    /// it was hashed as it was written.
    pub(super) fn require_right(&self, digest: Digest, size: u64) -> Result<(), BlobFault> {
        let extent = self.require_blob(digest, size)?;
        if lock(&self.memory.right).contains(&digest) {
            return Ok(());
        }
        let is = extent.digest().map_err(BlobFault::Io)?;
        if is != digest {
            return Err(BlobFault::Digest { is });
        }
        self.note_right(digest);
        Ok(())
    }

    /// Notes that a blob has the digest it goes by.
    pub(super) fn note_right(&self, digest: Digest) {
        lock(&self.memory.right).insert(digest);
    }

    /// Forgets what is known of a blob that goes, and of all that may name it.
    pub(super) fn forget(&self, digest: Digest) {
        lock(&self.memory.right).remove(&digest);
        lock(&self.memory.whole).clear();
    }

    /// That everything below a manifest is there and right. Each is gone through once.
    pub(super) fn require_whole(&self, manifest: &Manifest) -> Result<(), LayoutFault> {
        if !lock(&self.memory.whole).contains(&manifest.digest) {
            super::integrity_check::check_below(self, manifest)?;
            lock(&self.memory.whole).insert(manifest.digest);
        }
        Ok(())
    }

    fn require_directory(&self) -> Result<(), LayoutFault> {
        match self.path.metadata() {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(LayoutFault::NotADirectory),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LayoutFault::Absent),
            Err(error) => Err(LayoutFault::io("inspect it")(error)),
        }
    }

    pub(super) fn require_layout_file(&self) -> Result<(), LayoutFault> {
        check_layout_file(
            &self
                .read_file(LAYOUT_FILE)?
                .ok_or(LayoutFault::NoLayoutFile)?,
        )
    }

    /// What `index.json` says, if there is one.
    pub(super) fn read_index(&self) -> Result<Option<LayoutIndex>, LayoutFault> {
        Ok(self.shared_index()?.map(Arc::unwrap_or_clone))
    }

    /// The same, to be shared: it may have thousands of entries, and is read for as many manifests.
    fn shared_index(&self) -> Result<Option<Arc<LayoutIndex>>, LayoutFault> {
        let Some(file) = self.open_file(INDEX_FILE)? else {
            return Ok(None);
        };
        let stamp = stamp(&file).map_err(LayoutFault::io(format!("read {INDEX_FILE}")))?;
        let known = lock(&self.memory.index).clone();
        if let Some((_, index)) = known.filter(|(of, _)| *of == stamp) {
            return Ok(Some(index));
        }
        let index = Arc::new(LayoutIndex::parse(&read_small(file, INDEX_FILE)?)?);
        *lock(&self.memory.index) = Some((stamp, index.clone()));
        Ok(Some(index))
    }

    /// One of the two small files of a layout.
    fn read_file(&self, name: &str) -> Result<Option<Vec<u8>>, LayoutFault> {
        let file = self.open_file(name)?;
        file.map(|file| read_small(file, name)).transpose()
    }

    fn open_file(&self, name: &str) -> Result<Option<File>, LayoutFault> {
        let doing = || LayoutFault::io(format!("read {name}"));
        let Some(folder) = self.folder().map_err(doing())? else {
            return Ok(None);
        };
        match folder.file(name, self.links) {
            Ok(file) => Ok(file),
            Err(BlobFault::Io(error)) => Err(doing()(error)),
            Err(fault) => Err(LayoutFault::blob(name)(fault)),
        }
    }
}

fn stamp(file: &File) -> io::Result<Stamp> {
    let it = file.metadata()?;
    Ok((it.dev(), it.ino(), it.len(), it.ctime(), it.ctime_nsec()))
}

fn read_small(file: File, name: &str) -> Result<Vec<u8>, LayoutFault> {
    let mut bytes = Vec::new();
    file.take(MANIFEST_LIMIT as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(LayoutFault::io(format!("read {name}")))?;
    if bytes.len() > MANIFEST_LIMIT {
        return Err(LayoutFault::blob(name)(ManifestError::TooLarge.into()));
    }
    Ok(bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LayoutBlobs for LayoutDirectory {
    fn find_blob(&self, digest: Digest) -> Result<Option<FileExtent>, BlobFault> {
        let Some(folder) = self.blob_folder()? else {
            return Ok(None);
        };
        let file = folder.file(&digest.to_hex(), self.links)?;
        file.map(|file| {
            Ok(FileExtent {
                len: file.metadata().map_err(BlobFault::Io)?.len(),
                file: Arc::new(file),
                offset: 0,
            })
        })
        .transpose()
    }

    fn budget(&self) -> &ManifestBudget {
        &self.budget
    }

    fn index(&self) -> Result<Arc<LayoutIndex>, LayoutFault> {
        let index = self.shared_index()?;
        Ok(index.unwrap_or_else(|| Arc::new(LayoutIndex::empty())))
    }

    fn hash(&self, digest: Digest, size: u64) -> Result<(), BlobFault> {
        self.require_right(digest, size)
    }
}

/// Whether the content of `oci-layout` is that of version 1.x.
pub(crate) fn check_layout_file(bytes: &[u8]) -> Result<(), LayoutFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct LayoutFileJson {
        image_layout_version: String,
    }
    let marker: LayoutFileJson = serde_json::from_slice(bytes)
        .map_err(|error| LayoutFault::LayoutFile(format!("is not valid: {error}")))?;
    if !marker.image_layout_version.starts_with("1.") {
        let version = crate::notices::to_printable(&marker.image_layout_version, 40);
        return Err(LayoutFault::Version(version));
    }
    Ok(())
}
