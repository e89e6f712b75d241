//! The realm: gives out tokens and knows what they grant.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hyper::Method;
use serde_json::json;
use tokio::time::Instant;

use super::answer::{ASSUMED, Answer};
use super::call::{Call, Presented};
use super::scope::Scope;
use super::store::lock;
use super::token_rules::{Merging, TokenKey, TokenRules};

/// Gives out tokens by its rules, on a host of its own or on the registry's.
pub struct Issuer {
    pub rules: TokenRules,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    tokens: BTreeMap<String, Token>,
    refresh_tokens: BTreeMap<String, String>,
}

struct Token {
    scopes: Vec<Scope>,
    expires: Option<Instant>,
}

impl Issuer {
    pub fn new(rules: TokenRules) -> Self {
        let refresh_tokens = rules.refresh_tokens.clone();
        let issued = Issued {
            refresh_tokens,
            ..Issued::default()
        };
        Self {
            rules,
            issued: Mutex::new(issued),
        }
    }

    /// What a token grants; `None` when it is unknown, revoked or out of date.
    pub fn granted(&self, token: &str) -> Option<Vec<Scope>> {
        let issued = lock(&self.issued);
        let token = issued.tokens.get(token)?;
        let expired = token
            .expires
            .is_some_and(|expires| expires <= Instant::now());
        (!expired).then(|| token.scopes.clone())
    }

    /// The same as text, for the log.
    pub fn scopes(&self, token: &str) -> Vec<String> {
        let granted = self.granted(token).unwrap_or_default();
        granted.iter().map(Scope::to_string).collect()
    }

    /// Makes all tokens invalid that were given out so far.
    pub fn revoke_all(&self) {
        lock(&self.issued).tokens.clear();
    }

    pub async fn answer(&self, call: &mut Call) -> Answer {
        let answer = match call.method {
            Method::GET => self.get(call),
            Method::POST => self.post(call).await,
            _ => Err(Answer::new(405)),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    /// The token endpoint of the distribution project.
    fn get(&self, call: &Call) -> Result<Answer, Answer> {
        let user = self.user(call)?;
        let scopes = call.query.iter().filter(|(name, _)| name == "scope");
        let scopes: Vec<&str> = scopes.flat_map(|(_, value)| value.split(' ')).collect();
        let refresh = call.query("offline_token") == Some("true");
        self.issue(&user, call.query("service"), &scopes, refresh)
    }

    fn user(&self, call: &Call) -> Result<String, Answer> {
        match call.presented() {
            Presented::Basic { user, password } if self.rules.knows(&user, &password) => Ok(user),
            Presented::Nothing if self.rules.admits_anonymous() => Ok(String::new()),
            _ => Err(self.refusal()),
        }
    }

    /// The OAuth2 endpoint: by password or by refresh token.
    async fn post(&self, call: &mut Call) -> Result<Answer, Answer> {
        let form = call.form().await;
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if field("client_id").is_empty() {
            return Err(bad_request("client_id is missing"));
        }
        let user = match field("grant_type") {
            "password" if self.rules.knows(field("username"), field("password")) => {
                field("username").to_owned()
            }
            "refresh_token" => self.holder(field("refresh_token"))?,
            _ => return Err(self.refusal()),
        };
        let scopes: Vec<&str> = field("scope").split_whitespace().collect();
        let refresh = field("access_type") == "offline";
        self.issue(
            &user,
            form.get("service").map(String::as_str),
            &scopes,
            refresh,
        )
    }

    fn holder(&self, refresh_token: &str) -> Result<String, Answer> {
        let holder = lock(&self.issued)
            .refresh_tokens
            .get(refresh_token)
            .cloned();
        holder.ok_or_else(|| self.refusal())
    }

    fn issue(
        &self,
        user: &str,
        service: Option<&str>,
        scopes: &[&str],
        refresh: bool,
    ) -> Result<Answer, Answer> {
        if service != Some(self.rules.service.as_str()) {
            return Err(bad_request("another service"));
        }
        let parsed: Option<Vec<Scope>> = scopes.iter().map(|scope| Scope::parse(scope)).collect();
        let asked = parsed.ok_or_else(|| bad_request("not a scope"))?;
        let most = match self.rules.merging {
            Merging::All => asked.len(),
            Merging::First | Merging::Last => 1,
            Merging::Refused if asked.len() > 1 => return Err(bad_request("one scope at a time")),
            Merging::Refused => 1,
        };
        let skipped = match self.rules.merging {
            Merging::Last => asked.len().saturating_sub(1),
            _ => 0,
        };
        let scopes = asked
            .iter()
            .skip(skipped)
            .take(most)
            .map(|scope| self.rules.granted(user, scope))
            .collect();
        let mut issued = lock(&self.issued);
        issued.count += 1;
        let token = format!("token-{}", issued.count);
        let expires = self.rules.expires_in.map(|time| Instant::now() + time);
        issued
            .tokens
            .insert(token.clone(), Token { scopes, expires });
        let refresh_token = refresh.then(|| format!("refresh-{}", issued.count));
        if let Some(refresh_token) = &refresh_token {
            issued
                .refresh_tokens
                .insert(refresh_token.clone(), user.to_owned());
        }
        Ok(self.form(&token, refresh_token))
    }

    fn form(&self, token: &str, refresh_token: Option<String>) -> Answer {
        let mut answer = json!({});
        if self.rules.key != TokenKey::AccessToken {
            answer["token"] = token.into();
        }
        if self.rules.key != TokenKey::Token {
            answer["access_token"] = token.into();
        }
        if self.rules.key == TokenKey::EmptyToken {
            answer["token"] = "".into();
            answer["expires_in"] = (-1).into();
        }
        if let Some(time) = self.rules.expires_in {
            answer["expires_in"] = time.as_secs().into();
        }
        if let Some(refresh_token) = refresh_token {
            answer["refresh_token"] = refresh_token.into();
        }
        Answer::new(200).json(&answer)
    }

    fn refusal(&self) -> Answer {
        match &self.rules.refusal {
            Some(fixture) => fixture.answer(),
            None => Answer::error(401, "UNAUTHORIZED", "wrong credentials", ()).known_from(ASSUMED),
        }
    }
}

fn bad_request(why: &str) -> Answer {
    Answer::error(400, "UNSUPPORTED", why, ()).known_from(ASSUMED)
}
