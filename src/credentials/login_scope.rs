//! What a login is for: a registry, or its repositories below a path (containers-auth.json(5)).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::image::{RegistryName, Repository};

/// Registry, or a path in it, that a login is for: `ghcr.io`, `registry.gitlab.com/acme/dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginScope {
    registry: RegistryName,
    /// Path without slashes at its ends; empty: the whole registry.
    path: String,
}

impl LoginScope {
    pub(super) fn new(registry: RegistryName, path: &str) -> Self {
        Self {
            registry,
            path: path.trim_matches('/').to_owned(),
        }
    }

    /// Returns the registry.
    pub fn registry(&self) -> &RegistryName {
        &self.registry
    }
}

impl From<RegistryName> for LoginScope {
    fn from(registry: RegistryName) -> Self {
        Self::new(registry, "")
    }
}

impl FromStr for LoginScope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reason = "is not host, host:port or host/path";
        let (registry, path) = text.split_once('/').unwrap_or((text, ""));
        let registry = registry.parse().map_err(|_| reason)?;
        let is_part =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let path = path.trim_end_matches('/');
        let mut parts = path.split('/');
        let fits =
            path.is_empty() || parts.all(|part| !part.is_empty() && part.bytes().all(is_part));
        match fits {
            true => Ok(Self::new(registry, path)),
            false => Err(reason),
        }
    }
}

impl fmt::Display for LoginScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => self.registry.fmt(f),
            path => write!(f, "{}/{path}", self.registry),
        }
    }
}

/// Logins by what they are for.
#[derive(Clone, Debug)]
pub(super) struct ScopedLogins<T>(BTreeMap<RegistryName, BTreeMap<String, T>>);

impl<T> Default for ScopedLogins<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> ScopedLogins<T> {
    /// Adds a login in place of one for the same scope.
    pub(super) fn insert(&mut self, scope: LoginScope, login: T) {
        let paths = self.0.entry(scope.registry).or_default();
        paths.insert(scope.path, login);
    }

    /// Returns whether there is a login for this very scope.
    pub(super) fn has(&self, scope: &LoginScope) -> bool {
        let paths = self.0.get(&scope.registry);
        paths.is_some_and(|paths| paths.contains_key(&scope.path))
    }

    /// Returns the login for a repository: that with the longest path which covers it.
    pub(super) fn find(&self, repository: &Repository) -> Option<&T> {
        let covers = |path: &str| {
            path.is_empty()
                || repository
                    .path()
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let paths = self.0.get(repository.registry())?;
        paths
            .iter()
            .filter(|(path, _)| covers(path))
            .max_by_key(|(path, _)| path.len())
            .map(|(_, login)| login)
    }

    /// Returns all logins.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values().flat_map(BTreeMap::values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_that_covers_a_repository_is_its_login() {
        let mut logins = ScopedLogins::default();
        for scope in [
            "a.example",
            "a.example/acme",
            "a.example/acme/dev/",
            "b.example:5000/x",
        ] {
            logins.insert(scope.parse().unwrap(), scope);
        }
        for (repository, expected) in [
            ("a.example/other/web", Some("a.example")),
            ("a.example/acme", Some("a.example/acme")),
            ("a.example/acmes/web", Some("a.example")),
            ("a.example/acme/web", Some("a.example/acme")),
            ("a.example/acme/dev/web", Some("a.example/acme/dev/")),
            ("b.example:5000/x/y", Some("b.example:5000/x")),
            ("b.example:5000/y", None),
            ("b.example/x", None),
        ] {
            let found = logins.find(&repository.parse().unwrap());
            assert_eq!(found.copied(), expected, "{repository}");
        }
    }

    #[test]
    fn a_scope_is_a_registry_with_or_without_a_path() {
        for text in ["ghcr.io", "localhost:5000", "registry.gitlab.com/acme/dev"] {
            assert_eq!(text.parse::<LoginScope>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "/acme",
            "a.example//x",
            "a.example/a/../b c",
            "https://a.example",
            "a.example/x:1",
        ] {
            assert!(text.parse::<LoginScope>().is_err(), "{text}");
        }
    }
}
