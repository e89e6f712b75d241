use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use tar::EntryType;

use super::ArchiveFault;
use super::sparse_entry::{SparseFile, SparseRecords};
use crate::layout::BLOB_DIRECTORY;
use crate::notices::to_printable;

/// The most bytes that the names of all entries may have together; an image has a few thousand.
const NAMES_LIMIT: usize = 16 << 20;
/// The most bytes that the headers of one entry may have, its long name and extensions included.
const HEADER_LIMIT: u64 = 1 << 20;
/// How many characters of a name stand in a message.
const SHOWN_NAME_LENGTH: usize = 200;
/// What a tar is made of.
const TAR_BLOCK_SIZE: u64 = 512;
/// What stands at its end: two blocks of zeroes, of which some tools write one.
const END_MARK: u64 = TAR_BLOCK_SIZE;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TarMember {
    /// A file, whose content lies there.
    File { offset: u64, len: u64 },
    /// A file that is stored without its holes.
    Sparse(SparseFile),
    /// The same with its holes, in another file.
    Expanded { offset: u64, len: u64 },
    /// A link to another entry.
    Link(String),
    /// Something without content of its own: what it is called.
    Other(&'static str),
}

/// The entries of a tar by their names.
#[derive(Debug)]
pub(super) struct TarListing {
    pub members: HashMap<String, TarMember>,
    /// The last entry, if the tar does not end after it as it should.
    pub cut_after: Option<String>,
}

/// Goes through the headers of a tar and refuses what no image archive has.
pub(super) fn list_entries(file: &File) -> Result<TarListing, ArchiveFault> {
    let len = file.metadata().map_err(ArchiveFault::Read)?.len();
    let left = Cell::new(HEADER_LIMIT);
    let mut archive = tar::Archive::new(Limited {
        source: file,
        left: &left,
    });
    let entries = archive.entries_with_seek().map_err(ArchiveFault::Read)?;
    let mut members = TarMembers::default();
    let mut last: Option<TarItem> = None;
    for entry in entries {
        let mut entry = entry.map_err(|error| bad_header(last.as_ref(), &error))?;
        let item = TarItem::from_entry(&mut entry, file, len)?;
        if let Some(member) = item.to_member()? {
            members.add(item.name.clone(), member)?;
        }
        last = Some(item);
        left.set(HEADER_LIMIT);
    }
    let last = last.ok_or_else(|| no_entries(len))?;
    Ok(TarListing {
        members: members.map,
        cut_after: (last.end.saturating_add(END_MARK) > len).then(|| last.printable_name()),
    })
}

fn no_entries(len: u64) -> ArchiveFault {
    let reason = match len {
        0 => "it is empty",
        _ => "it has no entries",
    };
    ArchiveFault::NotTar(reason.to_owned())
}

/// Goes through a tar that comes in one piece after the other, up to its end or to what is none of its
/// headers. What is wrong with it is for `tar_reader.rs` to say.
pub(super) fn pass(source: &mut dyn Read) {
    let left = Cell::new(HEADER_LIMIT);
    let mut archive = tar::Archive::new(Limited {
        source,
        left: &left,
    });
    let Ok(entries) = archive.entries() else {
        return;
    };
    for entry in entries {
        let Ok(entry) = entry else { return };
        // The content is read before the next header is.
        let content = match entry.header().entry_type().is_gnu_sparse() {
            true => entry.header().entry_size().unwrap_or_default(),
            false => entry.size(),
        };
        left.set(HEADER_LIMIT.saturating_add(content));
    }
}

fn read_sparse_records<R: Read>(
    entry: &mut tar::Entry<'_, R>,
) -> Result<SparseRecords, ArchiveFault> {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let wrong = |reason| sparse_fault(&name, reason);
    let records = entry.pax_extensions();
    let records = records.map_err(|_| wrong("its headers cannot be read"))?;
    let records = records.map(SparseRecords::parse).transpose();
    records.map(Option::unwrap_or_default).map_err(wrong)
}

fn sparse_fault(name: &str, reason: &str) -> ArchiveFault {
    ArchiveFault::Sparse {
        entry: to_printable(name, SHOWN_NAME_LENGTH),
        reason: reason.to_owned(),
    }
}

fn bad_header(last: Option<&TarItem>, error: &io::Error) -> ArchiveFault {
    let reason = to_printable(&error.to_string(), SHOWN_NAME_LENGTH);
    match last {
        None => ArchiveFault::NotTar(reason),
        Some(item) => ArchiveFault::Header {
            after: item.printable_name(),
            reason,
        },
    }
}

/// An entry as its headers describe it.
struct TarItem {
    /// The name without `./` and doubled slashes, as it is shown and looked up.
    name: String,
    kind: EntryType,
    target: Option<Vec<u8>>,
    sparse: Option<SparseFile>,
    offset: u64,
    len: u64,
    end: u64,
}

impl TarItem {
    fn from_entry<R: Read>(
        entry: &mut tar::Entry<'_, R>,
        file: &File,
        archive_len: u64,
    ) -> Result<Self, ArchiveFault> {
        let kind = entry.header().entry_type();
        let records = read_sparse_records(entry)?;
        let name = match &records.name {
            Some(name) => clean_name(name, kind)?,
            None => clean_name(&entry.path_bytes(), kind)?,
        };
        let (offset, len) = (entry.raw_file_position(), entry.size());
        let wrong = |reason| sparse_fault(&name, reason);
        let old_sparse = match entry.header().as_gnu() {
            Some(header) if kind.is_gnu_sparse() => {
                Some(SparseFile::from_gnu_header(header, file, offset).map_err(wrong)?)
            }
            _ => None,
        };
        let end = match &old_sparse {
            Some(sparse) => sparse.stored_end(),
            None => offset.saturating_add(len),
        };
        if end > archive_len {
            return Err(ArchiveFault::CutShort {
                entry: to_printable(&name, SHOWN_NAME_LENGTH),
                end,
                len: archive_len,
            });
        }
        let sparse = match old_sparse {
            Some(sparse) => Some(sparse),
            None => records.locate(file, offset, len).map_err(wrong)?,
        };
        Ok(Self {
            sparse,
            name,
            kind,
            target: entry.link_name_bytes().map(|target| target.into_owned()),
            offset,
            len,
            end: end.next_multiple_of(TAR_BLOCK_SIZE),
        })
    }

    /// The name for messages.
    fn printable_name(&self) -> String {
        to_printable(&self.name, SHOWN_NAME_LENGTH)
    }

    fn to_member(&self) -> Result<Option<TarMember>, ArchiveFault> {
        Ok(Some(match self.kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => match &self.sparse
            {
                Some(sparse) => TarMember::Sparse(sparse.clone()),
                None => TarMember::File {
                    offset: self.offset,
                    len: self.len,
                },
            },
            EntryType::Symlink => {
                let above = self.name.rsplit_once('/').map_or("", |(above, _)| above);
                TarMember::Link(self.resolve_link(above)?)
            }
            EntryType::Link => TarMember::Link(self.resolve_link("")?),
            EntryType::Directory => TarMember::Other("a directory"),
            EntryType::Block | EntryType::Char => TarMember::Other("a device"),
            EntryType::Fifo => TarMember::Other("a pipe"),
            EntryType::XGlobalHeader => return Ok(None),
            _ => TarMember::Other("an entry of an unknown kind"),
        }))
    }

    /// The name of the entry that this link leads to, seen from the directory `above`.
    fn resolve_link(&self, above: &str) -> Result<String, ArchiveFault> {
        let target = String::from_utf8_lossy(self.target.as_deref().unwrap_or_default());
        let out = || ArchiveFault::LinkOut {
            entry: self.printable_name(),
            target: to_printable(&target, SHOWN_NAME_LENGTH),
        };
        if target.starts_with('/') {
            return Err(out());
        }
        let mut path: Vec<&str> = above.split('/').filter(|part| !part.is_empty()).collect();
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(path.pop().ok_or_else(out)?),
                part => path.push(part),
            }
        }
        Ok(path.join("/"))
    }
}

