//! The table of variables that a command line reads, in addition to one for each input.

use super::verb::Verb;
use super::verb_groups::{
    ARCHIVING, REGISTRY_VERBS, RELEASE_VERBS, SIGNING, TAGGING_VERBS, TAGS_VERBS,
};

/// Variable that other programs also read.
#[derive(Debug)]
pub(super) struct VariableDeclaration {
    /// Its name.
    pub(super) name: &'static str,
    /// Verbs that read it.
    pub(super) verbs: &'static [Verb],
    /// Purpose, in one line.
    pub(super) help: &'static str,
}

const fn variable(
    name: &'static str,
    verbs: &'static [Verb],
    help: &'static str,
) -> VariableDeclaration {
    VariableDeclaration { name, verbs, help }
}

/// Every such variable, in the order in which documents list them.
pub(super) const VARIABLES: &[VariableDeclaration] = &[
    variable(
        "COSIGN_PRIVATE_KEY",
        SIGNING,
        "Private key to sign with, if signing-key is not given",
    ),
    variable("COSIGN_PASSWORD", SIGNING, "Password of the private key"),
    variable(
        "DOCKER_CONFIG",
        REGISTRY_VERBS,
        "Directory of Docker's config.json with its logins",
    ),
    variable(
        "DOCKER_AUTH_CONFIG",
        REGISTRY_VERBS,
        "Logins, as the text of a config.json",
    ),
    variable(
        "REGISTRY_AUTH_FILE",
        REGISTRY_VERBS,
        "Podman's file of logins",
    ),
    variable(
        "DOCKER_HOST",
        REGISTRY_VERBS,
        "Address of the Docker engine, for docker-daemon:NAME",
    ),
    variable(
        "AWS_ACCESS_KEY_ID",
        ARCHIVING,
        "Key for the API of Amazon ECR, with AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    variable(
        "AWS_ENDPOINT_URL_ECR",
        ARCHIVING,
        "Address of the API of Amazon ECR, else AWS_ENDPOINT_URL, else that of the region",
    ),
    variable("TMPDIR", RELEASE_VERBS, "Directory for unpacked archives"),
    variable(
        "DOCKER_METADATA_SHORT_SHA_LENGTH",
        TAGGING_VERBS,
        "Length of short SHAs in tags, instead of 7",
    ),
    variable(
        "DOCKER_METADATA_ANNOTATIONS_LEVELS",
        TAGS_VERBS,
        "Levels of the annotations, such as manifest,index",
    ),
    variable("HTTPS_PROXY", Verb::ALL, "Proxy for requests by TLS"),
    variable("HTTP_PROXY", Verb::ALL, "Proxy for other requests"),
    variable("NO_PROXY", Verb::ALL, "Hosts to reach without a proxy"),
    variable(
        "SSL_CERT_FILE",
        Verb::ALL,
        "Certificates to trust instead of the system's, as PEM",
    ),
    variable(
        "SSL_CERT_DIR",
        Verb::ALL,
        "Directory of certificates to trust instead of the system's",
    ),
    variable(
        "NO_COLOR",
        Verb::ALL,
        "Text without colours, unless --color says otherwise",
    ),
    variable(
        "CLICOLOR_FORCE",
        Verb::ALL,
        "Text with colours also where no terminal shows it",
    ),
];

/// Returns the variables that a verb reads.
pub(super) fn variables_of(verb: Verb) -> impl Iterator<Item = &'static VariableDeclaration> {
    VARIABLES
        .iter()
        .filter(move |variable| variable.verbs.contains(&verb))
}

/// What each exit status means.
pub(super) const EXIT_STATUSES: [(u8, &str); 5] = [
    (0, "Success, also if everything was already up to date"),
    (1, "A rule refused the run"),
    (2, "An input is invalid, or a login was rejected"),
    (
        3,
        "A registry, a service or the disk failed, or a login is missing",
    ),
    (130, "The run was cancelled"),
];
