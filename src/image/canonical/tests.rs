use proptest::prelude::*;

use super::*;

fn registry(name: &str) -> CanonicalRegistry {
    CanonicalRegistry::from_name(&name.parse().unwrap())
}

fn place(text: &str) -> CanonicalPlace {
    CanonicalPlace::new(&text.parse().unwrap(), &RealPaths::default())
}

/// All spellings of each row are one registry, and no two rows are the same.
#[test]
fn promise_5_a_registry_is_the_same_by_every_spelling() {
    let rows: [&[&str]; 9] = [
        &[
            "docker.io",
            "DOCKER.io",
            "docker.io:443",
            "docker.io:80",
            "docker.io:0443",
            "index.docker.io",
            "index.docker.io:443",
            "registry-1.docker.io",
            "Registry-1.Docker.IO:443",
            "registry.hub.docker.com",
            "registry.hub.docker.com:443",
        ],
        &[
            "localhost:5000",
            "LocalHost:05000",
            "127.0.0.1:5000",
            "127.1:5000",
            "127.0.1:5000",
            "127.255.255.254:5000",
            "0177.0.0.1:5000",
            "0177.1:5000",
            "0x7f.0.0.1:5000",
            "0X7F.1:5000",
            "0x7f000001:5000",
            "2130706433:5000",
            "017700000001:5000",
            "0:5000",
            "0.0.0.0:5000",
            "0x0:5000",
            "[::1]:5000",
            "[0:0:0:0:0:0:0:1]:5000",
            "[::]:5000",
            "[::ffff:127.0.0.1]:5000",
            "[::FFFF:7f00:1]:5000",
            "[::ffff:0.0.0.0]:5000",
            "[::127.0.0.1]:5000",
            "[64:ff9b::127.0.0.1]:5000",
            "registry.localhost:5000",
            "localhost.localdomain:5000",
            "localhost4:5000",
            "localhost6:5000",
            "ip6-localhost:5000",
            "ip6-loopback:5000",
        ],
        &[
            "localhost",
            "localhost:443",
            "127.1:80",
            "[::1]",
            "[::1]:443",
        ],
        &[
            "10.0.0.1:5000",
            "10.1:5000",
            "012.0.0.1:5000",
            "0xa.0.0.1:5000",
            "0xA000001:5000",
            "167772161:5000",
            "[::ffff:10.0.0.1]:5000",
            "[::ffff:a00:1]:5000",
            "[64:ff9b::a00:1]:5000",
        ],
        &[
            "ghcr.io",
            "GHCR.IO",
            "ghcr.io:443",
            "ghcr.io:80",
            "gHcR.io:0443",
        ],
        &["ghcr.io:5000", "ghcr.io:05000"],
        &["[2001:db8::1]:5000", "[2001:DB8:0:0::0:1]:5000"],
        &["docker.io:5000", "index.docker.io:5000"],
        &["localhost.example", "localhost.example:443"],
    ];
    let mut known: Vec<(CanonicalRegistry, &str)> = Vec::new();
    for row in rows {
        let first = registry(row[0]);
        for name in row {
            assert_eq!(registry(name), first, "{name} and {}", row[0]);
        }
        for (other, name) in &known {
            assert_ne!(first, *other, "{} and {name}", row[0]);
        }
        known.push((first, row[0]));
    }
}

/// What no registry is called cannot be spelled at all.
#[test]
fn promise_5_hosts_that_read_otherwise_are_refused() {
    for name in [
        "ghcr.io.",
        "ghcr.io..",
        "ghcr.io.:443",
        ".ghcr.io",
        "ghcr.io:",
        "ghcr.io:443:443",
        "ghcr.io:+443",
        "ghcr.io:99999",
        "ghcr%2Eio",
        "ghcr\u{3002}io",
        "\u{ff47}hcr.io",
        "ghcr.i\u{43e}",
        "ghcr\u{ad}.io",
        "user@ghcr.io",
        "[fe80::1%25eth0]:5000",
        "[127.0.0.1]:5000",
        "ghcr.io\\x",
        " ghcr.io",
        "ghcr.io\t",
        "ghcr.io#",
        "ghcr.io?x",
    ] {
        assert!(name.parse::<RegistryName>().is_err(), "{name:?}");
    }
}

#[test]
fn promise_5_a_repository_is_the_same_by_every_spelling() {
    for (one, other) in [
        ("web", "docker.io:443/web"),
        ("web", "index.docker.io/library/web"),
        ("docker.io/library/web", "docker.io:80/web"),
        ("library/web", "registry.hub.docker.com/web"),
        ("acme/web", "registry-1.docker.io:443/acme/web"),
        ("oci:out/a/../x", "oci:./out//x/"),
    ] {
        assert_eq!(place(one), place(other), "{one} and {other}");
    }
    for (one, other) in [
        ("ghcr.io/web", "ghcr.io/library/web"),
        ("acme/web", "acme/web-1"),
        ("oci:x", "oci:/x"),
        ("localhost:5000/x", "localhost:5001/x"),
    ] {
        assert_ne!(place(one), place(other), "{one} and {other}");
    }
}

