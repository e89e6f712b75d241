//! Records as they are stored: a bundle, or the bare statement.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::record_rejection::{RECORD_BLOB_LIMIT, RecordRejection};
use super::signer_match::allows_action;
use crate::image::Digest;
use crate::record::{RecordAction, RecordId, RecordTime, ReleaseRecord};
use crate::signing::StatementBundle;

/// Record that was read, and verified where its environment signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRecord {
    /// The record.
    pub record: ReleaseRecord,
    /// Digest of the stored blob.
    pub id: RecordId,
    /// Digest of the statement. Whoever may push can store the same statement under another id, with
    /// other white space or another proof around it: records with one statement are one record.
    pub statement: Digest,
    /// Name of the signer; `None` where nothing was verified.
    pub signer: Option<String>,
    /// Whether it is in a bundle.
    pub is_signed: bool,
    /// Time of signing, as it is proven, or of a key as the record claims it; `None` where nothing was verified.
    pub(crate) signed_at: Option<RecordTime>,
    /// Actions that the signer may record; `None` for all.
    pub(super) allowed: Option<Vec<RecordAction>>,
}

impl VerifiedRecord {
    /// Returns whether its summaries of earlier records with an action count: its own signer may record
    /// the action.
    pub fn vouches_for(&self, action: &RecordAction) -> bool {
        allows_action(&self.allowed, action)
    }

    /// Reads a stored record without verifying anything: the statement in a bundle counts as a bare one.
    pub(super) fn read_unverified(blob: &[u8]) -> Result<Self, RecordRejection> {
        let blob = UnverifiedRecord::parse(blob)?;
        let statement = blob.statement();
        Ok(Self {
            record: ReleaseRecord::parse_statement(statement)?,
            id: blob.id(),
            statement: Digest::from_bytes(statement),
            signer: None,
            is_signed: blob.bundle.is_some(),
            signed_at: None,
            allowed: None,
        })
    }
}

/// Stored blob of a record, read and not verified.
pub(super) struct UnverifiedRecord<'a> {
    bytes: &'a [u8],
    /// The bundle; `None` for a bare statement.
    pub(super) bundle: Option<StatementBundle>,
}

/// Member by which a bundle is told from a statement.
#[derive(Deserialize)]
struct EnvelopeJson {
    #[serde(rename = "dsseEnvelope")]
    _envelope: IgnoredAny,
}

impl<'a> UnverifiedRecord<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, RecordRejection> {
        let size = bytes.len() as u64;
        if size > RECORD_BLOB_LIMIT {
            return Err(RecordRejection::Size(size));
        }
        let bundle = match serde_json::from_slice::<EnvelopeJson>(bytes) {
            Ok(_) => Some(StatementBundle::parse(bytes).map_err(RecordRejection::Signature)?),
            Err(_) => None,
        };
        Ok(Self { bytes, bundle })
    }

    /// Returns the bytes of the statement.
    pub(super) fn statement(&self) -> &[u8] {
        let bundle = self.bundle.as_ref();
        bundle.map_or(self.bytes, StatementBundle::payload)
    }

    pub(super) fn id(&self) -> RecordId {
        RecordId::from_blob(self.bytes)
    }
}
