//! Which addresses a registry may lead to: by the token realm that it names, and by the `Location` of
//! its answers.
//!
//! What counts is what an address says, not what a name resolves to: elsewhere than on this machine
//! all goes over https, and a server that has no certificate for the name that a registry gave gets no
//! request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::auth::host_and_port;
use super::error::RequestErrorKind;
use crate::image::RegistryName;

/// The names that clouds have for the service that tells a machine its own logins.
const METADATA_NAMES: [&str; 7] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
];
/// The names that systems have for themselves in `/etc/hosts`, beside `localhost`.
const OWN_NAMES: [&str; 6] = [
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
];
/// Such services that have other addresses than link-local ones: Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Checks that a registry may name `realm` as its token service. The rule is the same with a login and
/// without one: https, or plain HTTP on this machine for a registry that is there too, or on the
/// registry's own host where the user lets it be spoken to in plain HTTP.
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

/// Returns whether `url` is of the registry's own server, port included.
pub(super) fn is_own(registry: &RegistryName, url: &Url) -> bool {
    let at = format!("{}://{}", url.scheme(), registry.api_host());
    Url::parse(&at).is_ok_and(|own| {
        (own.host(), own.port_or_known_default()) == (url.host(), url.port_or_known_default())
    })
}

/// Returns whether nobody may lead us to an address: the link-local ones, where clouds keep the logins
/// of a machine, and this machine itself, unless it `is_here` that leads us.
pub(super) fn is_out_of_bounds(url: &Url, is_here: bool) -> bool {
    is_of_the_cloud(url) || (is_this_machine(url) && !is_here)
}

/// Returns whether an address is this machine's own, in whatever way that is written.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match (name(url), address(url)) {
        (Some(name), _) => {
            let is_localhost = name == "localhost" || name.ends_with(".localhost");
            is_localhost || OWN_NAMES.contains(&name.as_str())
        }
        // To connect to the unspecified address leads here as well.
        (_, Some(address)) => address.is_loopback() || address.is_unspecified(),
        (None, None) => false,
    }
}

/// Returns whether an address is this machine's, as registries on it are named.
fn is_loopback(url: &Url) -> bool {
    let name = host_and_port(url).parse::<RegistryName>();
    name.is_ok_and(|name| name.is_loopback())
}

/// Returns an address of the registry's own server, for its host.
fn own_address(registry: &RegistryName) -> Option<Url> {
    Url::parse(&format!("https://{}", registry.api_host())).ok()
}

fn is_of_the_cloud(url: &Url) -> bool {
    match address(url) {
        Some(IpAddr::V4(address)) => address.is_link_local() || METADATA_V4.contains(&address),
        Some(IpAddr::V6(address)) => {
            address.is_unicast_link_local()
                // Amazon's and Google's.
                || matches!(address.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..])
        }
        None => name(url).is_some_and(|name| METADATA_NAMES.contains(&name.as_str())),
    }
}

/// Returns the address's name in lower case, without the dot that ends it.
fn name(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Returns the number that an address is; of one of IPv6 that stands for one of IPv4, that one.
/// Decimal, octal and hexadecimal spellings are numbers to `url` already.
fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(inner_v4(address).map_or(address.into(), IpAddr::V4)),
    }
}

/// Returns the address of IPv4 in one of IPv6: mapped, compatible, by NAT64 (also with the prefix for
/// local use), 6to4 or ISATAP.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, .., high, low]
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What only a machine itself can ask, and what leads to it in the spellings that there are.
    pub(in super::super) const OF_THE_CLOUD: [&str; 36] = [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.0.1:8080",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "0xA9.0xFE.0xA9.0xFE",
        "0251.0376.0251.0376",
        "025177524776",
        "169.254.43518",
        "169.16689662",
        "169.254.169.0376",
        "１６９.２５４.１６９.２５４",
        "169。254。169。254",
        "%31%36%39.254.169.254",
        "user:password@169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "[fe80::1]",
        "[febf::1]",
        "[fd00:ec2::254]",
        "[fd00:ec2::23]",
        "[fd20:ce::254]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "instance-data",
        "metadata.azure.internal",
        "[64:ff9b:1::a9fe:a9fe]",
        "[64:ff9b:1:fffe::a9fe:a9fe]",
        "[2001:db8::5efe:a9fe:a9fe]",
    ];
    const THIS_MACHINE: [&str; 21] = [
        "127.0.0.1",
        "127.0.0.1:8080",
        "127.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0177.1",
        "0.0.0.0",
        "0",
        "localhost",
        "LOCALHOST.",
        "x.localhost",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "ip6-localhost",
        "localhost.localdomain.",
        "[64:ff9b:1::7f00:1]",
    ];
    pub(in super::super) const ONLY_FROM_HERE: [&str; 57] = {
        let mut all = [""; 57];
        let mut at = 0;
        while at < 57 {
            all[at] = match at < 36 {
                true => OF_THE_CLOUD[at],
                false => THIS_MACHINE[at - 36],
            };
            at += 1;
        }
        all
    };
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
