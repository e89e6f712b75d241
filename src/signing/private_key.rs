use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::cosign_key::EncryptedCosignKey;
use super::{KeyError, PublicKey, key_algorithm, pem};
use crate::notices::to_printable;

/// A key over P-256 to sign with. Cheap to clone; cannot be printed.
#[derive(Clone)]
pub struct PrivateKey(Arc<SigningKeyPair>);

struct SigningKeyPair {
    secret: EcdsaKeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// Parses a PEM text: PKCS#8, or the encrypted key of cosign, which `password` decrypts.
    ///
    /// # Errors
    /// Another kind of key, or a password that does not fit.
    pub fn parse(text: &str, password: &str) -> Result<Self, KeyError> {
        match PemContent::parse(text)? {
            PemContent::PlainKey(key) => Ok(key),
            PemContent::EncryptedKey(sealed) => Self::decrypt(&sealed, password),
        }
    }

    /// Decrypts an encrypted key, which is slow by design.
    pub(super) fn decrypt(sealed: &EncryptedCosignKey, password: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(&sealed.decrypt(password)?)
    }

    /// Generates a key that exists only in the memory of this process.
    pub(super) fn generate() -> Self {
        // As with signing, it fails without random numbers alone.
        let secret = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .expect("the system gives random numbers");
        let public = PublicKey::from_point(secret.public_key().as_ref())
            .expect("a generated key has a point");
        Self(Arc::new(SigningKeyPair { secret, public }))
    }

    fn from_pkcs8(content: &[u8]) -> Result<Self, KeyError> {
        key_algorithm::check_pkcs8(content)?;
        let secret = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, content)
            .map_err(|_| KeyError::Content("a private key"))?;
        let public = PublicKey::from_point(secret.public_key().as_ref())?;
        Ok(Self(Arc::new(SigningKeyPair { secret, public })))
    }

    /// Returns the public key.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// Returns the ASN.1 signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.secret.sign(&SystemRandom::new(), message);
        // It fails where the system has no random numbers alone, as nothing else could go on then.
        signature
            .expect("the system gives random numbers")
            .as_ref()
            .to_vec()
    }
}

/// What a PEM text holds.
pub(super) enum PemContent {
    PlainKey(PrivateKey),
    EncryptedKey(EncryptedCosignKey),
}

impl PemContent {
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let pem = pem::parse_pem(text)?;
        match pem.label.as_str() {
            "PRIVATE KEY" => PrivateKey::from_pkcs8(&pem.content).map(Self::PlainKey),
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                EncryptedCosignKey::parse(&pem.content).map(Self::EncryptedKey)
            }
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Pkcs8Encrypted),
            "EC PRIVATE KEY" | "EC PARAMETERS" => Err(KeyError::Sec1),
            "RSA PRIVATE KEY" => Err(KeyError::Kind("an RSA key".to_owned())),
            "DSA PRIVATE KEY" => Err(KeyError::Kind("a DSA key".to_owned())),
            "OPENSSH PRIVATE KEY" => Err(KeyError::Kind("an OpenSSH key".to_owned())),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(KeyError::ExpectedPrivate),
            "CERTIFICATE" => Err(KeyError::Certificate),
            label => Err(KeyError::UnknownLabel(to_printable(label, 60))),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {:?})", self.public())
    }
}
