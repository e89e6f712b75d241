//! Outputs of the step of `verify` with an environment.

use super::environment_json::verification_json;
use super::environment_report::{digests, outcome_word};
use crate::release::EnvironmentVerification;

/// Returns the outputs of the step. Several images have no `digest`, which names one image.
pub(super) fn to_outputs(verified: &EnvironmentVerification) -> Vec<(&'static str, String)> {
    let mut outputs = vec![
        ("json", verification_json(verified).to_string()),
        ("outcome", outcome_word(verified).to_owned()),
    ];
    if let [_] = verified.places.as_slice() {
        outputs.insert(0, ("digest", digests(verified)));
    }
    outputs
}
