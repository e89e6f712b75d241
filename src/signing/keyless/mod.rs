//! Keyless signing: the identity token of a job gets a certificate for a key that exists only during
//! the run; a transparency log, a timestamp authority or both prove when the key was used.

mod fulcio_certificate;
mod identity_token;
mod keyless_signer;

pub use identity_token::{IdTokenSource, SecretMasker};
pub use keyless_signer::KeylessSigner;
