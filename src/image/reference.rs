use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Digest, DigestError, Tag, TagError, written_address};

/// The host of a registry, with its port where it has one: `ghcr.io`, `localhost:5000`.
///
/// Docker Hub goes by `docker.io`, whichever of its names was written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistryName(String);

/// One name in a registry: `ghcr.io/acme/web`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: RegistryName,
    path: String,
}

/// What a reference points at inside a repository.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TagOrDigest {
    /// Whatever the tag names now.
    Tag(Tag),
    /// One manifest, for ever.
    Digest(Digest),
}

/// A repository with a tag or a digest. With both written, the digest decides and the tag is kept
/// for the log alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The repository.
    pub repository: Repository,
    /// The tag or digest; a digest where both were written.
    pub target: TagOrDigest,
}

/// Why a text is no [`Reference`] or [`Repository`]. The grammar is that of the distribution
/// project's reference package, with its short names for Docker Hub.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// Nothing was written.
    #[error("is empty")]
    Empty,
    /// The registry's host or port is malformed.
    #[error("has a malformed registry {0:?}")]
    Registry(String),
    /// An address or a repository, where a registry's host was expected.
    #[error("is no host of a registry: write {0}")]
    NotHost(String),
    /// The path has an upper-case letter.
    #[error("has upper-case letters in its repository name: write {0}")]
    UpperCase(String),
    /// The path is malformed.
    #[error("has a malformed repository name {0:?}")]
    Path(String),
    /// Registry and path are longer than 255 characters.
    #[error("has a repository name of more than 255 characters")]
    TooLong,
    /// The part after `:` is no tag.
    #[error("has a malformed tag: {0}")]
    Tag(#[from] TagError),
    /// The part after `@` is no digest.
    #[error("has a digest that {0}")]
    Digest(#[from] DigestError),
    /// A repository was wanted, but a tag or digest stands there.
    #[error("names a tag or digest, expected only a repository")]
    NotBare,
}

const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_ALIASES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
const TLS_PORT: u16 = 443;

impl RegistryName {
    /// The name as the user knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host (and port) that serves the registry's API, which for Docker Hub is another one.
    pub fn api_host(&self) -> &str {
        if self.is_docker_hub() {
            "registry-1.docker.io"
        } else {
            &self.0
        }
    }

    /// Whether this is Docker Hub, under any of its names.
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }

    /// The host, an IPv6 address in its brackets, and the port where one is written.
    pub(super) fn host_and_port(&self) -> (&str, Option<u16>) {
        let (host, port) = split_port(&self.0);
        (host, port.and_then(|port| port.parse().ok()))
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`. Other spellings of
    /// these are never spoken to in plain HTTP for that; whether two names are the same registry is
    /// for [`super::CanonicalRegistry`] to say.
    pub fn is_loopback(&self) -> bool {
        let (host, _) = self.host_and_port();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for RegistryName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let malformed = || match written_address::host_in_address(text).map(Self::from_str) {
            Some(Ok(registry)) => ReferenceError::NotHost(registry.0),
            _ => ReferenceError::Registry(text.to_owned()),
        };
        let (host, port) = split_port(text);
        if !is_host(host) || !port.is_none_or(is_port) {
            return Err(malformed());
        }
        // Hosts compare without case.
        let name = text.to_ascii_lowercase();
        let (host, port) = split_port(&name);
        let is_default = port.is_none_or(|port| port.parse() == Ok(TLS_PORT));
        if DOCKER_HUB_ALIASES.contains(&host) && is_default {
            return Ok(Self(DOCKER_HUB.to_owned()));
        }
        Ok(Self(name))
    }
}

fn split_port(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((host, port)) if !name.ends_with(']') => (host, Some(port)),
        _ => (name, None),
    }
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

impl Repository {
    /// The registry that holds it.
    pub fn registry(&self) -> &RegistryName {
        &self.registry
    }

    /// The path within the registry, as it stands in API requests.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The reference of `target` in this repository.
    pub fn to_reference(&self, target: TagOrDigest) -> Reference {
        Reference {
            repository: self.clone(),
            target,
        }
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match split_reference(text)? {
            (repository, None, None) => Ok(repository),
            _ => Err(ReferenceError::NotBare),
        }
    }
}

/// Returns a reference, or a repository, with its repository in lower case; `None` if it is already, or is
/// malformed in another way, or is a tag alone.
pub fn lower_case_repository(text: &str) -> Option<String> {
    let name_end = text.rfind('/')? + 1;
    match text.parse::<Reference>() {
        Err(ReferenceError::UpperCase(_)) => {}
        _ => return None,
    }
    let end = text[name_end..]
        .find([':', '@'])
        .map_or(text.len(), |at| name_end + at);
    Some(format!(
        "{}{}",
        text[..end].to_ascii_lowercase(),
        &text[end..]
    ))
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (repository, tag, digest) = split_reference(text)?;
        let target = match (tag, digest) {
            (_, Some(digest)) => TagOrDigest::Digest(digest),
            (Some(tag), None) => TagOrDigest::Tag(tag),
            (None, None) => TagOrDigest::Tag("latest".parse()?),
        };
        Ok(Self { repository, target })
    }
}

fn split_reference(
    text: &str,
) -> Result<(Repository, Option<Tag>, Option<Digest>), ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.parse()?)),
        None => (text, None),
    };
    // A colon after the last slash begins a tag; one before it belongs to the registry's port.
    let name_end = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[name_end..].split_once(':') {
        Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag.parse()?)),
        None => (rest, None),
    };
    Ok((parse_repository(name)?, tag, digest))
}

fn parse_repository(name: &str) -> Result<Repository, ReferenceError> {
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if looks_like_registry(first) => (first.parse()?, path.to_owned()),
        _ => (RegistryName(DOCKER_HUB.to_owned()), name.to_owned()),
    };
    let path = if registry.is_docker_hub() && !path.contains('/') && !path.is_empty() {
        format!("library/{path}")
    } else {
        path
    };
    if path.len() > 255 {
        return Err(ReferenceError::TooLong);
    }
    if is_path(&path) {
        return Ok(Repository { registry, path });
    }
    let lower = path.to_ascii_lowercase();
    Err(if is_path(&lower) {
        ReferenceError::UpperCase(lower)
    } else {
        ReferenceError::Path(path)
    })
}

fn looks_like_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

fn is_path(path: &str) -> bool {
    path.split('/').all(is_path_component)
}

/// `[a-z0-9]+` parts joined by one of `.`, `_`, `__` or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(|b| alphanumeric(*b))
        || !bytes.last().is_some_and(|b| alphanumeric(*b))
    {
        return false;
    }
    bytes
        .split(|b| alphanumeric(*b))
        .filter(|separator| !separator.is_empty())
        .all(|separator| {
            matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
        })
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "{tag}"),
            Self::Digest(digest) => write!(f, "{digest}"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joint = match self.target {
            TagOrDigest::Tag(_) => ':',
            TagOrDigest::Digest(_) => '@',
        };
        write!(f, "{}{joint}{}", self.repository, self.target)
    }
}

impl fmt::Debug for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn references_are_made_whole() {
        for (text, whole) in [
            ("web", "docker.io/library/web:latest"),
            ("acme/web:1.4", "docker.io/acme/web:1.4"),
            ("index.docker.io/acme/web:1.4", "docker.io/acme/web:1.4"),
            ("registry-1.docker.io/web", "docker.io/library/web:latest"),
            ("docker.io:443/web", "docker.io/library/web:latest"),
            (
                "Registry-1.docker.io:0443/acme/web",
                "docker.io/acme/web:latest",
            ),
            ("docker.io:5000/web", "docker.io:5000/web:latest"),
            ("ghcr.io/acme/web", "ghcr.io/acme/web:latest"),
            ("GHCR.io/acme/web", "ghcr.io/acme/web:latest"),
            ("localhost/web", "localhost/web:latest"),
            ("localhost:5000/web:a", "localhost:5000/web:a"),
            ("[::1]:5000/web:a", "[::1]:5000/web:a"),
            (
                &format!("ghcr.io/a/b:1@sha256:{HEX}"),
                &format!("ghcr.io/a/b@sha256:{HEX}"),
            ),
        ] {
            assert_eq!(
                text.parse::<Reference>().unwrap().to_string(),
                whole,
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_references_are_refused_with_their_reason() {
        use ReferenceError as E;
        for (text, error) in [
            ("", E::Empty),
            ("ghcr.io/Acme/web", E::UpperCase("acme/web".into())),
            ("ghcr.io/", E::Path(String::new())),
            ("ghcr.io//web", E::Path("/web".into())),
            ("ghcr.io/a/../b", E::Path("a/../b".into())),
            ("ghcr.io/a..b", E::Path("a..b".into())),
            ("-ghcr.io/web", E::Registry("-ghcr.io".into())),
            ("ghcr.io:99999/web", E::Registry("ghcr.io:99999".into())),
            ("https://ghcr.io/web", E::Registry("https:".into())),
            ("ghcr.io/web:", E::Tag(TagError::Empty)),
            (
                "ghcr.io/web@sha512:00",
                E::Digest(DigestError::Unsupported("sha512".into())),
            ),
            ("ghcr.io/web@latest", E::Digest(DigestError::Malformed)),
            ("ghcr.io/web\n", E::Path("web\n".into())),
        ] {
            assert_eq!(text.parse::<Reference>(), Err(error), "{text:?}");
        }
        assert_eq!("ghcr.io/web:1".parse::<Repository>(), Err(E::NotBare));
    }

    #[test]
    fn an_upper_case_owner_is_lower_cased_and_a_tag_is_not() {
        for (text, lower) in [
            ("ghcr.io/Acme/Web", "ghcr.io/acme/web"),
            ("ghcr.io/Acme/web:Beta", "ghcr.io/acme/web:Beta"),
            ("Acme/web", "acme/web"),
            ("localhost:5000/Web:A", "localhost:5000/web:A"),
        ] {
            assert_eq!(lower_case_repository(text).as_deref(), Some(lower));
        }
        for text in [
            "ghcr.io/acme/web:Beta",
            "ghcr.io/Acme//web",
            "oci:Out",
            "Beta",
            "",
        ] {
            assert_eq!(lower_case_repository(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_no_registry_and_says_which() {
        for (text, host) in [
            ("https://ghcr.io", "ghcr.io"),
            ("http://localhost:5000/v2/", "localhost:5000"),
            ("ghcr.io/acme/web", "ghcr.io"),
        ] {
            let error = ReferenceError::NotHost(host.to_owned());
            assert_eq!(text.parse::<RegistryName>(), Err(error));
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (name, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("localhost.example", false),
            ("10.0.0.1", false),
            ("ghcr.io", false),
        ] {
            assert_eq!(
                name.parse::<RegistryName>().unwrap().is_loopback(),
                loopback,
                "{name}"
            );
        }
    }

    proptest! {
        /// oci-client's reference grammar is the independent reader; it alone lets pass capitals in
        /// a path on Docker Hub, and hosts that only a path could be.
        #[test]
        fn reads_references_as_oci_client_does(
            text in "([a-zA-Z0-9.-]{1,10}(:[0-9]{1,4})?/)?[a-z0-9._/-]{1,16}(:[A-Za-z0-9._-]{1,8})?(@sha256:[0-9a-f]{64})?"
        ) {
            let ours = text.parse::<Reference>();
            let theirs = text.parse::<oci_client::Reference>();
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => {
                    let mut expected = theirs.registry().to_ascii_lowercase();
                    if let Ok(registry) = expected.parse::<RegistryName>()
                        && registry.is_docker_hub()
                    {
                        expected = DOCKER_HUB.into();
                    }
                    prop_assert_eq!(ours.repository.registry().as_str(), expected);
                    prop_assert_eq!(ours.repository.path(), theirs.repository());
                    let target = theirs.digest().or(theirs.tag()).unwrap_or_default();
                    prop_assert_eq!(ours.target.to_string(), target);
                }
                (Err(_), Err(_)) | (Err(ReferenceError::UpperCase(_) | ReferenceError::Registry(_)), Ok(_)) => {}
                (ours, theirs) => prop_assert!(false, "{}: ours {:?}, theirs {:?}", text, ours, theirs),
            }
        }
    }
}
