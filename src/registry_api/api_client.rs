//! Requests to one API: JSON in, JSON out, with errors that name the host and the login that is needed.

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use crate::http::{HttpClient, ServiceRequest, ServiceResponse, parse_links};
use crate::notices::to_printable;

/// Longest answer, in bytes: a page of a list.
const ANSWER_LIMIT: usize = 32 << 20;
/// Longest message of a service in an error, in characters.
const MESSAGE_LIMIT: usize = 300;
/// Members in which services put their message.
const MESSAGE_MEMBERS: [&str; 5] = ["message", "Message", "error_message", "detail", "error"];

/// Client of one API.
#[derive(Clone)]
pub(super) struct ApiClient {
    http: HttpClient,
    /// Name of the API in messages.
    service: &'static str,
    /// Login that it wants, with its permissions.
    needs: &'static str,
    base: Url,
    authorization: Option<HeaderValue>,
}

impl ApiClient {
    /// Returns a client without a login.
    pub(super) fn new(
        http: &HttpClient,
        service: &'static str,
        needs: &'static str,
        base: Url,
    ) -> Self {
        Self {
            http: http.clone(),
            service,
            needs,
            base,
            authorization: None,
        }
    }

    /// Adds a login: `scheme` with a secret, such as `Bearer`. Text that no header can hold is no login.
    #[must_use]
    pub(super) fn with_authorization(mut self, scheme: &str, secret: &SecretString) -> Self {
        let value = HeaderValue::try_from(format!("{scheme} {}", secret.expose_secret()));
        self.authorization = value.ok().map(|mut value| {
            value.set_sensitive(true);
            value
        });
        self
    }

    /// Lets the log mask a secret that arrived.
    pub(super) fn announce_secret(&self, secret: &SecretString) {
        self.http.notices().secret(secret.clone());
    }

    /// Returns the address of the API.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Returns an address below that of the API; segments are percent-encoded.
    pub(super) fn url<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Sends a request, repeated while the failure is transient, and returns the response with any status.
    ///
    /// # Errors
    /// No response.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        more_headers: HeaderMap,
        body: Bytes,
    ) -> Result<ServiceResponse, RegistryApiError> {
        let mut headers = more_headers;
        headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        // The login goes to the API alone.
        let is_own = url.origin() == self.base.origin();
        if let Some(authorization) = self.authorization.clone().filter(|_| is_own) {
            headers.insert(AUTHORIZATION, authorization);
        }
        let request = ServiceRequest {
            service: self.service,
            method,
            url: url.clone(),
            headers,
            body,
        };
        let sent = self.http.send_to_service_within(&request, ANSWER_LIMIT);
        sent.await
            .map_err(|error| self.error(RegistryApiErrorKind::Http(error)))
    }

    /// Waits before another attempt, after `tried` ones. Returns `false` if there is none left.
    pub(super) async fn pause(&self, tried: u32) -> bool {
        let timing = self.http.timing();
        let is_left = tried < timing.attempts;
        if is_left {
            tokio::time::sleep(timing.delay(tried)).await;
        }
        is_left
    }

    /// Returns JSON with the headers of its response.
    ///
    /// # Errors
    /// No response, a refusal, and an answer of another form.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
    ) -> Result<(T, HeaderMap), RegistryApiError> {
        let sent = self.send(Method::GET, url, HeaderMap::new(), Bytes::new());
        let response = sent.await?;
        let answer = self.parse(&Method::GET, url, &response)?;
        Ok((answer, response.headers))
    }

    /// Sends JSON by POST, and returns the JSON of the answer.
    ///
    /// # Errors
    /// No response, a refusal, and an answer of another form.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        body: &Value,
    ) -> Result<T, RegistryApiError> {
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
        let sent = self.send(Method::POST, url, headers, body.to_string().into());
        let response = sent.await?;
        self.parse(&Method::POST, url, &response)
    }

    /// Returns the JSON of a successful response.
    ///
    /// # Errors
    /// Another status, and an answer of another form.
    pub(super) fn parse<T: DeserializeOwned>(
        &self,
        method: &Method,
        url: &Url,
        response: &ServiceResponse,
    ) -> Result<T, RegistryApiError> {
        if !response.status.is_success() {
            return Err(self.status_error(method, url, response));
        }
        serde_json::from_slice(&response.body)
            .map_err(|error| self.malformed(url, format!("the answer cannot be read: {error}")))
    }

    /// Returns the address of the next page by the header `Link`; `None` after the last.
    ///
    /// # Errors
    /// A next page that cannot be read, is this one, or is at another host: the list would be cut.
    pub(super) fn next_page(
        &self,
        page: &Url,
        headers: &HeaderMap,
    ) -> Result<Option<Url>, RegistryApiError> {
        let broken =
            || self.malformed(page, "the next page of the list cannot be found".to_owned());
        for header in headers.get_all(LINK) {
            let header = header.to_str().map_err(|_| broken())?;
            for link in parse_links(header).ok_or_else(broken)? {
                if link.is_next() {
                    let next = page.join(link.target).map_err(|_| broken())?;
                    let is_own = next.origin() == self.base.origin() && next != *page;
                    return is_own.then_some(Some(next)).ok_or_else(broken);
                }
            }
        }
        Ok(None)
    }

    /// Returns the error of a response that is no success.
    pub(super) fn status_error(
        &self,
        method: &Method,
        url: &Url,
        response: &ServiceResponse,
    ) -> RegistryApiError {
        let (method, path) = (method.as_str().into(), url.path().into());
        let (status, message) = (response.status, self.message(response).into());
        self.error(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RegistryApiErrorKind::Refused {
                method,
                path,
                status,
                message,
            },
            _ => RegistryApiErrorKind::Status {
                method,
                path,
                status,
                message,
            },
        })
    }

    /// Returns the words of the service in a response, without the login.
    pub(super) fn message(&self, response: &ServiceResponse) -> String {
        let json: Option<Value> = serde_json::from_slice(&response.body).ok();
        let text = json.as_ref().and_then(find_message);
        let mut text = text.unwrap_or_default().to_owned();
        let authorization = self.authorization.as_ref();
        let authorization = authorization.and_then(|value| value.to_str().ok());
        let secret = authorization.and_then(|value| Some(value.split_once(' ')?.1));
        if let Some(secret) = secret {
            text = text.replace(secret, "***");
        }
        to_printable(&text, MESSAGE_LIMIT)
    }

    /// Returns the error of an answer that is not as documented.
    pub(super) fn malformed(&self, url: &Url, reason: String) -> RegistryApiError {
        self.error(RegistryApiErrorKind::Malformed {
            path: url.path().to_owned(),
            reason: to_printable(&reason, MESSAGE_LIMIT),
        })
    }

    /// Returns an error of this API.
    pub(super) fn error(&self, kind: RegistryApiErrorKind) -> RegistryApiError {
        let host = self.base.host_str().unwrap_or_default();
        let port = self.base.port();
        RegistryApiError {
            service: self.service,
            host: port.map_or(host.into(), |port| format!("{host}:{port}").into()),
            kind,
            needs: self.needs,
        }
    }
}

