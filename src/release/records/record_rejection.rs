use thiserror::Error;

use crate::record::{RecordAction, RecordError, RecordTime};
use crate::signing::VerificationError;

/// Limit on the size of a stored record, in bytes: a statement of 1 MiB in base64, with its proofs.
pub const RECORD_BLOB_LIMIT: u64 = 2 << 20;

/// Reason why a stored blob is not a record that counts, or why a run may not write one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordRejection {
    /// It is larger than a reader takes.
    #[error("it has {0} bytes, expected at most {RECORD_BLOB_LIMIT}")]
    Size(u64),
    /// It is not the statement of a release record.
    #[error("it is not a release record: {0}")]
    Record(#[from] RecordError),
    /// It is a bare statement, and the environment signs.
    #[error("it is not signed, expected a signature of {expected}")]
    Unsigned {
        /// Signers of the environment.
        expected: String,
    },
    /// Its signature does not verify.
    #[error("{0}")]
    Signature(VerificationError),
    /// Another signer made its signature.
    #[error("it is signed by {is}, expected {expected}")]
    OtherSigner {
        /// Signer of the record.
        is: String,
        /// Signers of the environment.
        expected: String,
    },
    /// The run is going to sign as another signer.
    #[error("this run signs as {is}, expected {expected}")]
    OwnSigner {
        /// Signer of the run.
        is: String,
        /// Signers of the environment.
        expected: String,
    },
    /// Its signer may not record its action.
    #[error("its signer may record {} only, got {action}", name_actions(.allowed))]
    Action {
        /// Action of the record.
        action: RecordAction,
        /// Actions that the signer may record.
        allowed: Vec<RecordAction>,
    },
    /// Its signer no longer counted, or nothing proves that it did.
    #[error("its signer counts until {until}, {}", describe_time(.at))]
    Until {
        /// End of the signer's time.
        until: RecordTime,
        /// Time of signing; of a key without proof of it the time that the record claims; `None` if a
        /// certificate has no proof of it.
        at: Option<RecordTime>,
    },
}

fn name_actions(actions: &[RecordAction]) -> String {
    match actions {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(RecordAction::as_str).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

fn describe_time(at: &Option<RecordTime>) -> String {
    match at {
        Some(at) => format!("got a signature of {at}"),
        None => "and nothing proves that it was signed before".to_owned(),
    }
}
