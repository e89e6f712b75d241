//! The form of the referrer that holds the intent of a record.
//!
//! cosign 3 ignores the `.sig` of an image that has any bundle. The record may not be the bundle that does
//! this to an image.

use std::collections::BTreeMap;

use crate::record::RECORD_PREDICATE_TYPE;
use crate::release::bundle_annotations::{bundle_annotations, created_annotation};
use crate::release::request::SignatureFormat;
use crate::signing::BUNDLE_TYPE;

/// Artifact type of a record that verifiers of images are not to see as a bundle.
pub const RELEASE_ARTIFACT_TYPE: &str = "application/vnd.shipmark.release.v0.1";

/// Form of the referrer that holds the intent of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferrerForm {
    /// A bundle, which `cosign verify-attestation` and admission controllers find.
    Bundle,
    /// An artifact that only readers of release records look for.
    ReleaseRecord,
}

/// Facts that a referrer's form depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootSignatures<'a> {
    /// Whether the record is signed.
    pub signs_record: bool,
    /// Formats of this run's signatures.
    pub formats: &'a [SignatureFormat],
    /// Whether this run signs the root, or found its signature there.
    pub signs_root: bool,
    /// Whether the destination has a bundle that refers to the root, of any predicate type.
    pub has_bundle: bool,
    /// Whether the destination has a `.sig` image of the root.
    pub has_legacy: bool,
}

impl ReferrerForm {
    /// Chooses a bundle only where it is not the first one next to a `.sig`, and never where the run signs
    /// in the legacy format only.
    pub fn choose(facts: RootSignatures<'_>) -> Self {
        if !facts.signs_record || !facts.formats.contains(&SignatureFormat::Bundle) {
            return Self::ReleaseRecord;
        }
        match facts.signs_root || facts.has_bundle || !facts.has_legacy {
            true => Self::Bundle,
            false => Self::ReleaseRecord,
        }
    }

    /// Returns the artifact type of the referrer.
    pub const fn artifact_type(self) -> &'static str {
        match self {
            Self::Bundle => BUNDLE_TYPE,
            Self::ReleaseRecord => RELEASE_ARTIFACT_TYPE,
        }
    }

    /// Returns the annotations of the referrer; `created` is a time in RFC 3339.
    pub fn annotations(self, created: &str) -> BTreeMap<String, String> {
        match self {
            Self::Bundle => bundle_annotations(created, RECORD_PREDICATE_TYPE),
            Self::ReleaseRecord => created_annotation(created),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: &[SignatureFormat] = &[SignatureFormat::Bundle];
    const LEGACY: &[SignatureFormat] = &[SignatureFormat::Legacy];
    const BOTH: &[SignatureFormat] = &[SignatureFormat::Bundle, SignatureFormat::Legacy];

    fn choose(
        formats: &[SignatureFormat],
        signs_root: bool,
        [has_bundle, has_legacy]: [bool; 2],
    ) -> ReferrerForm {
        ReferrerForm::choose(RootSignatures {
            signs_record: true,
            formats,
            signs_root,
            has_bundle,
            has_legacy,
        })
    }

    #[test]
    fn a_record_is_never_the_first_bundle_next_to_a_legacy_signature() {
        use ReferrerForm::{Bundle, ReleaseRecord};
        for (formats, signs_root, there, expected) in [
            // A run that signs the root as a bundle writes one anyway.
            (BUNDLE, true, [false, false], Bundle),
            (BOTH, true, [false, false], Bundle),
            (BUNDLE, true, [false, true], Bundle),
            // A run that writes the record only.
            (BUNDLE, false, [false, false], Bundle),
            (BUNDLE, false, [true, false], Bundle),
            (BUNDLE, false, [true, true], Bundle),
            (BUNDLE, false, [false, true], ReleaseRecord),
            (BOTH, false, [false, true], ReleaseRecord),
            (LEGACY, true, [false, false], ReleaseRecord),
            (LEGACY, true, [true, true], ReleaseRecord),
            (LEGACY, false, [true, false], ReleaseRecord),
            (LEGACY, false, [false, false], ReleaseRecord),
        ] {
            let form = choose(formats, signs_root, there);
            assert_eq!(form, expected, "{formats:?} {signs_root} {there:?}");
        }
    }

    #[test]
    fn an_unsigned_record_is_no_bundle() {
        for bits in 0..8 {
            let bit = |at: u8| bits & (1 << at) != 0;
            let form = ReferrerForm::choose(RootSignatures {
                signs_record: false,
                formats: BOTH,
                signs_root: bit(0),
                has_bundle: bit(1),
                has_legacy: bit(2),
            });
            assert_eq!(form, ReferrerForm::ReleaseRecord);
        }
    }

    #[test]
    fn a_bundle_names_its_predicate_type_for_cosign() {
        const CREATED: &str = "2026-11-20T21:48:08Z";
        let bundle = ReferrerForm::Bundle;
        assert_eq!(
            bundle.artifact_type(),
            "application/vnd.dev.sigstore.bundle.v0.3+json"
        );
        let annotations = bundle.annotations(CREATED);
        assert_eq!(annotations["dev.sigstore.bundle.content"], "dsse-envelope");
        assert_eq!(
            annotations["dev.sigstore.bundle.predicateType"],
            "https://shipmark.dev/attestation/release/v0.1"
        );
        let record = ReferrerForm::ReleaseRecord;
        assert_eq!(
            record.artifact_type(),
            "application/vnd.shipmark.release.v0.1"
        );
        let annotations = record.annotations(CREATED);
        assert_eq!(annotations["org.opencontainers.image.created"], CREATED);
        assert_eq!(annotations.len(), 1);
    }
}
