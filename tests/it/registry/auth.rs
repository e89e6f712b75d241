//! What a registry asks of its clients.

use std::sync::Arc;

use super::issuer::Issuer;
use super::token_rules::TokenRules;
use super::token_server::TokenServer;

/// What a registry asks of its clients.
#[derive(Clone)]
pub enum Auth {
    None,
    Basic {
        user: String,
        password: String,
    },
    /// Bearer tokens, from a realm on the registry's own host.
    OwnRealm(TokenRules),
    /// Bearer tokens, from a host that starts and stops with the registry.
    TokenHost(TokenRules),
    /// Bearer tokens, from a host that is already there. See [`Auth::bearer`].
    Shared {
        issuer: Arc<Issuer>,
        realm: String,
    },
}

impl Auth {
    pub fn basic(user: &str, password: &str) -> Self {
        Self::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    pub fn bearer(server: &TokenServer) -> Self {
        Self::Shared {
            issuer: Arc::clone(&server.issuer),
            realm: server.realm(),
        }
    }
}
