//! What is said of a manifest when it is signed: that it is, or what others' tools found out.

use std::time::Duration;

use tokio::time::Instant;

use super::super::evidence::SignatureFormat;
use super::signing_stage::SigningContext;
use super::unsigned;
use crate::image::Digest;
use crate::referrers::ReferrerError;
use crate::release::Failure;
use crate::signing::{
    COSIGN_SIGN_PREDICATE, ImageAttestation, ImageClaim, LegacySignature, Predicate,
    VerificationError, VerifiedAttestation, VerifiedSignature, VerifiedStatement,
};

/// How far a log's clock may go before this machine's. Others do not go by this machine's at all
/// (sigstore-go), and who verifies here would have to wait.
const CLOCK_SKEW_LIMIT: Duration = Duration::from_secs(10);

/// What is said.
#[derive(Debug, Clone)]
pub(super) enum PlannedStatement {
    /// That it is signed.
    Signature(ImageClaim),
    /// More than that, of the root alone.
    Attestation {
        repository: String,
        predicate: Predicate,
    },
}

/// A thing that was made or found: what it is in, and what holds it.
#[derive(Debug, Clone)]
pub(super) enum SignedContent {
    /// A bundle.
    Bundle(Vec<u8>),
    /// A layer of the `.sig` or the `.att` image.
    Layer(LegacySignature),
}

impl PlannedStatement {
    /// The type of what is said.
    pub(super) fn predicate_type(&self) -> &str {
        match self {
            Self::Signature(_) => COSIGN_SIGN_PREDICATE,
            Self::Attestation { predicate, .. } => predicate.kind,
        }
    }

    /// What it attests, where it is more than a signature.
    pub(super) fn attested_type(&self) -> Option<&'static str> {
        match self {
            Self::Signature(_) => None,
            Self::Attestation { predicate, .. } => Some(predicate.kind),
        }
    }

    /// Makes it in one of the forms, and checks it as everybody else would.
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
        let made = match (self, form) {
            (Self::Signature(claim), SignatureFormat::Bundle) => {
                let made = signer.sign_bundle(registry.http(), notices, claim).await;
                made.map(SignedContent::Bundle)
            }
            (Self::Signature(claim), SignatureFormat::Legacy) => {
                let made = signer.sign_legacy(registry.http(), notices, claim).await;
                made.map(SignedContent::Layer)
            }
            (
                Self::Attestation {
                    repository,
                    predicate,
                },
                form,
            ) => {
                let attestation = ImageAttestation {
                    repository,
                    image: context.image,
                    predicate,
                };
                match form {
                    SignatureFormat::Bundle => {
                        let made = signer
                            .attest_bundle(registry.http(), notices, &attestation)
                            .await;
                        made.map(SignedContent::Bundle)
                    }
                    SignatureFormat::Legacy => {
                        let made = signer
                            .attest_legacy(registry.http(), notices, &attestation)
                            .await;
                        made.map(SignedContent::Layer)
                    }
                }
            }
        };
        let made = made.map_err(unsigned)?;
        match self.check_allowing_skew(context, &made).await {
            Ok(()) => Ok(made),
            Err(error) => Err(unusable_signature(context.image, &error)),
        }
    }

    /// As [`Self::check`], where a log's clock may go a little before this machine's: that passes.
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

    /// That something says this, and stands up.
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
            (Self::Attestation { predicate, .. }, SignedContent::Layer(layer)) => {
                is_same_predicate(
                    predicate,
                    &requirement.check_legacy_attestation(layer, image)?,
                )
            }
        };
        is_so.then_some(()).ok_or(VerificationError::Tampered)
    }

    fn matches_opened(&self, opened: VerifiedStatement) -> Result<bool, VerificationError> {
        Ok(match self {
            Self::Signature(claim) => opened.into_signature()?.claim == *claim,
            Self::Attestation { predicate, .. } => {
                is_same_predicate(predicate, &opened.into_attestation())
            }
        })
    }

    /// Whether a good signature says the same, whichever run it is of.
    pub(super) fn matches_signature(&self, found: &VerifiedSignature) -> bool {
        matches!(self, Self::Signature(claim) if found.claim.is_equivalent_to(claim))
    }

    /// Whether a good attestation says the same.
    pub(super) fn matches_attestation(&self, found: &VerifiedAttestation) -> bool {
        matches!(self, Self::Attestation { predicate, .. } if is_same_predicate(predicate, found))
    }

    /// Whether a bundle that was found good says the same, whichever run it is of.
    pub(super) fn matches_bundle(&self, opened: &VerifiedStatement) -> bool {
        if opened.predicate_type() != self.predicate_type() {
            return false;
        }
        match self {
            Self::Signature(_) => {
                let signature = opened.clone().into_signature();
                signature.is_ok_and(|found| self.matches_signature(&found))
            }
            Self::Attestation { .. } => {
                self.matches_attestation(&opened.clone().into_attestation())
            }
        }
    }
}

fn is_same_predicate(predicate: &Predicate, found: &VerifiedAttestation) -> bool {
    found.predicate_type == predicate.kind && found.predicate == predicate.content
}

fn unusable_signature(image: Digest, error: &VerificationError) -> Failure {
    Failure::service(format!(
        "the signature of {} that was made does not count: {error}",
        image.short()
    ))
    .why("what is signed is checked as verify checks it, before any of it is written")
    .with_hint(match error {
        VerificationError::Clock(_) => {
            "set this machine's clock (timedatectl says whether it is synchronised)"
        }
        _ => "see that the trusted root is that of the services",
    })
}

/// That what was written does not come back as it was.
pub(super) fn changed_content(digest: Digest, error: &VerificationError) -> ReferrerError {
    ReferrerError::Changed {
        digest,
        how: error.to_string(),
    }
}
