//! Deployments and linked artifacts at GitHub, which show what the records of the registry say. The registry is the
//! truth: nothing here decides, fails or undoes anything, and each part ends after its own timeout.

pub(super) mod accompany;
mod deployment_calls;
mod deployment_plan;
#[cfg(test)]
mod deployment_plan_tests;
mod linked_artifacts;
pub(super) mod options;
pub(super) mod report;
