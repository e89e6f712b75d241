use std::sync::Arc;

use serde_json::Value;
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Artifact, Bundle, Sha256Hash, SignatureContent};

use super::super::{ImageClaim, LegacySignature, PublicKey, VerificationError};
use super::dsse_encoding::EncodedEnvelope;
use super::{Identity, InTotoStatement, SignatureEvidence, TrustRoot, bundle_parts, message_hash};
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
    /// One of several, in their order: keys of a rotation, or trusted roots.
    Any(Vec<Requirement>),
}

/// A good signature of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// What it says.
    pub claim: ImageClaim,
    /// What proves it.
    pub evidence: SignatureEvidence,
}

/// A good statement about an image, of any type.
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    statement: InTotoStatement,
    evidence: SignatureEvidence,
    image: Digest,
}

/// A good attestation of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedAttestation {
    /// The type of what it says.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Value,
    /// What proves it.
    pub evidence: SignatureEvidence,
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { key, .. } => write!(f, "the key {}", key.fingerprint()),
            Self::Identity { identity, .. } => identity.fmt(f),
            Self::Any(several) => {
                let mut names: Vec<String> = several.iter().map(Self::to_string).collect();
                names.dedup();
                f.write_str(&names.join(" or "))
            }
        }
    }
}

impl Requirement {
    /// Requires one of several; of one, that one.
    pub fn any_of(mut several: Vec<Self>) -> Self {
        match several.len() {
            1 => several.swap_remove(0),
            _ => Self::Any(several),
        }
    }

    /// Returns the keys that are required, any of them; none where a certificate is.
    pub fn keys(&self) -> Vec<&PublicKey> {
        match self {
            Self::Key { key, .. } => vec![key],
            Self::Identity { .. } => Vec::new(),
            Self::Any(several) => {
                let mut keys: Vec<_> = several.iter().flat_map(Self::keys).collect();
                keys.dedup();
                keys
            }
        }
    }

    /// Returns the identity that is required; none where a key is.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Key { .. } => None,
            Self::Identity { identity, .. } => Some(identity),
            Self::Any(several) => several.iter().find_map(Self::identity),
        }
    }

    /// Checks against one after the other, where there are several. Of their reasons the first counts
    /// that is not only that somebody else signed.
    fn try_each<T>(
        &self,
        check: impl Fn(&Self) -> Result<T, VerificationError>,
    ) -> Result<T, VerificationError> {
        let Self::Any(several) = self else {
            return check(self);
        };
        first_good(several.iter().map(check))
    }

    /// What a bundle says as the signature of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_bundle(
        &self,
        bundle: &[u8],
        image: Digest,
    ) -> Result<VerifiedSignature, VerificationError> {
        self.verify_bundle(bundle, image)?.into_signature()
    }

    /// What a bundle says of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn verify_bundle(
        &self,
        bundle: &[u8],
        image: Digest,
    ) -> Result<VerifiedStatement, VerificationError> {
        let bundle = bundle_parts::parse_bundle(bundle)?;
        self.try_each(|one| one.verify_statement(&bundle, image))
    }

    /// What a signature in the legacy form says of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_legacy(
        &self,
        signed: &LegacySignature,
        image: Digest,
    ) -> Result<VerifiedSignature, VerificationError> {
        self.try_each(|one| one.check_one_legacy(signed, image))
    }

    fn check_one_legacy(
        &self,
        signed: &LegacySignature,
        image: Digest,
    ) -> Result<VerifiedSignature, VerificationError> {
        if let Self::Key { key, .. } = self {
            key.check_legacy(signed)?;
        }
        let bundle = message_hash::with_message_hash(signed.to_bundle()?, &signed.payload);
        let evidence = self.verify_evidence(&bundle, &signed.payload);
        // The payload is what is signed, so that only the log's entry can be of another one.
        let evidence = evidence.map_err(|error| match error {
            VerificationError::OtherArtifact(reason) => VerificationError::OtherEntry(reason),
            other => other,
        })?;
        let claim = signed.parse_claim(image)?;
        Ok(VerifiedSignature { claim, evidence })
    }

    /// What an attestation in the legacy form, an envelope, says of `image`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_legacy_attestation(
        &self,
        signed: &LegacySignature,
        image: Digest,
    ) -> Result<VerifiedAttestation, VerificationError> {
        let bundle = signed.to_envelope_bundle()?;
        let opened = self.try_each(|one| one.verify_statement(&bundle, image))?;
        Ok(opened.into_attestation())
    }

    fn verify_statement(
        &self,
        bundle: &Bundle,
        image: Digest,
    ) -> Result<VerifiedStatement, VerificationError> {
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return Err(VerificationError::OtherPredicateType(
                "it signs a file (cosign sign-blob), with no statement".to_owned(),
            ));
        };
        if let Self::Key { key, .. } = self {
            key.check_envelope(bundle, envelope)?;
        }
        let statement = InTotoStatement::of_envelope(envelope);
        let evidence = match EncodedEnvelope::from_bundle(bundle) {
            Some(EncodedEnvelope { bundle, encoding }) => self.verify_evidence(&bundle, &encoding),
            None => self.verify_evidence(bundle, to_sha256_hash(image)),
        };
        let evidence = map_subject_error(evidence, &statement, image)?;
        let statement = statement?;
        statement.check_subject(image)?;
        Ok(VerifiedStatement {
            statement,
            evidence,
            image,
        })
    }

    /// What proves that who has to sign it signed the artifact. Of a key it is what a log says; that
    /// the signature is the key's is not checked where no log is asked for.
    fn verify_evidence<'a>(
        &self,
        bundle: &Bundle,
        artifact: impl Into<Artifact<'a>>,
    ) -> Result<SignatureEvidence, VerificationError> {
        match self {
            Self::Any(several) => {
                let artifact = artifact.into();
                first_good(
                    several
                        .iter()
                        .map(|one| one.verify_evidence(bundle, artifact.clone())),
                )
            }
            Self::Key { log: None, .. } => Ok(SignatureEvidence::default()),
            Self::Key {
                key,
                log: Some(trust),
            } => {
                bundle_parts::check_parts(bundle, Some(trust))?;
                let result = trust.verify(artifact, bundle, &key.to_policy()?)?;
                Ok(SignatureEvidence::from_result(&result, bundle))
            }
            Self::Identity {
                identity,
                trust,
                logged,
            } => {
                if let VerificationMaterialContent::PublicKey(_) =
                    bundle.verification_material.content
                {
                    return Err(VerificationError::Key);
                }
                let policy = trust.to_policy(*logged);
                bundle_parts::check_parts(bundle, logged.then_some(&**trust))?;
                let result = trust.verify(artifact, bundle, &policy)?;
                identity.check_bundle_certificate(&result, bundle)?;
                Ok(SignatureEvidence::from_result(&result, bundle))
            }
        }
    }
}

