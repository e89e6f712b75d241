//! What each input may do where a policy has the environment.

use super::declared_inputs::Input;

/// Effect that an input may have in a release to an environment of the policy. Each text says in a sentence
/// without a full stop what that means for the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyEffect {
    /// The policy has no rule that the input could change.
    Free,
    /// The input can add to the rules of the policy or make them stricter. What would loosen them is refused.
    TightensOnly(&'static str),
    /// The policy has the value. An input that names another one is refused.
    FixedByPolicy(&'static str),
    /// The input is refused.
    Refused(&'static str),
}

impl PolicyEffect {
    /// Returns the effect as the documentation's table names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::TightensOnly(_) => "only tightens",
            Self::FixedByPolicy(_) => "fixed by the policy",
            Self::Refused(_) => "refused",
        }
    }

    /// Returns what the effect means for the input; empty for [`PolicyEffect::Free`].
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Free => "",
            Self::TightensOnly(text) | Self::FixedByPolicy(text) | Self::Refused(text) => text,
        }
    }
}

impl Input {
    /// Returns what the input may do in a release to an environment of the policy, and in `check`, `verify`
    /// and `rollback` there.
    pub const fn under_policy(self) -> PolicyEffect {
        match self {
            Self::Source => PolicyEffect::TightensOnly(
                "the image must be in an environment of `from`, and is read where the policy says",
            ),
            Self::Sources => {
                PolicyEffect::TightensOnly("the digests must be in environments of `from`")
            }
            Self::Plan => {
                PolicyEffect::TightensOnly("the promotion must have the plan that was approved")
            }
            Self::Images => PolicyEffect::FixedByPolicy(
                "a repository of an environment has that environment's rules, however it is named; others are not released to with `environment`",
            ),
            Self::Platforms => PolicyEffect::TightensOnly(
                "fewer platforms are released; what the gates demand of platforms stays",
            ),
            Self::Tags | Self::Flavor => {
                PolicyEffect::FixedByPolicy("refused where the environment has `tags`")
            }
            Self::Version => PolicyEffect::FixedByPolicy(
                "refused where the environment has `tags`; else it must agree with all that names the image",
            ),
            Self::ExcludeVersions => {
                PolicyEffect::Refused("the key `exclude-versions` of the policy says it")
            }
            Self::Lines => PolicyEffect::TightensOnly(
                "`off` stops version lines; `on` is refused where the policy has `lines: off`",
            ),
            Self::Existing => PolicyEffect::TightensOnly(
                "`fail` is stricter; `keep` is refused where the environment does not have `existing: keep`",
            ),
            Self::ScanFailOn => PolicyEffect::TightensOnly(
                "a stricter severity than `gates.scan.fail-on`; a weaker one is refused",
            ),
            Self::IgnoreUnfixed => PolicyEffect::TightensOnly(
                "`false` is stricter; `true` is refused where the policy does not say it",
            ),
            Self::Vex => PolicyEffect::FixedByPolicy(
                "documents are those of `gates.scan.vex`, read at the policy's commit; others are refused",
            ),
            Self::OverrideFreeze => PolicyEffect::FixedByPolicy(
                "passes windows with `override: true` alone; record and summary carry the reason",
            ),
            Self::Ref | Self::Commit | Self::Event => {
                PolicyEffect::Refused("in a runner: the event says it, and nobody else")
            }
            Self::Policy => PolicyEffect::TightensOnly(
                "adds environments; one that both files have must be the same in both",
            ),
            Self::Record => {
                PolicyEffect::FixedByPolicy("every release is recorded: `off` is refused")
            }
            Self::Sign => PolicyEffect::TightensOnly(
                "adds signatures where the environment has no `sign`; cannot leave out or replace those of the policy",
            ),
            Self::Unbound => PolicyEffect::TightensOnly(
                "`refuse` is stricter; `allow` is refused where the policy does not say it",
            ),
            Self::SigningKey => PolicyEffect::FixedByPolicy(
                "the records must be signed by a signer of the environment",
            ),
            Self::TransparencyLog => PolicyEffect::FixedByPolicy(
                "the key `transparency-log`: `attestations` is refused where keyless `signers` count and the policy does not say it, and `off` always",
            ),
            Self::TrustedRoot => PolicyEffect::FixedByPolicy(
                "the key `trusted-root`, else the public instance: another one is refused where keyless `signers` count",
            ),
            Self::FulcioUrl
            | Self::RekorUrl
            | Self::TsaUrl
            | Self::OidcIssuer
            | Self::OidcAudience
            | Self::SigningConfig => PolicyEffect::FixedByPolicy(INSTANCE),
            Self::VerifySource | Self::Attestation => {
                PolicyEffect::TightensOnly("adds a check to those of the policy")
            }
            Self::Key
            | Self::CertificateIdentity
            | Self::CertificateOidcIssuer
            | Self::CertificateGithubWorkflowRepository
            | Self::CertificateGithubWorkflowRef
            | Self::CertificateGithubWorkflowSha
            | Self::CertificateGithubWorkflowTrigger
            | Self::CertificateGithubWorkflowName
            | Self::CertificateGithubWorkflowUri
            | Self::CertificateRunnerEnvironment => PolicyEffect::FixedByPolicy(SIGNERS),
            Self::Environment
            | Self::Services
            | Self::Command
            | Self::PlatformsDropSignatures
            | Self::Referrers
            | Self::ForeignLayers
            | Self::ScratchLimit
            | Self::Bundle
            | Self::Artifact
            | Self::Digest
            | Self::Apply
            | Self::PlanFile
            | Self::Explain
            | Self::KeepTags
            | Self::Archive
            | Self::Cache
            | Self::MaxRequests
            | Self::Mode
            | Self::Context
            | Self::For
            | Self::Labels
            | Self::Annotations
            | Self::SepTags
            | Self::SepLabels
            | Self::SepAnnotations
            | Self::BakeTarget
            | Self::Reinstate
            | Self::Reason
            | Self::Link
            | Self::Dockerfile
            | Self::Target
            | Self::ExpectHead
            | Self::Withdraw
            | Self::To
            | Self::State
            | Self::Release
            | Self::Name
            | Self::Limit
            | Self::All
            | Self::Verify
            | Self::Since
            | Self::Tag
            | Self::SignatureFormat
            | Self::Recursive
            | Self::SignAnnotations
            | Self::Sbom
            | Self::ScanReport
            | Self::Provenance
            | Self::VerificationSummary
            | Self::GithubAttestations
            | Self::Credentials
            | Self::CaFile
            | Self::InsecureRegistries
            | Self::CredentialsOverHttp
            | Self::TlsVerify
            | Self::ClientCert
            | Self::ClientKey
            | Self::Deployments
            | Self::StorageRecord
            | Self::DryRun
            | Self::AllowDirty
            | Self::Offline
            | Self::Comment
            | Self::CommentAuthor
            | Self::GithubToken => PolicyEffect::Free,
        }
    }
}

const INSTANCE: &str = "a certificate or timestamp of another instance than that of the policy's trusted root does not count, and the release is refused before anything is written";
const SIGNERS: &str = "whose signatures count, the signers of the policy say; the input can add a check of the source, and replaces none";
