use std::collections::BTreeMap;

use crate::image::Digest;

/// What a signature says: which image it is of, and what else the signer says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageClaim {
    /// The repository that the signer signed it for: `ghcr.io/acme/web`. Empty where nothing says so.
    pub repository: String,
    /// The image.
    pub digest: Digest,
    /// What else is said.
    pub annotations: BTreeMap<String, String>,
}

impl ImageClaim {
    /// The annotation that names the run which signed. A later run says nothing new by its own.
    pub const RUN_ANNOTATION: &str = "run";

    /// Whether this says the same, whichever run says it.
    pub fn is_equivalent_to(&self, other: &Self) -> bool {
        let apart_from_run = |claim: &Self| {
            let mut claim = claim.clone();
            claim.annotations.remove(Self::RUN_ANNOTATION);
            claim
        };
        apart_from_run(self) == apart_from_run(other)
    }
}

/// Annotations as other tools write them: what is no text is shown as JSON.
pub(super) fn annotations_from_json(
    members: Option<serde_json::Map<String, serde_json::Value>>,
) -> BTreeMap<String, String> {
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    members
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, text(value)))
        .collect()
}
