//! Statements that are signed about a manifest: a signature, or the attestation of another tool.

use std::time::Duration;

use tokio::time::Instant;

use crate::image::Digest;
use crate::notices::Notices;
use crate::record::{StoredSummary, VerificationSummary};
use crate::referrers::ReferrerError;
use crate::registry::RegistryClient;
use crate::release::Failure;
use crate::release::failure::signing_failure;
use crate::release::request::SignatureFormat;
use crate::signing::{
    COSIGN_SIGN_PREDICATE, ImageAttestation, ImageClaim, LegacySignature, Predicate, Requirement,
    Signer, VerificationError, VerifiedAttestation, VerifiedSignature, VerifiedStatement,
};
use crate::tagging::EnvironmentName;

/// How far a log's clock may go before this machine's. Others do not go by this machine's at all
/// (sigstore-go), and who verifies here would have to wait.
const CLOCK_SKEW_LIMIT: Duration = Duration::from_secs(10);

/// Services, keys and the image that signing and verifying use.
pub(super) struct SigningContext<'a> {
    pub(super) registry: &'a RegistryClient,
    pub(super) notices: &'a Notices,
    pub(super) signer: &'a Signer,
    pub(super) requirement: &'a Requirement,
    pub(super) image: Digest,
}

/// Statement that is to be signed.
#[derive(Debug, Clone)]
pub(crate) enum PlannedStatement {
    /// Signature of the manifest.
    Signature(ImageClaim),
    /// Attestation, of the root only.
    Attestation {
        repository: String,
        predicate: Predicate,
    },
    /// Verification summary of a release or a rollback, of the root only.
    Summary(ReleaseSummary),
}

/// Verification summary that is to be signed.
#[derive(Debug, Clone)]
pub(crate) struct ReleaseSummary {
    pub(crate) repository: String,
    pub(crate) environment: EnvironmentName,
    pub(crate) predicate: Predicate,
    /// Result, and the time of the record that goes with it.
    pub(crate) stored: StoredSummary,
}

impl ReleaseSummary {
    /// Returns a summary to be signed.
    pub(crate) fn new(summary: VerificationSummary) -> Self {
        Self {
            predicate: Predicate::from_summary(summary.to_predicate()),
            stored: StoredSummary {
                result: summary.result,
                verified_at: summary.verified_at,
            },
            repository: summary.destination,
            environment: summary.environment,
        }
    }

    /// Returns whether a verified attestation is the summary of the same record.
    fn is_met_by(&self, found: &VerifiedAttestation) -> bool {
        let stored =
            StoredSummary::from_predicate(&found.predicate, &self.environment, &self.repository);
        found.predicate_type == self.predicate.kind && stored.as_ref() == Some(&self.stored)
    }
}

/// Signed content, new or found.
#[derive(Debug, Clone)]
pub(super) enum SignedContent {
    /// A bundle.
    Bundle(Vec<u8>),
    /// A layer of the `.sig` or the `.att` image.
    Layer(LegacySignature),
}

impl PlannedStatement {
    /// Returns the predicate type of the statement.
    pub(super) fn predicate_type(&self) -> &str {
        match self {
            Self::Signature(_) => COSIGN_SIGN_PREDICATE,
            Self::Attestation { predicate, .. } => predicate.kind,
            Self::Summary(summary) => summary.predicate.kind,
        }
    }

    /// Returns whether it is signed in a format: a summary is always a bundle.
    pub(super) fn has_format(&self, format: SignatureFormat) -> bool {
        !matches!((self, format), (Self::Summary(_), SignatureFormat::Legacy))
    }

