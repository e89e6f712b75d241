//! Line about a request, for a reader who looks for a fault.

use std::time::Duration;

use reqwest::{Method, Response};
use url::Url;

use crate::notices::to_printable;

/// Characters of a host and path that are shown.
const ADDRESS_LIMIT: usize = 200;

/// Returns a line such as `GET ghcr.io/v2/acme/web/manifests/1.4.0: 200 in 34 ms`. The query and the
/// login of an address are left out, since both can be secret.
pub(super) fn request_line(
    method: &Method,
    url: &Url,
    result: &reqwest::Result<Response>,
    took: Duration,
) -> String {
    let end = match result {
        Ok(response) => response.status().as_str().to_owned(),
        Err(_) => "no response".to_owned(),
    };
    format!(
        "{method} {}: {end} in {} ms",
        address(url),
        took.as_millis()
    )
}

/// Returns host, port and path of an address.
fn address(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let query = url.query().map_or("", |_| "?…");
    let text = format!("{host}{}{}{query}", port.unwrap_or_default(), url.path());
    to_printable(&text, ADDRESS_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_can_be_secret() {
        for (url, shown) in [
            (
                "https://ghcr.io/v2/acme/web/manifests/1.4.0",
                "ghcr.io/v2/acme/web/manifests/1.4.0",
            ),
            ("http://robot:word@localhost:5000/v2/", "localhost:5000/v2/"),
            (
                "https://x.example/blob?X-Amz-Signature=made-up",
                "x.example/blob?…",
            ),
        ] {
            assert_eq!(address(&url.parse().unwrap()), shown);
        }
    }
}
