//! Verification of what an environment is on: the scan gate of the environment judges it with new reports, and its
//! tags, signatures and manifests are held against its records. Nothing here writes.

mod current_image;
mod current_state;
mod environment_finding;
mod environment_request;
mod environment_verification;
mod referrer_findings;
mod scan_check;
mod state_findings;
mod tag_findings;
mod verify_service;
mod verify_services;

pub use environment_finding::{EnvironmentFinding, FindingKind};
pub use environment_request::EnvironmentRequest;
pub use environment_verification::{
    EnvironmentVerification, ServiceEnd, ServiceVerification, VerifiedPlace,
};
pub use verify_services::verify_environment;
