//! The content of a blob: kept, made up while it is read, or thrown away.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

/// The size of the parts in which content is sent.
const PART: usize = 64 * 1024;

/// The content of a blob.
#[derive(Clone)]
pub enum Content {
    Kept(Bytes),
    /// Blocks made from a seed, each stamped with its number, so that no two are equal.
    Synthetic {
        block: Bytes,
        size: u64,
    },
    /// Only the size is left: see `Profile::discard_blob_bodies`.
    Discarded(u64),
}

impl Content {
    pub fn synthetic(size: u64, seed: u64) -> Self {
        let mut state = seed;
        let words = (0..PART / 8).flat_map(|_| {
            state = next_random(state);
            state.to_le_bytes()
        });
        Self::Synthetic {
            block: words.collect(),
            size,
        }
    }

    pub fn size(&self) -> u64 {
        match self {
            Self::Kept(bytes) => bytes.len() as u64,
            Self::Synthetic { size, .. } | Self::Discarded(size) => *size,
        }
    }

    pub fn digest(&self) -> String {
        let mut hash = Context::new(&SHA256);
        let mut at = 0;
        while at < self.size() {
            let part = self.part(at, self.size());
            hash.update(&part);
            at += part.len() as u64;
        }
        digest_of(hash)
    }

    /// The bytes from `start` up to `end`, made as they are asked for; `None` when they
    /// were thrown away.
    pub fn read(&self, start: u64, end: u64) -> Option<impl Stream<Item = Bytes> + Send + use<>> {
        if matches!(self, Self::Discarded(_)) {
            return None;
        }
        let content = self.clone();
        let parts = stream::unfold(start, move |at| {
            let part = (at < end).then(|| content.part(at, end));
            async move { part.map(|part| (part.clone(), at + part.len() as u64)) }
        });
        Some(parts.boxed())
    }

    /// A part of the content that starts at `at`, goes no further than `end` and crosses
    /// no border of a block.
    fn part(&self, at: u64, end: u64) -> Bytes {
        let number = at / PART as u64;
        let border = (number + 1) * PART as u64;
        let length = (end.min(border) - at) as usize;
        match self {
            Self::Kept(bytes) => bytes.slice(at as usize..at as usize + length),
            Self::Synthetic { block, .. } => {
                let mut block = BytesMut::from(block.as_ref());
                block[..8].copy_from_slice(&number.to_le_bytes());
                let from = (at % PART as u64) as usize;
                block.freeze().slice(from..from + length)
            }
            Self::Discarded(_) => panic!("the content was thrown away"),
        }
    }
}

/// One step of splitmix64.
fn next_random(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The digest of some bytes, as registries write it.
pub fn digest(bytes: &[u8]) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(bytes);
    digest_of(hash)
}

pub fn digest_of(hash: Context) -> String {
    let hex = hash
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    format!("sha256:{hex}")
}
