//! What the timeline alone says against an environment.

use super::current_state::CurrentState;
use super::environment_finding::{EnvironmentFinding, FindingKind};
use super::environment_request::EnvironmentRequest;
use crate::notices::to_printable;
use crate::record::{RecordAction, RecordTime, ReleaseMark};
use crate::release::records::release_name::adoption_advice;
use crate::release::records::trust::RecordTrust;

/// Most characters of a signer's name.
const NAME_LIMIT: usize = 200;

impl CurrentState {
    /// Returns what the timeline alone says against the environment.
    pub(super) fn state_findings(&self, request: &EnvironmentRequest) -> Vec<EnvironmentFinding> {
        let state = match self.root() {
            Some(_) => self.mark_finding(),
            None => Some(self.absence_finding()),
        };
        let gate = request.scan.iter().flat_map(|gate| &gate.own_signers);
        let lists = self.location().trust.iter().chain(gate);
        let ended = lists.flat_map(|trust| self.ended_signers(trust));
        let mut findings: Vec<EnvironmentFinding> = state.into_iter().collect();
        for finding in ended.chain(self.entry_finding()) {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings
    }

    /// Returns why no root is current.
    fn absence_finding(&self) -> EnvironmentFinding {
        let environment = &self.location().environment;
        let newest_first = self.timeline.entries().iter().rev();
        let mut rollbacks = newest_first.filter(|entry| entry.action == RecordAction::Rollback);
        match rollbacks.next() {
            Some(rollback) => FindingKind::Withdrawn
                .found(format!(
                    "{environment} has no current image: {} is withdrawn, and no release is in its place{}",
                    rollback.root,
                    self.view.withdrawal_reason(rollback.record)
                ))
                .with_hint("promote another image, or the same one with reinstate"),
            None => FindingKind::Unrecorded
                .found(format!(
                    "no record that counts says which image {environment} is on"
                ))
                .with_hint(adoption_advice(self.location())),
        }
    }

    fn mark_finding(&self) -> Option<EnvironmentFinding> {
        let root = self.root()?;
        let is_failed = self.timeline.mark(root) == Some(ReleaseMark::Failed);
        is_failed.then(|| {
            FindingKind::MarkedFailed
                .found(format!("the current image {root} is marked as failed"))
                .with_hint("roll back to a good release, or mark it as deployed")
        })
    }

    /// Returns whether the entry of the current release is gone: newer records name it alone.
    fn entry_finding(&self) -> Option<EnvironmentFinding> {
        let root = self.root()?;
        let is_read = self.release().is_some_and(|release| {
            let reading = self.view.record_read(release.record);
            reading.is_some_and(|reading| reading.counted().is_some())
        });
        (!is_read).then(|| {
            FindingKind::MissingEntry
                .found(format!(
                    "the timeline entry of the current release of {root} is gone"
                ))
                .with_hint(
                    "exclude tags that begin with shipmark. from cleanup, and release the image again",
                )
        })
    }

    fn ended_signers(&self, trust: &RecordTrust) -> Vec<EnvironmentFinding> {
        let ended = trust.ended_signers(self.now).into_iter();
        let finding = |(signer, until): (String, RecordTime)| {
            let signer = to_printable(&signer, NAME_LIMIT);
            FindingKind::EndedSigner
                .found(format!(
                    "the time of the signer {signer} is over since {until}"
                ))
                .with_hint("remove the signer from the policy, or give it a later until")
        };
        ended.map(finding).collect()
    }
}
