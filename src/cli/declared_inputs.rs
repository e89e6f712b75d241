//! The table of inputs.

use super::heading::Heading;
use super::input_declaration::{DEFAULTS, InputCondition, InputDeclaration, InputKind};
use super::verb::Verb;
use super::verb_groups::{
    ARCHIVING, BUNDLE_VERBS, CHECK, COMMIT_VERBS, DECIDING_VERBS, DIGEST_VERBS, DRY_RUN_VERBS,
    EXCLUDING_VERBS, HISTORY, HOLD, HOLDING_VERBS, MARK, NAMED_RELEASE_VERBS, OFFLINE_VERBS,
    PLACE_VERBS, POLICY_VERBS, PROMOTE_VERBS, PROMOTING_VERBS, PRUNE, RECORDING, RECURSIVE_VERBS,
    REGISTRY_VERBS, RELEASE_VERBS, ROLLBACK, SCANNING_VERBS, SERVICE_VERBS, SIGN_BUNDLE,
    SIGNATURE_VERBS, SIGNING, SOURCE_CHECKING, SOURCE_REQUIRED, SOURCE_VERBS, TAGGING_VERBS,
    TAGS_VERBS, TOLD_VERBS, VERIFYING, VERSION_VERBS,
};

/// Declares [`Input`] and [`INPUTS`] from one row for each input, under its heading: variant, name and the
/// fields that differ from [`DEFAULTS`].
macro_rules! declare_inputs {
    ($($heading:ident { $($variant:ident, $name:literal { $($field:ident: $value:expr,)* })* })*) => {
        /// Input of the program, by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Input {
            $($(#[doc = concat!("`", $name, "`")] $variant,)*)*
        }

        impl Input {
            /// Every input, in the order of [`INPUTS`].
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// Returns the name as it is written, such as `dry-run`.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$variant => $name,)*)*
                }
            }

            /// Returns the input's row of the table.
            pub const fn declaration(self) -> &'static InputDeclaration {
                &INPUTS[self as usize]
            }

            /// Returns the input of that name.
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|input| input.name() == name)
            }
        }

        /// Every input, in the order in which documents list them.
        pub const INPUTS: &[InputDeclaration] = &[
            $($(InputDeclaration {
                name: $name,
                heading: Heading::$heading,
                $($field: $value,)*
                ..DEFAULTS
            },)*)*
        ];
    };
}

