//! Which places are the same one, however they are spelled (promise 5).
//!
//! [`CanonicalPlace::new`] is the one answer to that question: the policy's environments, a destination
//! that is given twice and the mounts of a run all compare what it returns. It errs towards "the same":
//! a registry on this machine is one registry by whichever of its addresses it is asked, and plain
//! HTTP's default port is as good as TLS's. Names that DNS or an operator alone knows to be the same
//! are not told here: that would take asking somebody.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

use url::Host;

use super::{Destination, RegistryName, Repository};

/// What a place is, whatever it is called: equal for all spellings of one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CanonicalPlace {
    /// A repository of a registry.
    Repository(CanonicalRegistry, String),
    /// A directory, by the path without links that it has.
    Directory(PathBuf),
}

/// What a registry is, whatever it is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalRegistry {
    host: CanonicalHost,
    /// None for the default ports.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum CanonicalHost {
    DockerHub,
    /// This machine, by any of its own addresses.
    Loopback,
    Address(IpAddr),
    Name(String),
}

/// Where directories really are, as the file system says: resolved where files may be read, and handed
/// to those who compare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RealPaths(HashMap<PathBuf, PathBuf>);

/// Ports that a registry is asked at when none is written: TLS's, and plain HTTP's.
const DEFAULT_PORTS: [u16; 2] = [443, 80];
/// Hosts that serve Docker Hub's repositories.
const DOCKER_HUB: [&str; 4] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
];
/// What /etc/hosts calls this machine, beside `localhost` and all names below it.
const LOOPBACK: [&str; 7] = [
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
];

impl CanonicalPlace {
    /// Returns what `place` is. A directory that `real_paths` does not have is taken as its path reads.
    pub fn new(place: &Destination, real_paths: &RealPaths) -> Self {
        match place {
            Destination::Registry(repository) => Self::from_repository(repository),
            Destination::Layout(path) => Self::Directory(real_paths.of(path)),
        }
    }

    fn from_repository(repository: &Repository) -> Self {
        let registry = CanonicalRegistry::from_name(repository.registry());
        let path = match repository.path() {
            path if registry.host == CanonicalHost::DockerHub && !path.contains('/') => {
                format!("library/{path}")
            }
            path => path.to_owned(),
        };
        Self::Repository(registry, path)
    }
}

impl CanonicalRegistry {
    /// Returns the registry that a name reaches.
    pub fn from_name(registry: &RegistryName) -> Self {
        let (host, port) = registry.host_and_port();
        Self {
            host: CanonicalHost::parse(host),
            port: port.filter(|port| !DEFAULT_PORTS.contains(port)),
        }
    }

    /// Returns the name of the host in lower case; `None` of an address, of this machine and of Docker Hub.
    pub fn host_name(&self) -> Option<&str> {
        match &self.host {
            CanonicalHost::Name(name) => Some(name),
            CanonicalHost::DockerHub | CanonicalHost::Loopback | CanonicalHost::Address(_) => None,
        }
    }
}

impl CanonicalHost {
    /// Reads the host as the client of the registry does: numbers of any form are an address.
    fn parse(host: &str) -> Self {
        match Host::parse(host) {
            Ok(Host::Ipv4(address)) => Self::from_ipv4(address),
            Ok(Host::Ipv6(address)) => Self::from_ipv6(address),
            Ok(Host::Domain(name)) => Self::from_domain(name.trim_end_matches('.')),
            // No connection is made to what is no host.
            Err(_) => Self::from_domain(&host.to_ascii_lowercase()),
        }
    }

    fn from_domain(name: &str) -> Self {
        let is_local =
            name == "localhost" || name.ends_with(".localhost") || LOOPBACK.contains(&name);
        match () {
            () if DOCKER_HUB.contains(&name) => Self::DockerHub,
            () if is_local => Self::Loopback,
            () => Self::Name(name.to_owned()),
        }
    }

    /// A connection to the unspecified address is one to this machine.
    fn from_ipv4(address: Ipv4Addr) -> Self {
        match address.is_loopback() || address.is_unspecified() {
            true => Self::Loopback,
            false => Self::Address(address.into()),
        }
    }

    fn from_ipv6(address: Ipv6Addr) -> Self {
        match embedded(address) {
            _ if address.is_loopback() || address.is_unspecified() => Self::Loopback,
            Some(address) => Self::from_ipv4(address),
            None => Self::Address(address.into()),
        }
    }
}

/// Returns the IPv4 address that an IPv6 address stands for: `::ffff:a.b.c.d`, `::a.b.c.d`, or
/// `64:ff9b::a.b.c.d` of NAT64.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [prefix @ .., high, low] = address.segments();
    let stands = matches!(
        prefix,
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0]
    );
    let address = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    stands.then_some(address)
}

impl RealPaths {
    /// Notes that the directory that is spelled `path` is really at `real`.
    pub fn insert(&mut self, path: PathBuf, real: PathBuf) {
        self.0.insert(path, real);
    }

    fn of(&self, path: &Path) -> PathBuf {
        let real = self.0.get(path).cloned();
        real.unwrap_or_else(|| as_it_reads(path))
    }
}

/// Leaves out `.`, and `..` with what is before it.
fn as_it_reads(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