/// Returns the message of an error object: of itself, or of the first of its `errors`.
fn find_message(json: &Value) -> Option<&str> {
    let mut members = MESSAGE_MEMBERS.iter();
    let own = members.find_map(|name| match json.get(name)? {
        Value::String(text) => Some(text.as_str()),
        inner => inner.get("message")?.as_str(),
    });
    own.or_else(|| find_message(json.get("errors")?.get(0)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HttpSettings, ProxySettings, RetryTiming};
    use crate::notices::Notices;

    fn client(base: &str) -> ApiClient {
        let settings = HttpSettings {
            ca_file: None,
            ssl_cert_file: None,
            ssl_cert_dir: None,
            client_certificate: None,
            certs_folders: Vec::new(),
            unverified_hosts: Vec::new(),
            proxies: ProxySettings::default(),
            timing: RetryTiming::default(),
        };
        let http = HttpClient::new(settings, Notices::new(|_| {})).unwrap();
        ApiClient::new(&http, "an API", "a login", base.parse().unwrap())
    }

    #[test]
    fn a_slash_in_a_segment_is_encoded_once_and_what_is_encoded_once_more() {
        let client = client("https://api.example.com/v3/");
        let url = client.url(["packages", "web/dev", "team%2Fweb"]);
        assert_eq!(
            url.as_str(),
            "https://api.example.com/v3/packages/web%2Fdev/team%252Fweb"
        );
    }

    #[test]
    fn a_next_page_of_another_host_is_an_error_and_no_end() {
        let client = client("https://api.example.com/");
        let page = client.url(["list"]);
        let next = |link: &'static str| {
            let headers = HeaderMap::from_iter([(LINK, HeaderValue::from_static(link))]);
            client.next_page(&page, &headers)
        };
        let second = "https://api.example.com/list?page=2";
        for link in [
            "<https://api.example.com/list?page=2>; rel=\"next\"",
            "</list?page=2>; rel=next",
            "<?page=1>; rel=\"prev\", <?page=2>; rel=\"next\"",
        ] {
            let found = next(link).unwrap().unwrap();
            assert_eq!(found.as_str(), second, "{link}");
        }
        for link in [
            "<https://elsewhere.example/list?page=2>; rel=\"next\"",
            "<http://api.example.com/list?page=2>; rel=\"next\"",
            "</list>; rel=\"next\"",
            "no link",
        ] {
            assert!(next(link).is_err(), "{link}");
        }
        assert_eq!(next("<?page=1>; rel=\"prev\"").unwrap(), None);
    }

    #[test]
    fn a_message_of_a_service_has_no_login_and_no_control_characters() {
        let secret = SecretString::from("made-up-token".to_owned());
        let client = client("https://api.example.com/").with_authorization("Bearer", &secret);
        let message = |body: &'static str| {
            client.message(&ServiceResponse {
                status: StatusCode::FORBIDDEN,
                headers: HeaderMap::new(),
                body: Bytes::from_static(body.as_bytes()),
            })
        };
        let told = message(r#"{"message": "Bearer made-up-token \u001b[31m"}"#);
        assert!(
            !told.contains("made-up-token") && !told.contains('\u{1b}'),
            "{told}"
        );
        assert_eq!(
            message(r#"{"errors": [{"code": "X", "message": "denied"}]}"#),
            "denied"
        );
        assert_eq!(
            message(r#"{"error": {"code": 403, "message": "no"}}"#),
            "no"
        );
        assert_eq!(message("<html>"), "");
    }
}
