use crate::record::{RecordAction, RecordTime};
use crate::signing::Requirement;

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
