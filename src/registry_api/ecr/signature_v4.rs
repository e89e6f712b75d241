//! Signature of a request with AWS Signature Version 4 (AWS General Reference, "Create a signed AWS API request").

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::registry_api::api_settings::AwsKeys;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Service and region that a signature is for.
pub(super) struct SigningScope<'a> {
    pub(super) service: &'a str,
    pub(super) region: &'a str,
}

/// Adds the headers of a signature to those of a POST request. All headers are signed.
pub(super) fn sign_request(
    keys: &AwsKeys,
    scope: &SigningScope<'_>,
    url: &Url,
    headers: &mut HeaderMap,
    body: &[u8],
    now: Timestamp,
) {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    insert(headers, AMZ_DATE, &time, false);
    if let Some(token) = &keys.session_token {
        insert(headers, SECURITY_TOKEN, token.expose_secret(), true);
    }
    let (names, canonical) = canonical_request(url, headers, body);
    let credential_scope = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!(
        "{ALGORITHM}\n{time}\n{credential_scope}\n{}",
        to_hex(digest(&SHA256, canonical.as_bytes()).as_ref())
    );
    let key = derive_key(&keys.secret_access_key, day, scope);
    let signature = to_hex(sign(&key, to_sign.as_bytes()).as_ref());
    let authorization = format!(
        "{ALGORITHM} Credential={}/{credential_scope}, SignedHeaders={names}, Signature={signature}",
        keys.access_key_id
    );
    insert(headers, AUTHORIZATION, &authorization, true);
}

/// Returns the names of the signed headers, and the canonical form of the request.
fn canonical_request(url: &Url, headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
    let given = headers.iter();
    let mut lines: Vec<(String, String)> = given
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    lines.push(("host".to_owned(), host(url)));
    lines.sort();
    let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let signed = lines
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"));
    let canonical = format!(
        "POST\n{}\n{}\n{}\n{names}\n{}",
        url.path(),
        url.query().unwrap_or_default(),
        signed.collect::<String>(),
        to_hex(digest(&SHA256, body).as_ref())
    );
    (names, canonical)
}

/// Returns the header `Host` of a request to an address.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port();
    port.map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

fn derive_key(secret: &SecretString, day: &str, scope: &SigningScope<'_>) -> Key {
    let first = SecretString::from(format!("AWS4{}", secret.expose_secret()));
    let mut key = Key::new(HMAC_SHA256, first.expose_secret().as_bytes());
    for part in [day, scope.region, scope.service, "aws4_request"] {
        key = Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref());
    }
    key
}

/// Inserts a header. Text that no header can hold is left out: the service refuses the request then.
fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str, is_secret: bool) {
    if let Ok(mut value) = HeaderValue::from_str(text) {
        value.set_sensitive(is_secret);
        headers.insert(name, value);
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(session_token: Option<&str>) -> AwsKeys {
        AwsKeys {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: session_token.map(SecretString::from),
            endpoint: None,
        }
    }

    /// Signs a request of the published test suite (`aws-sig-v4-test-suite`), and returns the signature.
    fn signature(headers: &[(&'static str, &str)], body: &str, token: Option<&str>) -> String {
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        });
        let mut headers: HeaderMap = headers.collect();
        let scope = SigningScope {
            service: "service",
            region: "us-east-1",
        };
        let now = "2015-08-30T12:36:00Z".parse().unwrap();
        sign_request(
            &keys(token),
            &scope,
            &url,
            &mut headers,
            body.as_bytes(),
            now,
        );
        let authorization = headers[AUTHORIZATION].to_str().unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive());
        authorization.rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn requests_of_the_published_test_suite_have_their_signatures() {
        // post-vanilla
        assert_eq!(
            signature(&[], "", None),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        // post-x-www-form-urlencoded
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(
            signature(&form, "Param1=value1", None),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
        // post-sts-header-before
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        assert_eq!(
            signature(&[], "", Some(token)),
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        );
    }
}
