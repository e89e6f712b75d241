//! Signs records, and verifies them before they are written.

use std::time::Duration;

use tokio::time::Instant;

use super::location::TimelineLocation;
use super::record_rejection::RecordRejection;
use crate::image::Digest;
use crate::record::ReleaseRecord;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::failure::signing_failure;
use crate::signing::{Requirement, Signer, VerificationError};

/// How far a log's clock may go before this machine's.
const CLOCK_SKEW_LIMIT: Duration = Duration::from_secs(10);

/// Signer of a record, and what its signatures have to pass.
pub(crate) struct RecordSigning<'a> {
    signer: &'a Signer,
    requirement: Requirement,
    location: TimelineLocation,
}

impl<'a> RecordSigning<'a> {
    /// Plans the signature of `record`; `None` where the run does not sign.
    ///
    /// # Errors
    /// An environment that does not accept the record from this run, and a signer that cannot be opened.
    pub(crate) async fn plan(
        signer: Option<&'a Signer>,
        context: &ReleaseContext,
        location: &TimelineLocation,
        record: &ReleaseRecord,
    ) -> Result<Option<Self>, Failure> {
        let Some(signer) = signer else {
            return match &location.trust {
                None => Ok(None),
                Some(_) => Err(unsigned_run(location)),
            };
        };
        let (http, notices) = (context.registry.http(), &context.notices);
        let requirement = signer.requirement(http, notices).await;
        if let Some(trust) = &location.trust {
            let own = signer.run_requirement(http, notices).await;
            let own = own.map_err(signing_failure)?;
            let (action, at) = (&record.predicate.action, record.predicate.planned_at);
            let accepted = trust.require_own(&own, action, at);
            accepted.map_err(|rejection| foreign_run(location, &rejection))?;
        }
        Ok(Some(Self {
            signer,
            requirement: requirement.map_err(signing_failure)?,
            location: location.clone(),
        }))
    }

    /// Signs the statement of a record about `root` as a bundle that counts.
    ///
    /// # Errors
    /// A signing service, and a signature that does not verify or that the environment does not accept.
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
        match self.check_allowing_skew(&bundle, root).await {
            Ok(()) => Ok(bundle),
            Err(RecordRejection::Signature(error)) => Err(unusable_record(root, &error)),
            Err(rejection) => Err(foreign_run(&self.location, &rejection)),
        }
    }

    /// Verifies a bundle, and waits while a log's clock is ahead of this machine's.
    async fn check_allowing_skew(
        &self,
        bundle: &[u8],
        root: Digest,
    ) -> Result<(), RecordRejection> {
        let began = Instant::now();
        loop {
            match self.check(bundle, root) {
                Err(RecordRejection::Signature(VerificationError::Clock(_)))
                    if began.elapsed() < CLOCK_SKEW_LIMIT =>
                {
                    tokio::time::sleep(CLOCK_SKEW_LIMIT / 40).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn check(&self, bundle: &[u8], root: Digest) -> Result<(), RecordRejection> {
        let own = self.requirement.verify_bundle(bundle, root);
        own.map_err(RecordRejection::Signature)?;
        let trust = self.location.trust.as_ref();
        trust.map_or(Ok(()), |trust| trust.verify(bundle).map(drop))
    }
}

fn unusable_record(root: Digest, error: &VerificationError) -> Failure {
    Failure::service(format!(
        "the new record of {} does not verify: {error}",
        root.short()
    ))
    .with_reason("each new signature is verified before it is written")
    .with_hint("check that the trusted root belongs to the services that signed")
}

fn unsigned_run(location: &TimelineLocation) -> Failure {
    Failure::input(format!(
        "the environment {} of {} takes signed records only, and this run does not sign",
        location.environment, location.destination
    ))
    .with_reason("a record without a signature would not count")
    .with_hint("set sign to keyless or key")
}

fn foreign_run(location: &TimelineLocation, rejection: &RecordRejection) -> Failure {
    Failure::refused(format!(
        "the environment {} of {} does not accept the record of this run: {rejection}",
        location.environment, location.destination
    ))
    .with_reason(
        "signers lists who may write the records of the environment, and no other record counts",
    )
    .with_hint(
        "run the workflow that is listed, or add the identity or the key of this run to signers",
    )
}
