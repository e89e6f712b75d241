//! A bundle that stands beside a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use sigstore_types::{Bundle, SignatureContent};
use sigstore_verify::{Policy, VerificationResult};

use super::super::{Flaw, PublicKey};
use super::encoded::Encoded;
use super::requirement::sha256;
use super::{Evidence, Identity, Statement, TrustRoot, parts};
use crate::image::{Digest, Hasher};

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
    pub trust: Arc<TrustRoot>,
    /// Whether a log has to hold the signature.
    pub logged: bool,
}

/// What is signed.
#[derive(Debug)]
pub enum Subject {
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

impl Subject {
    /// The file at a path.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self::File)
    }

    /// Returns the digest, for which a file is read to its end.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn digest(&mut self) -> Result<Digest, Flaw> {
        let file = match self {
            Self::Digest(digest) => return Ok(*digest),
            Self::File(file) => file,
        };
        let mut hasher = Hasher::new();
        let mut part = vec![0; 1 << 16];
        loop {
            match file.read(&mut part).map_err(unread)? {
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
    pub fn check(&self, bundle: &[u8], signed: &mut Subject) -> Result<Evidence, Flaw> {
        let bundle = parts::read(bundle)?;
        let policy = self.policy(&bundle)?;
        parts::check(&bundle, self.logged.then_some(&*self.trust))?;
        let statement = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => Some(Statement::of_envelope(envelope)?),
            _ => None,
        };
        let result = match (Encoded::of(&bundle), statement) {
            (Some(Encoded { bundle, encoding }), Some(statement)) => {
                let digest = signed.digest()?;
                if statement.about(digest).is_err() {
                    let reason = format!("{digest} is none of its subjects");
                    return Err(Flaw::OtherContent(reason));
                }
                self.trust.verify(&encoding, &bundle, &*policy)?
            }
            _ => self.verify(&bundle, signed, &*policy)?,
        };
        if let FileSigner::Identity(identity) = &self.signer {
            identity.check(result.certificate().ok_or(Flaw::Key)?)?;
        }
        Ok(Evidence::of(&result))
    }

    /// Who may have signed, for a bundle that is signed in that way.
    fn policy(&self, bundle: &Bundle) -> Result<Box<dyn Policy>, Flaw> {
        let certified = bundle.signing_certificate().is_some();
        Ok(match (&self.signer, self.logged) {
            (FileSigner::Key(_), _) if certified => return Err(Flaw::Certificate),
            (FileSigner::Identity(_), _) if !certified => return Err(Flaw::Key),
            (FileSigner::Key(key), true) => Box::new(key.policy()?),
            (FileSigner::Key(key), false) => Box::new(key.policy()?.skip_tlog_unsafe()),
            (FileSigner::Identity(_), logged) => Box::new(self.trust.policy(logged)),
        })
    }

    fn verify(
        &self,
        bundle: &Bundle,
        signed: &mut Subject,
        policy: &dyn Policy,
    ) -> Result<VerificationResult, Flaw> {
        let file = match signed {
            Subject::Digest(digest) => return self.trust.verify(sha256(*digest), bundle, policy),
            Subject::File(file) => file,
        };
        match self.trust.verify_reader(&*file, bundle, policy) {
            // Ed25519 signs the content itself, not its digest.
            Err(Flaw::Undigested(_)) => {
                let content = whole(file)?;
                self.trust.verify(&content, bundle, policy)
            }
            other => other,
        }
    }
}

/// The most that a file may have which has to be held in memory.
const WHOLE_LIMIT: u64 = 512 << 20;

fn whole(file: &mut File) -> Result<Vec<u8>, Flaw> {
    let mut content = Vec::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(WHOLE_LIMIT + 1).read_to_end(&mut content));
    read.map_err(unread)?;
    match content.len() as u64 > WHOLE_LIMIT {
        true => Err(Flaw::malformed(
            "its key signs whole files, and this one is too large",
        )),
        false => Ok(content),
    }
}

fn unread(error: io::Error) -> Flaw {
    Flaw::malformed(format!("the file: {error}"))
}
