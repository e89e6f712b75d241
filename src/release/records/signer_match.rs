//! What the signers that made a signature may record.

use super::record_rejection::RecordRejection;
use crate::notices::to_printable;
use crate::record::{RecordAction, RecordTime};
use crate::signing::{Requirement, SignatureEvidence};

/// Limit on the length of a signer's name, in characters.
const NAME_LIMIT: usize = 200;

/// Signer of an environment that made a signature.
pub(super) struct SignerMatch<'a> {
    /// Name of who signed.
    pub(super) name: String,
    /// Time of signing; `None` if nothing proves it.
    pub(super) at: Option<RecordTime>,
    /// Time before which it must have signed; `None` if there is no end.
    pub(super) until: Option<RecordTime>,
    /// Actions that the signer may record; `None` for all.
    pub(super) actions: &'a Option<Vec<RecordAction>>,
}

/// What a signature allows its record to say.
pub(super) struct GrantedActions {
    /// Name of who signed.
    pub(super) name: String,
    /// Time of signing; `None` if nothing proves it.
    pub(super) at: Option<RecordTime>,
    /// Actions; `None` for all.
    pub(super) allowed: Option<Vec<RecordAction>>,
}

/// Grants the actions of all signers whose time had not ended. Their requirements may overlap, so that one
/// signature is of several.
///
/// # Errors
/// A rejection where the time of each had ended, or where none of the others may record `action`; `foreign`
/// where there is no signer.
pub(super) fn grant_actions(
    matches: Vec<SignerMatch<'_>>,
    action: &RecordAction,
    foreign: impl FnOnce() -> RecordRejection,
) -> Result<GrantedActions, RecordRejection> {
    let (mut granted, mut ended): (Option<GrantedActions>, _) = (None, None);
    for found in matches {
        match found.until {
            Some(until) if found.at.is_none_or(|at| at >= until) => {
                ended = ended.max(Some((until, found.at)));
            }
            _ => match &mut granted {
                Some(granted) => join_actions(&mut granted.allowed, found.actions),
                None => {
                    granted = Some(GrantedActions {
                        name: found.name,
                        at: found.at,
                        allowed: found.actions.clone(),
                    });
                }
            },
        }
    }
    match (granted, ended) {
        (Some(granted), _) if allows_action(&granted.allowed, action) => Ok(granted),
        (Some(granted), _) => Err(RecordRejection::Action {
            action: action.clone(),
            allowed: granted.allowed.unwrap_or_default(),
        }),
        (None, Some((until, at))) => Err(RecordRejection::Until { until, at }),
        (None, None) => Err(foreign()),
    }
}

/// Returns whether a list of actions has `action`; `None` is the list of all.
pub(super) fn allows_action(allowed: &Option<Vec<RecordAction>>, action: &RecordAction) -> bool {
    allowed.as_ref().is_none_or(|all| all.contains(action))
}

fn join_actions(allowed: &mut Option<Vec<RecordAction>>, more: &Option<Vec<RecordAction>>) {
    match (allowed.as_mut(), more) {
        (Some(before), Some(more)) => {
            let new = more.iter().filter(|action| !before.contains(action));
            let new: Vec<_> = new.cloned().collect();
            before.extend(new);
        }
        _ => *allowed = None,
    }
}

/// Returns when a signature was made: the earliest time that is proven, else of a key the time that the
/// record claims.
pub(super) fn signing_time(
    evidence: &SignatureEvidence,
    planned_at: RecordTime,
) -> Option<RecordTime> {
    match (evidence.times.iter().min(), &evidence.certificate) {
        (Some(proven), _) => RecordTime::from_timestamp(*proven),
        (None, Some(_)) => None,
        (None, None) => Some(planned_at),
    }
}

/// Returns the name of who made a signature: the subject of the certificate, or the key.
pub(crate) fn signer_name(requirement: &Requirement, evidence: &SignatureEvidence) -> String {
    match &evidence.certificate {
        Some(certificate) => to_printable(&certificate.subject, NAME_LIMIT),
        None => requirement.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::CertificateEvidence;

    fn time(text: &str) -> RecordTime {
        format!("2026-11-{text}T00:00:00.000Z").parse().unwrap()
    }

    #[test]
    fn the_earliest_proof_says_when_a_signature_was_made() {
        let proven = |text: &str| format!("2026-11-{text}T00:00:00.000Z").parse().unwrap();
        let certificate = CertificateEvidence {
            subject: "https://example.com".to_owned(),
            issuer: String::new(),
            run: Vec::new(),
            logged: true,
        };
        let key = SignatureEvidence::default();
        let certified = SignatureEvidence {
            certificate: Some(certificate),
            ..key.clone()
        };
        let claimed = time("01");
        assert_eq!(signing_time(&key, claimed), Some(claimed));
        assert_eq!(signing_time(&certified, claimed), None);
        for evidence in [key, certified] {
            let evidence = SignatureEvidence {
                times: vec![proven("03"), proven("02")],
                ..evidence
            };
            assert_eq!(signing_time(&evidence, claimed), Some(time("02")));
        }
    }

    fn grant(
        matches: &[(&Option<Vec<RecordAction>>, Option<RecordTime>)],
        at: Option<RecordTime>,
    ) -> Result<Option<Vec<RecordAction>>, RecordRejection> {
        let matches = matches.iter().map(|(actions, until)| SignerMatch {
            name: "x".to_owned(),
            at,
            until: *until,
            actions,
        });
        let foreign = || RecordRejection::Size(0);
        let granted = grant_actions(matches.collect(), &RecordAction::Failed, foreign);
        granted.map(|granted| granted.allowed)
    }

    #[test]
    fn signers_that_overlap_may_record_what_each_of_them_may() {
        let marks = Some(vec![RecordAction::Deployed, RecordAction::Failed]);
        let rollbacks = Some(vec![RecordAction::Rollback, RecordAction::Failed]);
        let both = Some(vec![
            RecordAction::Deployed,
            RecordAction::Failed,
            RecordAction::Rollback,
        ]);
        let at = Some(time("02"));
        assert_eq!(grant(&[(&marks, None)], at), Ok(marks.clone()));
        assert_eq!(grant(&[(&marks, None), (&rollbacks, None)], at), Ok(both));
        for all in [
            [(&marks, None), (&None, None)],
            [(&None, None), (&marks, None)],
        ] {
            assert_eq!(grant(&all, at), Ok(None));
        }
        assert_eq!(grant(&[], at), Err(RecordRejection::Size(0)));
        assert!(grant(&[(&Some(Vec::new()), None)], at).is_err());
    }

    #[test]
    fn a_signer_whose_time_had_ended_grants_nothing() {
        let [before, end, later] = ["01", "02", "03"].map(|day| Some(time(day)));
        let marks = Some(vec![RecordAction::Failed]);
        assert_eq!(
            grant(&[(&None, end), (&marks, None)], end),
            Ok(marks.clone())
        );
        assert_eq!(grant(&[(&None, end), (&marks, None)], before), Ok(None));
        for at in [end, later, None] {
            let error = grant(&[(&None, before), (&marks, end)], at).unwrap_err();
            let until = time("02");
            assert_eq!(error, RecordRejection::Until { until, at });
        }
    }
}
