use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::cosign_key::EncryptedCosignKey;
use super::hash_function::HashFunction;
use super::key_algorithm::{self, KeyAlgorithm};
use super::pbes2::EncryptedPkcs8;
use super::{KeyError, PublicKey, pem};
use crate::notices::to_printable;

/// A key to sign with. Cheap to clone; cannot be printed.
#[derive(Clone)]
pub struct PrivateKey(Arc<SigningKeyPair>);

struct SigningKeyPair {
    secret: SecretKey,
    public: PublicKey,
}

/// Key pair of one of the kinds that sign.
enum SecretKey {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// Greatest RSA modulus that cosign signs with, in bytes. The least is that of [`RsaKeyPair`], 2048 bits.
const RSA_MODULUS_LIMIT: usize = 4096 / 8;

impl PrivateKey {
    /// Parses a PEM text: PKCS#8, SEC 1, PKCS#1, or an encrypted key of cosign or openssl, which
    /// `password` decrypts.
    ///
    /// # Errors
    /// Another kind of key, or a password that does not fit.
    pub fn parse(text: &str, password: &str) -> Result<Self, KeyError> {
        match PemContent::parse(text)? {
            PemContent::Plain(key) => Ok(key),
            PemContent::Encrypted(sealed) => sealed.open(password),
        }
    }

    /// Generates a key that exists only in the memory of this process.
    pub(crate) fn generate() -> Self {
        // As with signing, it fails without random numbers alone.
        let secret = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .expect("the system gives random numbers");
        Self::new(SecretKey::Ecdsa(secret)).expect("a generated key has a point")
    }

    fn new(secret: SecretKey) -> Result<Self, KeyError> {
        let public = PublicKey::from_spki(secret.spki()?)?;
        Ok(Self(Arc::new(SigningKeyPair { secret, public })))
    }

    fn from_pkcs8(content: &[u8]) -> Result<Self, KeyError> {
        let algorithm = key_algorithm::private_key_algorithm(content)?;
        let secret = match (algorithm, ecdsa_algorithm(algorithm)) {
            (_, Some(curve)) => EcdsaKeyPair::from_pkcs8(curve, content).map(SecretKey::Ecdsa),
            (KeyAlgorithm::Ed25519, _) => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(content).map(SecretKey::Ed25519)
            }
            _ => RsaKeyPair::from_pkcs8(content).map(SecretKey::Rsa),
        };
        let secret = secret.map_err(|_| match algorithm {
            KeyAlgorithm::Rsa => {
                KeyError::Kind("an RSA key of another size, or damaged".to_owned())
            }
            _ => KeyError::Content("a private key"),
        })?;
        secret.check_size()?;
        Self::new(secret)
    }

    /// Reads the form of EC keys before PKCS#8 (SEC 1, RFC 5915).
    fn from_sec1(content: &[u8]) -> Result<Self, KeyError> {
        let curves = [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521];
        let mut curves = curves.into_iter().filter_map(ecdsa_algorithm);
        let secret =
            curves.find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, content).ok());
        let secret = secret.ok_or(KeyError::Content("an EC key over P-256, P-384 or P-521"))?;
        Self::new(SecretKey::Ecdsa(secret))
    }

    /// Reads the form of RSA keys before PKCS#8 (PKCS #1, RFC 8017).
    fn from_pkcs1(content: &[u8]) -> Result<Self, KeyError> {
        let secret = RsaKeyPair::from_der(content)
            .map_err(|_| KeyError::Kind("an RSA key of another size, or damaged".to_owned()))?;
        let secret = SecretKey::Rsa(secret);
        secret.check_size()?;
        Self::new(secret)
    }

    /// Returns the public key.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// Returns the signature of a message, in ASN.1 for ECDSA.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.secret.sign(message, HashFunction::Sha256)
    }

    /// Returns the signature of a message with a hash, which curves sign of their own size or SHA-256. RSA
    /// and Ed25519 sign in one way.
    pub(super) fn sign_with(&self, message: &[u8], hash: HashFunction) -> Vec<u8> {
        self.0.secret.sign(message, hash)
    }
}

