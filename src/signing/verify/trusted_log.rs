use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use sigstore_crypto::{Checkpoint, VerificationKey};
use sigstore_trust_root::TransparencyLog;
use sigstore_types::{KindVersion, SignatureBytes, TimeRange, TransparencyLogEntry};
use url::Url;

use super::super::VerificationError;

/// A transparency log that a trusted root names.
pub(super) struct TrustedLog {
    /// What entries name it by.
    id: Vec<u8>,
    key: VerificationKey,
    /// What Rekor v2 calls itself in its checkpoints.
    host: Option<String>,
    /// When its key counts.
    valid_for: Option<TimeRange>,
}

impl TrustedLog {
    /// A log, unless its key is of a kind that is not known: then no entry can name it.
    pub(super) fn from_trust_root(log: &TransparencyLog) -> Option<Self> {
        let url = Url::parse(&log.base_url).ok();
        Some(Self {
            id: log.log_id.key_id.as_bytes().to_vec(),
            key: VerificationKey::from_spki(&log.public_key.raw_bytes).ok()?,
            host: url.and_then(|url| url.host_str().map(str::to_owned)),
            valid_for: log.public_key.valid_for,
        })
    }

    /// That an entry names one of the logs, and that the checkpoint with it is that log's own:
    /// `sigstore-verify` takes the word of any trusted log for any entry.
    pub(super) fn check_entry(
        logs: &[Self],
        entry: &TransparencyLogEntry,
    ) -> Result<(), VerificationError> {
        let named = Self::named(logs, entry)?;
        let Some(proof) = &entry.inclusion_proof else {
            return Ok(());
        };
        let missing =
            || VerificationError::Checkpoint("the proof of inclusion has none".to_owned());
        let checkpoint = proof.checkpoint.checkpoint().ok_or_else(missing)?;
        let is_v2 = entry.kind_version == KindVersion::HashedRekordV002;
        match named.has_signed(checkpoint, is_v2) {
            true => Ok(()),
            false => Err(VerificationError::Checkpoint(
                "the log that the entry names did not sign it".to_owned(),
            )),
        }
    }

    fn named<'a>(
        logs: &'a [Self],
        entry: &TransparencyLogEntry,
    ) -> Result<&'a Self, VerificationError> {
        let id = entry.log_id.key_id.as_bytes();
        let named = logs.iter().find(|log| log.id == id);
        named.ok_or_else(|| VerificationError::UnknownLog(BASE64_STANDARD.encode(id)))
    }

    /// Refuses an entry unless its log counted at the time that the log promises, else at each of
    /// `times`, which are proven of the signature: a proof of inclusion says none.
    pub(super) fn check_times(
        logs: &[Self],
        entry: &TransparencyLogEntry,
        times: &[Timestamp],
    ) -> Result<(), VerificationError> {
        let log = Self::named(logs, entry)?;
        let Some(range) = log.valid_for else {
            return Ok(());
        };
        let promised = entry.inclusion_promise.as_ref().and(entry.integrated_time);
        let times = promised.as_ref().map_or(times, std::slice::from_ref);
        if let Some(time) = times.iter().find(|time| !range.contains(**time)) {
            return Err(VerificationError::UnknownLog(format!(
                "it did not count at {time}"
            )));
        }
        match times {
            // It may have been made when the log did not count any more.
            [] if range.end.is_some() => Err(VerificationError::NoTrustedTime),
            _ => Ok(()),
        }
    }

    /// Returns whether the log that an entry names signed its promise.
    pub(super) fn has_promised(
        logs: &[Self],
        entry: &TransparencyLogEntry,
        promised: &[u8],
        signature: &SignatureBytes,
    ) -> Result<bool, VerificationError> {
        let named = Self::named(logs, entry)?;
        Ok(named.key.verify(promised, signature).is_ok())
    }

    /// Whether the log signed a checkpoint, beside whoever else did. Under Rekor v2 the signature and
    /// the first line both have the log's host as their name (C2SP tlog-checkpoint).
    fn has_signed(&self, checkpoint: &Checkpoint, is_v2: bool) -> bool {
        let host = self.host.as_deref();
        if is_v2 && host != Some(checkpoint.origin()) {
            return false;
        }
        checkpoint.signatures().iter().any(|signed| {
            (!is_v2 || host == Some(&signed.name))
                && self
                    .key
                    .verify(checkpoint.signed_data(), &signed.signature)
                    .is_ok()
        })
    }
}
