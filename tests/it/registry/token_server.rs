//! A token realm on a host of its own.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::answer::Answer;
use super::call::Call;
use super::fault::Fault;
use super::front::Handler;
use super::host::{Bound, Host};
use super::issuer::Issuer;
use super::log::Exchange;
use super::token_rules::TokenRules;

/// A host that gives out tokens, for one registry or several. It stops when it is dropped.
pub struct TokenServer {
    host: Host,
    pub(super) issuer: Arc<Issuer>,
}

impl TokenServer {
    pub async fn start(rules: TokenRules) -> Self {
        let bound = Bound::new(rules.identity.as_ref()).await;
        let issuer = Arc::new(Issuer::new(rules));
        let host = bound.serve(Arc::new(Realm(Arc::clone(&issuer))));
        Self { host, issuer }
    }

    pub fn host(&self) -> String {
        self.host.host.clone()
    }

    /// The URL that challenges name.
    pub fn realm(&self) -> String {
        format!("{}{}", self.host.url, self.issuer.rules.path)
    }

    pub fn log(&self) -> Vec<Exchange> {
        self.host.front.log()
    }

    pub fn requests(&self) -> Vec<String> {
        self.log().iter().map(Exchange::line).collect()
    }

    pub fn count(&self) -> usize {
        self.log().len()
    }

    pub fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }

    /// Makes all tokens invalid that were given out so far.
    pub fn revoke_all(&self) {
        self.issuer.revoke_all();
    }
}

struct Realm(Arc<Issuer>);

impl Handler for Realm {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            if call.path == self.0.rules.path {
                self.0.answer(call).await
            } else {
                Answer::new(404)
            }
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        Some(&self.0)
    }
}
