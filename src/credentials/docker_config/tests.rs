//! Every file of tests/data/docker-config: what docker, podman, kubectl and people write.

use secrecy::ExposeSecret;

use super::*;

fn load(file: &str) -> Result<DockerConfig, CredentialsError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/docker-config")
        .join(file);
    Ok(DockerConfig::load(&path)?.expect("the file is there"))
}

/// What is used for a repository: `user:password`, a kind of token, a helper, or nothing.
fn used(file: &str, repository: &str) -> String {
    let config = load(file).unwrap();
    let repository: Repository = repository.parse().unwrap();
    if let Some(helper) = config.helper(repository.registry()) {
        return format!("docker-credential-{helper}");
    }
    match config.credential(&repository) {
        None => "anonymous".to_owned(),
        Some(RegistryCredential::Password { user, password }) => {
            format!("{user}:{}", password.expose_secret())
        }
        Some(RegistryCredential::RefreshToken(token)) => {
            format!("refresh {}", token.expose_secret())
        }
        Some(RegistryCredential::Bearer(token)) => format!("bearer {}", token.expose_secret()),
    }
}

#[test]
fn every_form_leads_to_its_credential() {
    for (file, repository, expected) in [
        ("auth_ghcr.json", "ghcr.io/a/b", "octocat:made-up-password"),
        ("auth_ghcr.json", "quay.io/a/b", "anonymous"),
        ("auth_url_keys.json", "registry.example/a", "v1:p"),
        ("auth_url_keys.json", "other.example/a", "v2:p"),
        ("auth_url_keys.json", "plain.example/a", "pl:p"),
        ("auth_url_keys.json", "slash.example/a", "sl:p"),
        ("auth_ports.json", "localhost:5001/a", "six:p"),
        ("auth_ports.json", "registry.example/a", "anonymous"),
        ("auth_paths.json", "ghcr.io/org-a/app", "app:p"),
        ("auth_paths.json", "ghcr.io/org-a/application", "a:p"),
        ("auth_paths.json", "ghcr.io/org-b/app", "root:p"),
        (
            "auth_username_password.json",
            "registry.example/a",
            "octocat:made-up-password",
        ),
        (
            "auth_all_fields.json",
            "registry.example/a",
            "octocat:made-up-password",
        ),
        (
            "auth_and_username_disagree.json",
            "registry.example/a",
            "octocat:made-up-password",
        ),
        (
            "auth_password_with_colon.json",
            "registry.example/a",
            "octocat:pa:ss:word",
        ),
        (
            "identitytoken_acr.json",
            "myregistry.azurecr.io/a",
            "refresh made-up-refresh-token",
        ),
        (
            "registrytoken.json",
            "registry.example/a",
            "bearer made-up-bearer",
        ),
        (
            "cred_helpers_with_auths.json",
            "ghcr.io/a",
            "octocat:made-up-password",
        ),
        (
            "cred_helpers_with_auths.json",
            "europe-docker.pkg.dev/p/r/a",
            "docker-credential-gcloud",
        ),
        (
            "creds_store_desktop.json",
            "ghcr.io/a",
            "docker-credential-desktop",
        ),
        (
            "creds_store_pass.json",
            "quay.io/a",
            "docker-credential-pass",
        ),
        (
            "creds_store_empty_string.json",
            "ghcr.io/a",
            "octocat:made-up-password",
        ),
        (
            "setup_buildx_runner.json",
            "ghcr.io/a",
            "octocat:made-up-password",
        ),
        (
            "setup_buildx_runner.json",
            "acme/web",
            "hubuser:dckr_pat_madeup",
        ),
        ("empty_object.json", "ghcr.io/a", "anonymous"),
        ("empty_auths.json", "ghcr.io/a", "anonymous"),
        ("null_auths.json", "ghcr.io/a", "anonymous"),
        ("empty_entry.json", "registry.example/a", "anonymous"),
        ("empty_auth_string.json", "registry.example/a", "anonymous"),
        ("empty_file.json", "ghcr.io/a", "anonymous"),
        ("dockercfg_legacy.json", "ghcr.io/a", "anonymous"),
        // Hosts compare without case, as everywhere in DNS; docker compares bytes.
        (
            "upper_case_host.json",
            "ghcr.io/a",
            "octocat:made-up-password",
        ),
        ("bom.json", "ghcr.io/a", "octocat:made-up-password"),
        (
            "auth_with_newline.json",
            "ghcr.io/a",
            "octocat:made-up-password",
        ),
        (
            "auth_line_wrapped.json",
            "ghcr.io/a",
            "octocat:made-up-password",
        ),
        ("auth_unpadded.json", "ghcr.io/a", "octocat:made-up-pass"),
    ] {
        assert_eq!(used(file, repository), expected, "{file}, {repository}");
    }
}

#[test]
fn docker_hub_has_one_name_and_one_entry() {
    for repository in ["acme/web", "docker.io/acme/web", "index.docker.io/acme/web"] {
        assert!(
            used("auth_dockerhub_legacy_key.json", repository).starts_with("octocat:"),
            "{repository}"
        );
    }
    let config = load("auth_dockerhub_other_keys.json").unwrap();
    assert_eq!(used("auth_dockerhub_other_keys.json", "acme/web"), "one:p1");
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
}

#[test]
fn a_malformed_file_is_refused_by_place_and_never_by_value() {
    for (file, part) in [
        ("utf16.json", "UTF-16"),
        ("auth_url_alphabet.json", "ghcr.io: its auth is not base64"),
        (
            "malformed_auth_not_base64.json",
            "ghcr.io: its auth is not base64",
        ),
        (
            "malformed_auth_no_colon.json",
            "ghcr.io: its auth is not base64 of user:password",
        ),
        ("malformed_truncated.json", "ends too early, at line "),
        ("malformed_trailing_comma.json", "is not JSON, at line "),
        ("malformed_array.json", "at line 1 column"),
        ("malformed_auth_number.json", "wrong type, at line "),
    ] {
        let error = load(file).unwrap_err().to_string();
        assert!(
            error.contains(part) && error.contains(file),
            "{file}: {error}"
        );
        for secret in ["made-up", "b2N0b2NhdDp", "octocat"] {
            assert!(!error.contains(secret), "{file}: {error}");
        }
    }
}

#[test]
fn no_file_is_no_error() {
    assert!(
        DockerConfig::load(Path::new("no/such/config.json"))
            .unwrap()
            .is_none()
    );
}
