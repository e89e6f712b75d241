use sigstore_types::{Bundle, PayloadBytes, SignatureContent};

use super::super::VerificationError;
use super::super::in_toto_types::IN_TOTO_PAYLOAD_TYPE;
use super::bundle_parts;

/// Bundle around an in-toto statement, read and not verified.
#[derive(Debug)]
pub struct StatementBundle {
    pub(super) bundle: Bundle,
    payload: PayloadBytes,
}

impl StatementBundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// Returns why the bytes are not exactly one bundle of a statement.
    pub fn parse(json: &[u8]) -> Result<Self, VerificationError> {
        let bundle = bundle_parts::parse_bundle(json)?;
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return Err(VerificationError::OtherPredicateType(
                "it signs a file (cosign sign-blob), with no statement".to_owned(),
            ));
        };
        if envelope.payload_type != IN_TOTO_PAYLOAD_TYPE {
            return Err(VerificationError::malformed(format!(
                "its payload is {:?}, not {IN_TOTO_PAYLOAD_TYPE}",
                envelope.payload_type
            )));
        }
        let payload = envelope.payload.clone();
        Ok(Self { bundle, payload })
    }

    /// Returns the bytes of the statement, exactly as they are signed once the bundle verifies.
    pub fn payload(&self) -> &[u8] {
        self.payload.as_bytes()
    }
}