    /// Returns the environment of a summary.
    pub(super) fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Summary(summary) => Some(&summary.environment),
            Self::Signature(_) | Self::Attestation { .. } => None,
        }
    }

    /// Returns repository and predicate of an attestation.
    fn attested(&self) -> Option<(&str, &Predicate)> {
        match self {
            Self::Signature(_) => None,
            Self::Attestation {
                repository,
                predicate,
            } => Some((repository, predicate)),
            Self::Summary(summary) => Some((&summary.repository, &summary.predicate)),
        }
    }

    /// Returns the predicate type of an attestation; `None` for a signature.
    pub(super) fn attested_type(&self) -> Option<&'static str> {
        self.attested().map(|(_, predicate)| predicate.kind)
    }

    /// Signs the statement in a format, and verifies the result as `verify` does.
    pub(super) async fn sign(
        &self,
        context: &SigningContext<'_>,
        form: SignatureFormat,
    ) -> Result<SignedContent, Failure> {
        let SigningContext {
            registry,
            notices,
            signer,
            ..
        } = context;
        let http = registry.http();
        let made = match (self, self.attested(), form) {
            (Self::Signature(claim), _, SignatureFormat::Bundle) => {
                let made = signer.sign_bundle(http, notices, claim).await;
                made.map(SignedContent::Bundle)
            }
            (Self::Signature(claim), _, SignatureFormat::Legacy) => {
                let made = signer.sign_legacy(http, notices, claim).await;
                made.map(SignedContent::Layer)
            }
            (_, Some((repository, predicate)), form) => {
                let attestation = ImageAttestation {
                    repository,
                    image: context.image,
                    predicate,
                };
                match form {
                    SignatureFormat::Bundle => {
                        let made = signer.attest_bundle(http, notices, &attestation).await;
                        made.map(SignedContent::Bundle)
                    }
                    SignatureFormat::Legacy => {
                        let made = signer.attest_legacy(http, notices, &attestation).await;
                        made.map(SignedContent::Layer)
                    }
                }
            }
            (_, None, _) => unreachable!("what is no signature is attested"),
        };
        let made = made.map_err(signing_failure)?;
        match self.check_allowing_skew(context, &made).await {
            Ok(()) => Ok(made),
            Err(error) => Err(unusable_signature(context.image, &error)),
        }
    }

    /// Checks as [`Self::check_content`], and waits while a log's clock is ahead of this machine's.
    async fn check_allowing_skew(
        &self,
        context: &SigningContext<'_>,
        content: &SignedContent,
    ) -> Result<(), VerificationError> {
        let began = Instant::now();
        loop {
            match self.check_content(context, content) {
                Err(VerificationError::Clock(_)) if began.elapsed() < CLOCK_SKEW_LIMIT => {
                    tokio::time::sleep(CLOCK_SKEW_LIMIT / 40).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Requires that content verifies and holds this statement.
    pub(super) fn check_content(
        &self,
        context: &SigningContext<'_>,
        content: &SignedContent,
    ) -> Result<(), VerificationError> {
        let (requirement, image) = (context.requirement, context.image);
        let is_so = match (self, content) {
            (_, SignedContent::Bundle(bundle)) => {
                self.matches_opened(requirement.verify_bundle(bundle, image)?)?
            }
            (Self::Signature(claim), SignedContent::Layer(layer)) => {
                requirement.check_legacy(layer, image)?.claim == *claim
            }
            (_, SignedContent::Layer(layer)) => {
                self.is_attested_by(&requirement.check_legacy_attestation(layer, image)?)
            }
        };
        is_so.then_some(()).ok_or(VerificationError::Tampered)
    }

    fn matches_opened(&self, opened: VerifiedStatement) -> Result<bool, VerificationError> {
        Ok(match self {
            Self::Signature(claim) => opened.into_signature()?.claim == *claim,
            _ => self.is_attested_by(&opened.into_attestation()),
        })
    }

    /// Returns whether a verified attestation has exactly this predicate.
    fn is_attested_by(&self, found: &VerifiedAttestation) -> bool {
        let own = self.attested();
        own.is_some_and(|(_, predicate)| is_same_predicate(predicate, found))
    }

    /// Returns whether a verified signature makes the same claim, whichever run made it.
    pub(super) fn matches_signature(&self, found: &VerifiedSignature) -> bool {
        matches!(self, Self::Signature(claim) if found.claim.is_equivalent_to(claim))
    }

    /// Returns whether a verified attestation has the same predicate, or makes this summary unnecessary.
    pub(super) fn matches_attestation(&self, found: &VerifiedAttestation) -> bool {
        match self {
            Self::Summary(summary) => summary.is_met_by(found),
            _ => self.is_attested_by(found),
        }
    }

    /// Returns whether a verified bundle holds the same statement, whichever run made it.
    pub(super) fn matches_bundle(&self, opened: &VerifiedStatement) -> bool {
        if opened.predicate_type() != self.predicate_type() {
            return false;
        }
        match self {
            Self::Signature(_) => {
                let signature = opened.clone().into_signature();
                signature.is_ok_and(|found| self.matches_signature(&found))
            }
            _ => self.matches_attestation(&opened.clone().into_attestation()),
        }
    }
}

fn is_same_predicate(predicate: &Predicate, found: &VerifiedAttestation) -> bool {
    found.predicate_type == predicate.kind && found.predicate == predicate.content
}

fn unusable_signature(image: Digest, error: &VerificationError) -> Failure {
    Failure::service(format!(
        "the new signature of {} does not verify: {error}",
        image.short()
    ))
    .with_reason("each new signature is verified before it is written")
    .with_hint(match error {
        VerificationError::Clock(_) => {
            "set this machine's clock (timedatectl shows whether it is synchronised)"
        }
        _ => "check that the trusted root belongs to the services that signed",
    })
}

/// Returns that the registry serves other content than was written.
pub(super) fn changed_content(digest: Digest, error: &VerificationError) -> ReferrerError {
    ReferrerError::Changed {
        digest,
        how: error.to_string(),
    }
}
