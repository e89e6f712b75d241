use std::sync::Arc;

use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Artifact, Bundle, Sha256Hash, SignatureContent};
use sigstore_verify::VerificationResult;

use super::super::in_toto_types::COSIGN_SIGN_PREDICATE;
use super::super::{LegacySignature, PublicKey, VerificationError};
use super::dsse_encoding::EncodedEnvelope;
use super::log_entry::{self, LoggedContent};
use super::statement_bundle::StatementBundle;
use super::verified_statement::{VerifiedAttestation, VerifiedSignature, VerifiedStatement};
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
    /// A log has to hold signatures of images, and need not hold attestations.
    LoggedSignatures(Box<Requirement>),
    /// One of several, in their order: keys of a rotation, or trusted roots.
    Any(Vec<Requirement>),
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { key, .. } => write!(f, "the key {}", key.fingerprint()),
            Self::Identity { identity, .. } => identity.fmt(f),
            Self::LoggedSignatures(logged) => logged.fmt(f),
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
            Self::LoggedSignatures(logged) => logged.keys(),
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
            Self::LoggedSignatures(logged) => logged.identity(),
            Self::Any(several) => several.iter().find_map(Self::identity),
        }
    }

    /// Returns the same without a log that has to hold what is signed.
    fn without_log(&self) -> Self {
        match self {
            Self::Key { key, .. } => Self::Key {
                key: key.clone(),
                log: None,
            },
            Self::Identity {
                identity, trust, ..
            } => Self::Identity {
                identity: identity.clone(),
                trust: trust.clone(),
                logged: false,
            },
            Self::LoggedSignatures(logged) => logged.without_log(),
            Self::Any(several) => Self::Any(several.iter().map(Self::without_log).collect()),
        }
    }

    /// Checks against one after the other, where there are several. Of their reasons the first counts
    /// that is not only that somebody else signed.
    fn try_each<T>(
        &self,
        check: impl Fn(&Self) -> Result<T, VerificationError>,
    ) -> Result<T, VerificationError> {
        match self {
            Self::Any(several) => first_good(several.iter().map(check)),
            Self::LoggedSignatures(logged) => logged.try_each(check),
            one => check(one),
        }
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
        self.verify_parsed(&bundle_parts::parse_bundle(bundle)?, image)
    }

    /// Verifies a bundle that is read already, as a statement about `image`.
    ///
    /// # Errors
    /// See [`VerificationError`].
    pub fn verify_statement_bundle(
        &self,
        bundle: &StatementBundle,
        image: Digest,
    ) -> Result<VerifiedStatement, VerificationError> {
        self.verify_parsed(&bundle.bundle, image)
    }

    fn verify_parsed(
        &self,
        bundle: &Bundle,
        image: Digest,
    ) -> Result<VerifiedStatement, VerificationError> {
        let logged = self.try_each(|one| one.verify_statement(bundle, image));
        self.or_unlogged(logged, |unlogged| {
            let opened = unlogged.try_each(|one| one.verify_statement(bundle, image))?;
            match opened.predicate_type() == COSIGN_SIGN_PREDICATE {
                true => Err(VerificationError::NotInLog),
                false => Ok(opened),
            }
        })
    }

    /// Returns what was verified with a log, else what `check` verifies without, where attestations need
    /// none.
    fn or_unlogged<T>(
        &self,
        logged: Result<T, VerificationError>,
        check: impl Fn(&Self) -> Result<T, VerificationError>,
    ) -> Result<T, VerificationError> {
        match (self, logged) {
            (Self::LoggedSignatures(_), Err(reason)) => {
                check(&self.without_log()).map_err(|_| reason)
            }
            (_, logged) => logged,
        }
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
        let content = LoggedContent {
            message: &signed.payload,
            payload: None,
        };
        let evidence = self.verify_evidence(&bundle, signed.payload.as_slice(), &content);
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
        let logged = self.try_each(|one| one.verify_statement(&bundle, image));
        let opened = self.or_unlogged(logged, |unlogged| {
            unlogged.try_each(|one| one.verify_statement(&bundle, image))
        })?;
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
        let message = envelope.pae();
        let content = LoggedContent {
            message: &message,
            payload: Some(envelope.payload.as_bytes()),
        };
        let evidence = match EncodedEnvelope::from_bundle(bundle) {
            Some(EncodedEnvelope { bundle, encoding }) => {
                self.verify_evidence(&bundle, encoding.as_slice(), &content)
            }
            None => self.verify_evidence(bundle, to_sha256_hash(image), &content),
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
        content: &LoggedContent<'_>,
    ) -> Result<SignatureEvidence, VerificationError> {
        match self {
            Self::LoggedSignatures(logged) => logged.verify_evidence(bundle, artifact, content),
            Self::Any(several) => {
                let artifact = artifact.into();
                first_good(
                    several
                        .iter()
                        .map(|one| one.verify_evidence(bundle, artifact.clone(), content)),
                )
            }
            Self::Key { log: None, .. } => Ok(SignatureEvidence::default()),
            Self::Key {
                key,
                log: Some(trust),
            } => {
                bundle_parts::check_parts(bundle, Some(trust))?;
                if key.needs_own_check(bundle) {
                    return key.check_entries(trust, bundle, content);
                }
                let result = trust.verify(artifact, bundle, &key.to_policy())?;
                Ok(SignatureEvidence::from_result(&result, bundle))
            }
            Self::Identity {
                identity,
                trust,
                logged,
            } => {
                let evidence = verify_certified(trust, *logged, (bundle, artifact, content));
                let (result, evidence) = evidence?;
                identity.check_bundle_certificate(&result, bundle)?;
                Ok(evidence)
            }
        }
    }
}

/// Verifies what somebody with a certificate signed, with the log entries that are required.
fn verify_certified<'a>(
    trust: &TrustRoot,
    logged: bool,
    (bundle, artifact, content): (&Bundle, impl Into<Artifact<'a>>, &LoggedContent<'_>),
) -> Result<(VerificationResult, SignatureEvidence), VerificationError> {
    if let VerificationMaterialContent::PublicKey(_) = bundle.verification_material.content {
        return Err(VerificationError::Key);
    }
    bundle_parts::check_parts(bundle, logged.then_some(trust))?;
    let has_own_check = log_entry::must_be_read(bundle);
    let result = match has_own_check {
        true => trust.verify_without_entries(artifact, bundle, content)?,
        false => trust.verify(artifact, bundle, &trust.to_policy(logged))?,
    };
    let mut evidence = SignatureEvidence::from_result(&result, bundle);
    evidence.logged |= has_own_check && logged;
    Ok((result, evidence))
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
