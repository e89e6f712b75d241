//! What an image is made of, as values: digests, references, manifests, configs.
//!
//! Everything here is parsed once, at the edge, into a type that cannot hold a malformed value;
//! nothing is ever serialised back, since manifests travel as the bytes they came as.

mod budget;
mod canonical;
mod descriptor;
mod digest;
pub(crate) mod exact_names;
mod image_source;
mod located_image;
mod manifest;
mod manifest_error;
mod manifest_limits;
mod manifest_walk;
mod media_type;
mod named_commit;
mod origin_labels;
mod platform;
mod reference;
mod registry_vendor;
mod tag;
mod written_address;

pub(crate) use budget::members;
pub use budget::{ManifestBudget, Reservation};
pub use canonical::{CanonicalPlace, CanonicalRegistry, RealPaths};
pub use descriptor::{Descriptor, Platform};
pub use digest::{Digest, DigestError, DigestHasher};
pub use image_source::{
    DaemonImageName, Destination, ImageSelector, ImageSource, ImageSourceError,
};
pub(crate) use manifest::AtMost;
pub use manifest::{Manifest, ManifestBody};
pub use manifest_error::ManifestError;
pub use manifest_limits::{MANIFEST_LIMIT, MEMBERS_LIMIT};
pub use manifest_walk::{
    MANIFESTS_LIMIT, ManifestLink, ManifestWalk, WalkDepth, WalkLimitExceeded, WalkPolicy,
};
pub use media_type::MediaType;
pub use named_commit::NamedCommit;
pub use origin_labels::{CommitId, CommitIdError, ImageLabels};
pub use platform::{PlatformError, PlatformName};
pub use reference::{
    Reference, ReferenceError, RegistryName, Repository, TagOrDigest, lower_case_repository,
};
pub use registry_vendor::{RegistryVendor, RegistryVendorError};
pub use tag::{Tag, TagError};
