//! Outputs of the step of `inspect`.

use super::inspect_json;
use super::inspect_report::InspectReport;
use crate::release::{EnvironmentAccount, InspectOutcome};

impl InspectReport {
    /// Returns the outputs of the step.
    pub(super) fn to_outputs(&self) -> Vec<(&'static str, String)> {
        let mut outputs = Vec::new();
        if let [image] = self.images.as_slice() {
            let outcome = &image.outcome;
            let account = main_account(outcome);
            let before = account.and_then(|account| account.good_before.as_ref());
            let release = account.and_then(|account| account.release.as_ref());
            let optional = |text: Option<String>| text.unwrap_or_default();
            outputs.push(("digest", outcome.image.root.to_string()));
            outputs.push((
                "previous-digest",
                optional(before.map(|(root, _)| root.to_string())),
            ));
            outputs.push(("record", optional(release.map(|it| it.record.to_string()))));
        }
        outputs.push(("image", self.image_references()));
        outputs.push(("json", inspect_json::report_json(self).to_string()));
        outputs
    }
}

/// Returns the account of the environment that was asked about, else of the only one.
fn main_account(outcome: &InspectOutcome) -> Option<&EnvironmentAccount> {
    match (&outcome.environment, outcome.environments.as_slice()) {
        (Some(environment), accounts) => accounts.iter().find(|it| it.environment == *environment),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}