/// A spelling of an IPv4 address as inet_aton takes them.
fn spelled(address: u32, parts: usize, radix: [u8; 4], zeros: usize, upper: bool) -> String {
    let bytes = address.to_be_bytes();
    let mut numbers: Vec<u32> = bytes[..parts - 1]
        .iter()
        .map(|byte| u32::from(*byte))
        .collect();
    let rest = bytes[parts - 1..].iter();
    numbers.push(rest.fold(0, |sum, byte| (sum << 8) | u32::from(*byte)));
    let number = |(at, number): (usize, &u32)| match radix[at] {
        0 => number.to_string(),
        1 => format!("0{}{number:o}", "0".repeat(zeros)),
        _ => format!("0x{}{number:x}", "0".repeat(zeros)),
    };
    let text = numbers
        .iter()
        .enumerate()
        .map(number)
        .collect::<Vec<_>>()
        .join(".");
    if upper { text.to_uppercase() } else { text }
}

fn port(port: u16) -> impl Strategy<Value = String> {
    let zeros = (0..3usize).prop_map(move |zeros| format!(":{}{port}", "0".repeat(zeros)));
    match port {
        443 => prop_oneof![Just(String::new()), Just(":80".to_owned()), zeros].boxed(),
        _ => zeros.boxed(),
    }
}

fn any_ipv4() -> impl Strategy<Value = u32> {
    let random = any::<u32>().prop_filter("another network", |address| *address != 0);
    prop_oneof![
        random,
        Just(0x7f00_0001),
        Just(0x0a00_0001),
        0x7f00_0000..0x8000_0000u32
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any form of an IPv4 address is the same host as its plain form, and as that in IPv6.
    #[test]
    fn promise_5_an_ipv4_address_is_the_same_in_every_form(
        address in any_ipv4(),
        parts in 1..=4usize,
        radix in any::<[u8; 4]>().prop_map(|radix| radix.map(|one| one % 3)),
        zeros in 0..3usize,
        upper in any::<bool>(),
        prefix in prop_oneof![Just("::ffff:"), Just("0:0:0:0:0:ffff:"), Just("64:ff9b::"), Just("64:FF9B:0:0:0:0:")],
        number in prop_oneof![Just(443u16), Just(5000)],
        ports in (0..3usize, 0..3usize),
    ) {
        let port = |zeros| format!(":{}{number}", "0".repeat(zeros));
        let plain = Ipv4Addr::from(address);
        let expected = registry(&format!("{plain}{}", port(0)));
        let other = spelled(address, parts, radix, zeros, upper);
        prop_assert_eq!(&registry(&format!("{other}{}", port(ports.0))), &expected);
        let embedded = format!("[{prefix}{plain}]{}", port(ports.1));
        prop_assert_eq!(registry(&embedded), expected);
    }

    /// Case, default ports and Docker Hub's names change nothing; what is left tells places apart.
    #[test]
    fn promise_5_names_are_the_same_in_every_case_and_with_every_default_port(
        hub in any::<bool>(),
        label in "[a-z][a-z0-9]{0,8}",
        flips in proptest::collection::vec(any::<bool>(), 40),
        alias in 0..DOCKER_HUB.len(),
        one in port(443),
        other in port(443),
        path in "[a-z0-9]{1,6}(/[a-z0-9]{1,6})?",
    ) {
        let name = if hub { "docker.io".to_owned() } else { format!("{label}.example.com") };
        let second = if hub { DOCKER_HUB[alias].to_owned() } else { name.clone() };
        let flip = |(c, up): (char, &bool)| if *up { c.to_ascii_uppercase() } else { c };
        let second: String = second.chars().zip(flips.iter().cycle()).map(flip).collect();
        let whole = if hub && !path.contains('/') { format!("library/{path}") } else { path.clone() };
        let first = place(&format!("{name}{one}/{path}"));
        prop_assert_eq!(&place(&format!("{second}{other}/{whole}")), &first);
        prop_assert_ne!(&place(&format!("{name}:5000/{path}")), &first);
        prop_assert_ne!(&place(&format!("{name}{one}/{whole}x")), &first);
        prop_assert_ne!(&place(&format!("other.{name}{one}/{path}")), &first);
    }

    /// Different addresses are different registries, loopback apart.
    #[test]
    fn promise_5_different_addresses_are_not_the_same(one in any::<u32>(), other in any::<u32>()) {
        let local = |address: u32| address >> 24 == 127 || address == 0;
        let name = |address: u32| registry(&Ipv4Addr::from(address).to_string());
        prop_assert_eq!(name(one) == name(other), one == other || (local(one) && local(other)));
    }
}
