use thiserror::Error;

/// Why a key cannot be used. Nothing of the key is in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No PEM at all.
    #[error("is no key in PEM form: it has no line -----BEGIN …-----")]
    NoPem,
    /// A PEM that ends early or has something else than base64 in it.
    #[error("is cut short or damaged: what stands between its BEGIN and END lines is no base64")]
    Damaged,
    /// PEM, but the bytes in it are not what its label says.
    #[error("is damaged: it says it is {0}, and its content is none")]
    Content(&'static str),
    /// A public key where a private one is needed.
    #[error("is a public key; signing needs the private one")]
    ExpectedPrivate,
    /// A private key where the public one is enough.
    #[error(
        "is a private key; checking needs the public one alone (cosign public-key --key FILE, or openssl pkey -pubout)"
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
        "is an RSA key in PKCS #1 form (BEGIN RSA PUBLIC KEY); convert it with openssl rsa -RSAPublicKey_in -pubout"
    )]
    Pkcs1,
    /// The older form of an EC key.
    #[error(
        "is an EC key in SEC 1 form (BEGIN EC PRIVATE KEY); convert it with openssl pkcs8 -topk8 -nocrypt"
    )]
    Sec1,
    /// PKCS#8 with the encryption of its own, which cosign does not read either.
    #[error(
        "is encrypted the way of openssl (BEGIN ENCRYPTED PRIVATE KEY), which is not supported: make a cosign key of it with cosign import-key-pair"
    )]
    Pkcs8Encrypted,
    /// Another label.
    #[error("is a PEM of {0:?}, which is no private key of a supported kind")]
    UnknownLabel(String),
    /// An encrypted key whose encryption is not cosign's.
    #[error("is encrypted in a way that cosign does not use: {0}")]
    UnsupportedEncryption(String),
    /// The key is encrypted, and no password was given.
    #[error("is encrypted, and COSIGN_PASSWORD is not set or empty")]
    NoPassword,
    /// The password does not open the key.
    #[error("is not opened by the password in COSIGN_PASSWORD")]
    WrongPassword,
}
