//! Tests of the layout directory, and what the tests of the archive share with them.

mod concurrent;
mod often;
mod prepared;
mod selecting;
mod tree;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream;
pub(crate) use tree::assert_expected;

use super::*;
use crate::image::{Descriptor, Digest, Manifest};

/// The path of a fixture image.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/images")
        .join(name)
}

/// A copy of a fixture layout that may be spoilt.
fn copy(name: &str) -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    copy_into(&fixture(name), target.path());
    target
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

fn blob_path(layout: &LayoutDirectory, digest: Digest) -> PathBuf {
    layout.path().join(BLOB_DIRECTORY).join(digest.to_hex())
}

fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor::new(
        "application/octet-stream",
        Digest::from_bytes(bytes),
        bytes.len() as u64,
    )
}

type Pieces = stream::Iter<std::vec::IntoIter<Result<Bytes, std::io::Error>>>;

/// `bytes` in pieces of `size`.
fn pieces(bytes: &[u8], size: usize) -> Pieces {
    let pieces: Vec<_> = bytes
        .chunks(size)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces)
}

/// A manifest over `config`, with one annotation to tell it from others.
fn image(config: &[u8], note: &str) -> Manifest {
    let config = descriptor(config);
    let json = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"c","digest":"{}","size":{}}},"layers":[],"annotations":{{"note":"{note}"}}}}"#,
        config.digest, config.size
    );
    Manifest::parse(json.into(), None).unwrap()
}
