//! Releases that were begun and have no timeline entry.

use super::intent::{Intent, ListedIntents};
use super::timeline_view::{CountedRecord, TimelineView};
use super::verified_record::VerifiedRecord;
use crate::image::Digest;
use crate::notices::Notices;
use crate::record::{DigestPrefix, RecordAction, RecordId, ReleasePredicate};
use crate::release::Failure;
use crate::transfer::ImageStore;

/// Record of a release.
#[derive(Debug, Clone)]
pub struct ReleaseAccount {
    /// Its id.
    pub record: RecordId,
    /// Signer; `None` if the environment does not sign.
    pub signer: Option<String>,
    /// Content.
    pub predicate: Box<ReleasePredicate>,
}

impl ReleaseAccount {
    /// Returns the account of a record that counts.
    pub(crate) fn from_verified(verified: &VerifiedRecord) -> Self {
        Self {
            record: verified.id,
            signer: verified.signer.clone(),
            predicate: Box::new(verified.record.predicate.clone()),
        }
    }
}

/// Returns whether a later attempt of the same run recorded the release anew.
fn is_replaced(intent: &Intent, record: &CountedRecord) -> bool {
    let (begun, later) = (
        &intent.verified.record.predicate,
        &record.record().predicate,
    );
    let run = begun.run_uri();
    run.is_some() && run == later.run_uri() && later.planned_at > begun.planned_at
}

/// Returns the releases of a root that were begun in `store` and have no entry, newest first, nor were recorded
/// anew by a later attempt of their run. Where there are as many entries as intents, each has its own.
///
/// # Errors
/// A store that cannot tell.
pub(crate) async fn unfinished_releases(
    store: &ImageStore,
    view: &TimelineView,
    intents: &ListedIntents,
    root: Digest,
    notices: &Notices,
) -> Result<Vec<ReleaseAccount>, Failure> {
    if intents.count() <= view.names_of(root, |_| true).count() {
        return Ok(Vec::new());
    }
    let has_entry = |intent: &Intent| {
        let prefix = DigestPrefix::from_digest(intent.verified.id.digest());
        view.names().iter().any(|name| name.record == prefix)
    };
    let counted = intents.read_any(store, view.location(), root, notices);
    let mut unfinished = counted.await?;
    unfinished.retain(|it| !has_entry(it));
    if !unfinished.is_empty() {
        let released = view.read_all(view.names_of(root, RecordAction::is_release));
        let released = released.await?;
        let records: Vec<_> = released.iter().filter_map(|it| it.counted()).collect();
        unfinished.retain(|it| !records.iter().any(|record| is_replaced(it, record)));
    }
    Ok(unfinished
        .iter()
        .map(|intent| ReleaseAccount::from_verified(&intent.verified))
        .collect())
}
