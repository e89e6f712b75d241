//! An upload session: hashed as it comes, kept or not.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};

use super::content::{Content, digest_of};

/// Above this size a blob's bytes are thrown away, where the profile says so.
const KEEP: u64 = 1024 * 1024;

/// An upload that is not finished.
pub struct Upload {
    pub repository: String,
    pub received: u64,
    pub last_chunk: u64,
    hash: Context,
    kept: BytesMut,
    discard: bool,
}

impl Upload {
    pub fn new(repository: &str, discard: bool) -> Self {
        Self {
            repository: repository.to_owned(),
            received: 0,
            last_chunk: 0,
            hash: Context::new(&SHA256),
            kept: BytesMut::new(),
            discard,
        }
    }

    pub fn append(&mut self, bytes: &[u8]) {
        self.received += bytes.len() as u64;
        self.hash.update(bytes);
        if self.too_big() {
            self.kept = BytesMut::new();
        } else {
            self.kept.extend_from_slice(bytes);
        }
    }

    pub fn digest(&self) -> String {
        digest_of(self.hash.clone())
    }

    pub fn content(&self) -> Content {
        if self.too_big() {
            Content::Discarded(self.received)
        } else {
            Content::Kept(Bytes::copy_from_slice(&self.kept))
        }
    }

    fn too_big(&self) -> bool {
        self.discard && self.received > KEEP
    }
}
