/// The `owner/name` of a remote's URL, where it has just these two parts after its host, as on
/// GitHub. Credentials in the URL are passed over.
pub(super) fn repository_of_url(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.split_once('/')?.1,
        Some(_) => return None,
        // git@github.com:acme/web.git
        None => {
            let (host, path) = url.split_once(':')?;
            if host.contains('/') {
                return None;
            }
            path.trim_start_matches('/')
        }
    };
    let path = path.trim_end_matches('/');
    let (owner, name) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
    (is_name_part(owner) && is_name_part(name)).then(|| format!("{owner}/{name}"))
}

fn is_name_part(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_read_from_the_usual_urls() {
        for url in [
            "https://github.com/acme/web",
            "https://github.com/acme/web.git",
            "https://github.com/acme/web/",
            "https://x-access-token:s3cret@github.com/acme/web.git",
            "git@github.com:acme/web.git",
            "ssh://git@github.com:22/acme/web.git",
        ] {
            assert_eq!(repository_of_url(url).as_deref(), Some("acme/web"), "{url}");
        }
        for url in [
            "",
            "/srv/git/acme/web.git",
            "../acme/web",
            "file:///srv/acme/web",
            "https://gitlab.com/group/sub/web",
            "https://github.com/web",
            "https://github.com/acme/we\nb",
            "./a:b/c",
        ] {
            assert_eq!(repository_of_url(url), None, "{url:?}");
        }
    }
}
