use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use tar::EntryType;

use super::ArchiveFault;
use crate::layout::BLOB_DIRECTORY;
use crate::notice::printable;

/// The most bytes that the names of all entries may have together; an image has a few thousand.
const NAMES_LIMIT: usize = 16 << 20;
/// The most bytes that the headers of one entry may have, its long name and extensions included.
const HEADER_LIMIT: u64 = 1 << 20;
/// How many characters of a name stand in a message.
const SHOWN: usize = 200;
/// What a tar is made of.
const BLOCK: u64 = 512;
/// What stands at its end: two blocks of zeroes, of which some tools write one.
const END_MARK: u64 = BLOCK;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// A file, whose content lies there.
    File { offset: u64, len: u64 },
    /// A link to another entry.
    Link(String),
    /// Something without content of its own: what it is called.
    Other(&'static str),
}

/// The entries of a tar by their names.
#[derive(Debug)]
pub(super) struct Listing {
    pub members: HashMap<String, Member>,
    /// The last entry, if the tar does not end after it as it should.
    pub cut_after: Option<String>,
}

/// Goes through the headers of a tar and refuses what no image archive has.
pub(super) fn list(file: &File) -> Result<Listing, ArchiveFault> {
    let len = file.metadata().map_err(ArchiveFault::Read)?.len();
    let left = Cell::new(HEADER_LIMIT);
    let mut archive = tar::Archive::new(Limited {
        source: file,
        left: &left,
    });
    let entries = archive.entries_with_seek().map_err(ArchiveFault::Read)?;
    let mut members = Members::default();
    let mut last: Option<Item> = None;
    for entry in entries {
        let entry = entry.map_err(|error| bad_header(last.as_ref(), &error))?;
        let item = Item::read(&entry, len)?;
        if let Some(member) = item.member()? {
            members.add(item.name.clone(), member)?;
        }
        last = Some(item);
        left.set(HEADER_LIMIT);
    }
    let last = last.ok_or_else(|| ArchiveFault::NotTar("it has no entries".to_owned()))?;
    Ok(Listing {
        members: members.map,
        cut_after: (last.end.saturating_add(END_MARK) > len).then(|| last.shown()),
    })
}

/// Goes through a tar that comes in one piece after the other, up to its end or to what is none of its
/// headers. What is wrong with it is for [`list`] to say.
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

fn bad_header(last: Option<&Item>, error: &io::Error) -> ArchiveFault {
    let reason = printable(&error.to_string(), SHOWN);
    match last {
        None => ArchiveFault::NotTar(reason),
        Some(item) => ArchiveFault::Header {
            after: item.shown(),
            reason,
        },
    }
}

/// An entry as its headers describe it.
struct Item {
    /// The name without `./` and doubled slashes, as it is shown and looked up.
    name: String,
    kind: EntryType,
    target: Option<Vec<u8>>,
    offset: u64,
    len: u64,
    end: u64,
}

impl Item {
    fn read<R: Read>(entry: &tar::Entry<'_, R>, archive_len: u64) -> Result<Self, ArchiveFault> {
        let kind = entry.header().entry_type();
        let name = clean(&entry.path_bytes(), kind)?;
        let (offset, len) = (entry.raw_file_position(), entry.size());
        // The size of a sparse file is not that of its content here.
        let inside = if kind.is_gnu_sparse() { 0 } else { len };
        let end = offset.saturating_add(inside);
        if end > archive_len {
            return Err(ArchiveFault::CutShort {
                entry: printable(&name, SHOWN),
                end,
                len: archive_len,
            });
        }
        Ok(Self {
            name,
            kind,
            target: entry.link_name_bytes().map(|target| target.into_owned()),
            offset,
            len,
            end: end.next_multiple_of(BLOCK),
        })
    }

    /// The name for messages.
    fn shown(&self) -> String {
        printable(&self.name, SHOWN)
    }

    fn member(&self) -> Result<Option<Member>, ArchiveFault> {
        Ok(Some(match self.kind {
            EntryType::Regular | EntryType::Continuous => Member::File {
                offset: self.offset,
                len: self.len,
            },
            EntryType::Symlink => {
                let above = self.name.rsplit_once('/').map_or("", |(above, _)| above);
                Member::Link(self.inside(above)?)
            }
            EntryType::Link => Member::Link(self.inside("")?),
            EntryType::Directory => Member::Other("a directory"),
            EntryType::GNUSparse => Member::Other("a sparse file"),
            EntryType::Block | EntryType::Char => Member::Other("a device"),
            EntryType::Fifo => Member::Other("a pipe"),
            EntryType::XGlobalHeader => return Ok(None),
            _ => Member::Other("an entry of an unknown kind"),
        }))
    }

    /// The name of the entry that this link leads to, seen from the directory `above`.
    fn inside(&self, above: &str) -> Result<String, ArchiveFault> {
        let target = String::from_utf8_lossy(self.target.as_deref().unwrap_or_default());
        let out = || ArchiveFault::LinkOut {
            entry: self.shown(),
            target: printable(&target, SHOWN),
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
fn clean(bytes: &[u8], kind: EntryType) -> Result<String, ArchiveFault> {
    let name = String::from_utf8_lossy(bytes);
    let refuse = |why| {
        Err(ArchiveFault::Name {
            entry: printable(&name, SHOWN),
            why,
        })
    };
    if kind.is_pax_global_extensions() {
        // Describes other entries; its own name stands for nothing.
        return Ok(printable(&name, SHOWN));
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
struct Members {
    map: HashMap<String, Member>,
    /// How long all names and targets are together.
    text: usize,
}

impl Members {
    /// Later entries replace earlier ones, as when a tar is unpacked; but where that could give two
    /// readers different images, it is an error.
    fn add(&mut self, name: String, member: Member) -> Result<(), ArchiveFault> {
        self.text += name.len();
        if let Member::Link(target) = &member {
            self.text += target.len();
        }
        if self.text > NAMES_LIMIT {
            return Err(ArchiveFault::TooMany);
        }
        match self.map.get(&name) {
            Some(there) if !agree(&name, there, &member) => {
                Err(ArchiveFault::Twice(printable(&name, SHOWN)))
            }
            _ => {
                self.map.insert(name, member);
                Ok(())
            }
        }
    }
}

/// Whether it does not matter which of two entries of one name is read. Two blobs of one size may
/// stand for each other, since what is read is checked against its digest.
fn agree(name: &str, there: &Member, new: &Member) -> bool {
    match (there, new) {
        (Member::File { len: there, .. }, Member::File { len: new, .. }) => {
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
