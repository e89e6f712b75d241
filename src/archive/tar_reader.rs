//! A tar that is read in place: its entries by name, and where their content lies.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use super::ArchiveFault;
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
    /// The last entry, if the tar does not end after it as it should.
    cut_after: Option<String>,
}

impl TarReader {
    /// Goes through the headers once.
    pub(super) fn open(file: File) -> Result<Self, ArchiveFault> {
        let listing = tar_entries::list_entries(&file)?;
        Ok(Self {
            file: Arc::new(file),
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
                Some(TarMember::File { offset, len }) => {
                    return Ok(Some(FileExtent {
                        file: self.file.clone(),
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
