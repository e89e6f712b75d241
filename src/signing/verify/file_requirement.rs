//! A bundle that stands beside a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use sigstore_types::{Bundle, SignatureContent};
use sigstore_verify::{Policy, VerificationResult};

use super::super::{PublicKey, VerificationError};
use super::dsse_encoding::EncodedEnvelope;
use super::requirement::to_sha256_hash;
use super::{Identity, InTotoStatement, SignatureEvidence, TrustRoot, bundle_parts};
use crate::image::{Digest, DigestHasher};

/// Who has to have signed a file.
#[derive(Debug, Clone)]
pub enum FileSigner {
    /// The holder of a key.
    Key(PublicKey),
    /// Somebody whom a certificate names.
    Identity(Identity),
}

/// What a bundle is checked against.
#[derive(Debug, Clone)]
pub struct FileRequirement {
    /// Who has to have signed.
    pub signer: FileSigner,
    /// Whose word counts.
    pub trust_root: Arc<TrustRoot>,
    /// Whether a log has to hold the signature.
    pub requires_log: bool,
}

/// What is signed.
#[derive(Debug)]
pub enum SignedArtifact {
    /// The content of a file. It is read as a stream, in whole only where Ed25519 signed it.
    File(File),
    /// Something of which the digest is known.
    Digest(Digest),
}

impl fmt::Display for FileSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "the key {}", key.fingerprint()),
            Self::Identity(identity) => identity.fmt(f),
        }
    }
}

impl SignedArtifact {
    /// The file at a path.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self::File)
    }

    /// Goes back to the beginning, where another check may have read the file.
    fn rewind(&mut self) -> Result<(), VerificationError> {
        match self {
            Self::Digest(_) => Ok(()),
            Self::File(file) => file.rewind().map_err(read_error),
        }
    }

    /// Returns the digest, for which a file is read to its end.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn digest(&mut self) -> Result<Digest, VerificationError> {
        let file = match self {
            Self::Digest(digest) => return Ok(*digest),
            Self::File(file) => file,
        };
        let mut hasher = DigestHasher::new();
        let mut part = vec![0; 1 << 16];
        loop {
            match file.read(&mut part).map_err(read_error)? {
                0 => return Ok(hasher.finish()),
                count => hasher.update(&part[..count]),
            }
        }
    }
}

impl FileRequirement {
    /// That a bundle signs what it should.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(
        &self,
        bundle: &[u8],
        signed: &mut SignedArtifact,
    ) -> Result<SignatureEvidence, VerificationError> {
        signed.rewind()?;
        let bundle = bundle_parts::parse_bundle(bundle)?;
        let policy = self.to_policy(&bundle)?;
        bundle_parts::check_parts(&bundle, self.requires_log.then_some(&*self.trust_root))?;
        let statement = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                Some(InTotoStatement::of_envelope(envelope)?)
            }
            _ => None,
        };
        let result = match (EncodedEnvelope::from_bundle(&bundle), statement) {
            (Some(EncodedEnvelope { bundle, encoding }), Some(statement)) => {
                let digest = signed.digest()?;
                if statement.check_subject(digest).is_err() {
                    let reason = format!("{digest} is none of its subjects");
                    return Err(VerificationError::OtherArtifact(reason));
                }
                self.trust_root.verify(&encoding, &bundle, &*policy)?
            }
            _ => self.verify_bundle(&bundle, signed, &*policy)?,
        };
        if let FileSigner::Identity(identity) = &self.signer {
            identity.check_bundle_certificate(&result, &bundle)?;
        }
        Ok(SignatureEvidence::from_result(&result, &bundle))
    }

    /// Who may have signed, for a bundle that is signed in that way.
    fn to_policy(&self, bundle: &Bundle) -> Result<Box<dyn Policy>, VerificationError> {
        let certified = bundle.signing_certificate().is_some();
        Ok(match (&self.signer, self.requires_log) {
            (FileSigner::Key(_), _) if certified => {
                return Err(VerificationError::SignedWithCertificate);
            }
            (FileSigner::Identity(_), _) if !certified => return Err(VerificationError::Key),
            (FileSigner::Key(key), true) => Box::new(key.to_policy()?),
            (FileSigner::Key(key), false) => Box::new(key.to_policy()?.skip_tlog_unsafe()),
            (FileSigner::Identity(_), logged) => Box::new(self.trust_root.to_policy(logged)),
        })
    }

    fn verify_bundle(
        &self,
        bundle: &Bundle,
        signed: &mut SignedArtifact,
        policy: &dyn Policy,
    ) -> Result<VerificationResult, VerificationError> {
        let file = match signed {
            SignedArtifact::Digest(digest) => {
                return self
                    .trust_root
                    .verify(to_sha256_hash(*digest), bundle, policy);
            }
            SignedArtifact::File(file) => file,
        };
        match self.trust_root.verify_reader(&*file, bundle, policy) {
            // Ed25519 signs the content itself, not its digest.
            Err(VerificationError::DigestMismatch(_)) => {
                let content = read_whole_file(file)?;
                self.trust_root.verify(&content, bundle, policy)
            }
            other => other,
        }
    }
}

/// The most that a file may have which has to be held in memory.
const IN_MEMORY_LIMIT: u64 = 512 << 20;

fn read_whole_file(file: &mut File) -> Result<Vec<u8>, VerificationError> {
    let mut content = Vec::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(IN_MEMORY_LIMIT + 1).read_to_end(&mut content));
    read.map_err(read_error)?;
    match content.len() as u64 > IN_MEMORY_LIMIT {
        true => Err(VerificationError::malformed(
            "its key signs whole files, and this one is too large",
        )),
        false => Ok(content),
    }
}

fn read_error(error: io::Error) -> VerificationError {
    VerificationError::malformed(format!("the file: {error}"))
}
