//! The table of inputs.

use std::fmt;

use super::input_declaration::{DEFAULTS, InputCondition, InputDeclaration, InputKind};
use super::verb::Verb;
use super::verb_groups::{
    BUNDLE_VERBS, COMMIT_VERBS, OFFLINE_VERBS, PROMOTE_VERBS, RECURSIVE_VERBS, REGISTRY_VERBS,
    RELEASE_VERBS, SIGN_BUNDLE, SIGNATURE_VERBS, SIGNING, SOURCE_CHECKING, SOURCE_REQUIRED,
    TAGGING_VERBS, TAGS_VERBS, VERIFY_BUNDLE, VERIFYING,
};

/// Declares [`Input`] and [`INPUTS`] from one row for each input: variant, name and the fields that
/// differ from [`DEFAULTS`].
macro_rules! declare_inputs {
    ($($variant:ident, $name:literal { $($field:ident: $value:expr,)* })*) => {
        /// Input of the program, by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Input {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Input {
            /// Every input, in the order of [`INPUTS`].
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name as it is written, such as `dry-run`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
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
            $(InputDeclaration {
                name: $name,
                $($field: $value,)*
                ..DEFAULTS
            },)*
        ];
    };
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Input {
    /// Returns whether its value is also kept as it was written: a list, or text with blanks around it.
    pub(super) const fn keeps_verbatim(self) -> bool {
        matches!(
            self.declaration().kind,
            InputKind::List(_) | InputKind::Verbatim(_)
        )
    }
}

impl Input {
    /// Returns the names of the verbs that take it, as one text.
    pub(super) fn verb_names(self) -> String {
        let verbs = self.declaration().verbs.iter().map(|verb| verb.name());
        verbs.collect::<Vec<_>>().join(", ")
    }
}

impl Verb {
    /// Returns the inputs that the verb takes.
    pub fn inputs(self) -> impl Iterator<Item = Input> {
        let inputs = Input::ALL.iter().copied();
        inputs.filter(move |input| input.declaration().verbs.contains(&self))
    }
}

