//! What looks wrong in the rules, files and repositories of a plan, and stops nothing.

use std::fmt;

use super::manifest_age::ManifestAge;
use crate::image::Digest;

/// What looks wrong and stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetentionWarning {
    /// A pattern of a prune rule is that of tags that no rule matches.
    ReservedPattern(String),
    /// A file names a digest that its repository does not have.
    PinnedDigestMissing {
        /// Path of the file.
        file: String,
        /// Name of the repository.
        repository: String,
        /// Digest.
        digest: Digest,
    },
    /// The time of an image is in the future.
    FutureAge {
        /// Image.
        digest: Digest,
        /// Its time.
        age: ManifestAge,
    },
}

impl fmt::Display for RetentionWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedPattern(pattern) => write!(
                f,
                "the prune rule {pattern} names tags of evidence, records or holds, which no rule matches"
            ),
            Self::PinnedDigestMissing {
                file,
                repository,
                digest,
            } => write!(f, "{file} names {digest}, which {repository} does not have"),
            Self::FutureAge { digest, age } => write!(
                f,
                "the time of {digest} is in the future: {} ({})",
                age.time, age.source
            ),
        }
    }
}
