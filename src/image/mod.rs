//! What an image is made of, as values: digests, references, manifests, configs.
//!
//! Everything here is parsed once, at the edge, into a type that cannot hold a malformed value;
//! nothing is ever serialised back, since manifests travel as the bytes they came as.

mod budget;
mod canonical;
mod config;
mod digest;
mod location;
mod manifest;
mod platform;
mod reference;
mod tag;

pub(crate) use budget::members;
pub use budget::{ManifestBudget, Reservation};
pub use canonical::{CanonicalPlace, CanonicalRegistry, RealPaths};
pub use config::{Commit, CommitError, Labels};
pub use digest::{Digest, DigestError, Hasher};
pub use location::{DaemonImage, Location, LocationError, Place, Selector};
pub use manifest::{
    Body, Descriptor, MANIFEST_LIMIT, MEMBERS_LIMIT, Manifest, ManifestError, MediaType, Platform,
};
pub use platform::{PlatformError, PlatformName};
pub use reference::{Reference, ReferenceError, RegistryName, Repository, Target};
pub use tag::{Tag, TagError};
