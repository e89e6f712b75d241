//! Checks the token service that a registry names in its challenge.

use url::Url;

use super::error::RequestErrorKind;
use crate::http::{host_and_port, is_out_of_bounds, is_this_machine};
use crate::image::RegistryName;

/// Checks that a registry may name `realm` as its token service, with or without a credential.
///
/// Allowed are https, plain HTTP on this machine for a registry that is there too, and plain HTTP on the
/// registry's own host if the registry `is_insecure` (input `insecure-registries`).
///
/// # Errors
/// Any other realm, and one that only this machine can reach.
pub(super) fn check_realm(
    registry: &RegistryName,
    is_insecure: bool,
    realm: &Url,
) -> Result<(), RequestErrorKind> {
    let own = own_address(registry);
    let is_here = own.as_ref().is_some_and(is_this_machine);
    if is_out_of_bounds(realm, is_here) {
        return Err(RequestErrorKind::Login(format!(
            "{registry} sends logins to {}, which only this machine can reach",
            host_and_port(realm)
        )));
    }
    let is_own_host = own.is_some_and(|own| own.host() == realm.host());
    match realm.scheme() {
        "https" => Ok(()),
        "http" if registry.is_loopback() && is_loopback(realm) => Ok(()),
        "http" if is_insecure && is_own_host => Ok(()),
        scheme => Err(RequestErrorKind::Login(format!(
            "{registry} sends logins to {scheme}://{}, and they only go over https",
            host_and_port(realm)
        ))),
    }
}

/// Returns whether `url` has the host and port of the registry's API.
pub(super) fn is_own(registry: &RegistryName, url: &Url) -> bool {
    let at = format!("{}://{}", url.scheme(), registry.api_host());
    Url::parse(&at).is_ok_and(|own| {
        (own.host(), own.port_or_known_default()) == (url.host(), url.port_or_known_default())
    })
}

/// Returns whether the host of an address is a loopback registry by name.
fn is_loopback(url: &Url) -> bool {
    let name = host_and_port(url).parse::<RegistryName>();
    name.is_ok_and(|name| name.is_loopback())
}

/// Returns an https address of the registry's API.
fn own_address(registry: &RegistryName) -> Option<Url> {
    Url::parse(&format!("https://{}", registry.api_host())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::private_address_samples::ONLY_FROM_HERE;

    const ELSEWHERE: [&str; 8] = [
        "a.example",
        "169.253.255.255",
        "10.0.0.5",
        "[2001:db8::1]",
        "[fd12::1]",
        "[fec0::1]",
        "localhost.example",
        "metadata.example",
    ];

    fn realm(registry: &str, is_insecure: bool, realm: &str) -> Result<(), String> {
        let registry = registry.parse().unwrap();
        let realm = Url::parse(realm).unwrap_or_else(|error| panic!("{realm}: {error}"));
        check_realm(&registry, is_insecure, &realm).map_err(|cause| cause.to_string())
    }

    #[test]
    fn promise_7_a_realm_is_https_and_no_address_that_only_this_machine_can_reach() {
        for registry in [
            "a.example",
            "docker.io",
            "10.0.0.5:5000",
            "[2001:db8::1]:5000",
        ] {
            for host in ONLY_FROM_HERE {
                for scheme in ["http", "https"] {
                    let refused = realm(registry, false, &format!("{scheme}://{host}/token"));
                    assert!(refused.is_err(), "{registry}: {scheme}://{host}");
                }
            }
            for host in ELSEWHERE {
                let https = format!("https://{host}/token");
                assert_eq!(realm(registry, false, &https), Ok(()));
                let refused = realm(registry, false, &format!("http://{host}/token"));
                assert!(refused.unwrap_err().contains("only go over https"));
            }
            for other in [
                "file:///etc/passwd",
                "ftp://a.example/",
                "data:,x",
                "unix:/x",
            ] {
                assert!(realm(registry, true, other).is_err(), "{other}");
            }
        }
    }

    #[test]
    fn a_registry_may_have_its_realm_where_it_is_itself() {
        for (registry, is_insecure, at) in [
            ("localhost:5000", false, "http://127.0.0.1:5001/token"),
            ("127.0.0.1:5000", false, "http://localhost:5001/token"),
            ("[::1]:5000", false, "http://[::1]:5000/token"),
            ("localhost:5000", false, "https://localhost:5001/token"),
            ("10.0.0.5:5000", true, "http://10.0.0.5:5001/token"),
            ("registry.lan", true, "http://registry.lan/token"),
            ("registry.lan", true, "https://auth.lan/token"),
        ] {
            assert_eq!(realm(registry, is_insecure, at), Ok(()), "{registry}: {at}");
        }
        for (registry, is_insecure, at) in [
            ("localhost:5000", false, "http://10.0.0.5/token"),
            ("10.0.0.5:5000", true, "http://10.0.0.6/token"),
            ("10.0.0.5:5000", true, "http://127.0.0.1/token"),
            ("10.0.0.5:5000", true, "http://169.254.169.254/token"),
            ("localhost:5000", true, "http://169.254.169.254/token"),
            (
                "localhost:5000",
                false,
                "https://metadata.google.internal/token",
            ),
        ] {
            assert!(
                realm(registry, is_insecure, at).is_err(),
                "{registry}: {at}"
            );
        }
    }

    #[test]
    fn the_registrys_own_server_is_known() {
        let own =
            |registry: &str, url: &str| is_own(&registry.parse().unwrap(), &url.parse().unwrap());
        assert!(own("a.example", "https://a.example/token"));
        assert!(own("a.example", "https://A.example:443/token"));
        assert!(own("docker.io", "https://registry-1.docker.io/v2/"));
        assert!(!own("docker.io", "https://auth.docker.io/token"));
        assert!(!own("a.example", "https://a.example:8443/token"));
        assert!(!own("a.example:5000", "https://a.example/token"));
    }
}
