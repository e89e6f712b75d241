//! Adoption: records the releases that a repository had before records were kept, oldest version first, and then
//! the image that the environment is on. No tag moves and nothing is copied.
//!
//! A repeated run writes what is missing: a version with a counted release is passed over. In a timeline that has
//! other records than adoptions, these say what is current, whatever the environment's tag names, and no tag makes
//! another image of a version that is recorded.

mod outcome;
mod plan;
mod run;
mod running_timeline;

pub use outcome::{AdoptOutcome, AdoptRequest, AdoptedRelease};
pub use run::adopt;
