//! Names of types in signed in-toto statements (in-toto attestation framework; cosign).

/// Predicate type of the statement in an image signature, as cosign 3 writes it.
pub const COSIGN_SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Media type of a statement in a DSSE envelope.
pub(super) const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// `_type` of the statements that are written here.
pub(super) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
