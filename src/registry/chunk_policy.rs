//! Decides how many bytes of a blob one request sends.
//!
//! Usually all of them. A registry that answers "too large", or a proxy in front of it, gets its
//! blobs in chunks from then on (OCI distribution specification 1.1, "Pushing a blob in chunks"):
//! all but the last by PATCH, the last by the PUT that closes the session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::image::RegistryName;

/// The most that a chunk has where the registry says no more than that the whole is too large.
const LARGEST_CHUNK: u64 = 16 << 20;
/// Who refuses so few bytes at once refuses them for another reason.
const SMALLEST_CHUNK: u64 = 64 << 10;

/// Registries that are known to take no more in a chunk. ghcr.io answers 416 above 4 MiB
/// (oras-project/rust-oci-client#35, ocx-sh/ocx#237), and takes a blob of any size by one PUT.
const KNOWN_LIMITS: [(&str, u64); 1] = [("ghcr.io", 3 << 20)];

/// Sizes of requests that one registry accepts.
pub(super) struct ChunkPolicy {
    /// The most that a chunk may have, as far as its name tells.
    known: u64,
    /// The most that it has turned out to take at once, where the whole was too much.
    most: Mutex<Option<u64>>,
    /// Whether an upload that broke off turned out not to go on where it said.
    resume_disabled: AtomicBool,
}

/// The part of a blob that goes along with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlobChunk {
    pub(super) begin: u64,
    pub(super) size: u64,
    pub(super) is_last: bool,
}

impl ChunkPolicy {
    pub(super) fn for_registry(registry: &RegistryName) -> Self {
        let known = KNOWN_LIMITS
            .iter()
            .find(|(name, _)| *name == registry.as_str());
        Self {
            known: known.map_or(u64::MAX, |(_, most)| *most),
            most: Mutex::default(),
            resume_disabled: AtomicBool::new(false),
        }
    }

    /// Returns whether an upload that broke off may resume.
    pub(super) fn may_resume(&self) -> bool {
        !self.resume_disabled.load(Ordering::Relaxed)
    }

    /// Notes that an upload that broke off is to begin anew.
    pub(super) fn disable_resume(&self) {
        self.resume_disabled.store(true, Ordering::Relaxed);
    }

    /// Returns the next chunk of a blob of `size` bytes, of which the registry has `begin`; it
    /// wants `least` in every chunk but the last.
    pub(super) fn next(&self, begin: u64, size: u64, least: u64) -> BlobChunk {
        let most = match *self.lock() {
            Some(most) => most.min(self.known),
            None if begin > 0 => self.known,
            None => u64::MAX,
        };
        let left = size.saturating_sub(begin);
        let part = left.min(most.max(least));
        BlobChunk {
            begin,
            size: part,
            is_last: part == left,
        }
    }

    /// Notes that so many bytes were too many at once. Whether fewer are worth a try.
    pub(super) fn record_too_large(&self, bytes: u64, least: u64) -> bool {
        let half = bytes
            .saturating_sub(1)
            .checked_ilog2()
            .map_or(0, |log| 1 << log);
        let fewer = LARGEST_CHUNK.min(half).min(self.known).max(least);
        let is_worth = fewer >= SMALLEST_CHUNK && fewer < bytes;
        if is_worth {
            let mut most = self.lock();
            *most = Some(most.map_or(fewer, |most| most.min(fewer)));
        }
        is_worth
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        self.most.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlobChunk {
    /// Returns the value of `Content-Range`; `None` if the chunk is the whole blob or empty.
    pub(super) fn content_range(self) -> Option<String> {
        let is_whole = self.begin == 0 && self.is_last;
        let end = (self.begin + self.size).checked_sub(1)?;
        (!is_whole && self.size > 0).then(|| format!("{}-{end}", self.begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn parts(name: &str) -> ChunkPolicy {
        ChunkPolicy::for_registry(&name.parse().unwrap())
    }

    /// The sizes of the parts that a blob goes in from `begin` on.
    fn sizes(parts: &ChunkPolicy, mut begin: u64, size: u64, least: u64) -> Vec<u64> {
        let mut sizes = Vec::new();
        loop {
            let part = parts.next(begin, size, least);
            sizes.push(part.size);
            begin += part.size;
            if part.is_last {
                return sizes;
            }
        }
    }

    #[test]
    fn a_blob_goes_whole_until_that_is_too_much() {
        let parts = parts("registry.example");
        assert_eq!(sizes(&parts, 0, 500 * MIB, 0), [500 * MIB]);
        assert_eq!(sizes(&parts, 0, 0, 0), [0]);
        assert_eq!(sizes(&parts, 200 * MIB, 500 * MIB, 0), [300 * MIB]);
        assert!(parts.record_too_large(500 * MIB, 0));
        assert_eq!(sizes(&parts, 0, 40 * MIB, 0), [16 * MIB, 16 * MIB, 8 * MIB]);
        assert_eq!(sizes(&parts, 0, 16 * MIB, 0), [16 * MIB]);
        assert!(parts.record_too_large(16 * MIB, 0));
        assert_eq!(sizes(&parts, 0, 16 * MIB, 0), [8 * MIB, 8 * MIB]);
        // What another blob has found out is not forgotten.
        assert!(parts.record_too_large(500 * MIB, 0));
        assert_eq!(parts.next(0, 16 * MIB, 0).size, 8 * MIB);
    }

    #[test]
    fn chunks_are_as_large_as_the_registry_wants_them() {
        let parts = parts("registry.example");
        assert!(parts.record_too_large(50 * MIB, 20 * MIB));
        assert_eq!(
            sizes(&parts, 0, 50 * MIB, 20 * MIB),
            [20 * MIB, 20 * MIB, 10 * MIB]
        );
        // Too much, and less than that is too little.
        assert!(!parts.record_too_large(20 * MIB, 20 * MIB));
    }

    #[test]
    fn who_refuses_little_means_something_else() {
        for bytes in [0, 1, 2, SMALLEST_CHUNK - 1, SMALLEST_CHUNK] {
            assert!(
                !parts("registry.example").record_too_large(bytes, 0),
                "{bytes}"
            );
        }
        assert!(parts("registry.example").record_too_large(SMALLEST_CHUNK + 1, 0));
    }

    #[test]
    fn ghcr_takes_a_whole_blob_and_no_large_chunk() {
        let parts = parts("ghcr.io");
        assert_eq!(sizes(&parts, 0, 500 * MIB, 0), [500 * MIB]);
        assert_eq!(sizes(&parts, 2 * MIB, 7 * MIB, 0), [3 * MIB, 2 * MIB]);
        assert!(parts.record_too_large(500 * MIB, 0));
        assert_eq!(sizes(&parts, 0, 7 * MIB, 0), [3 * MIB, 3 * MIB, MIB]);
    }

    #[test]
    fn content_range_is_sent_for_partial_chunks_only() {
        let part = |begin, size, is_last| BlobChunk {
            begin,
            size,
            is_last,
        };
        assert_eq!(part(0, 10, true).content_range(), None);
        assert_eq!(part(0, 10, false).content_range().unwrap(), "0-9");
        assert_eq!(part(10, 5, true).content_range().unwrap(), "10-14");
        assert_eq!(part(15, 0, true).content_range(), None);
        assert_eq!(part(0, 0, true).content_range(), None);
    }
}
