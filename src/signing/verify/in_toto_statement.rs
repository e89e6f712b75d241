use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use sigstore_types::DsseEnvelope;

use super::super::in_toto_types::{COSIGN_SIGN_PREDICATE, IN_TOTO_PAYLOAD_TYPE, STATEMENT_TYPE};
use super::super::{ImageClaim, VerificationError, image_claim};
use super::bundle_json;
use crate::image::Digest;
use crate::notices::to_printable;

const STATEMENT_TYPES: [&str; 2] = [STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1"];

/// What an envelope holds: something said of subjects (in-toto's attestation framework).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InTotoStatement {
    #[serde(rename = "_type")]
    kind: String,
    pub(crate) predicate_type: String,
    subject: Vec<StatementSubject>,
    #[serde(default)]
    pub(crate) predicate: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct StatementSubject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
    annotations: Option<Map<String, Value>>,
}

impl InTotoStatement {
    /// Reads the statement in an envelope. Of an envelope of another type the key signed something else,
    /// whatever it looks like.
    pub(super) fn of_envelope(envelope: &DsseEnvelope) -> Result<Self, VerificationError> {
        let kind = &envelope.payload_type;
        if kind != IN_TOTO_PAYLOAD_TYPE {
            return Err(VerificationError::malformed(format!(
                "its payload is {kind:?}, not {IN_TOTO_PAYLOAD_TYPE}"
            )));
        }
        Self::parse(envelope.payload.as_bytes())
    }

    fn parse(payload: &[u8]) -> Result<Self, VerificationError> {
        let wrong = |error: &dyn std::fmt::Display| {
            VerificationError::malformed(format!("its statement: {error}"))
        };
        let text = bundle_json::check_json(payload).map_err(|json_error| match json_error {
            VerificationError::Malformed(reason) => wrong(&reason),
            other => other,
        })?;
        let statement: Self = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        if !STATEMENT_TYPES.contains(&statement.kind.as_str()) {
            return Err(VerificationError::malformed(format!(
                "it is a {:?}",
                statement.kind
            )));
        }
        Ok(statement)
    }

    /// The first of its subjects, for a message.
    fn first_subject(&self) -> Result<Digest, VerificationError> {
        let none = || VerificationError::malformed("it has no subject");
        self.subject.first().ok_or_else(none)?.sha256()
    }

    /// That one of its subjects is the image.
    pub(crate) fn check_subject(&self, image: Digest) -> Result<(), VerificationError> {
        let is_image = |subject: &StatementSubject| subject.sha256() == Ok(image);
        match self.subject.iter().any(is_image) {
            true => Ok(()),
            false => Err(VerificationError::OtherImage(self.first_subject()?)),
        }
    }

    /// What it says as the signature of an image: of that one and no other.
    pub(crate) fn to_claim(&self, image: Digest) -> Result<ImageClaim, VerificationError> {
        if self.predicate_type != COSIGN_SIGN_PREDICATE {
            return Err(VerificationError::Attestation(to_printable(
                &self.predicate_type,
                120,
            )));
        }
        let [subject] = self.subject.as_slice() else {
            let count = self.subject.len();
            return Err(VerificationError::malformed(format!(
                "it has {count} subjects, not one"
            )));
        };
        let digest = subject.sha256()?;
        if digest != image {
            return Err(VerificationError::OtherImage(digest));
        }
        Ok(ImageClaim {
            repository: subject.name.clone(),
            digest,
            annotations: image_claim::annotations_from_json(subject.annotations.clone()),
        })
    }
}

impl StatementSubject {
    fn sha256(&self) -> Result<Digest, VerificationError> {
        let named = self.digest.get("sha256").map_or("", String::as_str);
        format!("sha256:{named}")
            .parse()
            .map_err(|error| VerificationError::malformed(format!("its subject {error}")))
    }
}
