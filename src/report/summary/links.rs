//! Addresses of pages at GitHub that a summary links to; none is made that may be wrong.

use url::Url;

use crate::image::{CommitId, Destination, Repository};
use crate::report::markdown::escape_text;

/// Page of a repository at GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RepositoryPage(Url);

impl RepositoryPage {
    /// Returns the page of `owner/name` on a server.
    pub(super) fn new(server: &Url, owner_and_name: &str) -> Option<Self> {
        let (owner, name) = owner_and_name.split_once('/')?;
        let is_name = |part: &str| {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !part.is_empty() && part.chars().all(is_allowed) && !matches!(part, "." | "..")
        };
        (is_name(owner) && is_name(name)).then(|| Self(extend(server, &[owner, name])))
    }

    /// Returns the page of the repository that a source label names, if it is on the server.
    pub(super) fn from_source_label(server: &Url, label: &str) -> Option<Self> {
        let address = Url::parse(label).ok()?;
        let is_same_host =
            address.host_str() == server.host_str() && address.port() == server.port();
        let path = address.path().trim_matches('/');
        let is_web_page = matches!(address.scheme(), "https" | "http") && is_same_host;
        is_web_page
            .then(|| Self::new(server, path.strip_suffix(".git").unwrap_or(path)))
            .flatten()
    }

    /// Returns the page of a commit.
    pub(super) fn commit(&self, commit: &CommitId) -> Url {
        extend(&self.0, &["commit", commit.as_str()])
    }

    /// Returns the page of the commits between two.
    pub(super) fn comparison(&self, from: &CommitId, to: &CommitId) -> Url {
        extend(&self.0, &["compare", &format!("{from}...{to}")])
    }

    /// Returns the page of an attempt of a workflow run.
    pub(super) fn run(&self, id: u64, attempt: u64) -> Url {
        let (id, attempt) = (id.to_string(), attempt.to_string());
        let mut path = vec!["actions", "runs", &id];
        if attempt != "1" {
            path.extend(["attempts", &attempt]);
        }
        extend(&self.0, &path)
    }
}

/// Kind of account that owns a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnerKind {
    /// An organization.
    Organization,
    /// A user.
    User,
}

/// Owner of the repository that the workflow belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RepositoryOwner {
    pub(super) name: String,
    pub(super) kind: OwnerKind,
}

/// Returns the page of the package that a destination is, for packages of `owner` at ghcr.io: only of
/// them is known whether a user or an organization owns them.
pub(super) fn package_page(
    server: &Url,
    owner: &RepositoryOwner,
    destination: &Destination,
) -> Option<Url> {
    let Destination::Registry(repository) = destination else {
        return None;
    };
    let is_at_github = server.host_str() == Some("github.com") && is_ghcr(repository);
    let (of, name) = repository.path().split_once('/')?;
    if !is_at_github || !of.eq_ignore_ascii_case(&owner.name) {
        return None;
    }
    let kind = match owner.kind {
        OwnerKind::Organization => "orgs",
        OwnerKind::User => "users",
    };
    Some(extend(
        server,
        &[kind, &owner.name, "packages", "container", "package", name],
    ))
}

fn is_ghcr(repository: &Repository) -> bool {
    repository.registry().as_str() == "ghcr.io"
}

/// Returns `text`, already Markdown, as a link. The address is percent-encoded, so it has no `>`.
pub(super) fn link(text: &str, address: &Url) -> String {
    format!("[{text}](<{address}>)")
}

/// Returns `base` with further segments, each percent-encoded.
fn extend(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Returns a text that a record states, as a link if it is the address of a web page.
pub(super) fn text_or_link(text: &str) -> String {
    let address = Url::parse(text).ok();
    let address = address.filter(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "https" | "http") && is_bare
    });
    match address {
        // A bar ends the cell of a table.
        Some(url) => {
            let address = url.as_str().replace('|', "%7C");
            format!("[{}](<{address}>)", escape_text(text))
        }
        None => escape_text(text),
    }
}

/// Returns a remark on an entry, in which the address after `link: ` is a link.
pub(super) fn remark_text(remark: &str) -> String {
    match remark.strip_prefix("link: ") {
        Some(address) => format!("link: {}", text_or_link(address)),
        None => escape_text(remark),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Url {
        "https://github.com".parse().unwrap()
    }

    #[test]
    fn promise_8_only_addresses_of_web_pages_become_links() {
        for (text, expected) in [
            (
                "https://example.com/7",
                "[https&#58;//example.com/7](<https://example.com/7>)",
            ),
            (
                "https://e.com/a|b>c",
                "[https&#58;//e.com/a\\|b>c](<https://e.com/a%7Cb%3Ec>)",
            ),
            ("javascript:alert(1)", "javascript:alert(1)"),
            (
                "https://user@example.com",
                "https&#58;//user@&#8203;example.com",
            ),
            ("see the log", "see the log"),
        ] {
            assert_eq!(text_or_link(text), expected);
        }
        let remark = "link: https://example.com/";
        let expected = "link: [https&#58;//example.com/](<https://example.com/>)";
        assert_eq!(remark_text(remark), expected);
    }

    #[test]
    fn a_source_label_gives_a_page_on_the_same_server_only() {
        for (label, expected) in [
            (
                "https://github.com/acme/web",
                Some("https://github.com/acme/web"),
            ),
            (
                "https://github.com/acme/web.git",
                Some("https://github.com/acme/web"),
            ),
            (
                "https://github.com/acme/web/",
                Some("https://github.com/acme/web"),
            ),
            ("https://gitlab.com/acme/web", None),
            ("https://github.com/acme", None),
            ("https://github.com/acme/web/tree/main", None),
            ("https://github.com:8443/acme/web", None),
            ("javascript:alert(1)", None),
            ("git@github.com:acme/web.git", None),
            ("", None),
        ] {
            let page = RepositoryPage::from_source_label(&server(), label);
            assert_eq!(
                page.map(|page| page.0.to_string()).as_deref(),
                expected,
                "{label}"
            );
        }
    }

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        for text in [
            "acme",
            "acme/web/x",
            "a b/web",
            "../web",
            "acme/<b>",
            "/web",
        ] {
            assert_eq!(RepositoryPage::new(&server(), text), None, "{text}");
        }
        let page = RepositoryPage::new(&server(), "acme/web.js").unwrap();
        assert_eq!(
            page.run(7, 1).as_str(),
            "https://github.com/acme/web.js/actions/runs/7"
        );
        assert!(
            page.run(7, 2)
                .as_str()
                .ends_with("/actions/runs/7/attempts/2")
        );
    }

    #[test]
    fn only_packages_of_the_known_owner_have_a_page() {
        let owner = |kind| RepositoryOwner {
            name: "acme".to_owned(),
            kind,
        };
        let page = |kind, place: &str| {
            let page = package_page(&server(), &owner(kind), &place.parse().unwrap());
            page.map(|page| page.to_string())
        };
        let organization = OwnerKind::Organization;
        assert_eq!(
            page(organization, "ghcr.io/acme/web/prod").as_deref(),
            Some("https://github.com/orgs/acme/packages/container/package/web%2Fprod")
        );
        assert_eq!(
            page(OwnerKind::User, "ghcr.io/acme/web").as_deref(),
            Some("https://github.com/users/acme/packages/container/package/web")
        );
        assert_eq!(page(organization, "ghcr.io/other/web"), None);
        assert_eq!(page(organization, "quay.io/acme/web"), None);
        assert_eq!(page(organization, "oci:acme/web"), None);
    }
}
