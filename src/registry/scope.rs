use std::collections::BTreeSet;

use super::Access;
use crate::image::Repository;

/// The scopes of a token, in docker's grammar (`repository:team/web:pull,push`), the repository
/// that the token is for first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scopes(Vec<String>);

impl Scopes {
    pub(super) fn of(repository: &Repository, access: Access, mount_from: &[&Repository]) -> Self {
        let own = match access {
            Access::Pull => format!("repository:{}:pull", repository.path()),
            Access::PullPush => format!("repository:{}:pull,push", repository.path()),
        };
        let others: BTreeSet<&str> = mount_from
            .iter()
            .filter(|from| from.registry() == repository.registry() && *from != &repository)
            .map(|from| from.path())
            .collect();
        let others = others
            .into_iter()
            .map(|path| format!("repository:{path}:pull"));
        Self(std::iter::once(own).chain(others).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn joined(&self) -> String {
        self.0.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_7_a_sources_token_asks_for_pull_alone() {
        let web: Repository = "ghcr.io/acme/web".parse().unwrap();
        assert_eq!(
            Scopes::of(&web, Access::Pull, &[]).joined(),
            "repository:acme/web:pull"
        );
    }

    #[test]
    fn a_mount_asks_to_read_where_it_mounts_from() {
        let [web, dev, other]: [Repository; 3] =
            ["ghcr.io/acme/web", "ghcr.io/acme/dev", "quay.io/acme/x"]
                .map(|name| name.parse().unwrap());
        assert_eq!(
            Scopes::of(&web, Access::PullPush, &[&dev, &other, &web, &dev]).joined(),
            "repository:acme/web:pull,push repository:acme/dev:pull"
        );
    }
}
