use std::fmt;

/// A verb of the command line, `command` in a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Say which tags and labels an image gets.
    Tags,
    /// Bring an image in.
    Push,
    /// Release an image from one place to others.
    Promote,
    /// Check the signatures of an image.
    Verify,
    /// Check a bundle that stands beside a file.
    VerifyBundle,
    /// Sign a file into such a bundle.
    SignBundle,
}

/// An input: a flag `--name` on the command line, `name:` under `with:` in a workflow.
#[derive(Debug)]
pub struct InputDeclaration {
    /// Its name.
    pub name: &'static str,
    /// The verbs that take it. None: it says which verb, and is an input of a workflow alone.
    pub verbs: &'static [Verb],
    /// What kind of value it takes.
    pub kind: InputKind,
    /// The verbs that it must be given for.
    pub required: &'static [Verb],
    /// What counts where it is not given.
    pub default: Option<&'static str>,
    /// What the runner gives in its place: an expression of a workflow.
    pub from_workflow: Option<&'static str>,
    /// Whether its value must appear nowhere.
    pub secret: bool,
    /// Whether it can hold a path: as it is, after `oci:` and the like, or after `NAME=`.
    pub path: bool,
    /// What it does. One line.
    pub help: &'static str,
}

/// What kind of value an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// One text; the word stands for it in help.
    Text(&'static str),
    /// One text of some lines, or the path of a file that holds it.
    TextOrFile(&'static str),
    /// Entries: one a line in a workflow, a flag that may be repeated on the command line.
    List(&'static str),
    /// Text that is taken with the blanks around it.
    Verbatim(&'static str),
    /// One of several words.
    Choice(&'static [&'static str]),
    /// `true` or `false` in a workflow, a flag without a value on the command line.
    Switch,
}

/// An output of the action.
#[derive(Debug)]
pub struct OutputDeclaration {
    /// Its name.
    pub name: &'static str,
    /// The verbs that give it.
    pub verbs: &'static [Verb],
    /// What it holds. One line.
    pub help: &'static str,
}

impl Verb {
    /// Every verb.
    pub const ALL: &[Self] = &[
        Self::Tags,
        Self::Push,
        Self::Promote,
        Self::Verify,
        Self::VerifyBundle,
        Self::SignBundle,
    ];
    /// Their names.
    pub const NAMES: &[&str] = &[
        Self::Tags.name(),
        Self::Push.name(),
        Self::Promote.name(),
        Self::Verify.name(),
        Self::VerifyBundle.name(),
        Self::SignBundle.name(),
    ];

    /// The verb as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Push => "push",
            Self::Promote => "promote",
            Self::Verify => "verify",
            Self::VerifyBundle => "verify-bundle",
            Self::SignBundle => "sign-bundle",
        }
    }

    /// What it does. One line.
    pub fn help(self) -> &'static str {
        match self {
            Self::Tags => {
                "Derive tags, labels and annotations from the GitHub event; write to no registry"
            }
            Self::Push => "Push a built image to a repository and tag it from the GitHub event",
            Self::Promote => "Promote an image to other repositories by the same digest",
            Self::Verify => "Verify the signatures and attestations of an image",
            Self::VerifyBundle => "Verify the Sigstore bundle of a file",
            Self::SignBundle => "Sign a file and write its Sigstore bundle",
        }
    }

    /// The inputs it takes.
    pub fn inputs(self) -> impl Iterator<Item = &'static InputDeclaration> {
        INPUTS
            .iter()
            .filter(move |input| input.verbs.contains(&self))
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl InputDeclaration {
    /// The input of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        INPUTS.iter().find(|input| input.name == name)
    }

    /// The variable that the runner hands it over in: hyphens are kept.
    pub fn variable(&self) -> String {
        format!("{INPUT_VARIABLE_PREFIX}{}", self.name.to_uppercase())
    }
}

/// What the names of the runner's variables for inputs begin with.
pub(super) const INPUT_VARIABLE_PREFIX: &str = "INPUT_";

