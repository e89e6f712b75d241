//! Credential for a registry.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// Credential for a registry. Its secrets cannot be printed.
#[derive(Clone, Debug)]
pub enum RegistryCredential {
    /// User name and password, or an access token as the password.
    Password {
        /// The user name.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// Refresh token, exchanged for access tokens by the OAuth2 flow (`identitytoken`).
    RefreshToken(SecretString),
    /// Bearer token, sent as it is (`registrytoken`).
    Bearer(SecretString),
}

impl RegistryCredential {
    /// Returns the base64 form of `user:password`, as a Basic authorization carries it.
    pub(crate) fn to_basic(user: &str, password: &SecretString) -> SecretString {
        let pair = SecretBox::new(Box::new(format!("{user}:{}", password.expose_secret())));
        BASE64_STANDARD
            .encode(pair.expose_secret().as_bytes())
            .into()
    }

    /// Returns every text that must not be shown.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Password { user, password } => {
                vec![password.clone(), Self::to_basic(user, password)]
            }
            Self::RefreshToken(token) | Self::Bearer(token) => vec![token.clone()],
        }
    }
}

impl fmt::Display for RegistryCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "user {user}"),
            Self::RefreshToken(_) => f.write_str("an identity token"),
            Self::Bearer(_) => f.write_str("a registry token"),
        }
    }
}
