//! What is said of a manifest when it is signed: that it is, or what others' tools found out.

use std::time::Duration;

use tokio::time::Instant;

use super::super::beside::Form;
use super::unsigned;
use super::work::Making;
use crate::image::Digest;
use crate::referrers::Error;
use crate::release::Failure;
use crate::signing::{
    Attestation, Attested, Claim, Detached, Flaw, Opened, PREDICATE, Predicate, Verified,
};

/// How far a log's clock may go before this machine's. Others do not go by this machine's at all
/// (sigstore-go), and who verifies here would have to wait.
const SKEW: Duration = Duration::from_secs(10);

/// What is said.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// That it is signed.
    Signature(Claim),
    /// More than that, of the root alone.
    Attestation {
        repository: String,
        predicate: Predicate,
    },
}

/// A thing that was made or found: what it is in, and what holds it.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A bundle.
    Bundle(Vec<u8>),
    /// A layer of the `.sig` or the `.att` image.
    Layer(Detached),
}

impl Said {
    /// The type of what is said.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Signature(_) => PREDICATE,
            Self::Attestation { predicate, .. } => predicate.kind,
        }
    }

    /// What it attests, where it is more than a signature.
    pub(super) fn attests(&self) -> Option<&'static str> {
        match self {
            Self::Signature(_) => None,
            Self::Attestation { predicate, .. } => Some(predicate.kind),
        }
    }

    /// Makes it in one of the forms, and checks it as everybody else would.
    pub(super) async fn make(&self, making: &Making<'_>, form: Form) -> Result<Content, Failure> {
        let Making {
            registry,
            notices,
            signer,
            ..
        } = making;
        let made = match (self, form) {
            (Self::Signature(claim), Form::Bundle) => {
                let made = signer.sign_bundle(registry, notices, claim).await;
                made.map(Content::Bundle)
            }
            (Self::Signature(claim), Form::Legacy) => {
                let made = signer.sign_detached(registry, notices, claim).await;
                made.map(Content::Layer)
            }
            (
                Self::Attestation {
                    repository,
                    predicate,
                },
                form,
            ) => {
                let attestation = Attestation {
                    repository,
                    image: making.image,
                    predicate,
                };
                match form {
                    Form::Bundle => {
                        let made = signer.attest_bundle(registry, notices, &attestation).await;
                        made.map(Content::Bundle)
                    }
                    Form::Legacy => {
                        let made = signer
                            .attest_detached(registry, notices, &attestation)
                            .await;
                        made.map(Content::Layer)
                    }
                }
            }
        };
        let made = made.map_err(unsigned)?;
        match self.check_in_time(making, &made).await {
            Ok(()) => Ok(made),
            Err(flaw) => Err(useless(making.image, &flaw)),
        }
    }

    /// As [`Self::check`], where a log's clock may go a little before this machine's: that passes.
    async fn check_in_time(&self, making: &Making<'_>, content: &Content) -> Result<(), Flaw> {
        let began = Instant::now();
        loop {
            match self.check(making, content) {
                Err(Flaw::Clock(_)) if began.elapsed() < SKEW => {
                    tokio::time::sleep(SKEW / 40).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// That something says this, and stands up.
    pub(super) fn check(&self, making: &Making<'_>, content: &Content) -> Result<(), Flaw> {
        let (requirement, image) = (making.requirement, making.image);
        let is_so = match (self, content) {
            (_, Content::Bundle(bundle)) => {
                self.is_just(requirement.open_bundle(bundle, image)?)?
            }
            (Self::Signature(claim), Content::Layer(layer)) => {
                requirement.check_detached(layer, image)?.claim == *claim
            }
            (Self::Attestation { predicate, .. }, Content::Layer(layer)) => is_attested(
                predicate,
                &requirement.check_detached_attestation(layer, image)?,
            ),
        };
        is_so.then_some(()).ok_or(Flaw::Tampered)
    }

    fn is_just(&self, opened: Opened) -> Result<bool, Flaw> {
        Ok(match self {
            Self::Signature(claim) => opened.into_signature()?.claim == *claim,
            Self::Attestation { predicate, .. } => {
                is_attested(predicate, &opened.into_attestation())
            }
        })
    }

    /// Whether a good signature says the same, whichever run it is of.
    pub(super) fn is_signed_by(&self, found: &Verified) -> bool {
        matches!(self, Self::Signature(claim) if found.claim.says_as(claim))
    }

    /// Whether a good attestation says the same.
    pub(super) fn is_attested_by(&self, found: &Attested) -> bool {
        matches!(self, Self::Attestation { predicate, .. } if is_attested(predicate, found))
    }

    /// Whether a bundle that was found good says the same, whichever run it is of.
    pub(super) fn is_said_by(&self, opened: &Opened) -> bool {
        if opened.predicate_type() != self.kind() {
            return false;
        }
        match self {
            Self::Signature(_) => {
                let signature = opened.clone().into_signature();
                signature.is_ok_and(|found| self.is_signed_by(&found))
            }
            Self::Attestation { .. } => self.is_attested_by(&opened.clone().into_attestation()),
        }
    }
}

fn is_attested(predicate: &Predicate, found: &Attested) -> bool {
    found.predicate_type == predicate.kind && found.predicate == predicate.content
}

fn useless(image: Digest, flaw: &Flaw) -> Failure {
    Failure::service(format!(
        "the signature of {} that was made does not count: {flaw}",
        image.short()
    ))
    .why("what is signed is checked as verify checks it, before any of it is written")
    .hint(match flaw {
        Flaw::Clock(_) => "set this machine's clock (timedatectl says whether it is synchronised)",
        _ => "see that the trusted root is that of the services",
    })
}

/// That what was written does not come back as it was.
pub(super) fn changed(digest: Digest, flaw: &Flaw) -> Error {
    Error::Changed {
        digest,
        how: flaw.to_string(),
    }
}
