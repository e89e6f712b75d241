//! Who may write the records of an environment.

use super::record_rejection::RecordRejection;
use super::signer_match::{SignerMatch, grant_actions, signer_name, signing_time};
use super::verified_record::{UnverifiedRecord, VerifiedRecord};
use crate::image::Digest;
use crate::record::{RecordAction, RecordTime, ReleaseRecord};
use crate::signing::{Requirement, SignatureEvidence, VerificationError};

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

/// Requirement that signatures of released images meet.
#[derive(Debug, Clone)]
pub(crate) struct ReleaseRequirement {
    /// Who must have signed.
    pub(crate) requirement: Requirement,
    /// Time before which it must have been; `None` if there is no end.
    until: Option<RecordTime>,
}

impl ReleaseRequirement {
    /// Returns whether a signature was made in time, of an image that was released at `released_at`.
    pub(crate) fn is_in_time(&self, evidence: &SignatureEvidence, released_at: RecordTime) -> bool {
        let at = signing_time(evidence, released_at);
        self.until
            .is_none_or(|until| at.is_some_and(|at| at < until))
    }
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
            signed_at: granted.at,
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

    /// Returns what a signature of a released image passes: one of the signers made it who may record releases,
    /// before the end of the signer's time. Signers whose time does not end come first.
    pub(crate) fn release_requirements(&self) -> Vec<ReleaseRequirement> {
        let may_release = |signer: &&RecordSigner| {
            let actions = signer.actions.as_ref();
            actions.is_none_or(|actions| actions.iter().any(RecordAction::is_release))
        };
        let mut groups: Vec<(Option<RecordTime>, Vec<Requirement>)> = Vec::new();
        for signer in self.signers.iter().filter(may_release) {
            let requirement = signer.requirement.clone();
            match groups.iter_mut().find(|(until, _)| *until == signer.until) {
                Some((_, group)) => group.push(requirement),
                None => groups.push((signer.until, vec![requirement])),
            }
        }
        groups.sort_by_key(|(until, _)| until.map(std::cmp::Reverse));
        let requirements = groups.into_iter().map(|(until, group)| ReleaseRequirement {
            requirement: Requirement::any_of(group),
            until,
        });
        requirements.collect()
    }

    /// Returns the signers whose time is over at `now`, with its end.
    pub(crate) fn ended_signers(&self, now: RecordTime) -> Vec<(String, RecordTime)> {
        let ended = self.signers.iter().filter_map(|signer| {
            let until = signer.until.filter(|until| *until <= now)?;
            Some((signer.requirement.to_string(), until))
        });
        ended.collect()
    }

    /// Returns the names of the signers, joined by `or`.
    pub(crate) fn signer_names(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::PrivateKey;

    #[test]
    fn promise_6_images_are_signed_in_time_by_who_may_record_releases() {
        let time = |day: &str| format!("2026-11-{day}T00:00:00.000Z").parse().unwrap();
        let signer = |actions: Option<Vec<RecordAction>>, until| RecordSigner {
            requirement: Requirement::Key {
                key: PrivateKey::generate().public().clone(),
                log: None,
            },
            actions,
            until,
        };
        let marks = Some(vec![RecordAction::Deployed, RecordAction::Rollback]);
        let releases = Some(vec![RecordAction::Failed, RecordAction::Promote]);
        let trust = RecordTrust::new(vec![
            signer(marks, None),
            signer(None, Some(time("02"))),
            signer(releases, None),
            signer(None, Some(time("04"))),
        ]);
        let accepted = trust.release_requirements();
        let ends: Vec<_> = accepted.iter().map(|it| it.until).collect();
        assert_eq!(ends, [None, Some(time("04")), Some(time("02"))]);
        let claimed = SignatureEvidence::default();
        let proven = SignatureEvidence {
            times: vec!["2026-11-05T00:00:00Z".parse().unwrap()],
            ..claimed.clone()
        };
        let in_time = |evidence: &SignatureEvidence| {
            let each = accepted.iter();
            each.map(|it| it.is_in_time(evidence, time("03")))
                .collect::<Vec<_>>()
        };
        assert_eq!(in_time(&claimed), [true, true, false]);
        assert_eq!(in_time(&proven), [true, false, false]);
    }
}
