//! Check of a promotion: everything that decides on it, with access that reads alone. The steps are those of the release
//! pipeline, so that a promotion right after it comes to the same decision.

mod check_outcome;
mod current_image;
mod run;
mod tag_mutability;

pub use check_outcome::{
    CheckOutcome, CheckRequest, CheckedDestination, CheckedRelease, CheckedService, CheckedTag,
};
pub use current_image::{CurrentImage, LabelChange};
pub use run::check;
pub use tag_mutability::TagMutability;
