//! Who may do what: the check before every request.

use std::sync::Arc;

use hyper::Method;

use super::answer::{ASSUMED, Answer};
use super::call::{Call, Presented};
use super::flavor::Flavor;
use super::issuer::Issuer;
use super::route::Route;
use super::scope::Scope;

/// The check before every request.
pub enum Guard {
    Open,
    Basic { user: String, password: String },
    Bearer { issuer: Arc<Issuer>, realm: String },
}

impl Guard {
    pub fn check(&self, flavor: Flavor, call: &Call, route: &Route) -> Result<(), Answer> {
        match self {
            Self::Open => Ok(()),
            Self::Basic { user, password } => match call.presented() {
                Presented::Basic {
                    user: u,
                    password: p,
                } if u == *user && p == *password => Ok(()),
                _ => Err(flavor.basic_challenge()),
            },
            Self::Bearer { issuer, realm } => bearer(issuer, call, route).map_err(|error| {
                if issuer.rules.forbids && error == "insufficient_scope" {
                    let message = "requested access to the resource is denied";
                    return Answer::error(403, "DENIED", message, ()).known_from(ASSUMED);
                }
                let challenge = challenge(realm, issuer, &asked(flavor, call, route), error);
                flavor.bearer_challenge(route.repository(), &challenge)
            }),
        }
    }
}

/// Why a token does not do, as the challenge says it; empty when there was none.
fn bearer(issuer: &Issuer, call: &Call, route: &Route) -> Result<(), &'static str> {
    let Presented::Bearer(token) = call.presented() else {
        return Err("");
    };
    let granted = issuer.granted(&token).ok_or("invalid_token")?;
    if needed(call, route)
        .iter()
        .all(|scope| scope.within(&granted))
    {
        Ok(())
    } else {
        Err("insufficient_scope")
    }
}

/// The scopes that a request needs, as the distribution project's registry asks for them.
fn needed(call: &Call, route: &Route) -> Vec<Scope> {
    let Some(repository) = route.repository() else {
        return Vec::new();
    };
    let upload = matches!(route, Route::Uploads { .. } | Route::Upload { .. });
    let actions: &[&str] = match call.method {
        Method::DELETE if !upload => &["delete"],
        Method::GET | Method::HEAD if !upload => &["pull"],
        _ => &["pull", "push"],
    };
    let from = call.query("mount").and(call.query("from"));
    let from = from.map(|from| Scope::new(from, &["pull"]));
    [Scope::new(repository, actions)]
        .into_iter()
        .chain(from)
        .collect()
}

/// The text of the scopes in the challenge.
fn asked(flavor: Flavor, call: &Call, route: &Route) -> String {
    let scopes: Vec<String> = needed(call, route).iter().map(Scope::to_string).collect();
    match flavor.placeholder_scope() {
        Some(placeholder) if scopes.is_empty() => placeholder.to_owned(),
        _ => scopes.join(" "),
    }
}

fn challenge(realm: &str, issuer: &Issuer, scopes: &str, error: &str) -> String {
    let service = &issuer.rules.service;
    let mut text = format!("Bearer realm=\"{realm}\",service=\"{service}\"");
    for (name, value) in [("scope", scopes), ("error", error)] {
        if !value.is_empty() {
            text += &format!(",{name}=\"{value}\"");
        }
    }
    text
}
