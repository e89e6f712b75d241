//! The form of the referrer that holds the intent of a record.
//!
//! cosign 3 ignores the `.sig` of an image that has any bundle. The record may not be the bundle that does
//! this to an image. cosign tells a bundle by the media type of the only layer, whatever the artifact type.

use crate::release::request::SignatureFormat;
use crate::signing::BUNDLE_TYPE;

/// Artifact type of a record that verifiers of images are not to see as a bundle.
pub(crate) const RECORD_ARTIFACT_TYPE: &str = "application/vnd.shipmark.release.v0.1";

/// Media type of a signed record in that artifact.
const RECORD_BUNDLE_TYPE: &str = "application/vnd.shipmark.release.bundle.v0.1+json";

/// Form of the referrer that holds the intent of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntentForm {
    /// A bundle, which `cosign verify-attestation` and admission controllers find.
    Bundle,
    /// An artifact that only readers of release records look for.
    Record,
}

/// Facts that a referrer's form depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RootSignatures<'a> {
    /// Whether the record is signed.
    pub(crate) signs_record: bool,
    /// Formats of this run's signatures.
    pub(crate) formats: &'a [SignatureFormat],
    /// Whether this run signs the root, or found its signature there.
    pub(crate) signs_root: bool,
    /// Whether the destination has a bundle that refers to the root, of any predicate type.
    pub(crate) has_bundle: bool,
}

impl IntentForm {
    /// Chooses a bundle only where the root has one, or gets one as its signature, and never where the run signs
    /// in the legacy format only. The first bundle of an image hides its `.sig` from cosign, and makes an image
    /// without a signature pass `cosign verify`.
    pub(crate) fn choose(facts: RootSignatures<'_>) -> Self {
        if !facts.signs_record || !facts.formats.contains(&SignatureFormat::Bundle) {
            return Self::Record;
        }
        match facts.signs_root || facts.has_bundle {
            true => Self::Bundle,
            false => Self::Record,
        }
    }

    /// Returns the artifact type of the referrer.
    pub(crate) const fn artifact_type(self) -> &'static str {
        match self {
            Self::Bundle => BUNDLE_TYPE,
            Self::Record => RECORD_ARTIFACT_TYPE,
        }
    }

    /// Returns the media type of the layer with a record that is stored as `media_type`.
    pub(crate) fn layer_type(self, media_type: &str) -> &str {
        match self {
            Self::Record if media_type == BUNDLE_TYPE => RECORD_BUNDLE_TYPE,
            _ => media_type,
        }
    }

    /// Returns the media type that the record in a layer is stored as.
    pub(crate) fn stored_type(layer_type: String) -> String {
        match layer_type == RECORD_BUNDLE_TYPE {
            true => BUNDLE_TYPE.to_owned(),
            false => layer_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: &[SignatureFormat] = &[SignatureFormat::Bundle];
    const LEGACY: &[SignatureFormat] = &[SignatureFormat::Legacy];
    const BOTH: &[SignatureFormat] = &[SignatureFormat::Bundle, SignatureFormat::Legacy];

    fn choose(formats: &[SignatureFormat], signs_root: bool, has_bundle: bool) -> IntentForm {
        IntentForm::choose(RootSignatures {
            signs_record: true,
            formats,
            signs_root,
            has_bundle,
        })
    }

    #[test]
    fn a_record_is_never_the_first_bundle_of_an_image_that_the_run_does_not_sign() {
        use IntentForm::{Bundle, Record};
        for (formats, signs_root, has_bundle, expected) in [
            // A run that signs the root as a bundle writes one anyway.
            (BUNDLE, true, false, Bundle),
            (BOTH, true, false, Bundle),
            // A run that writes the record only.
            (BUNDLE, false, true, Bundle),
            (BUNDLE, false, false, Record),
            (BOTH, false, false, Record),
            (LEGACY, true, false, Record),
            (LEGACY, true, true, Record),
            (LEGACY, false, true, Record),
            (LEGACY, false, false, Record),
        ] {
            let form = choose(formats, signs_root, has_bundle);
            assert_eq!(form, expected, "{formats:?} {signs_root} {has_bundle}");
        }
    }

    #[test]
    fn an_unsigned_record_is_no_bundle() {
        for bits in 0..4 {
            let bit = |at: u8| bits & (1 << at) != 0;
            let form = IntentForm::choose(RootSignatures {
                signs_record: false,
                formats: BOTH,
                signs_root: bit(0),
                has_bundle: bit(1),
            });
            assert_eq!(form, IntentForm::Record);
        }
    }

    #[test]
    fn only_a_bundle_has_the_type_that_verifiers_of_images_look_for() {
        for (form, expected) in [
            (
                IntentForm::Bundle,
                "application/vnd.dev.sigstore.bundle.v0.3+json",
            ),
            (IntentForm::Record, "application/vnd.shipmark.release.v0.1"),
        ] {
            assert_eq!(form.artifact_type(), expected);
        }
    }

    #[test]
    fn a_layer_of_a_record_has_the_type_of_a_bundle_only_where_the_artifact_has_it() {
        const STATEMENT: &str = "application/vnd.in-toto+json";
        for (form, stored, expected) in [
            (IntentForm::Bundle, BUNDLE_TYPE, BUNDLE_TYPE),
            (IntentForm::Record, BUNDLE_TYPE, RECORD_BUNDLE_TYPE),
            (IntentForm::Record, STATEMENT, STATEMENT),
        ] {
            let layer = form.layer_type(stored);
            assert_eq!(layer, expected);
            assert_eq!(IntentForm::stored_type(layer.to_owned()), stored);
        }
        assert!(!RECORD_BUNDLE_TYPE.starts_with("application/vnd.dev.sigstore.bundle"));
    }
}
