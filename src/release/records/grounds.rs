//! Why a run may release an image: its policy, the documents that it considered, and its reason.

use super::options::RunAccount;
use crate::image::Digest;
use crate::record::{RecordedEvidence, RecordedPolicy, ReleasePredicate};
use crate::release::gates::gate_outcome::GateOutcome;
use crate::release::request::ReleaseRequest;

/// Policy, evidence and reason of a release at one destination.
pub(crate) struct ReleaseGrounds {
    pub(crate) policy: Option<RecordedPolicy>,
    /// What this run attests, and what its gates considered.
    pub(crate) evidence: Vec<RecordedEvidence>,
    pub(crate) reason: Option<String>,
}

impl ReleaseGrounds {
    /// Returns the grounds of this run.
    pub(crate) fn of_run(
        request: &ReleaseRequest,
        account: &RunAccount,
        root: Digest,
        gates: &GateOutcome,
        destination: &str,
    ) -> Self {
        let mut evidence = attested_evidence(request, root, destination);
        evidence.extend(gates.evidence.iter().cloned());
        let own = account.reason.as_deref();
        Self {
            policy: account.policy.clone(),
            evidence,
            reason: match &gates.freeze_override {
                Some(reason) => Some(freeze_reason(reason, own)),
                None => account.reason.clone(),
            },
        }
    }

    /// Returns whether a record gives the same policy by its digest, the same documents with the same results in any
    /// order, and the same reason. When they were judged is no part of them.
    pub(crate) fn are_those_of(&self, predicate: &ReleasePredicate) -> bool {
        let digest = |policy: &Option<RecordedPolicy>| policy.as_ref().map(|it| it.digest);
        let (own, recorded) = (&self.evidence, &predicate.evidence);
        digest(&self.policy) == digest(&predicate.policy)
            && self.reason == predicate.reason
            && own.len() == recorded.len()
            && own.iter().all(|it| recorded.contains(it))
            && recorded.iter().all(|it| own.contains(it))
    }
}

/// Returns the reason of a record of a release in a freeze.
fn freeze_reason(reason: &str, own: Option<&str>) -> String {
    let text = format!("freeze overridden: {reason}");
    match own {
        Some(own) => format!("{own}; {text}"),
        None => text,
    }
}

/// Returns what this run attests of the image, by the digests of the signed statements.
fn attested_evidence(
    request: &ReleaseRequest,
    root: Digest,
    destination: &str,
) -> Vec<RecordedEvidence> {
    let attestations = request.signing.iter();
    let attestations = attestations.flat_map(|signing| &signing.attestations);
    let evidence = attestations.map(|predicate| {
        let statement = predicate.to_statement(destination, root);
        RecordedEvidence {
            kind: predicate.document_kind().to_owned(),
            media_type: Some(predicate.kind.to_owned()),
            digest: Digest::from_bytes(&statement),
            size: Some(statement.len() as u64),
            uri: None,
            tool: predicate.tool(),
            result: None,
            by: None,
        }
    });
    evidence.collect()
}
