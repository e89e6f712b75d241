//! What stands beside an image in its store: bundles as referrers, and the `.sig` image of cosign's
//! older form. Reading finds all of it or says that it cannot; writing loses nothing of others'.
//!
//! A registry with the referrers API lists referrers itself. On one without, they are listed by an
//! index under the tag `sha256-<hex>`. That index and `sha256-<hex>.sig` are the two things that are
//! not append-only: see `appendable_tag.rs` and `mirrored_tags.rs` for how they are added to. A layout lists referrers as entries of
//! `index.json` without a name.

mod appendable_tag;
mod artifact;
mod artifact_kind;
mod copy_referrers;
mod cosign_image;
mod discover;
mod error;
mod list_referrers;
mod mirrored_tags;
mod overwritten;
mod tag_snapshot;
mod wire;
mod write_batch;

pub use appendable_tag::{AppendableTag, CosignTagSuffix};
pub use artifact::Artifact;
pub use artifact_kind::ReferrerKind;
pub use copy_referrers::{CopiedReferrers, CopyRoute, ReferrerCopy};
pub use cosign_image::{
    CosignLayer, annotations_over, cosign_layer as sig_layer, read_cosign_layers, sig_tag,
};
pub use discover::{ReferrerGraph, ReferrerSelection, SkipReason, SkippedReferrer};
pub use error::{ReferrerError, SidedReferrerError};
pub use list_referrers::{FoundArtifact, ReferrersSource};
pub use mirrored_tags::{MirroredAdditions, MirroredTags};
pub use tag_snapshot::TagSnapshot;