declare_inputs! {
    Command, "command" {
        verbs: &[], kind: InputKind::Choice(Verb::NAMES), default: Some("tags"),
        help: "Verb to run",
    }
    Source, "source" {
        verbs: REGISTRY_VERBS, kind: InputKind::Text("IMAGE"), required: SOURCE_REQUIRED, path: true,
        help: "Image to read: a registry reference with tag or digest, oci:DIR[:NAME] (image layout), oci-archive:FILE[:NAME] (tar of a layout), docker-archive:FILE[:NAME] (output of docker save; FILE - is standard input) or docker-daemon:NAME (image of the Docker engine). For an environment of the policy also a tag or digest alone, of the repository that the environment takes its images from. Default for promote: the image that was built from the commit of the event or the checkout",
    }
    Images, "images" {
        verbs: TAGGING_VERBS, kind: InputKind::List("PLACE"), path: true,
        help: "Destinations: repositories without a tag, or oci:DIR (image layout). Not needed if environment names one of the policy's. For tags, image names in the form of docker/metadata-action",
    }
    Tags, "tags" {
        verbs: TAGGING_VERBS, kind: InputKind::List("RULE"),
        help: "Rules that give the tags, in the language of docker/metadata-action. Default: derived from the event, or from the source on promote",
    }
    Flavor, "flavor" {
        verbs: TAGGING_VERBS, kind: InputKind::List("SETTING"),
        help: "Settings for all rules: latest=, prefix=, suffix=",
    }
    ExcludeVersions, "exclude-versions" {
        verbs: TAGGING_VERBS, kind: InputKind::List("VERSION"), only_with: &[InputCondition::NamesReleaseVerb],
        help: "Versions that never count for version lines, such as 1.10.6 or 2024.*: a mistyped or retracted version, or old calendar tags. For an environment of the policy the policy's key exclude-versions takes its place",
    }
    Lines, "lines" {
        verbs: TAGGING_VERBS, kind: InputKind::Choice(&["on", "off"]), default: Some("on"),
        help: "Version lines: tags such as 1.4, 1 and latest that move forward to the highest release. off: give no such tag",
    }
    Mode, "mode" {
        verbs: TAGGING_VERBS, kind: InputKind::Choice(&["compatible", "strict"]), default: Some("compatible"),
        help: "compatible: behave like docker/metadata-action and warn about known pitfalls. strict: fix them",
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
        help: "Separator between tags in the outputs. Default: a line break",
    }
    SepLabels, "sep-labels" {
        verbs: TAGS_VERBS, kind: InputKind::Verbatim("TEXT"),
        help: "Separator between labels in the outputs. Default: a line break",
    }
    SepAnnotations, "sep-annotations" {
        verbs: TAGS_VERBS, kind: InputKind::Verbatim("TEXT"),
        help: "Separator between annotations in the outputs. Default: a line break",
    }
    BakeTarget, "bake-target" {
        verbs: TAGS_VERBS, kind: InputKind::Text("NAME"), default: Some("docker-metadata-action"),
        help: "Target name in the bake files",
    }
    Context, "context" {
        verbs: TAGS_VERBS, kind: InputKind::Choice(&["workflow", "git"]), default: Some("workflow"),
        help: "Where ref and commit come from. workflow: the event. git: the checkout",
    }
    For, "for" {
        verbs: TAGS_VERBS, kind: InputKind::Choice(&["push", "promote"]),
        help: "Verb whose tags to show: push, or promote, without a registry and a login. Default: the tags of docker/metadata-action",
    }
    GithubToken, "github-token" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("TOKEN"), from_workflow: Some("${{ github.token }}"), secret: true,
        help: "Token for GitHub's API, for details that the event lacks (also whether the repository is public, before it is named in the public log), for the policy if there is no checkout, and for github-attestations",
    }
    Offline, "offline" {
        verbs: OFFLINE_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Make no calls to GitHub's API or, for verification, to Sigstore's TUF repository: details that the event lacks stay empty, and the trusted root of the public Sigstore instance is the one in this program",
    }
    Environment, "environment" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("NAME"),
        help: "Environment to release to; promote moves the tag of its name. If there is a policy, one of the policy's environments",
    }
    Version, "version" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("VERSION"), only_with: &[InputCondition::NamesReleaseVerb],
        help: "Version to release the image as, such as 1.4.0, for the tags of the default table. Default for promote: the version of the event, of the tag given as source, of the image's label, or of the source repository's version tags that name the image, the first that is a full version; for push that of the event",
    }
    Services, "services" {
        verbs: RELEASE_VERBS, kind: InputKind::List("SERVICE"),
        help: "Services of the policy to release. Default: all",
    }
    Policy, "policy" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("FILE"), path: true, only_with: &[InputCondition::NamesReleaseVerb],
        help: "Policy file in addition to .github/shipmark.yml: environments with their repositories, and services. It only adds: the environments of .github/shipmark.yml always apply if that file exists. In a workflow both files are read from the workflow's own commit",
    }
    Existing, "existing" {
        verbs: RELEASE_VERBS, kind: InputKind::Choice(&["fail", "keep"]),
        help: "If an immutable tag already points to another digest: fail, or keep and release the existing image. Default: version tags fail, and a SHA tag on push keeps an image of the same commit. The existing image must pass every check of the source; a promotion, or a push that names a version, continues with it only on more evidence than its own label: a signature of this signer, verify-source, or its presence in the environment's from",
    }
    Platforms, "platforms" {
        verbs: RELEASE_VERBS, kind: InputKind::List("PLATFORM"),
        help: "Platforms to release, such as linux/amd64, linux/arm/v7 or windows(10.0.17763)/amd64. Creates a new index, with another digest, of these images and their attestations. Default: the image is released unchanged",
    }
    PlatformsDropSignatures, "platforms-drop-signatures" {
        verbs: RELEASE_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Continue if the new index that platforms creates loses signatures of the source's index",
    }
    Referrers, "referrers" {
        verbs: RELEASE_VERBS, kind: InputKind::Choice(&["known", "all", "none"]), default: Some("known"),
        help: "Referrers to copy with the image: known (signatures, SBOMs, provenance, attestations, scan reports, VEX), all, or none. Release records of another environment are never copied",
    }
    ForeignLayers, "foreign-layers" {
        verbs: RELEASE_VERBS, kind: InputKind::Choice(&["skip", "copy"]), default: Some("skip"),
        help: "Layers that may not be distributed and name other addresses (base layers of Windows): skip leaves them there and reports them, copy copies them from the source, such as for a network without access to those addresses",
    }
    Sign, "sign" {
        verbs: SIGNING, kind: InputKind::Choice(&["key", "keyless", "off"]), default: Some("off"),
        help: "How to sign the image at each destination before a tag names it, or the file: with a key, keyless with the identity of the job (needs permissions: id-token: write), or off",
    }
    SigningKey, "signing-key" {
        verbs: SIGNING, kind: InputKind::TextOrFile("KEY"), path: true, secret: true,
        only_with: &[InputCondition::SignsWithKey],
        help: "Private key to sign with, as text or file: PEM of an ECDSA key (P-256, P-384, P-521), an Ed25519 key, or an RSA key (2048 to 4096 bits), plain, or encrypted by cosign or openssl with its password in COSIGN_PASSWORD. With transparency-log: on, an Ed25519 key needs Rekor v1 and signature-format: bundle. Default: COSIGN_PRIVATE_KEY",
    }
    SignatureFormat, "signature-format" {
        verbs: RELEASE_VERBS, kind: InputKind::Choice(&["bundle", "legacy", "both"]),
        help: "Format of signatures: Sigstore bundles as referrers (default for keyless), the legacy tag sha256-….sig, or both (default for keys)",
    }
    Recursive, "recursive" {
        verbs: RECURSIVE_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Also sign each manifest of an index, or with verify check each of them, instead of the index alone",
    }
    SignAnnotations, "sign-annotations" {
        verbs: RELEASE_VERBS, kind: InputKind::List("NAME=VALUE"), only_with: &[InputCondition::Signs],
        help: "Annotations in signatures, in addition to commit, ref, workflow, run and version",
    }
    Sbom, "sbom" {
        verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
        help: "SBOM files to attest with the signature: CycloneDX 1 or SPDX 2, as JSON",
    }
    ScanReport, "scan-report" {
        verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
        help: "Scan reports to attest with the signature: JSON of Trivy or Grype, SARIF 2.1.0, or cosign's vulnerability predicate",
    }
    Unbound, "unbound" {
        verbs: RELEASE_VERBS, kind: InputKind::Choice(&["refuse", "allow"]), only_with: &[InputCondition::Signs],
        help: "Scan reports and SBOMs that name no image: refuse (default), or allow. A report of another image is always refused. If an environment of the policy applies, only its key unbound counts",
    }
    Provenance, "provenance" {
        verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
        help: "SLSA provenance (v1 or v0.2) to attest with the signature: the predicate, or the statement around it",
    }
    VerificationSummary, "verification-summary" {
        verbs: RELEASE_VERBS, kind: InputKind::List("FILE"), path: true, only_with: &[InputCondition::Signs],
        help: "SLSA verification summaries (v1) to attest with the signature: the predicate, or the statement around it",
    }
    GithubAttestations, "github-attestations" {
        verbs: RELEASE_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Also upload keyless attestations in bundles to GitHub, where gh attestation verify finds them. Needs permissions: attestations: write",
    }
    TransparencyLog, "transparency-log" {
        verbs: SIGNATURE_VERBS, kind: InputKind::Choice(&["on", "off", "attestations"]), only_with: &[InputCondition::Signs],
        help: "on: require (verify) or create (sign) a transparency log entry. off: do not. attestations: as on for signatures of images, and no log entry for attestations, such as an SBOM over the limit of the log: a keyless attestation then has a timestamp alone. Default: on for keyless, off for a key on an image. On a release, on also logs signatures of a key, and permits naming a repository that is not known to be public in the log of Sigstore's public instance, which shows the names of repository, workflow and branch to everybody",
    }
    FulcioUrl, "fulcio-url" {
        verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::SignsKeyless],
        help: "Certificate authority of a private Sigstore instance, instead of the one in signing-config",
    }
    RekorUrl, "rekor-url" {
        verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::LogsSignature],
        help: "Transparency log (Rekor v1) of a private instance, instead of those in signing-config. Name a Rekor v2 in signing-config",
    }
    TsaUrl, "tsa-url" {
        verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::LogsSignature],
        help: "Timestamp authority of a private instance, as the full address of requests, instead of the one in signing-config",
    }
    OidcIssuer, "oidc-issuer" {
        verbs: SIGNING, kind: InputKind::Text("URL"), only_with: &[InputCondition::SignsKeyless],
        help: "OIDC issuer that the job's identity token must name; a token of another issuer is not used",
    }
    OidcAudience, "oidc-audience" {
        verbs: SIGNING, kind: InputKind::Text("NAME"), default: Some("sigstore"),
        only_with: &[InputCondition::SignsKeyless],
        help: "Audience of the job's identity token",
    }
    SigningConfig, "signing-config" {
        verbs: SIGNING, kind: InputKind::Text("FILE"), path: true, only_with: &[InputCondition::LogsSignature],
        help: "Services of a private Sigstore instance (signing_config.v0.2.json)",
    }
    TrustedRoot, "trusted-root" {
        verbs: SIGNATURE_VERBS, kind: InputKind::Text("FILE"), path: true,
        only_with: &[InputCondition::LogsSignature, InputCondition::VerifiesSource],
        help: "Keys and certificates of a private Sigstore instance (trusted_root.json), to trust instead of the public instance's",
    }
    VerifySource, "verify-source" {
        verbs: PROMOTE_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Verify the source as the verb verify does, by key or certificate-identity, before anything is copied",
    }
    Bundle, "bundle" {
        verbs: BUNDLE_VERBS, kind: InputKind::Text("FILE"), required: BUNDLE_VERBS, path: true,
        help: "Sigstore bundle to check (verify-bundle) or to write (sign-bundle)",
    }
    Artifact, "artifact" {
        verbs: BUNDLE_VERBS, kind: InputKind::Text("FILE"), required: SIGN_BUNDLE, path: true,
        help: "File that the bundle signs (verify-bundle, sign-bundle)",
    }
    Digest, "digest" {
        verbs: VERIFY_BUNDLE, kind: InputKind::Text("DIGEST"),
        help: "Digest of the file that the bundle signs, sha256:…, instead of the file (verify-bundle)",
    }
    Key, "key" {
        verbs: VERIFYING, kind: InputKind::TextOrFile("KEY"), path: true, only_with: &[InputCondition::VerifiesSource],
        help: "Public key that must have signed, as PEM or the path of a PEM file",
    }
    CertificateIdentity, "certificate-identity" {
        verbs: VERIFYING, kind: InputKind::Text("NAME"), only_with: &[InputCondition::VerifiesSource],
        help: "Identity that the signing certificate must carry: its full subject, such as https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main. * matches any characters",
    }
    CertificateOidcIssuer, "certificate-oidc-issuer" {
        verbs: VERIFYING, kind: InputKind::Text("URL"), default: Some("https://token.actions.githubusercontent.com"),
        only_with: &[InputCondition::ChecksCertificate],
        help: "OIDC issuer that the certificate must name",
    }
    CertificateGithubWorkflowRepository, "certificate-github-workflow-repository" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Repository of the workflow that the certificate must name, such as acme/web",
    }
    CertificateGithubWorkflowRef, "certificate-github-workflow-ref" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Git ref of the run that the certificate must name, such as refs/heads/main",
    }
    CertificateGithubWorkflowSha, "certificate-github-workflow-sha" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Commit of the run that the certificate must name",
    }
    CertificateGithubWorkflowTrigger, "certificate-github-workflow-trigger" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Event that the certificate must name as the trigger of the run, such as push",
    }
    CertificateGithubWorkflowName, "certificate-github-workflow-name" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Name of the workflow that the certificate must have",
    }
    CertificateGithubWorkflowUri, "certificate-github-workflow-uri" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Workflow of the run that the certificate must name, with its ref; it may call the workflow that certificate-identity names",
    }
    CertificateRunnerEnvironment, "certificate-runner-environment" {
        verbs: VERIFYING, only_with: &[InputCondition::ChecksCertificate],
        help: "Kind of runner that the certificate must name: github-hosted or self-hosted",
    }
    Attestation, "attestation" {
        verbs: SOURCE_CHECKING, kind: InputKind::List("TYPE[,/PATH=VALUE]…"),
        only_with: &[InputCondition::VerifiesSource],
        help: "Required evidence instead of a signature: signature, or the predicate type of an attestation with values that its predicate must have at JSON pointers; * matches any characters, \\, is a comma",
    }
    Credentials, "credentials" {
        verbs: REGISTRY_VERBS, kind: InputKind::List("LOGIN"), secret: true,
        help: "Logins as REGISTRY[/PATH]=USER:PASSWORD, used before those of Docker's config.json; the longest PATH that a repository is below counts; the password may contain = and :",
    }
    CaFile, "ca-file" {
        kind: InputKind::Text("FILE"), path: true,
        help: "Certificates to trust in addition to the bundled ones and the system's, as PEM",
    }
    InsecureRegistries, "insecure-registries" {
        verbs: REGISTRY_VERBS, kind: InputKind::List("REGISTRY"),
        help: "Registries to reach by TLS without verification, or over plain HTTP if they do not use TLS, as host or host:port; not needed for registries on this machine",
    }
    CredentialsOverHttp, "credentials-over-http" {
        verbs: REGISTRY_VERBS, kind: InputKind::List("REGISTRY"),
        help: "Registries of insecure-registries that get credentials over plain HTTP, where anyone on the network can read them",
    }
    TlsVerify, "tls-verify" {
        verbs: REGISTRY_VERBS, kind: InputKind::List("REGISTRY=off"),
        help: "Registries whose certificates are not verified, each as REGISTRY=off; prefer ca-file",
    }
    ClientCert, "client-cert" {
        kind: InputKind::Text("FILE"), path: true,
        help: "Client certificate for servers that require one, as PEM with its chain; a registry's own in certs.d of Docker takes precedence",
    }
    ClientKey, "client-key" {
        kind: InputKind::Text("FILE"), path: true,
        help: "Private key of client-cert, as PEM without a password",
    }
    ScratchLimit, "scratch-limit" {
        verbs: RELEASE_VERBS, kind: InputKind::Text("GIB"),
        help: "Limit for unpacking an archive to disk, in GiB. Default: a hundred times the archive's size, at least half a GiB and at most 32",
    }
    DryRun, "dry-run" {
        verbs: RELEASE_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Plan and report, but write nothing",
    }
    Ref, "ref" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("REF"),
        help: "Git ref to derive tags from, instead of the event's or the checkout's. Refused in a runner if an environment applies",
    }
    Commit, "commit" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("SHA"),
        help: "Full SHA of the commit that the image was built from, instead of the event's or the checkout's, for a run that builds another ref, or promotes the image of another commit. Refused in a runner if an environment applies",
    }
    AllowDirty, "allow-dirty" {
        verbs: COMMIT_VERBS, kind: InputKind::Switch, default: Some("false"),
        help: "Outside of a runner: continue although files of the checkout differ from its commit. The image then gets no tag of the commit",
    }
    Event, "event" {
        verbs: TAGGING_VERBS, kind: InputKind::Text("NAME[=FILE]"), path: true,
        help: "Event to derive tags from, and the file of its payload, instead of the runner's. Refused in a runner if an environment applies",
    }
}
