use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::decompression::spool_tar;
use super::*;
use crate::image::{Digest, ImageSelector};
use crate::layout::tests::fixture;
use crate::notices::Notices;

/// The root of `buildkit-multi.tar`.
const ROOT: &str = "sha256:cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a";

/// An archive of another program: see `tests/data/archives/README.md`.
fn archive(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/archives");
    folder.join(name)
}

async fn root_of(path: &Path) -> Result<Digest, String> {
    let scratch = tempfile::tempdir().unwrap();
    let unpacking = Unpacking {
        directory: Some(scratch.path().to_owned()),
        limit: None,
    };
    let archive = ImageArchive::open(path, &unpacking).await;
    let archive = archive.map_err(|error| error.to_string())?;
    let root = archive.select_image(&ImageSelector::Only).await.unwrap();
    archive.check(root).await.unwrap();
    Ok(root)
}

#[tokio::test]
async fn archives_compressed_with_xz_and_bzip2_are_read() {
    for name in [
        "buildkit-multi.tar.xz",
        "two-streams.tar.xz",
        "buildkit-multi.tar.bz2",
        "two-streams.tar.bz2",
    ] {
        let root = root_of(&archive(name)).await.unwrap();
        assert_eq!(root.to_string(), ROOT, "{name}");
    }
}

#[tokio::test]
async fn an_xz_archive_with_a_larger_dictionary_than_any_preset_is_refused() {
    let error = root_of(&archive("large-dictionary.tar.xz")).await;
    let error = error.unwrap_err();
    assert!(
        error.contains("it was compressed with a dictionary of more than 64 MiB"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cut_or_damaged_archive_of_any_compression_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["buildkit-multi.tar.xz", "buildkit-multi.tar.bz2"] {
        let bytes = std::fs::read(archive(name)).unwrap();
        let mut damaged = bytes.clone();
        damaged[4000] ^= 0x10;
        let cut = bytes[..bytes.len() / 2].to_vec();
        for bytes in [damaged, cut] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let error = root_of(&path).await.unwrap_err();
            assert!(error.contains("cannot be unpacked: "), "{name}: {error}");
        }
    }
}

/// What comes in small pieces, as from a pipe.
struct Trickle<R>(R);

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = buffer.len().min(3);
        self.0.read(&mut buffer[..size])
    }
}

#[test]
fn an_archive_that_comes_in_pieces_is_spooled_up_to_its_end() {
    let plain = std::fs::read(fixture("buildkit-multi.tar")).unwrap();
    for path in [
        fixture("buildkit-multi.tar"),
        fixture("buildkit-multi.tar.gz"),
        archive("buildkit-multi.tar.xz"),
        archive("buildkit-multi.tar.bz2"),
    ] {
        let source = BufReader::new(Trickle(File::open(path).unwrap()));
        let (mut file, _scratch) = spool_tar(source, &Unpacking::default()).unwrap();
        let mut spooled = Vec::new();
        file.read_to_end(&mut spooled).unwrap();
        assert!(plain.starts_with(&spooled), "{}", spooled.len());
        assert!(plain[spooled.len()..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn an_archive_that_comes_in_pieces_may_take_as_much_room_as_the_user_says() {
    let unpacking = Unpacking {
        directory: None,
        limit: Some(10_000),
    };
    let plain = std::fs::read(fixture("buildkit-multi.tar")).unwrap();
    let error = spool_tar(Cursor::new(plain), &unpacking).unwrap_err();
    assert!(matches!(error, ArchiveFault::TooLarge { limit: 10_000 }));
}

/// The config names the digest of the layer with its holes, which is checked.
#[tokio::test]
async fn sparse_files_of_every_form_are_read_with_their_holes() {
    let quiet = Notices::new(|_| {});
    let mut roots = Vec::new();
    for form in ["gnu", "pax-0.0", "pax-0.1", "pax-1.0"] {
        let path = archive(&format!("sparse-{form}.tar"));
        let (unpacking, only) = (Unpacking::default(), ImageSelector::Only);
        let opened = ImageArchive::open_docker(path, &only, &unpacking, &quiet).await;
        let (archive, root) = opened.unwrap_or_else(|error| panic!("{form}: {error}"));
        archive.check(root).await.unwrap();
        roots.push(root);
    }
    roots.dedup();
    assert_eq!(roots.len(), 1);
}

#[tokio::test]
async fn a_sparse_file_larger_than_the_room_is_refused_where_it_is_needed() {
    let quiet = Notices::new(|_| {});
    let unpacking = Unpacking {
        directory: None,
        limit: Some(1 << 20),
    };
    for form in ["gnu", "pax-1.0"] {
        let path = archive(&format!("sparse-{form}.tar"));
        let only = ImageSelector::Only;
        let opened = ImageArchive::open_docker(path, &only, &unpacking, &quiet).await;
        let error = opened.unwrap_err().to_string();
        assert!(error.contains("is a sparse file larger than the room"), "{error}");
    }
}

#[tokio::test]
async fn a_sparse_file_whose_map_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = Notices::new(|_| {});
    for (form, from, to) in [
        // The length of a part, the size of the file, and the header that goes on.
        ("gnu", "00000001000", "00000003000"),
        ("gnu", "00010000000", "00000000001"),
        ("pax-0.0", "GNU.sparse.numbytes=512", "GNU.sparse.numbytes=511"),
        ("pax-0.1", "GNU.sparse.size=2097152", "GNU.sparse.size=0097152"),
        ("pax-1.0", "GNU.sparse.realsize=2097152", "GNU.sparse.realsize=xxxxxxx"),
        ("pax-1.0", "GNU.sparse.minor=0", "GNU.sparse.minor=7"),
    ] {
        let mut bytes = std::fs::read(archive(&format!("sparse-{form}.tar"))).unwrap();
        let found = bytes.windows(from.len()).rposition(|part| part == from.as_bytes());
        let at = found.unwrap_or_else(|| panic!("{form} has no {from}"));
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        let path = folder.path().join("sparse.tar");
        std::fs::write(&path, bytes).unwrap();
        let (unpacking, only) = (Unpacking::default(), ImageSelector::Only);
        let opened = ImageArchive::open_docker(path, &only, &unpacking, &quiet).await;
        let fault = opened.unwrap_err().fault;
        let is_named = matches!(
            fault,
            ArchiveFault::Sparse { .. } | ArchiveFault::Header { .. }
        );
        assert!(is_named, "{form} {to}: {fault}");
    }
}
