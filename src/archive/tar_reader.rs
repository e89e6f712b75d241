//! A tar that is read in place: its entries by name, and where their content lies.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use super::ArchiveFault;
use super::scratch::{Scratch, ScratchFile};
use super::tar_entries::{self, TarMember};
use crate::image::{MANIFEST_LIMIT, ManifestError};
use crate::layout::{BlobFault, FileExtent, INDEX_FILE, LayoutFault};
use crate::notices::to_printable;

/// How many links are followed to come to a file.
const LINK_LIMIT: usize = 8;

#[derive(Debug)]
pub(super) struct TarReader {
    file: Arc<File>,
    members: HashMap<String, TarMember>,
    /// The sparse files with their holes. Their offsets are behind those of the tar, so that an offset
    /// means one content.
    expanded: Option<Arc<File>>,
    /// The last entry, if the tar does not end after it as it should.
    cut_after: Option<String>,
}

impl TarReader {
    /// Goes through the headers once. Sparse files are written with their holes into `scratch`, except
    /// those for which it has no room: an entry may promise any size, and need not be of an image.
    pub(super) fn open(file: File, scratch: &Scratch) -> Result<Self, ArchiveFault> {
        let mut listing = tar_entries::list_entries(&file)?;
        let expanded = expand_sparse_files(&file, &mut listing.members, scratch)?;
        Ok(Self {
            file: Arc::new(file),
            expanded: expanded.map(Arc::new),
            members: listing.members,
            cut_after: listing.cut_after,
        })
    }

    pub(super) fn has_entry(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Where the content of an entry lies, with links followed.
    pub(super) fn find_entry(&self, name: &str) -> Result<Option<FileExtent>, BlobFault> {
        let mut at = name;
        for _ in 0..=LINK_LIMIT {
            match self.members.get(at) {
                None if at == name => return Ok(None),
                None => return Err(BlobFault::Link(to_printable(at, 200))),
                Some(TarMember::Other(kind)) => return Err(BlobFault::NotAFile(kind)),
                Some(TarMember::Link(to)) => at = to,
                Some(TarMember::Sparse(_)) => {
                    let kind =
                        "a sparse file larger than the room for unpacked files (scratch-limit)";
                    return Err(BlobFault::NotAFile(kind));
                }
                Some(TarMember::Expanded { offset, len } | TarMember::File { offset, len }) => {
                    let expanded = matches!(self.members.get(at), Some(TarMember::Expanded { .. }));
                    let expanded = self.expanded.as_ref().filter(|_| expanded);
                    return Ok(Some(FileExtent {
                        file: expanded.unwrap_or(&self.file).clone(),
                        offset: *offset,
                        len: *len,
                    }));
                }
            }
        }
        Err(BlobFault::Link(to_printable(at, 200)))
    }

    /// The content of a document that is taken into memory, which may be as large as a manifest.
    pub(super) fn read_document(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveFault> {
        let read = || match self.find_entry(name)? {
            None => Ok(None),
            Some(extent) if extent.len > MANIFEST_LIMIT as u64 => {
                Err(BlobFault::from(ManifestError::TooLarge))
            }
            Some(extent) => extent.read().map(Some).map_err(BlobFault::Io),
        };
        read()
            .map_err(LayoutFault::blob(to_printable(name, 200)))
            .map_err(ArchiveFault::from)
    }

    /// What to say of an archive in which `name` is missing.
    pub(super) fn missing_entry(&self, name: &'static str) -> ArchiveFault {
        match &self.cut_after {
            Some(after) => ArchiveFault::EndMissing {
                name,
                after: after.clone(),
            },
            None if name == INDEX_FILE => LayoutFault::NoIndex.into(),
            None => ArchiveFault::NoImages,
        }
    }
}

/// Writes the sparse files of a tar for which there is room into one nameless file, behind as many bytes as
/// the tar has.
fn expand_sparse_files(
    tar: &File,
    members: &mut HashMap<String, TarMember>,
    scratch: &Scratch,
) -> Result<Option<File>, ArchiveFault> {
    let mut sparse = members.values_mut().filter_map(|member| match member {
        TarMember::Sparse(file) if scratch.try_take(file.len) => Some((file.clone(), member)),
        _ => None,
    });
    let Some(first) = sparse.next() else {
        return Ok(None);
    };
    let room = scratch.file().and_then(ScratchFile::finish);
    let mut target = room.map_err(|error| scratch.fault(error))?;
    let mut offset = tar.metadata().map_err(ArchiveFault::Read)?.len();
    for (file, member) in std::iter::once(first).chain(sparse) {
        let written = file.expand(tar, &mut target, offset);
        written.map_err(|error| scratch.fault(error))?;
        *member = TarMember::Expanded {
            offset,
            len: file.len,
        };
        // An empty file has a place of its own too.
        offset += file.len.max(1);
    }
    let end = target.set_len(offset);
    end.map_err(|error| scratch.fault(error))?;
    Ok(Some(target))
}