/// `sigstore-verify` says in one way that a statement is about something else, and that a log entry
/// is of another statement.
fn map_subject_error(
    checked: Result<SignatureEvidence, VerificationError>,
    statement: &Result<InTotoStatement, VerificationError>,
    image: Digest,
) -> Result<SignatureEvidence, VerificationError> {
    checked.map_err(|error| match error {
        VerificationError::OtherArtifact(reason) => {
            let statement = statement.as_ref().map_err(VerificationError::clone);
            let about = statement.and_then(|statement| statement.check_subject(image));
            about.err().unwrap_or(VerificationError::OtherEntry(reason))
        }
        other => other,
    })
}

/// Returns the first that is good, else the first reason that is not only that somebody else signed.
fn first_good<T>(
    checked: impl Iterator<Item = Result<T, VerificationError>>,
) -> Result<T, VerificationError> {
    let mut reasons = Vec::new();
    for one in checked {
        match one {
            Ok(good) => return Ok(good),
            Err(reason) => reasons.push(reason),
        }
    }
    let tells = |reason: &VerificationError| !reason.is_other_signer();
    let best = reasons.iter().position(tells).unwrap_or_default();
    let mut reasons = reasons.into_iter().skip(best);
    Err(reasons.next().unwrap_or(VerificationError::Unsigned))
}

pub(super) fn to_sha256_hash(digest: Digest) -> Sha256Hash {
    Sha256Hash::new(*digest.as_bytes())
}

impl VerifiedStatement {
    /// The type of what is said.
    pub fn predicate_type(&self) -> &str {
        &self.statement.predicate_type
    }

    /// What it says as the signature of the image.
    ///
    /// # Errors
    /// It is none.
    pub fn into_signature(self) -> Result<VerifiedSignature, VerificationError> {
        let claim = self.statement.to_claim(self.image)?;
        Ok(VerifiedSignature {
            claim,
            evidence: self.evidence,
        })
    }

    /// What it says, of whatever type.
    pub fn into_attestation(self) -> VerifiedAttestation {
        VerifiedAttestation {
            predicate_type: self.statement.predicate_type,
            predicate: self.statement.predicate,
            evidence: self.evidence,
        }
    }
}
