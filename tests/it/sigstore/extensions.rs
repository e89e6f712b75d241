//! What Fulcio writes into a certificate of the run that a token of GitHub is of: the extensions below
//! 1.3.6.1.4.1.57264.1 (fulcio/docs/oid-info.md).

use rcgen::CustomExtension;
use serde_json::Value;

use super::der::{self, UTF8};

/// The last part of the identifier, the claim, and whether it is the older form: the bare text.
const CLAIMS: [(u64, &str, bool); 10] = [
    (2, "event_name", true),
    (3, "sha", true),
    (4, "workflow", true),
    (5, "repository", true),
    (6, "ref", true),
    (11, "runner_environment", false),
    (13, "sha", false),
    (14, "ref", false),
    (18, "workflow_ref", false),
    (20, "event_name", false),
];

/// The extensions for the claims that a token has.
pub fn of_run(claims: &Value) -> Vec<CustomExtension> {
    let known = CLAIMS.iter().filter_map(|(last, claim, is_older)| {
        let mut text = claims[claim].as_str()?.to_owned();
        if *claim == "workflow_ref" {
            text = format!("https://github.com/{text}");
        }
        let content = match is_older {
            true => text.into_bytes(),
            false => der::element(UTF8, text.as_bytes()),
        };
        let oid = [1, 3, 6, 1, 4, 1, 57264, 1, *last];
        Some(CustomExtension::from_oid_content(&oid, content))
    });
    known.collect()
}
