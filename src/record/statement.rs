//! The record as the bytes of an in-toto Statement v1 (in-toto attestation framework, "Statement"), and back.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::past_release::PAST_LIMIT;
use super::release_predicate::ReleasePredicate;
use crate::image::Digest;
use crate::strict_json::{JsonLimits, JsonShape, StrictJsonError, check_json, check_shape};

/// Predicate type of a release record.
pub const RECORD_PREDICATE_TYPE: &str = "https://shipmark.dev/attestation/release/v0.1";

/// Limits of a statement: 1 MiB, 64 levels.
pub const RECORD_LIMITS: JsonLimits = JsonLimits {
    bytes: 1 << 20,
    depth: 64,
};

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

const OBJECT_SHAPE: &JsonShape = &JsonShape::Open(&[]);

/// Shape of a statement: serde also takes a list of values for an object, which other readers do not.
const STATEMENT_SHAPE: &JsonShape = &JsonShape::Open(&[
    (
        "subject",
        &JsonShape::List(&JsonShape::Open(&[("digest", OBJECT_SHAPE)])),
    ),
    (
        "predicate",
        &JsonShape::Open(&[
            ("tags", &JsonShape::List(OBJECT_SHAPE)),
            ("source", OBJECT_SHAPE),
            ("commit", OBJECT_SHAPE),
            ("build", OBJECT_SHAPE),
            ("evidence", &JsonShape::List(OBJECT_SHAPE)),
            ("policy", OBJECT_SHAPE),
            (
                "run",
                &JsonShape::Open(&[("approvals", &JsonShape::List(OBJECT_SHAPE))]),
            ),
            ("past", &JsonShape::List(OBJECT_SHAPE)),
            ("deletions", &JsonShape::List(OBJECT_SHAPE)),
        ]),
    ),
]);

/// Record of a release: a predicate about one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// Root that the record is about; of a rollback the withdrawn one.
    pub root: Digest,
    /// What happened to it.
    pub predicate: ReleasePredicate,
}

/// Reason why bytes are not the statement of a release record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// They are not JSON with one meaning, or exceed a limit.
    #[error(transparent)]
    Json(#[from] StrictJsonError),
    /// A member is missing, has a wrong type or a value that cannot be read.
    #[error("{0}")]
    Member(String),
    /// A type is another one.
    #[error("{member} is {got:?}, expected {expected:?}")]
    Type {
        /// `_type` or `predicateType`.
        member: &'static str,
        /// Type in the statement.
        got: String,
        /// Type of a release record.
        expected: &'static str,
    },
    /// It has another number of subjects than one.
    #[error("the statement has {0} subjects, expected one")]
    Subjects(usize),
    /// Subject and predicate name two repositories.
    #[error("the subject is in {subject:?}, and destination is {destination:?}")]
    Destination {
        /// Name of the subject.
        subject: String,
        /// Member `destination`.
        destination: String,
    },
    /// It summarizes more records than a reader keeps.
    #[error("past has {0} elements, expected at most {PAST_LIMIT}")]
    Past(usize),
}

#[derive(Serialize, Deserialize)]
struct StatementJson<P> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<SubjectJson>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: P,
}

#[derive(Serialize, Deserialize)]
struct SubjectJson {
    name: String,
    digest: SubjectDigestJson,
}

#[derive(Serialize, Deserialize)]
struct SubjectDigestJson {
    sha256: String,
}

impl ReleaseRecord {
    /// Returns the statement: the payload that is signed, or that is stored where nothing is signed.
    pub fn to_statement(&self) -> Vec<u8> {
        let statement = StatementJson {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![SubjectJson {
                name: self.predicate.destination.clone(),
                digest: SubjectDigestJson {
                    sha256: self.root.to_hex(),
                },
            }],
            predicate_type: RECORD_PREDICATE_TYPE.to_owned(),
            predicate: &self.predicate,
        };
        serde_json::to_vec(&statement)
            .unwrap_or_else(|_| unreachable!("the names of all members are texts"))
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// Returns the first reason why `bytes` are not exactly one release record.
    pub fn parse_statement(bytes: &[u8]) -> Result<Self, RecordError> {
        let text = check_json(bytes, RECORD_LIMITS)?;
        let member_error = |error: serde_json::Error| RecordError::Member(error.to_string());
        // The types first: the predicate of another type has other members.
        let typed: StatementJson<IgnoredAny> = serde_json::from_str(text).map_err(member_error)?;
        require_type("_type", typed.statement_type, STATEMENT_TYPE)?;
        require_type("predicateType", typed.predicate_type, RECORD_PREDICATE_TYPE)?;
        let subjects = typed.subject.len();
        let [subject] = <[SubjectJson; 1]>::try_from(typed.subject)
            .map_err(|_| RecordError::Subjects(subjects))?;
        let text = check_shape(bytes, STATEMENT_SHAPE, RECORD_LIMITS)?;
        let statement: StatementJson<ReleasePredicate> =
            serde_json::from_str(text).map_err(member_error)?;
        let predicate = statement.predicate;
        check_predicate(&predicate, &subject)?;
        let root = format!("sha256:{}", subject.digest.sha256);
        let root = root.parse::<Digest>();
        let root = root.map_err(|reason| RecordError::Member(format!("subject: {reason}")))?;
        Ok(Self { root, predicate })
    }
}

fn require_type(
    member: &'static str,
    got: String,
    expected: &'static str,
) -> Result<(), RecordError> {
    match got == expected {
        true => Ok(()),
        false => Err(RecordError::Type {
            member,
            got,
            expected,
        }),
    }
}

fn check_predicate(predicate: &ReleasePredicate, subject: &SubjectJson) -> Result<(), RecordError> {
    if subject.name != predicate.destination {
        return Err(RecordError::Destination {
            subject: subject.name.clone(),
            destination: predicate.destination.clone(),
        });
    }
    match predicate.past.len() {
        0..=PAST_LIMIT => Ok(()),
        count => Err(RecordError::Past(count)),
    }
}

#[cfg(test)]
mod tests;
