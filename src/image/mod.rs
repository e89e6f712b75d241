//! What an image is made of, as values: digests, references, manifests, configs.
//!
//! Everything here is parsed once, at the edge, into a type that cannot hold a malformed value;
//! nothing is ever serialised back, since manifests travel as the bytes they came as.

mod budget;
mod canonical;
mod digest;
pub(crate) mod exact_names;
mod image_source;
mod manifest;
mod origin_labels;
mod platform;
mod reference;
mod tag;

pub(crate) use budget::members;
pub use budget::{ManifestBudget, Reservation};
pub use canonical::{CanonicalPlace, CanonicalRegistry, RealPaths};
pub use digest::{Digest, DigestError, DigestHasher};
pub use image_source::{
    DaemonImageName, Destination, ImageSelector, ImageSource, ImageSourceError,
};
pub(crate) use manifest::AtMost;
pub use manifest::{
    Descriptor, MANIFEST_LIMIT, MEMBERS_LIMIT, Manifest, ManifestBody, ManifestError, MediaType,
    Platform,
};
pub use origin_labels::{CommitId, CommitIdError, ImageLabels};
pub use platform::{PlatformError, PlatformName};
pub use reference::{Reference, ReferenceError, RegistryName, Repository, TagOrDigest};
pub use tag::{Tag, TagError};
