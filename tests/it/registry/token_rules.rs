//! Who gets which tokens, and in which form.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ca::Identity;
use super::fixture::Fixture;
use super::glob;
use super::scope::Scope;

/// The rules by which a realm gives out tokens.
#[derive(Clone)]
pub struct TokenRules {
    pub(super) service: String,
    pub(super) path: String,
    pub(super) key: TokenKey,
    pub(super) expires_in: Option<Duration>,
    pub(super) refusal: Option<Fixture>,
    pub(super) identity: Option<Identity>,
    pub(super) refresh_tokens: BTreeMap<String, String>,
    pub(super) merging: Merging,
    pub(super) forbids: bool,
    users: BTreeMap<String, String>,
    /// By user; the empty name is everybody who shows no credentials.
    grants: Vec<(String, Scope)>,
}

/// The key of the token in the realm's answer.
#[derive(Clone, Copy, PartialEq)]
pub enum TokenKey {
    Token,
    AccessToken,
    Both,
    /// An empty `token` before `access_token`, and a lifetime that is none.
    EmptyToken,
}

/// What comes of a question for several scopes at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Merging {
    /// A token for all of them.
    All,
    /// A token for the first alone.
    First,
    /// A token for the last alone.
    Last,
    /// None.
    Refused,
}

impl TokenRules {
    /// Nobody gets anything, until a user or an anonymous grant is added.
    pub fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            path: "/token".to_owned(),
            key: TokenKey::Token,
            expires_in: None,
            refusal: None,
            identity: None,
            refresh_tokens: BTreeMap::new(),
            merging: Merging::All,
            forbids: false,
            users: BTreeMap::new(),
            grants: Vec::new(),
        }
    }

    /// A user, who gets all that is asked for unless there are grants for that user.
    pub fn user(mut self, user: &str, password: &str) -> Self {
        self.users.insert(user.to_owned(), password.to_owned());
        self
    }

    /// Limits a user to some actions in the repositories that the pattern matches.
    pub fn grant(mut self, user: &str, repositories: &str, actions: &[&str]) -> Self {
        self.grants
            .push((user.to_owned(), Scope::new(repositories, actions)));
        self
    }

    /// Grants to everybody who shows no credentials.
    pub fn anonymous(self, repositories: &str, actions: &[&str]) -> Self {
        self.grant("", repositories, actions)
    }

    /// A refresh token (an identity token of docker's configuration) of a user.
    pub fn refresh_token(mut self, user: &str, token: &str) -> Self {
        self.refresh_tokens
            .insert(token.to_owned(), user.to_owned());
        self
    }

    pub fn merging(mut self, merging: Merging) -> Self {
        self.merging = merging;
        self
    }

    /// A token that does not reach so far is answered with 403, and not with another challenge.
    pub fn forbids(mut self) -> Self {
        self.forbids = true;
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub fn key(mut self, key: TokenKey) -> Self {
        self.key = key;
        self
    }

    /// Tokens are refused after this time, and `expires_in` says so.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// The answer to wrong credentials; else an assumed 401.
    pub fn refuse_with(mut self, fixture: Fixture) -> Self {
        self.refusal = Some(fixture);
        self
    }

    /// How a host of its own shows itself over TLS.
    pub fn tls(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    pub(super) fn knows(&self, user: &str, password: &str) -> bool {
        self.users.get(user).is_some_and(|right| right == password)
    }

    pub(super) fn admits_anonymous(&self) -> bool {
        self.grants.iter().any(|(user, _)| user.is_empty())
    }

    /// What of a scope the user gets; less than was asked for is no error.
    pub(super) fn granted(&self, user: &str, asked: &Scope) -> Scope {
        let mut granted = asked.clone();
        let own: Vec<&Scope> = self
            .grants
            .iter()
            .filter(|(other, _)| other == user)
            .map(|(_, scope)| scope)
            .collect();
        if !own.is_empty() {
            granted.actions.retain(|action| {
                let mut here = own
                    .iter()
                    .filter(|rule| glob::matches(&rule.repository, &asked.repository));
                here.any(|rule| rule.actions.contains(action))
            });
        }
        granted
    }
}
