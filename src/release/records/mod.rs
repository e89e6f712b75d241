//! Release records of a destination: who may write them, and how they are stored.

pub mod record_rejection;
pub mod referrer_form;
mod signer_match;
pub mod trust;
pub mod verified_record;
