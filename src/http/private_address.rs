//! Checks for addresses that no response may lead to: those of metadata services of clouds, and of
//! this machine.
//!
//! The address is judged as it is written, not by what a name resolves to: outside this machine all
//! requests use https, and a server without a certificate for the name gets no request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Names of clouds' metadata services, which give a machine its credentials.
const METADATA_NAMES: [&str; 7] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
];
/// Names of this machine in `/etc/hosts` of usual systems, in addition to `localhost`.
const OWN_NAMES: [&str; 6] = [
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
];
/// Metadata services with addresses that are not link-local: Alibaba, Azure, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Returns the host of an address, with its port if the address has one: `ghcr.io`, `localhost:5000`.
pub(crate) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns whether no server may lead us to an address: a metadata or link-local address, or this
/// machine itself unless the server `is_here`, on this machine too.
pub(crate) fn is_out_of_bounds(url: &Url, is_here: bool) -> bool {
    is_of_the_cloud(url) || (is_this_machine(url) && !is_here)
}

/// Returns whether an address is this machine's own, in any spelling.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match (name(url), address(url)) {
        (Some(name), _) => {
            let is_localhost = name == "localhost" || name.ends_with(".localhost");
            is_localhost || OWN_NAMES.contains(&name.as_str())
        }
        // A connection to the unspecified address leads to this machine as well.
        (_, Some(address)) => address.is_loopback() || address.is_unspecified(),
        (None, None) => false,
    }
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

/// Returns the host name in lower case, without a final dot.
fn name(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

/// Returns the IP address of a URL; for an IPv6 address that stands for an IPv4 address, the latter.
/// `url` has already parsed decimal, octal and hexadecimal spellings.
fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(inner_v4(address).map_or(address.into(), IpAddr::V4)),
    }
}

/// Returns the IPv4 address in an IPv6 address: mapped, compatible, NAT64 (also with the prefix for local
/// use), 6to4 or ISATAP.
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
pub(crate) mod samples {
    //! Addresses for tests.

    /// What only a machine itself can ask, and what leads to it in the spellings that there are.
    pub(crate) const OF_THE_CLOUD: [&str; 36] = [
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
    pub(crate) const ONLY_FROM_HERE: [&str; 57] = {
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
}