const RELEASE_VERBS: &[Verb] = &[Verb::Push, Verb::Promote];
const TAGS_VERBS: &[Verb] = &[Verb::Tags];
const PROMOTE_VERBS: &[Verb] = &[Verb::Promote];
const RECURSIVE_VERBS: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Verify];
const OFFLINE_VERBS: &[Verb] = &[Verb::Tags, Verb::Promote, Verb::Verify, Verb::VerifyBundle];
const SIGN_BUNDLE: &[Verb] = &[Verb::SignBundle];
const VERIFY_BUNDLE: &[Verb] = &[Verb::VerifyBundle];
const BUNDLE_VERBS: &[Verb] = &[Verb::VerifyBundle, Verb::SignBundle];
/// Those that may sign.
const SIGNING: &[Verb] = &[Verb::Push, Verb::Promote, Verb::SignBundle];
/// Those that may check the image that they are given.
const SOURCE_CHECKING: &[Verb] = &[Verb::Promote, Verb::Verify];
/// Those that may check something.
const VERIFYING: &[Verb] = &[Verb::Promote, Verb::Verify, Verb::VerifyBundle];
/// Those that derive tags.
const TAGGING_VERBS: &[Verb] = &[Verb::Tags, Verb::Push, Verb::Promote];
/// Those that speak to registries.
const REGISTRY_VERBS: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Verify];

/// Those that make or check signatures.
const SIGNATURE_VERBS: &[Verb] = REFUSABLE_VERBS;
/// Those that come to more than one end.
const REFUSABLE_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Verify,
    Verb::VerifyBundle,
    Verb::SignBundle,
];

const DEFAULTS: InputDeclaration = InputDeclaration {
    name: "",
    verbs: Verb::ALL,
    kind: InputKind::Text("TEXT"),
    required: &[],
    default: None,
    from_workflow: None,
    secret: false,
    path: false,
    help: "",
};

