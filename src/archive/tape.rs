//! A tar that is read in place: its entries by name, and where their content lies.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use super::ArchiveFault;
use super::entries::{self, Member};
use crate::image::{MANIFEST_LIMIT, ManifestError};
use crate::layout::{BlobFault, Extent, INDEX, LayoutFault};
use crate::notice::printable;

/// How many links are followed to come to a file.
const LINK_LIMIT: usize = 8;

#[derive(Debug)]
pub(super) struct Tape {
    file: Arc<File>,
    members: HashMap<String, Member>,
    /// The last entry, if the tar does not end after it as it should.
    cut_after: Option<String>,
}

impl Tape {
    /// Goes through the headers once.
    pub(super) fn read(file: File) -> Result<Self, ArchiveFault> {
        let listing = entries::list(&file)?;
        Ok(Self {
            file: Arc::new(file),
            members: listing.members,
            cut_after: listing.cut_after,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Where the content of an entry lies, with links followed.
    pub(super) fn find(&self, name: &str) -> Result<Option<Extent>, BlobFault> {
        let mut at = name;
        for _ in 0..=LINK_LIMIT {
            match self.members.get(at) {
                None if at == name => return Ok(None),
                None => return Err(BlobFault::Link(printable(at, 200))),
                Some(Member::Other(kind)) => return Err(BlobFault::NotAFile(kind)),
                Some(Member::Link(to)) => at = to,
                Some(Member::File { offset, len }) => {
                    return Ok(Some(Extent {
                        file: self.file.clone(),
                        offset: *offset,
                        len: *len,
                    }));
                }
            }
        }
        Err(BlobFault::Link(printable(at, 200)))
    }

    /// The content of a document that is taken into memory, which may be as large as a manifest.
    pub(super) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, ArchiveFault> {
        let read = || match self.find(name)? {
            None => Ok(None),
            Some(extent) if extent.len > MANIFEST_LIMIT as u64 => {
                Err(BlobFault::from(ManifestError::TooLarge))
            }
            Some(extent) => extent.read().map(Some).map_err(BlobFault::Io),
        };
        read()
            .map_err(LayoutFault::blob(printable(name, 200)))
            .map_err(ArchiveFault::from)
    }

    /// What to say of an archive in which `name` is missing.
    pub(super) fn without(&self, name: &'static str) -> ArchiveFault {
        match &self.cut_after {
            Some(after) => ArchiveFault::NoEnd {
                name,
                after: after.clone(),
            },
            None if name == INDEX => LayoutFault::NoIndex.into(),
            None => ArchiveFault::NoImages,
        }
    }
}
