//! Names of images that hold a user and a password, which belong in `credentials`.

/// Returns whether an image name begins with a login, as in `robot:word@ghcr.io/acme/web`.
pub(super) fn holds_login(name: &str) -> bool {
    const PATHS: [&str; 4] = ["oci:", "oci-archive:", "docker-archive:", "docker-daemon:"];
    if PATHS.iter().any(|scheme| name.starts_with(scheme)) {
        return false;
    }
    let after_scheme = name.split_once("://").map_or(name, |(_, rest)| rest);
    let host = after_scheme.split('/').next().unwrap_or_default();
    let has_path = host.len() < after_scheme.len();
    // A digest comes after the last part of a name.
    has_path && host.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_7_a_login_in_a_name_is_known() {
        for name in [
            "robot:word@ghcr.io/acme/web",
            "https://robot:word@ghcr.io/acme/web:1.4.0",
            "docker://token@127.0.0.1:5000/acme/web",
        ] {
            assert!(holds_login(name), "{name}");
        }
        for name in [
            "ghcr.io/acme/web@sha256:4813",
            "web:1.4.0@sha256:4813",
            "sha256:4813",
            "oci:a@b/c",
            "oci-archive:x@y/image.tar",
            "https://ghcr.io/acme/web",
            "./a@b/c",
        ] {
            assert!(!holds_login(name), "{name}");
        }
    }
}
