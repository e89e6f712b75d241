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
        "is {0}; supported are ECDSA keys over P-256, P-384 and P-521, Ed25519 keys, and RSA keys of 2048 to 4096 bits"
    )]
    Kind(String),
    /// A kind of key whose signatures are not logged.
    #[error(
        "is {0}; only signatures of ECDSA keys over P-256 are logged: leave out transparency-log: on, or sign with such a key"
    )]
    Unlogged(String),
    /// A reference to a key elsewhere.
    #[error("refers to {0}, which is not supported: give the key as PEM text or as a file")]
    Reference(&'static str),
    /// A reference to a variable.
    #[error(
        "is a reference env://NAME, which is not supported: give the value of the variable, such as ${{{{ secrets.NAME }}}}"
    )]
    VariableReference,
    /// A PEM text whose line breaks are written as `\\n`.
    #[error(
        "has \\n in place of line breaks: keep them when the secret is stored, or restore them with printf '%b'"
    )]
    LiteralLineBreaks,
    /// Base64 of a PEM text.
    #[error("is base64 of a PEM text: decode it first, with base64 -d")]
    EncodedTwice,
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
    /// A key that openssl has encrypted in the form before PKCS#8.
    #[error(
        "is encrypted in openssl's traditional form (Proc-Type: 4,ENCRYPTED), which is not supported: convert it with openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW-FILE"
    )]
    TraditionalEncryption,
    /// PKCS#8 with an encryption that is not read.
    #[error(
        "is encrypted with {0}, which is not supported: convert it with openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW-FILE"
    )]
    Pkcs8Encryption(String),
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
