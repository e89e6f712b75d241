//! Adoption: records the releases that a repository had before records were kept, oldest version first, and then
//! the image that the environment is on. No tag moves and nothing is copied.
//!
//! A repeated run writes what is missing: a version with a counted release is passed over.

mod outcome;
mod plan;
mod run;

pub use outcome::{AdoptOutcome, AdoptRequest, AdoptedRelease};
pub use run::adopt;
