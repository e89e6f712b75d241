//! Redirects: the address that a response leads to, and whether it is allowed.

use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::http_error::HttpError;
use super::private_address::{host_and_port, is_out_of_bounds, is_this_machine};

/// Returns the address in the `Location` header of a response, as [`resolve_redirect`] does.
pub(crate) fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, HttpError> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location
        .ok_or_else(|| HttpError::InvalidResponse("the response has no Location".to_owned()))?;
    resolve_redirect(from, location)
}

/// Returns the address of `location`, relative to `from`.
///
/// Refuses a redirect from https to http, and a redirect to an address that only this machine can
/// reach, unless `from` is on this machine too.
pub(crate) fn resolve_redirect(from: &Url, location: &str) -> Result<Url, HttpError> {
    let to = from
        .join(location)
        .map_err(|_| HttpError::InvalidResponse("the Location is not a valid URL".to_owned()))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => {}
        (from, to) => {
            return Err(HttpError::InvalidResponse(format!(
                "redirect from {from} to {to}"
            )));
        }
    }
    match is_out_of_bounds(&to, is_this_machine(from)) {
        true => Err(HttpError::InvalidResponse(format!(
            "redirect to {}, which only this machine can reach",
            host_and_port(&to)
        ))),
        false => Ok(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::private_address::samples;

    fn led(from: &str, to: &str) -> Result<String, String> {
        let headers = [(LOCATION, to.parse().unwrap())].into_iter().collect();
        redirect_target(&from.parse().unwrap(), &headers)
            .map(|url| url.to_string())
            .map_err(|cause| cause.to_string())
    }

    #[test]
    fn a_redirect_never_goes_down_to_http() {
        assert_eq!(
            led("https://a.example/v2/x", "/y?z=1").unwrap(),
            "https://a.example/y?z=1"
        );
        assert_eq!(
            led("https://a.example/v2/x", "https://b.example/y").unwrap(),
            "https://b.example/y"
        );
        assert_eq!(
            led("http://127.0.0.1:1/x", "http://127.0.0.1:2/y").unwrap(),
            "http://127.0.0.1:2/y"
        );
        for bad in ["http://a.example/y", "file:///etc/passwd", "https://"] {
            assert!(led("https://a.example/v2/x", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn promise_7_a_redirect_never_leads_to_what_only_this_machine_can_reach() {
        let led = |from: &str, to: &str| resolve_redirect(&from.parse().unwrap(), to);
        let mut tried = 0;
        for from in ["https://a.example/v2/x", "http://10.0.0.5:5000/v2/x"] {
            let scheme = from.split("//").next().unwrap();
            for host in samples::ONLY_FROM_HERE {
                assert!(led(from, &format!("https://{host}/y")).is_err(), "{host}");
                assert!(led(from, &format!("{scheme}//{host}/y")).is_err(), "{host}");
                assert!(led(from, &format!("//{host}/y")).is_err(), "{host}");
                tried += 3;
            }
        }
        for host in samples::OF_THE_CLOUD {
            let led = led("http://127.0.0.1:5000/x", &format!("http://{host}/y"));
            assert!(led.is_err(), "{host}");
            tried += 1;
        }
        assert!(tried > 250, "only {tried}");
        for host in ["10.0.0.6:9000", "minio.example", "[fd12::1]"] {
            assert!(led("http://10.0.0.5/x", &format!("http://{host}/y")).is_ok());
            assert!(led("https://a.example/x", &format!("https://{host}/y")).is_ok());
        }
    }
}
