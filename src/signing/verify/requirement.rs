use std::sync::Arc;

use serde_json::Value;
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Artifact, Bundle, Sha256Hash, SignatureContent};

use super::super::{Claim, Detached, Flaw, PublicKey};
use super::encoded::Encoded;
use super::{Evidence, Identity, Statement, TrustRoot, parts};
use crate::image::Digest;

/// Who has to have signed.
#[derive(Debug, Clone)]
pub enum Requirement {
    /// The holder of a key.
    Key {
        /// The public half.
        key: PublicKey,
        /// Whose logs have to hold the signature. With none, logs and timestamps are not looked at:
        /// a key says all by itself.
        log: Option<Arc<TrustRoot>>,
    },
    /// Somebody whom a certificate names.
    Identity {
        /// Who.
        identity: Identity,
        /// Whose word counts.
        trust: Arc<TrustRoot>,
        /// Whether a log has to hold the signature. Without, a timestamp authority has to say when it
        /// was made.
        logged: bool,
    },
}

/// A good signature of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub claim: Claim,
    /// What proves it.
    pub evidence: Evidence,
}

/// A good statement about an image, of any type.
#[derive(Debug, Clone)]
pub struct Opened {
    statement: Statement,
    evidence: Evidence,
    image: Digest,
}

/// A good attestation of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Attested {
    /// The type of what it says.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Value,
    /// What proves it.
    pub evidence: Evidence,
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { key, .. } => write!(f, "the key {}", key.fingerprint()),
            Self::Identity { identity, .. } => identity.fmt(f),
        }
    }
}

impl Requirement {
    /// What a bundle says as the signature of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_bundle(&self, bundle: &[u8], image: Digest) -> Result<Verified, Flaw> {
        self.open_bundle(bundle, image)?.into_signature()
    }

    /// What a bundle says of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn open_bundle(&self, bundle: &[u8], image: Digest) -> Result<Opened, Flaw> {
        self.open(&parts::read(bundle)?, image)
    }

    /// What a signature in the legacy form says of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_detached(&self, signed: &Detached, image: Digest) -> Result<Verified, Flaw> {
        if let Self::Key { key, .. } = self {
            key.check_detached(signed)?;
        }
        let evidence = self.proven(&signed.as_bundle()?, &signed.payload);
        // The payload is what is signed, so that only the log's entry can be of another one.
        let evidence = evidence.map_err(|flaw| match flaw {
            Flaw::OtherContent(reason) => Flaw::OtherEntry(reason),
            other => other,
        })?;
        let claim = signed.claim(image)?;
        Ok(Verified { claim, evidence })
    }

    /// What an attestation in the legacy form, an envelope, says of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_detached_attestation(
        &self,
        signed: &Detached,
        image: Digest,
    ) -> Result<Attested, Flaw> {
        let opened = self.open(&signed.as_envelope_bundle()?, image)?;
        Ok(opened.into_attestation())
    }

    fn open(&self, bundle: &Bundle, image: Digest) -> Result<Opened, Flaw> {
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return Err(Flaw::OtherKind(
                "it signs a file (cosign sign-blob), with no statement".to_owned(),
            ));
        };
        if let Self::Key { key, .. } = self {
            key.check_envelope(bundle, envelope)?;
        }
        let statement = Statement::of_envelope(envelope);
        let evidence = match Encoded::of(bundle) {
            Some(Encoded { bundle, encoding }) => self.proven(&bundle, &encoding),
            None => self.proven(bundle, sha256(image)),
        };
        let evidence = about(evidence, &statement, image)?;
        let statement = statement?;
        statement.about(image)?;
        Ok(Opened {
            statement,
            evidence,
            image,
        })
    }

    /// What proves that who has to sign it signed the artifact. Of a key it is what a log says; that
    /// the signature is the key's is not checked where no log is asked for.
    fn proven<'a>(
        &self,
        bundle: &Bundle,
        artifact: impl Into<Artifact<'a>>,
    ) -> Result<Evidence, Flaw> {
        match self {
            Self::Key { log: None, .. } => Ok(Evidence::default()),
            Self::Key {
                key,
                log: Some(trust),
            } => {
                parts::check(bundle, Some(trust))?;
                let result = trust.verify(artifact, bundle, &key.policy()?)?;
                Ok(Evidence::of(&result))
            }
            Self::Identity {
                identity,
                trust,
                logged,
            } => {
                if let VerificationMaterialContent::PublicKey(_) =
                    bundle.verification_material.content
                {
                    return Err(Flaw::Key);
                }
                let policy = trust.policy(*logged);
                parts::check(bundle, logged.then_some(&**trust))?;
                let result = trust.verify(artifact, bundle, &policy)?;
                identity.check(result.certificate().ok_or(Flaw::Key)?)?;
                Ok(Evidence::of(&result))
            }
        }
    }
}

/// `sigstore-verify` says in one way that a statement is about something else, and that a log entry
/// is of another statement.
fn about(
    checked: Result<Evidence, Flaw>,
    statement: &Result<Statement, Flaw>,
    image: Digest,
) -> Result<Evidence, Flaw> {
    checked.map_err(|flaw| match flaw {
        Flaw::OtherContent(reason) => {
            let statement = statement.as_ref().map_err(Flaw::clone);
            let about = statement.and_then(|statement| statement.about(image));
            about.err().unwrap_or(Flaw::OtherEntry(reason))
        }
        other => other,
    })
}

pub(super) fn sha256(digest: Digest) -> Sha256Hash {
    Sha256Hash::new(*digest.as_bytes())
}

impl Opened {
    /// The type of what is said.
    pub fn predicate_type(&self) -> &str {
        &self.statement.predicate_type
    }

    /// What it says as the signature of the image.
    ///
    /// # Errors
    /// It is none.
    pub fn into_signature(self) -> Result<Verified, Flaw> {
        let claim = self.statement.claim(self.image)?;
        Ok(Verified {
            claim,
            evidence: self.evidence,
        })
    }

    /// What it says, of whatever type.
    pub fn into_attestation(self) -> Attested {
        Attested {
            predicate_type: self.statement.predicate_type,
            predicate: self.statement.predicate,
            evidence: self.evidence,
        }
    }
}
