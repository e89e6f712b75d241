use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use sigstore_types::DsseEnvelope;

use super::super::bundle::{PAYLOAD, PREDICATE};
use super::super::{Claim, Flaw, claim};
use super::strict;
use crate::image::Digest;
use crate::notice::printable;

/// The type of statements made here.
pub(in super::super) const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const STATEMENTS: [&str; 2] = [STATEMENT, "https://in-toto.io/Statement/v0.1"];

/// What an envelope holds: something said of subjects (in-toto's attestation framework).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    pub(in super::super) predicate_type: String,
    subject: Vec<Subject>,
    #[serde(default)]
    pub(in super::super) predicate: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
    annotations: Option<Map<String, Value>>,
}

impl Statement {
    /// Reads the statement in an envelope. Of an envelope of another type the key signed something else,
    /// whatever it looks like.
    pub(super) fn of_envelope(envelope: &DsseEnvelope) -> Result<Self, Flaw> {
        let kind = &envelope.payload_type;
        if kind != PAYLOAD {
            return Err(Flaw::malformed(format!(
                "its payload is {kind:?}, not {PAYLOAD}"
            )));
        }
        Self::read(envelope.payload.as_bytes())
    }

    fn read(payload: &[u8]) -> Result<Self, Flaw> {
        let wrong =
            |error: &dyn std::fmt::Display| Flaw::malformed(format!("its statement: {error}"));
        let text = strict::any(payload).map_err(|flaw| match flaw {
            Flaw::Malformed(reason) => wrong(&reason),
            other => other,
        })?;
        let statement: Self = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        if !STATEMENTS.contains(&statement.kind.as_str()) {
            return Err(Flaw::malformed(format!("it is a {:?}", statement.kind)));
        }
        Ok(statement)
    }

    /// The first of its subjects, for a message.
    fn first(&self) -> Result<Digest, Flaw> {
        let none = || Flaw::malformed("it has no subject");
        self.subject.first().ok_or_else(none)?.sha256()
    }

    /// That one of its subjects is the image.
    pub(in super::super) fn about(&self, image: Digest) -> Result<(), Flaw> {
        let is_image = |subject: &Subject| subject.sha256() == Ok(image);
        match self.subject.iter().any(is_image) {
            true => Ok(()),
            false => Err(Flaw::OtherImage(self.first()?)),
        }
    }

    /// What it says as the signature of an image: of that one and no other.
    pub(in super::super) fn claim(&self, image: Digest) -> Result<Claim, Flaw> {
        if self.predicate_type != PREDICATE {
            return Err(Flaw::Attestation(printable(&self.predicate_type, 120)));
        }
        let [subject] = self.subject.as_slice() else {
            let count = self.subject.len();
            return Err(Flaw::malformed(format!("it has {count} subjects, not one")));
        };
        let digest = subject.sha256()?;
        if digest != image {
            return Err(Flaw::OtherImage(digest));
        }
        Ok(Claim {
            repository: subject.name.clone(),
            digest,
            annotations: claim::annotations(subject.annotations.clone()),
        })
    }
}

impl Subject {
    fn sha256(&self) -> Result<Digest, Flaw> {
        let named = self.digest.get("sha256").map_or("", String::as_str);
        format!("sha256:{named}")
            .parse()
            .map_err(|error| Flaw::malformed(format!("its subject {error}")))
    }
}
