//! Who may write the records of an environment.

use super::record_rejection::RecordRejection;
use super::signer_match::{SignerMatch, grant_actions, signer_name, signing_time};
use super::verified_record::{UnverifiedRecord, VerifiedRecord};
use crate::image::Digest;
use crate::record::{RecordAction, RecordTime, ReleaseRecord};
use crate::signing::{Requirement, VerificationError};

/// Signer of an environment's records.
#[derive(Debug, Clone)]
pub struct RecordSigner {
    /// Requirement that its signatures meet.
    pub requirement: Requirement,
    /// Actions that it may record; `None` for all.
    pub actions: Option<Vec<RecordAction>>,
    /// Time before which it must have signed; `None` if there is no end.
    pub until: Option<RecordTime>,
}

/// Signers of an environment's records, for an environment that signs. Without any signer no record counts.
#[derive(Debug, Clone)]
pub struct RecordTrust {
    signers: Vec<RecordSigner>,
}

/// Reads the stored blob of a record. `trust` is `None` for an environment that does not sign: there the
/// statement in a bundle counts as a bare one.
///
/// # Errors
/// Returns why it does not count.
pub fn read_record(
    trust: Option<&RecordTrust>,
    blob: &[u8],
) -> Result<VerifiedRecord, RecordRejection> {
    match trust {
        Some(trust) => trust.verify(blob),
        None => VerifiedRecord::read_unverified(blob),
    }
}

impl RecordTrust {
    /// Trusts one signer with all actions.
    pub fn from_signer(requirement: Requirement) -> Self {
        Self::new(vec![RecordSigner {
            requirement,
            actions: None,
            until: None,
        }])
    }

    /// Trusts these signers.
    pub const fn new(signers: Vec<RecordSigner>) -> Self {
        Self { signers }
    }

    /// Verifies the stored blob of a record: a bundle that one of the signers made, who may record its
    /// action, before the end of the signer's time.
    ///
    /// # Errors
    /// Returns why it does not count.
    pub fn verify(&self, blob: &[u8]) -> Result<VerifiedRecord, RecordRejection> {
        let blob = UnverifiedRecord::parse(blob)?;
        let record = ReleaseRecord::parse_statement(blob.statement())?;
        let Some(bundle) = &blob.bundle else {
            return Err(RecordRejection::Unsigned {
                expected: self.signer_names(),
            });
        };
        let predicate = &record.predicate;
        let (mut matches, mut reasons) = (Vec::new(), Vec::new());
        for signer in &self.signers {
            let requirement = &signer.requirement;
            match requirement.verify_statement_bundle(bundle, record.root) {
                Ok(verified) => {
                    let evidence = verified.into_attestation().evidence;
                    let name = signer_name(requirement, &evidence);
                    let at = signing_time(&evidence, predicate.planned_at);
                    matches.push(signer.to_match(name, at));
                }
                Err(reason) => reasons.push(reason),
            }
        }
        let foreign = || self.foreign_signer(&reasons);
        let granted = grant_actions(matches, &predicate.action, foreign)?;
        Ok(VerifiedRecord {
            id: blob.id(),
            statement: Digest::from_bytes(blob.statement()),
            signer: Some(granted.name),
            is_signed: true,
            allowed: granted.allowed,
            record,
        })
    }

    /// Requires that a run that signs as `own` ([`crate::signing::Signer::run_requirement`]) may record
    /// `action` at the time `now`. A record is verified once more after it is signed: only then is its
    /// certificate known.
    ///
    /// # Errors
    /// Returns why a record of the run would not count.
    pub fn require_own(
        &self,
        own: &Requirement,
        action: &RecordAction,
        now: RecordTime,
    ) -> Result<(), RecordRejection> {
        let signers = self.signers.iter();
        let accepting = signers.filter(|signer| signer.requirement.may_accept(own));
        let matches = accepting.map(|signer| signer.to_match(own.to_string(), Some(now)));
        let foreign = || RecordRejection::OwnSigner {
            is: own.to_string(),
            expected: self.signer_names(),
        };
        grant_actions(matches.collect(), action, foreign).map(drop)
    }

    /// Returns what a signature passes that any of the signers made.
    pub(crate) fn requirement(&self) -> Requirement {
        let signers = self.signers.iter();
        Requirement::any_of(signers.map(|signer| signer.requirement.clone()).collect())
    }

    fn signer_names(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for signer in &self.signers {
            let name = signer.requirement.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        match names.is_empty() {
            true => "a signer, and the environment has none".to_owned(),
            false => names.join(" or "),
        }
    }

    /// Returns the most telling of the reasons why none of the signers signed.
    fn foreign_signer(&self, reasons: &[VerificationError]) -> RecordRejection {
        let is = match reasons.iter().min_by_key(|reason| reason_rank(reason)) {
            None => "somebody".to_owned(),
            Some(VerificationError::OtherIdentity { is, .. }) => is.clone(),
            Some(VerificationError::OtherKey(name)) => format!("another key ({name})"),
            Some(VerificationError::Key) => "a key".to_owned(),
            Some(VerificationError::SignedWithCertificate) => "a certificate (keyless)".to_owned(),
            Some(other) => return RecordRejection::Signature(other.clone()),
        };
        RecordRejection::OtherSigner {
            is,
            expected: self.signer_names(),
        }
    }
}

impl RecordSigner {
    fn to_match(&self, name: String, at: Option<RecordTime>) -> SignerMatch<'_> {
        SignerMatch {
            name,
            at,
            until: self.until,
            actions: &self.actions,
        }
    }
}

/// Returns how little a reason tells: whose signature it is tells less than what is wrong with it, and a
/// kind of signer less than a name.
const fn reason_rank(reason: &VerificationError) -> u8 {
    match reason {
        VerificationError::OtherIdentity { .. } => 1,
        VerificationError::OtherKey(_) => 2,
        VerificationError::UntrustedAuthority(_)
        | VerificationError::Chain(_)
        | VerificationError::UnknownLog(_) => 3,
        VerificationError::Key | VerificationError::SignedWithCertificate => 4,
        _ => 0,
    }
}