/// Every input there is, in the order in which they are documented.
pub const INPUTS: &[InputDeclaration] = &[
    InputDeclaration {
        name: "command",
        verbs: &[],
        kind: InputKind::Choice(Verb::NAMES),
        default: Some("tags"),
        help: "Verb to run",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "source",
        verbs: REGISTRY_VERBS,
        kind: InputKind::Text("IMAGE"),
        required: REGISTRY_VERBS,
        path: true,
        help: "Image to push, promote or verify. A registry reference with tag or digest, oci:DIR[:NAME] (an image layout), oci-archive:FILE[:NAME] (a tar of an image layout), docker-archive:FILE[:NAME] (written by docker save) or docker-daemon:NAME (an image of the Docker engine). For an environment of the policy, a tag or digest alone is also accepted: it refers to the repository that the environment takes its images from",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "images",
        verbs: TAGGING_VERBS,
        kind: InputKind::List("PLACE"),
        path: true,
        help: "Repositories to release to, without a tag, or oci:DIR (an image layout). Not needed if environment names an environment of the policy. For the tags command: image names as in docker/metadata-action",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "tags",
        verbs: TAGGING_VERBS,
        kind: InputKind::List("RULE"),
        help: "Tag rules, in the language of docker/metadata-action. Default: tags derived from the event, or from the source image for a promotion",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "flavor",
        verbs: TAGGING_VERBS,
        kind: InputKind::List("SETTING"),
        help: "Settings for all tag rules: latest=, prefix=, suffix=",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "mode",
        verbs: TAGGING_VERBS,
        kind: InputKind::Choice(&["compatible", "strict"]),
        default: Some("compatible"),
        help: "How to evaluate tag rules. compatible: like docker/metadata-action, with a warning at each known pitfall. strict: with the pitfalls fixed",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "labels",
        verbs: TAGS_VERBS,
        kind: InputKind::List("LABEL"),
        help: "Labels to add to those of the OCI specification, as KEY=VALUE",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "annotations",
        verbs: TAGS_VERBS,
        kind: InputKind::List("ANNOTATION"),
        help: "Annotations to add to those of the OCI specification, as KEY=VALUE",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sep-tags",
        verbs: TAGS_VERBS,
        kind: InputKind::Verbatim("TEXT"),
        help: "Separator between tags in the outputs. Default: newline",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sep-labels",
        verbs: TAGS_VERBS,
        kind: InputKind::Verbatim("TEXT"),
        help: "Separator between labels in the outputs. Default: newline",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sep-annotations",
        verbs: TAGS_VERBS,
        kind: InputKind::Verbatim("TEXT"),
        help: "Separator between annotations in the outputs. Default: newline",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "bake-target",
        verbs: TAGS_VERBS,
        kind: InputKind::Text("NAME"),
        default: Some("docker-metadata-action"),
        help: "Name of the target in the bake files",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "context",
        verbs: TAGS_VERBS,
        kind: InputKind::Choice(&["workflow", "git"]),
        default: Some("workflow"),
        help: "Where to take the git ref and commit from. workflow: the GitHub event. git: the checkout",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "github-token",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("TOKEN"),
        from_workflow: Some("${{ github.token }}"),
        secret: true,
        help: "Token for GitHub's API. Used for values that the event does not contain, for the policy file if there is no checkout, for github-attestations, and to find out whether the repository is public before it is named in the public log",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "offline",
        verbs: OFFLINE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Make no calls to GitHub's API or Sigstore's TUF repository. Values that the event does not contain stay empty, and the trusted root of Sigstore's public instance is the one built into this program",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "environment",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("NAME"),
        help: "Environment to release to. promote moves the tag of the same name. If there is a policy, it must define this environment",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "services",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("SERVICE"),
        help: "Services of the policy to release. Default: all",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "policy",
        verbs: RELEASE_VERBS,
        kind: InputKind::Text("FILE"),
        path: true,
        help: "Policy file to use in addition to .github/shipmark.yml, with environments, their repositories, and services. It only adds: the environments of .github/shipmark.yml apply wherever that file exists. In a workflow both files are read from the workflow's own commit",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "existing",
        verbs: RELEASE_VERBS,
        kind: InputKind::Choice(&["fail", "keep"]),
        help: "What to do if an immutable tag already points to another digest. fail: refuse. keep: release the existing image. Default: fail for version tags; for a SHA tag on push, keep an image of the same commit. A kept image must pass every check of the source. A promotion, or a push of a version, keeps an image only with evidence beyond its own label: a signature of this signer, verify-source, or its presence in a repository of the environment's from",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "platforms",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("PLATFORM"),
        help: "Platforms to release, such as linux/amd64 or linux/arm/v7. windows(10.0.17763)/amd64 names a version too. Creates a new index, with a new digest, of these images and their attestations. Default: release the image unchanged",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "platforms-drop-signatures",
        verbs: RELEASE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Continue if the new index made by platforms loses the source's signatures",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "referrers",
        verbs: RELEASE_VERBS,
        kind: InputKind::Choice(&["known", "all", "none"]),
        default: Some("known"),
        help: "Which referrers to copy with the image. known: signatures, SBOMs, provenance, attestations, scan reports and VEX. all: all referrers. none: no referrers. Release records of another environment are never copied",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sign",
        verbs: SIGNING,
        kind: InputKind::Choice(&["key", "keyless", "off"]),
        default: Some("off"),
        help: "How to sign the file, or the image at the destination before a tag points to it. key: with a private key. keyless: with the identity of the job (needs permissions: id-token: write). off: do not sign",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "signing-key",
        verbs: SIGNING,
        kind: InputKind::TextOrFile("KEY"),
        path: true,
        secret: true,
        help: "Private key to sign with, as text or file. PEM (PKCS#8) of an ECDSA key over P-256, or an encrypted cosign.key with its password in COSIGN_PASSWORD. Default: COSIGN_PRIVATE_KEY",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "signature-format",
        verbs: RELEASE_VERBS,
        kind: InputKind::Choice(&["bundle", "legacy", "both"]),
        help: "Format of signatures. bundle: Sigstore bundles as referrers. legacy: the older tag sha256-….sig. both: bundle and legacy. Default: bundle for keyless, both for a key",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "recursive",
        verbs: RECURSIVE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Sign or verify each manifest of an index, not only the index itself",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sign-annotations",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("NAME=VALUE"),
        help: "Annotations to add to signatures. Signatures already contain commit, ref, workflow, run and version, as far as they are known",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sbom",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "SBOMs to attest with the signature: CycloneDX 1 or SPDX 2, as JSON",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "scan-report",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "Scan reports to attest with the signature. JSON of Trivy or Grype, SARIF 2.1.0, or cosign's vulnerability predicate",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "provenance",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "SLSA provenance (v1 or v0.2) to attest with the signature. The predicate, or the statement that contains it",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "verification-summary",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "SLSA verification summaries (v1) to attest with the signature. The predicate, or the statement that contains it",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "github-attestations",
        verbs: RELEASE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Upload attestations to GitHub too, where gh attestation verify finds them. Takes keyless attestations in the bundle format. Needs permissions: attestations: write",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "transparency-log",
        verbs: SIGNATURE_VERBS,
        kind: InputKind::Choice(&["on", "off"]),
        help: "on: require (verify) or create (sign) a transparency log entry. Default when verifying: on, except for a key on an image. When signing, on also logs signatures made with a key, and lets a repository that is not known to be public be named in the log of Sigstore's public instance. That log publishes the names of repository, workflow and branch",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "fulcio-url",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "Certificate authority (Fulcio) of a private Sigstore instance. Overrides the one in signing-config",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "rekor-url",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "Transparency log (Rekor v1) of a private Sigstore instance. Overrides those in signing-config. Name a Rekor v2 log there",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "tsa-url",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "Timestamp authority of a private Sigstore instance, as its full request URL. Overrides the one in signing-config",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "oidc-issuer",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "OIDC issuer that the job's identity token must name. A token of another issuer is not used",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "oidc-audience",
        verbs: SIGNING,
        kind: InputKind::Text("NAME"),
        default: Some("sigstore"),
        help: "Audience of the job's identity token",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "signing-config",
        verbs: SIGNING,
        kind: InputKind::Text("FILE"),
        path: true,
        help: "Services of a private Sigstore instance (signing_config.v0.2.json)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "trusted-root",
        verbs: SIGNATURE_VERBS,
        kind: InputKind::Text("FILE"),
        path: true,
        help: "Trusted root of a private Sigstore instance (trusted_root.json). Replaces the keys and certificates of the public instance",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "verify-source",
        verbs: PROMOTE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Verify the source before anything is copied. Uses key or certificate-identity, as the verify command does",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "bundle",
        verbs: BUNDLE_VERBS,
        kind: InputKind::Text("FILE"),
        required: BUNDLE_VERBS,
        path: true,
        help: "Sigstore bundle to verify (verify-bundle) or to write (sign-bundle)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "artifact",
        verbs: BUNDLE_VERBS,
        kind: InputKind::Text("FILE"),
        required: SIGN_BUNDLE,
        path: true,
        help: "File that the bundle signs (verify-bundle, sign-bundle)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "digest",
        verbs: VERIFY_BUNDLE,
        kind: InputKind::Text("DIGEST"),
        help: "Digest that the bundle signs, sha256:…, instead of the file (verify-bundle)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "key",
        verbs: VERIFYING,
        kind: InputKind::TextOrFile("KEY"),
        path: true,
        help: "Public key that must have signed, as PEM text or file",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-identity",
        verbs: VERIFYING,
        kind: InputKind::Text("NAME"),
        help: "Identity that the signing certificate must carry: its full subject. Example: https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main. * matches any characters",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-oidc-issuer",
        verbs: VERIFYING,
        kind: InputKind::Text("URL"),
        default: Some("https://token.actions.githubusercontent.com"),
        help: "OIDC issuer that the signing certificate must name",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-repository",
        verbs: VERIFYING,
        help: "Repository whose workflow must have signed, such as acme/web",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-ref",
        verbs: VERIFYING,
        help: "Git ref that the workflow must have run on, such as refs/heads/main",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-sha",
        verbs: VERIFYING,
        help: "Commit that the workflow must have run on",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-trigger",
        verbs: VERIFYING,
        help: "Event that must have started the workflow, such as push",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-name",
        verbs: VERIFYING,
        help: "Name that the workflow must have",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-uri",
        verbs: VERIFYING,
        help: "Workflow that must have run, with its ref. It may call the workflow that certificate-identity names",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-runner-environment",
        verbs: VERIFYING,
        help: "Type of runner that must have signed: github-hosted or self-hosted",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "attestation",
        verbs: SOURCE_CHECKING,
        kind: InputKind::List("TYPE[,/PATH=VALUE]…"),
        help: "Evidence to require instead of a signature. Either signature, or the predicate type of an attestation with the values that its predicate must contain, each at a JSON pointer. * matches any characters; write \\, for a comma",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "credentials",
        verbs: REGISTRY_VERBS,
        kind: InputKind::List("LOGIN"),
        secret: true,
        help: "Logins, as REGISTRY=USER:PASSWORD. They override those of docker's config.json. The password may contain = and :",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "ca-file",
        kind: InputKind::Text("FILE"),
        path: true,
        help: "PEM file of certificates to trust, in addition to bundled and system ones",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "insecure-registries",
        verbs: REGISTRY_VERBS,
        kind: InputKind::List("REGISTRY"),
        help: "Registries to reach over plain HTTP, as host or host:port. Registries on this machine need no entry",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "scratch-limit",
        verbs: RELEASE_VERBS,
        kind: InputKind::Text("GIB"),
        help: "Maximum size that an archive may unpack to on disk, in GiB. Default: 100 times the archive's size, at least 0.5 GiB and at most 32 GiB",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "dry-run",
        verbs: RELEASE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Plan and report, but write nothing",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "ref",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("REF"),
        help: "Git ref to derive tags from, instead of the event's or the checkout's. Refused on a runner if an environment applies",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "event",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("NAME[=FILE]"),
        path: true,
        help: "Event to derive tags from, with the file of its payload. Replaces the runner's event. Refused on a runner if an environment applies",
        ..DEFAULTS
    },
];