/// The name of an entry; one that leads out of the archive is refused.
fn clean_name(bytes: &[u8], kind: EntryType) -> Result<String, ArchiveFault> {
    let name = String::from_utf8_lossy(bytes);
    let refuse = |why| {
        Err(ArchiveFault::Name {
            entry: to_printable(&name, SHOWN_NAME_LENGTH),
            why,
        })
    };
    if kind.is_pax_global_extensions() {
        // Describes other entries; its own name stands for nothing.
        return Ok(to_printable(&name, SHOWN_NAME_LENGTH));
    }
    if name.starts_with('/') {
        return refuse("has an absolute name");
    }
    if name.split('/').any(|part| part == "..") {
        return refuse("has .. in its name");
    }
    let parts: Vec<_> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    Ok(parts.join("/"))
}

#[derive(Default)]
struct TarMembers {
    map: HashMap<String, TarMember>,
    /// How long all names and targets are together.
    text: usize,
}

impl TarMembers {
    /// Later entries replace earlier ones, as when a tar is unpacked; but where that could give two
    /// readers different images, it is an error.
    fn add(&mut self, name: String, member: TarMember) -> Result<(), ArchiveFault> {
        self.text += name.len();
        if let TarMember::Link(target) = &member {
            self.text += target.len();
        }
        if self.text > NAMES_LIMIT {
            return Err(ArchiveFault::TooMany);
        }
        match self.map.get(&name) {
            Some(there) if !are_interchangeable(&name, there, &member) => Err(
                ArchiveFault::DuplicateEntry(to_printable(&name, SHOWN_NAME_LENGTH)),
            ),
            _ => {
                self.map.insert(name, member);
                Ok(())
            }
        }
    }
}

/// Whether it does not matter which of two entries of one name is read. Two blobs of one size may
/// stand for each other, since what is read is checked against its digest.
fn are_interchangeable(name: &str, there: &TarMember, new: &TarMember) -> bool {
    match (there, new) {
        (TarMember::File { len: there, .. }, TarMember::File { len: new, .. }) => {
            there == new && name.starts_with(BLOB_DIRECTORY)
        }
        _ => there == new,
    }
}

/// A tar of which the headers of one entry can read only so much: the tar crate keeps long names and
/// extensions in memory whatever their size.
struct Limited<'a, R> {
    source: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.source.read(buffer)?;
        let left = self.left.get().checked_sub(size as u64);
        self.left.set(left.ok_or_else(|| {
            io::Error::other(format!("its headers are larger than {HEADER_LIMIT} bytes"))
        })?);
        Ok(size)
    }
}

impl<R: Seek> Seek for Limited<'_, R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.source.seek(position)
    }
}
