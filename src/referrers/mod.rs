//! What stands beside an image in its store: bundles as referrers, and the `.sig` image of cosign's
//! older form. Reading finds all of it or says that it cannot; writing loses nothing of others'.
//!
//! A registry with the referrers API lists referrers itself. On one without, they are listed by an
//! index under the tag `sha256-<hex>`. That index and `sha256-<hex>.sig` are the two things that are
//! not append-only: see `shared.rs` and `pair.rs` for how they are added to. A layout lists referrers as entries of
//! `index.json` without a name.

mod artifact;
mod batch;
mod carry;
mod discover;
mod error;
mod kind;
mod list;
mod overwritten;
mod pair;
mod prior;
mod shared;
mod sig;
mod wire;

pub use artifact::Artifact;
pub use carry::{Between, Carry, Travelled};
pub use discover::{Beside, Left, Reason, Selection};
pub use error::{Error, Sided};
pub use kind::Kind;
pub use list::{Found, Listing};
pub use pair::{Additions, Pair};
pub use prior::Prior;
pub use shared::{Ending, Shared};
pub use sig::{SigLayer, annotations_over, layer as sig_layer, sig_layers, sig_tag};
