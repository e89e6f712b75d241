//! Challenges of a registry: the authorization that it requires (`WWW-Authenticate`, RFC 9110,
//! 11.6.1).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

/// Scheme of authorization that a registry requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthScheme {
    /// No authorization.
    Anonymous,
    /// User name and password on every request.
    Basic,
    /// Token from the service at `realm`.
    Bearer { realm: Url, service: Option<String> },
}

/// Returns whether a 401 says that the token lacks a scope.
pub(super) fn wants_other_scope(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.contains("insufficient_scope")
    })
}

/// Parses the challenge of a 401. Of several, one for a token wins, since a token tells less about us.
///
/// # Errors
/// What is wrong with the challenge.
pub(super) fn parse_challenge(headers: &HeaderMap) -> Result<AuthScheme, String> {
    let mut basic = false;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let text = value.to_str().map_err(|_| "WWW-Authenticate is not text")?;
        let challenges =
            http_auth::parse_challenges(text).map_err(|_| "WWW-Authenticate is malformed")?;
        for challenge in challenges {
            if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let parameter = |name: &str| {
                    let found = challenge
                        .params
                        .iter()
                        .find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                let realm = parameter("realm").ok_or("the challenge has no realm")?;
                let realm = Url::parse(&realm)
                    .map_err(|_| "the realm of the challenge is not a valid URL")?;
                return Ok(AuthScheme::Bearer {
                    realm,
                    service: parameter("service"),
                });
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("basic");
        }
    }
    if basic {
        Ok(AuthScheme::Basic)
    } else {
        Err("no supported scheme in WWW-Authenticate".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_challenges(values: &[&str]) -> Result<AuthScheme, String> {
        let headers = values
            .iter()
            .map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()))
            .collect();
        parse_challenge(&headers)
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |realm: &str, service: Option<&str>| {
            Ok(AuthScheme::Bearer {
                realm: realm.parse().unwrap(),
                service: service.map(str::to_owned),
            })
        };
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#;
        assert_eq!(
            parse_challenges(&[hub]),
            bearer("https://auth.docker.io/token", Some("registry.docker.io"))
        );
        assert_eq!(
            parse_challenges(&[r#"bearer realm="https://a.example/t""#]),
            bearer("https://a.example/t", None)
        );
        assert_eq!(
            parse_challenges(&[r#"Basic realm="Artifactory Realm""#]),
            Ok(AuthScheme::Basic)
        );
        let ecr = r#"Basic realm="https://1.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr.amazonaws.com""#;
        assert_eq!(parse_challenges(&[ecr]), Ok(AuthScheme::Basic));
        assert_eq!(
            parse_challenges(&["Basic realm=x", r#"Bearer realm="https://a.example/t""#]),
            bearer("https://a.example/t", None)
        );
    }

    #[test]
    fn malformed_challenges_are_refused() {
        for values in [
            &[][..],
            &["Negotiate"],
            &["Bearer service=\"x\""],
            &["Bearer realm=\"no address\""],
            &["=,="],
        ] {
            assert!(parse_challenges(values).is_err(), "{values:?}");
        }
    }
}
