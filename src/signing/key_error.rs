use thiserror::Error;

/// Reason why a key cannot be used. Contains nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No PEM at all.
    #[error("is not a key in PEM format: expected a line -----BEGIN …-----")]
    NoPem,
    /// A PEM that ends early or has something else than base64 in it.
    #[error("is cut short or damaged: expected base64 between its BEGIN and END lines")]
    Damaged,
    /// PEM, but the bytes in it are not what its label says.
    #[error("is damaged: its content is not {0}")]
    Content(&'static str),
    /// A public key where a private one is needed.
    #[error("is a public key; signing needs the private key")]
    ExpectedPrivate,
    /// A private key where the public one is enough.
    #[error(
        "is a private key; verification needs only the public key (cosign public-key --key FILE, or openssl pkey -pubout)"
    )]
    ExpectedPublic,
    /// A certificate.
    #[error("is a certificate, not a key")]
    Certificate,
    /// A kind of key that is not supported.
    #[error(
        "is {0}; only ECDSA keys over P-256 are supported, which cosign generate-key-pair makes"
    )]
    Kind(String),
    /// A kind of public key that nothing is signed with.
    #[error(
        "is {0}; supported are ECDSA keys over P-256, P-384 and P-521, Ed25519 keys, and RSA keys (PKCS #1 v1.5)"
    )]
    UnsupportedPublicKey(String),
    /// The older form of an RSA key.
    #[error(
        "is an RSA key in PKCS #1 format (BEGIN RSA PUBLIC KEY); convert it with openssl rsa -RSAPublicKey_in -pubout"
    )]
    Pkcs1,
    /// The older form of an EC key.
    #[error(
        "is an EC key in SEC 1 format (BEGIN EC PRIVATE KEY); convert it with openssl pkcs8 -topk8 -nocrypt"
    )]
    Sec1,
    /// PKCS#8 with the encryption of its own, which cosign does not read either.
    #[error(
        "is encrypted by openssl (BEGIN ENCRYPTED PRIVATE KEY), which is not supported: convert it with cosign import-key-pair"
    )]
    Pkcs8Encrypted,
    /// Another label.
    #[error("is a PEM block {0:?}, expected a key of a supported kind")]
    UnknownLabel(String),
    /// An encrypted key whose encryption is not cosign's.
    #[error("is encrypted in a way that cosign does not use: {0}")]
    UnsupportedEncryption(String),
    /// The key is encrypted, and no password was given.
    #[error("is encrypted, and COSIGN_PASSWORD is not set or empty")]
    NoPassword,
    /// The password does not open the key.
    #[error("cannot be decrypted with the password in COSIGN_PASSWORD")]
    WrongPassword,
}
