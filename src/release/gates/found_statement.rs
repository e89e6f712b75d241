//! Signatures and attestations that were found, with what verifies of them.

use crate::image::Digest;

/// Signature or attestation that was found.
#[derive(Debug, Clone)]
pub(super) struct FoundStatement<T> {
    /// Manifest that it is about.
    pub(super) of: Digest,
    /// Digest of the bundle's manifest, or of the layer.
    pub(super) digest: Digest,
    /// Verified content and who signed it, or why it does not count.
    pub(super) result: Result<SignedStatement<T>, String>,
}

/// Content that is signed.
#[derive(Debug, Clone)]
pub(super) struct SignedStatement<T> {
    pub(super) content: T,
    /// Signer.
    pub(super) by: String,
}

impl<T> FoundStatement<T> {
    /// Adds it to others. What was found once more by another requirement counts if it is good by one of them.
    pub(super) fn merge_into(self, all: &mut Vec<Self>) {
        let is_same = |other: &&mut Self| (other.of, other.digest) == (self.of, self.digest);
        match all.iter_mut().find(is_same) {
            None => all.push(self),
            Some(other) if other.result.is_err() && self.result.is_ok() => *other = self,
            Some(_) => {}
        }
    }
}