impl SecretKey {
    /// Returns the public half as SubjectPublicKeyInfo.
    fn spki(&self) -> Result<Vec<u8>, KeyError> {
        let spki: Result<PublicKeyX509Der<'_>, _> = match self {
            Self::Ecdsa(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
        };
        let spki = spki.map_err(|_| KeyError::Content("a private key"))?;
        Ok(spki.as_ref().to_vec())
    }

    fn check_size(&self) -> Result<(), KeyError> {
        match self {
            Self::Rsa(pair) if pair.public_modulus_len() > RSA_MODULUS_LIMIT => {
                let bits = pair.public_modulus_len() * 8;
                Err(KeyError::Kind(format!("an RSA key of {bits} bits")))
            }
            _ => Ok(()),
        }
    }

    fn sign(&self, message: &[u8], hash: HashFunction) -> Vec<u8> {
        let random = SystemRandom::new();
        // It fails where the system has no random numbers alone, as nothing else could go on then.
        match self {
            Self::Ecdsa(pair) => {
                let wide = wide_digest(pair.algorithm()).filter(|_| hash == HashFunction::Sha256);
                let signature = match wide {
                    Some(wide) => pair.sign_digest(&widened_sha256(message, wide)),
                    None => pair.sign(&random, message),
                };
                let signature = signature.expect("the system gives random numbers");
                signature.as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("the system gives random numbers");
                signature
            }
        }
    }
}

/// Returns how a curve signs with the hash of its size.
fn ecdsa_algorithm(kind: KeyAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match kind {
        KeyAlgorithm::P256 => Some(&ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyAlgorithm::P384 => Some(&ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyAlgorithm::P521 => Some(&ECDSA_P521_SHA512_ASN1_SIGNING),
        KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa => None,
    }
}

/// Returns the hash of a curve's size, where that is not SHA-256, the one that `cosign verify --key` takes for
/// each curve: [`widened_sha256`] stands in for its digest.
fn wide_digest(curve: &EcdsaSigningAlgorithm) -> Option<&'static digest::Algorithm> {
    if curve == &ECDSA_P384_SHA384_ASN1_SIGNING {
        return Some(&digest::SHA384);
    }
    (curve == &ECDSA_P521_SHA512_ASN1_SIGNING).then_some(&digest::SHA512)
}

/// Returns the SHA-256 digest of a message in the width of another. ECDSA signs a digest as a number
/// (FIPS 186-5, 6.4.1), which zeros before it do not change, and aws-lc-rs signs over a curve only digests
/// of its own width.
fn widened_sha256(message: &[u8], width: &'static digest::Algorithm) -> Digest {
    let narrow = digest::digest(&digest::SHA256, message);
    let mut wide = vec![0; width.output_len() - digest::SHA256_OUTPUT_LEN];
    wide.extend_from_slice(narrow.as_ref());
    Digest::import_less_safe(&wide, width).expect("the digest has the width of the hash")
}

/// What a PEM text holds.
pub(super) enum PemContent {
    Plain(PrivateKey),
    Encrypted(EncryptedKey),
}

/// Key that a password opens, which is slow by design.
pub(super) enum EncryptedKey {
    Cosign(EncryptedCosignKey),
    Pkcs8(EncryptedPkcs8),
}

impl EncryptedKey {
    /// Decrypts the key.
    pub(super) fn open(&self, password: &str) -> Result<PrivateKey, KeyError> {
        let pkcs8 = match self {
            Self::Cosign(sealed) => sealed.decrypt(password)?,
            Self::Pkcs8(sealed) => sealed.decrypt(password)?,
        };
        PrivateKey::from_pkcs8(&pkcs8)
    }
}

impl PemContent {
    pub(super) fn parse(text: &str) -> Result<Self, KeyError> {
        let pem = pem::parse_pem(text)?;
        match pem.label.as_str() {
            "PRIVATE KEY" => PrivateKey::from_pkcs8(&pem.content).map(Self::Plain),
            "EC PRIVATE KEY" => PrivateKey::from_sec1(&pem.content).map(Self::Plain),
            "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&pem.content).map(Self::Plain),
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                let sealed = EncryptedCosignKey::parse(&pem.content)?;
                Ok(Self::Encrypted(EncryptedKey::Cosign(sealed)))
            }
            "ENCRYPTED PRIVATE KEY" => {
                let sealed = EncryptedPkcs8::parse(&pem.content)?;
                Ok(Self::Encrypted(EncryptedKey::Pkcs8(sealed)))
            }
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