/// Every output there is, in the order in which they are documented.
pub const OUTPUTS: &[OutputDeclaration] = &[
    OutputDeclaration {
        name: "digest",
        verbs: REGISTRY_VERBS,
        help: "Digest of the image, sha256:…; empty for several services",
    },
    OutputDeclaration {
        name: "source-digest",
        verbs: RELEASE_VERBS,
        help: "Digest that was requested. It differs from digest if platforms made a new index, or if an existing image was kept",
    },
    OutputDeclaration {
        name: "image",
        verbs: RELEASE_VERBS,
        help: "repository@digest of each destination, one per line",
    },
    OutputDeclaration {
        name: "tags",
        verbs: TAGGING_VERBS,
        help: "Full references that point to the image, one per line. On a dry run: those that would point to it",
    },
    OutputDeclaration {
        name: "version",
        verbs: TAGGING_VERBS,
        help: "Version that was released, if there is one",
    },
    OutputDeclaration {
        name: "signatures",
        verbs: RELEASE_VERBS,
        help: "Locations of the image's signatures, new or existing, one per line",
    },
    OutputDeclaration {
        name: "attestations",
        verbs: RELEASE_VERBS,
        help: "Locations of the image's attestations, new or existing, one per line",
    },
    OutputDeclaration {
        name: "attestation-urls",
        verbs: RELEASE_VERBS,
        help: "URLs of the attestations that were uploaded to GitHub (github-attestations), one per line",
    },
    OutputDeclaration {
        name: "json",
        verbs: Verb::ALL,
        help: "Whole outcome as one JSON object. For the tags command: the JSON of docker/metadata-action",
    },
    OutputDeclaration {
        name: "outcome",
        verbs: REFUSABLE_VERBS,
        help: "released, unchanged (nothing to write, or a dry run), verified, signed, refused, or failed (some services of several)",
    },
    OutputDeclaration {
        name: "matrix",
        verbs: RELEASE_VERBS,
        help: "Images as a matrix for a later job: service (if there are services), image, digest",
    },
    OutputDeclaration {
        name: "tag-names",
        verbs: TAGS_VERBS,
        help: "Tags without the image name",
    },
    OutputDeclaration {
        name: "labels",
        verbs: TAGS_VERBS,
        help: "Labels, one per line",
    },
    OutputDeclaration {
        name: "annotations",
        verbs: TAGS_VERBS,
        help: "Annotations with their level, one per line",
    },
    OutputDeclaration {
        name: "bake-file",
        verbs: TAGS_VERBS,
        help: "Bake file with tags and labels",
    },
    OutputDeclaration {
        name: "bake-file-tags",
        verbs: TAGS_VERBS,
        help: "Bake file with tags",
    },
    OutputDeclaration {
        name: "bake-file-labels",
        verbs: TAGS_VERBS,
        help: "Bake file with labels",
    },
    OutputDeclaration {
        name: "bake-file-annotations",
        verbs: TAGS_VERBS,
        help: "Bake file with annotations",
    },
];
