//! Referrers of an image (OCI distribution specification 1.1), and cosign's images under the tags
//! `sha256-<hex>.sig`, `.att` and `.sbom`. Discovery finds all of them or returns an error; writing keeps
//! the entries of other clients.
//!
//! A registry with the referrers API lists referrers itself. On other registries the referrers tag
//! schema's index, under the tag `sha256-<hex>`, lists them. That index and cosign's images are changed in
//! place, which `appendable_tag.rs` and `mirrored_tags.rs` do. A layout lists referrers as entries of
//! `index.json` without a name.

mod append_to_tag;
mod appendable_tag;
mod artifact;
mod copy_referrers;
mod copy_route;
mod cosign_image;
mod digest_tags;
mod discover;
mod error;
mod found_referrer;
mod index_entry_json;
mod limits;
mod list_referrers;
mod listed_referrers;
mod mirror_annotation;
mod mirrored_tags;
mod overwritten_tag;
mod referrer_batch;
mod referrer_entry;
mod referrer_graph;
mod referrer_kind;
mod selection;
mod skipped_referrer;
mod subject_referrers;
mod tag_members;
mod tag_snapshot;

pub use appendable_tag::AppendableTag;
pub use artifact::Artifact;
pub use copy_referrers::{CopiedReferrers, ReferrerCopy};
pub use copy_route::CopyRoute;
pub use cosign_image::{CosignLayer, annotations_over, cosign_layer, read_cosign_layers, sig_tag};
pub use digest_tags::CosignTagSuffix;
pub use error::{ReferrerError, SidedReferrerError};
pub use found_referrer::{FoundArtifact, FoundReferrer, UnreadSignature};
pub use list_referrers::{ListedReferrer, ReferrersSource};
pub use listed_referrers::{ListedEvidence, ListedReferrers};
pub use mirrored_tags::{MirroredAdditions, MirroredTags};
pub use referrer_graph::ReferrerGraph;
pub use referrer_kind::{RECORD_ENVIRONMENT_ANNOTATION, RECORD_RUN_ANNOTATION, ReferrerKind};
pub use selection::ReferrerSelection;
pub use skipped_referrer::{SkipReason, SkippedReferrer};
pub use tag_snapshot::TagSnapshot;
