//! Claims about the run that Fulcio writes into a certificate.

use std::fmt;

use sigstore_crypto::CertificateInfo;

/// Something that Fulcio writes into the certificate of a workflow on GitHub: exact texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateCondition {
    /// `acme/web`
    Repository,
    /// The git ref that was built: `refs/heads/main`.
    Ref,
    /// The commit that was built.
    Sha,
    /// The event: `push`.
    Trigger,
    /// The workflow's displayed name.
    Name,
    /// The workflow that ran, with its ref, which calls the one that the identity names:
    /// `https://github.com/acme/web/.github/workflows/ci.yml@refs/heads/main`.
    Workflow,
    /// `github-hosted` or `self-hosted`.
    RunnerEnvironment,
}

impl CertificateCondition {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Repository,
        Self::Ref,
        Self::Sha,
        Self::Trigger,
        Self::Name,
        Self::Workflow,
        Self::RunnerEnvironment,
    ];

    /// What the certificate says there.
    pub(super) fn value_in(self, certificate: &CertificateInfo) -> Option<&str> {
        let claims = &certificate.ci_claims;
        let before = &claims.deprecated_github;
        let value = match self {
            Self::Repository => &before.workflow_repository,
            Self::Ref => claims
                .source_repository_ref
                .as_ref()
                .map_or(&before.workflow_ref, |_| &claims.source_repository_ref),
            Self::Sha => claims
                .source_repository_digest
                .as_ref()
                .map_or(&before.workflow_sha, |_| &claims.source_repository_digest),
            Self::Trigger => claims
                .build_trigger
                .as_ref()
                .map_or(&before.workflow_trigger, |_| &claims.build_trigger),
            Self::Name => &before.workflow_name,
            Self::Workflow => &claims.build_config_uri,
            Self::RunnerEnvironment => &claims.runner_environment,
        };
        value.as_deref()
    }
}

impl fmt::Display for CertificateCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repository => "repository",
            Self::Ref => "ref",
            Self::Sha => "commit",
            Self::Trigger => "event",
            Self::Name => "workflow's name",
            Self::Workflow => "workflow",
            Self::RunnerEnvironment => "runner environment",
        })
    }
}
