//! Entry of a list of referrers, reduced to the members that are used.

use std::collections::BTreeMap;

use super::ReferrerKind;
use crate::image::{Digest, Manifest};

/// Entry of a list of referrers, reduced to the members that are used.
#[derive(Debug, Clone)]
pub(super) struct ReferrerEntry {
    pub(super) digest: Digest,
    pub(super) artifact_type: Option<String>,
    /// Annotations that are read ([`ReferrerKind::READ_ANNOTATIONS`]).
    pub(super) annotations: BTreeMap<String, String>,
}

impl ReferrerEntry {
    pub(super) fn from_manifest(manifest: &Manifest) -> Self {
        let telling = ReferrerKind::READ_ANNOTATIONS.into_iter();
        let telling = telling.filter_map(|name| Some((name, manifest.annotations.get(name)?)));
        Self {
            digest: manifest.digest,
            artifact_type: manifest.artifact_type.clone(),
            annotations: telling
                .map(|(name, text)| (name.to_owned(), text.clone()))
                .collect(),
        }
    }
}