declare_inputs! {
    Run {
        Command, "command" {
            verbs: &[], kind: InputKind::Choice(Verb::NAMES), default: Some("tags"),
            help: "Verb to run",
        }
    }
    SourceAndDestination {
        Source, "source" {
            verbs: SOURCE_VERBS, kind: InputKind::Text("IMAGE"), required: SOURCE_REQUIRED, path: true,
            help: "Image to read: in a registry, an image layout, an archive or an engine",
        }
        Sources, "sources" {
            verbs: PROMOTING_VERBS, kind: InputKind::List("SERVICE=DIGEST"),
            help: "Digests to promote, one for each service, instead of source",
        }
        Plan, "plan" {
            verbs: PROMOTE_VERBS, kind: InputKind::Text("DIGEST"),
            help: "Plan of a check: a promotion with another plan is refused",
        }
        Images, "images" {
            verbs: PLACE_VERBS, kind: InputKind::List("PLACE"), path: true,
            help: "Destinations: repositories without a tag, or oci:DIR for an image layout",
        }
        Platforms, "platforms" {
            verbs: DECIDING_VERBS, kind: InputKind::List("PLATFORM"),
            help: "Platforms to release, such as linux/amd64, instead of all",
        }
        PlatformsDropSignatures, "platforms-drop-signatures" {
            verbs: DECIDING_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Continue if platforms makes an index that loses signatures",
        }
        Referrers, "referrers" {
            verbs: DECIDING_VERBS, kind: InputKind::Choice(&["known", "all", "none"]), default: Some("known"),
            help: "Referrers to copy with the image",
        }
        ForeignLayers, "foreign-layers" {
            verbs: DECIDING_VERBS, kind: InputKind::Choice(&["skip", "copy"]), default: Some("skip"),
            help: "Treatment of layers that name other addresses: base layers of Windows",
        }
        ScratchLimit, "scratch-limit" {
            verbs: DECIDING_VERBS, kind: InputKind::Text("GIB"),
            help: "Limit for unpacking an archive to disk, in GiB",
        }
        Bundle, "bundle" {
            verbs: BUNDLE_VERBS, kind: InputKind::Text("FILE"), required: BUNDLE_VERBS, path: true,
            help: "Sigstore bundle to check (verify-bundle) or to write (sign-bundle)",
        }
        Artifact, "artifact" {
            verbs: BUNDLE_VERBS, kind: InputKind::Text("FILE"), required: SIGN_BUNDLE, path: true,
            help: "File that the bundle signs",
        }
        Digest, "digest" {
            verbs: DIGEST_VERBS, kind: InputKind::Text("DIGEST"),
            help: "Digest of the image for history, or of the file that the bundle signs",
        }
    }
    Tags {
        Tags, "tags" {
            verbs: TAGGING_VERBS, kind: InputKind::List("RULE"),
            help: "Rules that give the tags, in the language of docker/metadata-action",
        }
        Flavor, "flavor" {
            verbs: TAGGING_VERBS, kind: InputKind::List("SETTING"),
            help: "Settings for all rules: latest=, prefix=, suffix=",
        }
        Version, "version" {
            verbs: VERSION_VERBS, kind: InputKind::Text("VERSION"), only_with: &[InputCondition::NamesReleaseVerb],
            // SHIPMARK_VERSION is the version of this program to whoever installs it.
            shell_name: Some("release-version"),
            help: "Version of the release, such as 1.4.0",
        }
        ExcludeVersions, "exclude-versions" {
            verbs: EXCLUDING_VERBS, kind: InputKind::List("VERSION"), only_with: &[InputCondition::NamesReleaseVerb],
            help: "Versions that never count for version lines, such as 1.10.6 or 2024.*",
        }
        Lines, "lines" {
            verbs: TAGGING_VERBS, kind: InputKind::Choice(&["on", "off"]), default: Some("on"),
            help: "Version lines: tags such as 1.4, 1 and latest that move forward",
        }
        Existing, "existing" {
            verbs: DECIDING_VERBS, kind: InputKind::Choice(&["fail", "keep"]),
            help: "Treatment of an immutable tag that points to another digest",
        }
        Mode, "mode" {
            verbs: TAGGING_VERBS, kind: InputKind::Choice(&["compatible", "strict"]), default: Some("compatible"),
            help: "Treatment of known pitfalls of docker/metadata-action",
        }
        Ref, "ref" {
            verbs: TAGGING_VERBS, kind: InputKind::Text("REF"),
            help: "Git ref to derive tags from, such as refs/tags/v1.4.0",
        }
        Commit, "commit" {
            verbs: VERSION_VERBS, kind: InputKind::Text("SHA"),
            help: "Full SHA of the commit that the image was built from",
        }
        Event, "event" {
            verbs: TAGGING_VERBS, kind: InputKind::Text("NAME[=FILE]"), path: true,
            help: "Event to derive tags from, and the file of its payload",
        }
        Context, "context" {
            verbs: TAGS_VERBS, kind: InputKind::Choice(&["workflow", "git"]), default: Some("workflow"),
            help: "Origin of ref and commit: the event, or the checkout",
        }
        For, "for" {
            verbs: TAGS_VERBS, kind: InputKind::Choice(&["push", "promote"]),
            help: "Verb whose tags to show, without a registry and a login",
        }
        Labels, "labels" {
            verbs: TAGS_VERBS, kind: InputKind::List("LABEL"),
            help: "Labels to add to those of the OCI specification, as KEY=VALUE",
        }
        Annotations, "annotations" {
            verbs: TAGS_VERBS, kind: InputKind::List("ANNOTATION"),
            help: "Annotations to add to those of the OCI specification, as KEY=VALUE",
        }
        SepTags, "sep-tags" {
            verbs: TAGS_VERBS, kind: InputKind::Verbatim("TEXT"),
            help: "Separator between tags in the outputs",
        }
        SepLabels, "sep-labels" {
            verbs: TAGS_VERBS, kind: InputKind::Verbatim("TEXT"),
            help: "Separator between labels in the outputs",
        }
        SepAnnotations, "sep-annotations" {
            verbs: TAGS_VERBS, kind: InputKind::Verbatim("TEXT"),
            help: "Separator between annotations in the outputs",
        }
        BakeTarget, "bake-target" {
            verbs: TAGS_VERBS, kind: InputKind::Text("NAME"), default: Some("docker-metadata-action"),
            help: "Target name in the bake files",
        }
    }
    Policy {
        Environment, "environment" {
            verbs: POLICY_VERBS, kind: InputKind::Text("NAME"),
            help: "Environment that is released to, verified or shown, such as prod",
        }
        Services, "services" {
            verbs: SERVICE_VERBS, kind: InputKind::Names("SERVICE"),
            help: "Services of the policy, instead of all",
        }
        Policy, "policy" {
            verbs: POLICY_VERBS, kind: InputKind::Text("FILE"), path: true, only_with: &[InputCondition::NamesReleaseVerb],
            help: "Policy file in addition to .github/shipmark.yml",
        }
        ScanFailOn, "scan-fail-on" {
            verbs: SCANNING_VERBS, kind: InputKind::Choice(&["critical", "high", "medium", "low", "negligible"]),
            help: "Severity that fails the scan gate, at least as strict as the policy's",
        }
        IgnoreUnfixed, "ignore-unfixed" {
            verbs: SCANNING_VERBS, kind: InputKind::Choice(&["true", "false"]),
            help: "Leave findings without a fix out of the scan gate, where the policy does",
        }
        Vex, "vex" {
            verbs: SCANNING_VERBS, kind: InputKind::List("FILE"), path: true,
            help: "OpenVEX documents of the policy: others are refused",
        }
        OverrideFreeze, "override-freeze" {
            verbs: DECIDING_VERBS, kind: InputKind::Text("REASON"),
            help: "Reason to release in a freeze that the policy lets pass",
        }
    }
    Records {
        Record, "record" {
            verbs: DECIDING_VERBS, kind: InputKind::Choice(&["auto", "on", "off"]), default: Some("auto"),
            help: "Record the release in the timeline of its environment",
        }
        Reinstate, "reinstate" {
            verbs: PROMOTING_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Release an image again that a rollback withdrew",
        }
        Reason, "reason" {
            verbs: RECORDING, kind: InputKind::Text("TEXT"), required: HOLDING_VERBS,
            help: "Reason of what is done, for its record",
        }
        Link, "link" {
            verbs: RECORDING, kind: InputKind::Text("URL"),
            help: "Page with more about it, for its record",
        }
        Dockerfile, "dockerfile" {
            verbs: DECIDING_VERBS, kind: InputKind::Text("PATH"),
            help: "Dockerfile that the image was built from, for its record",
        }
        Target, "target" {
            verbs: DECIDING_VERBS, kind: InputKind::Text("NAME"),
            help: "Target of the Dockerfile, for the record",
        }
        ExpectHead, "expect-head" {
            verbs: DECIDING_VERBS, kind: InputKind::Text("RECORD"),
            help: "Record that the timeline must have, as sha256:…",
        }
        Withdraw, "withdraw" {
            verbs: ROLLBACK, kind: InputKind::Text("RELEASE"),
            help: "Release to withdraw, by version, digest or record",
        }
        To, "to" {
            verbs: ROLLBACK, kind: InputKind::Text("RELEASE"),
            help: "Release to put back, by version, digest or record",
        }
        State, "state" {
            verbs: MARK, kind: InputKind::Choice(&["deployed", "failed"]), required: MARK,
            help: "State to record of the release: deployed or failed",
        }
        Release, "release" {
            verbs: NAMED_RELEASE_VERBS, kind: InputKind::Text("RELEASE"), required: HOLD,
            help: "Release to mark or hold, by version, digest or record; for hold a tag too",
        }
        Name, "name" {
            verbs: HOLDING_VERBS, kind: InputKind::Text("NAME"), required: HOLDING_VERBS,
            help: "Name of the hold, such as case-7",
        }
        Limit, "limit" {
            verbs: HISTORY, kind: InputKind::Text("NUMBER"),
            help: "Number of entries to show, the newest first",
        }
        All, "all" {
            verbs: HISTORY, kind: InputKind::Switch, default: Some("false"),
            help: "Show every entry",
        }
        Verify, "verify" {
            verbs: HISTORY, kind: InputKind::Switch, default: Some("false"),
            help: "Read and verify each entry that is shown, and check every moving tag",
        }
        Since, "since" {
            verbs: HISTORY, kind: InputKind::Text("TIME"),
            help: "Oldest time to show, as 2026-11-20 or 2026-11-20T21:48:08Z",
        }
        Tag, "tag" {
            verbs: HISTORY, kind: InputKind::Text("TAG"),
            // Of the other verbs it is a mistyped SHIPMARK_TAGS.
            shell_name: Some("history-tag"),
            help: "Tag whose images to show, with the times from when to when",
        }
    }
    Retention {
        Apply, "apply" {
            verbs: PRUNE, kind: InputKind::Text("FILE"), path: true,
            help: "Plan file to delete by: what it and a new plan both condemn",
        }
        PlanFile, "plan-file" {
            verbs: PRUNE, kind: InputKind::Text("FILE"), path: true,
            help: "File to write the plan to, for apply within 24 hours",
        }
        Explain, "explain" {
            verbs: PRUNE, kind: InputKind::Text("REFERENCE"),
            help: "Tag or digest to explain: why it goes or stays",
        }
        KeepTags, "keep-tags" {
            verbs: PRUNE, kind: InputKind::Names("PATTERN"),
            help: "Tags that stay in addition to those of the policy, with their images",
        }
        Archive, "archive" {
            verbs: ARCHIVING, kind: InputKind::Text("oci:DIR"), path: true,
            help: "Directory of image layouts for what is deleted, one per repository",
        }
        Cache, "cache" {
            verbs: PRUNE, kind: InputKind::Text("DIR"), path: true,
            help: "Directory that keeps manifests between runs, by digest",
        }
        MaxRequests, "max-requests" {
            verbs: PRUNE, kind: InputKind::Text("NUMBER"),
            help: "Most requests of the run: it ends there, and goes on the next time",
        }
    }
    Signing {
        Sign, "sign" {
            verbs: SIGNING, kind: InputKind::Choice(&["key", "keyless", "off"]),
            help: "Sign with a key, keyless with the identity of the job, or not at all",
        }
        SigningKey, "signing-key" {
            verbs: SIGNING, kind: InputKind::TextOrFile("KEY"), path: true, secret: true,
            only_with: &[InputCondition::SignsWithKey],
            help: "Private key to sign with, as PEM or the path of a PEM file",
        }
        SignatureFormat, "signature-format" {
            verbs: RELEASE_VERBS, kind: InputKind::Choice(&["bundle", "legacy", "both"]),
            help: "Format of signatures: Sigstore bundles, cosign's legacy tag, or both",
        }
        Recursive, "recursive" {
            verbs: RECURSIVE_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Also sign, or with verify check, each manifest of an index",
        }
        SignAnnotations, "sign-annotations" {
            verbs: RELEASE_VERBS, kind: InputKind::List("NAME=VALUE"), only_with: &[InputCondition::Signs],
            help: "Annotations to add to the signatures",
        }
        Sbom, "sbom" {
            verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
            help: "SBOM files to attest with the signature: CycloneDX 1 or SPDX 2, as JSON",
        }
        ScanReport, "scan-report" {
            verbs: SCANNING_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs, InputCondition::JudgesReports],
            help: "Scan reports to judge by the scan gate, or without one to attest",
        }
        Unbound, "unbound" {
            verbs: SCANNING_VERBS, kind: InputKind::Choice(&["refuse", "allow"]), only_with: &[InputCondition::Signs],
            help: "Treatment of scan reports and SBOMs that name no image",
        }
        Provenance, "provenance" {
            verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
            help: "SLSA provenance (v1 or v0.2) to attest with the signature",
        }
        VerificationSummary, "verification-summary" {
            verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
            help: "SLSA verification summaries (v1) to attest with the signature",
        }
        GithubAttestations, "github-attestations" {
            verbs: RELEASE_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Also upload keyless attestations to GitHub, for gh attestation verify",
        }
        TransparencyLog, "transparency-log" {
            verbs: SIGNATURE_VERBS, kind: InputKind::Choice(&["on", "off", "attestations"]), only_with: &[InputCondition::Signs],
            help: "Entries in a transparency log, to create or to require",
        }
    }
    SigstoreInstance {
        FulcioUrl, "fulcio-url" {
            verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::SignsKeyless],
            help: "Certificate authority of a private instance",
        }
        RekorUrl, "rekor-url" {
            verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::LogsSignature],
            help: "Transparency log (Rekor v1) of a private instance",
        }
        TsaUrl, "tsa-url" {
            verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::LogsSignature],
            help: "Timestamp authority of a private instance, as the address of requests",
        }
        OidcIssuer, "oidc-issuer" {
            verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::SignsKeyless],
            help: "OIDC issuer that the job's identity token must name",
        }
        OidcAudience, "oidc-audience" {
            verbs: SIGNING, kind: InputKind::Text("NAME"), default: Some("sigstore"),
            only_with: &[InputCondition::SignsKeyless],
            help: "Audience of the job's identity token",
        }
        SigningConfig, "signing-config" {
            verbs: SIGNING, kind: InputKind::Text("FILE"), path: true, only_with: &[InputCondition::LogsSignature],
            help: "Services of a private instance: its signing_config.v0.2.json",
        }
        TrustedRoot, "trusted-root" {
            verbs: SIGNATURE_VERBS, kind: InputKind::Text("FILE"), path: true,
            only_with: &[InputCondition::LogsSignature, InputCondition::VerifiesSource],
            help: "Keys and certificates of a private instance: its trusted_root.json",
        }
    }
    Verification {
        VerifySource, "verify-source" {
            verbs: PROMOTING_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Verify the source, as the verb verify does, before anything is copied",
        }
        Key, "key" {
            verbs: VERIFYING, kind: InputKind::TextOrFile("KEY"), path: true, only_with: &[InputCondition::VerifiesSource],
            help: "Public key that must have signed, as PEM or the path of a PEM file",
        }
        CertificateIdentity, "certificate-identity" {
            verbs: VERIFYING, kind: InputKind::Text("NAME"), only_with: &[InputCondition::VerifiesSource],
            help: "Subject that the signing certificate must have; * matches any characters",
        }
        CertificateOidcIssuer, "certificate-oidc-issuer" {
            verbs: VERIFYING, kind: InputKind::Text("URL"), default: Some("https://token.actions.githubusercontent.com"),
            only_with: &[InputCondition::ChecksCertificate],
            help: "OIDC issuer that the certificate must name",
        }
        CertificateGithubWorkflowRepository, "certificate-github-workflow-repository" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Repository that the certificate must name, such as acme/web",
        }
        CertificateGithubWorkflowRef, "certificate-github-workflow-ref" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Git ref that the certificate must name, such as refs/heads/main",
        }
        CertificateGithubWorkflowSha, "certificate-github-workflow-sha" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Commit of the run that the certificate must name",
        }
        CertificateGithubWorkflowTrigger, "certificate-github-workflow-trigger" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Event that the certificate must name, such as push",
        }
        CertificateGithubWorkflowName, "certificate-github-workflow-name" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Name of the workflow that the certificate must have",
        }
        CertificateGithubWorkflowUri, "certificate-github-workflow-uri" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Workflow of the run that the certificate must name, with its ref",
        }
        CertificateRunnerEnvironment, "certificate-runner-environment" {
            verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
            help: "Runner that the certificate must name: github-hosted or self-hosted",
        }
        Attestation, "attestation" {
            verbs: SOURCE_CHECKING, kind: InputKind::List("TYPE[,/PATH=VALUE]…"),
            only_with: &[InputCondition::VerifiesSource],
            help: "Attestations to require, by predicate type and values, or signature",
        }
    }
    RegistryAccess {
        Credentials, "credentials" {
            verbs: REGISTRY_VERBS, kind: InputKind::List("LOGIN"), secret: true,
            help: "Logins as REGISTRY[/PATH]=USER:PASSWORD, in addition to docker login",
        }
        CaFile, "ca-file" {
            kind: InputKind::Text("FILE"), path: true,
            help: "Certificates to trust in addition to the usual ones, as PEM",
        }
        InsecureRegistries, "insecure-registries" {
            verbs: REGISTRY_VERBS, kind: InputKind::List("REGISTRY"),
            help: "Registries to reach by TLS without verification, or over plain HTTP",
        }
        CredentialsOverHttp, "credentials-over-http" {
            verbs: REGISTRY_VERBS, kind: InputKind::List("REGISTRY"),
            help: "Registries that get credentials over plain HTTP",
        }
        TlsVerify, "tls-verify" {
            verbs: REGISTRY_VERBS, kind: InputKind::List("REGISTRY=off"),
            help: "Registries whose certificates are not verified, each as REGISTRY=off",
        }
        ClientCert, "client-cert" {
            kind: InputKind::Text("FILE"), path: true,
            help: "Client certificate for servers that require one, as PEM with its chain",
        }
        ClientKey, "client-key" {
            kind: InputKind::Text("FILE"), path: true,
            help: "Private key of client-cert, as PEM without a password",
        }
    }
    Run {
        Deployments, "deployments" {
            verbs: TOLD_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Show the release as a deployment at GitHub",
        }
        StorageRecord, "storage-record" {
            verbs: PROMOTE_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Record the image as a linked artifact of the organization at GitHub",
        }
        DryRun, "dry-run" {
            verbs: DRY_RUN_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Plan and report, but write nothing",
        }
        AllowDirty, "allow-dirty" {
            verbs: COMMIT_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Continue although files of the checkout differ from its commit",
        }
        Offline, "offline" {
            verbs: OFFLINE_VERBS, kind: InputKind::Switch, default: Some("false"),
            help: "Make no calls to GitHub's API, or for verification to Sigstore",
        }
        Comment, "comment" {
            verbs: CHECK, kind: InputKind::Switch, default: Some("false"),
            help: "Write the check as a comment on the pull request, and update it",
        }
        CommentAuthor, "comment-author" {
            verbs: CHECK, kind: InputKind::Text("LOGIN"), default: Some("github-actions[bot]"),
            help: "Author of the comment: the account that github-token belongs to",
        }
        GithubToken, "github-token" {
            verbs: POLICY_VERBS, kind: InputKind::Text("TOKEN"), from_workflow: Some("${{ github.token }}"), secret: true,
            help: "Token for GitHub's API",
        }
    }
}
