//! The identity token of a job, from the runner.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::gate::WildcardPattern;
use crate::http::HttpClient;
use crate::signing::instance::{ID_TOKEN_SERVICE, SigstoreService};
use crate::signing::{CertificateCondition, Identity, SigstoreServiceError};

/// Where the job's identity tokens are to be had: `ACTIONS_ID_TOKEN_REQUEST_URL` and `_TOKEN`.
#[derive(Clone)]
pub struct IdTokenSource {
    /// The address, to which the audience is added.
    pub url: Url,
    /// What is shown there.
    pub request_token: SecretString,
    /// Whom the token is for.
    pub audience: String,
    /// The issuer that it must be from, if it is said.
    pub issuer: Option<String>,
    /// Told every token before it is used, so that it is hidden from the log.
    pub masker: SecretMasker,
}

/// Hides a text from the log.
#[derive(Clone)]
pub struct SecretMasker(Arc<dyn Fn(&str) + Send + Sync>);

impl SecretMasker {
    /// Hides by calling `hide`.
    pub fn new(hide: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hide))
    }
}

/// A token and what it says. It is not checked here: Fulcio does that.
pub(super) struct IdentityToken {
    pub(super) text: SecretString,
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct IdTokenResponse {
    value: SecretString,
}

impl IdTokenSource {
    pub(super) async fn fetch(
        &self,
        client: &HttpClient,
    ) -> Result<IdentityToken, SigstoreServiceError> {
        let service = SigstoreService::new(ID_TOKEN_SERVICE, self.url.clone());
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("audience", &self.audience);
        let bearer = format!("Bearer {}", self.request_token.expose_secret());
        let mut bearer = HeaderValue::try_from(bearer)
            .map_err(|_| service.invalid_answer("the request token is not valid in a header"))?;
        bearer.set_sensitive(true);
        let headers: HeaderMap = [
            (AUTHORIZATION, bearer),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]
        .into_iter()
        .collect();
        let answer = service.get(client, url, headers).await?;
        let body = service.expect_success(answer)?.body;
        let given: IdTokenResponse = serde_json::from_slice(&body)
            .map_err(|_| service.invalid_answer("no JSON object with a token as its value"))?;
        (self.masker.0)(given.value.expose_secret());
        let claims = parse_claims(given.value.expose_secret())
            .ok_or_else(|| service.invalid_answer("a token that is not a JSON Web Token"))?;
        let token = IdentityToken {
            text: given.value,
            claims,
        };
        match &self.issuer {
            Some(issuer) if token.claim("iss") != Some(issuer) => {
                Err(service.invalid_answer(format!(
                    "a token of {}, not of {issuer} (oidc-issuer)",
                    token.claim("iss").unwrap_or("nobody")
                )))
            }
            _ => Ok(token),
        }
    }
}

fn parse_claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

impl IdentityToken {
    /// What it says under a name, where that is a text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// What Fulcio wants signed as proof that the key is ours.
    pub(super) fn proof_subject(&self) -> &str {
        let email = self.claim("email");
        email.or_else(|| self.claim("sub")).unwrap_or_default()
    }

    /// Whom a certificate for this token names. Fulcio names a job by its workflow (an address of
    /// GitHub and the claim `job_workflow_ref`), and others by what their token says.
    pub(super) fn to_identity(&self) -> Identity {
        let subject = match self.claim("job_workflow_ref") {
            Some(workflow) => format!("https://*/{workflow}"),
            None => self.proof_subject().to_owned(),
        };
        Identity {
            subject: WildcardPattern::new(subject),
            issuer: self.claim("iss").unwrap_or_default().to_owned(),
            conditions: Vec::new(),
        }
    }

    /// Returns the identity with the repository that a certificate for this token names.
    pub(super) fn to_run_identity(&self) -> Identity {
        let repository = self.claim("repository");
        let repository = repository.map(|name| (CertificateCondition::Repository, name.to_owned()));
        Identity {
            conditions: repository.into_iter().collect(),
            ..self.to_identity()
        }
    }

    /// Whether it says that the repository is not public.
    pub(super) fn is_private(&self) -> bool {
        let visibility = self.claim("repository_visibility");
        visibility.is_some_and(|visibility| visibility != "public")
    }
}

impl fmt::Debug for IdTokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("host", &self.url.host_str())
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: Value) -> IdentityToken {
        IdentityToken {
            text: "".into(),
            claims: claims.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn a_token_says_whom_a_certificate_will_name() {
        let workflow = "acme/web/.github/workflows/release.yml@refs/heads/main";
        let github = "https://token.actions.githubusercontent.com";
        for (claims, subject) in [
            (
                json!({"iss": github, "sub": "repo:acme/web", "job_workflow_ref": workflow}),
                format!("https://*/{workflow}"),
            ),
            (
                json!({"iss": github, "sub": "spiffe://x", "email": "a@example.com"}),
                "a@example.com".to_owned(),
            ),
            (
                json!({"iss": github, "sub": "spiffe://x"}),
                "spiffe://x".to_owned(),
            ),
        ] {
            let identity = token(claims).to_identity();
            assert_eq!(identity.subject, WildcardPattern::new(subject));
            assert_eq!(identity.issuer, github);
        }
    }

    #[test]
    fn a_repository_is_private_unless_its_token_says_public() {
        for (claims, expected) in [
            (json!({"repository_visibility": "public"}), false),
            (json!({"repository_visibility": "private"}), true),
            (json!({"repository_visibility": "internal"}), true),
            // A job of something else than GitHub, which has no repositories.
            (json!({}), false),
        ] {
            assert_eq!(token(claims.clone()).is_private(), expected, "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "a.b", "a.!.c", "a.e30", "a.W10.c"] {
            assert_eq!(parse_claims(text), None, "{text}");
        }
        assert_eq!(parse_claims("a.e30.c"), Some(Map::new()));
    }
}
