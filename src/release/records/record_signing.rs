//! Signs records, and verifies them before they are written.

use std::time::Duration;

use tokio::time::Instant;

use crate::image::Digest;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::failure::signing_failure;
use crate::signing::{Requirement, Signer, VerificationError};

/// How far a log's clock may go before this machine's.
const CLOCK_SKEW_LIMIT: Duration = Duration::from_secs(10);

/// Signer of a record, and what its signatures have to pass.
pub(crate) struct RecordSigning<'a> {
    pub(crate) signer: &'a Signer,
    pub(crate) requirement: Requirement,
}

impl RecordSigning<'_> {
    /// Signs the statement of a record about `root` as a bundle that verifies.
    ///
    /// # Errors
    /// A signing service, or a signature that does not verify.
    pub(crate) async fn sign(
        &self,
        context: &ReleaseContext,
        root: Digest,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        let signed = self
            .signer
            .sign_record(context.registry.http(), &context.notices, statement)
            .await;
        let bundle = signed.map_err(signing_failure)?;
        self.check(&bundle, root).await.map_err(|error| {
            Failure::service(format!(
                "the new record of {} does not verify: {error}",
                root.short()
            ))
            .with_reason("each new signature is verified before it is written")
            .with_hint("check that the trusted root belongs to the services that signed")
        })?;
        Ok(bundle)
    }

    /// Verifies a bundle, and waits while a log's clock is ahead of this machine's.
    async fn check(&self, bundle: &[u8], root: Digest) -> Result<(), VerificationError> {
        let began = Instant::now();
        loop {
            match self.requirement.verify_bundle(bundle, root).map(drop) {
                Err(VerificationError::Clock(_)) if began.elapsed() < CLOCK_SKEW_LIMIT => {
                    tokio::time::sleep(CLOCK_SKEW_LIMIT / 40).await;
                }
                outcome => return outcome,
            }
        }
    }
}
