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
                "Say which tags, labels and annotations the event gives an image; writes to no registry"
            }
            Self::Push => "Bring a built image into a repository, under the tags of the event",
            Self::Promote => "Release an image from one repository to others, by the same digest",
            Self::Verify => "Check the signatures and attestations of an image",
            Self::VerifyBundle => "Check a Sigstore bundle that stands beside a file",
            Self::SignBundle => "Sign a file into a Sigstore bundle beside it",
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
        help: "What to do",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "source",
        verbs: REGISTRY_VERBS,
        kind: InputKind::Text("IMAGE"),
        required: REGISTRY_VERBS,
        path: true,
        help: "The image to start from: a registry reference with tag or digest, oci:DIR[:NAME] (an image layout), oci-archive:FILE[:NAME] (a tar of one), docker-archive:FILE[:NAME] (what docker save writes) or docker-daemon:NAME (an image of the Docker engine). To an environment of the policy also a tag or digest alone, of the repository that it takes its images from",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "images",
        verbs: TAGGING_VERBS,
        kind: InputKind::List("PLACE"),
        path: true,
        help: "Where it goes: a repository without a tag, or oci:DIR (an image layout); not needed where environment names one of the policy's. For tags, names in the form of docker/metadata-action",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "tags",
        verbs: TAGGING_VERBS,
        kind: InputKind::List("RULE"),
        help: "The rules that give the tags, in the language of docker/metadata-action. Without any they follow from the event, or from the source where it is promoted",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "flavor",
        verbs: TAGGING_VERBS,
        kind: InputKind::List("SETTING"),
        help: "What goes for all rules: latest=, prefix=, suffix=",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "mode",
        verbs: TAGGING_VERBS,
        kind: InputKind::Choice(&["compatible", "strict"]),
        default: Some("compatible"),
        help: "Whether rules are taken as docker/metadata-action takes them, with a warning where that is a trap, or with the traps mended",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "labels",
        verbs: TAGS_VERBS,
        kind: InputKind::List("LABEL"),
        help: "Labels beside those of the OCI specification, as KEY=VALUE",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "annotations",
        verbs: TAGS_VERBS,
        kind: InputKind::List("ANNOTATION"),
        help: "Annotations beside those of the OCI specification, as KEY=VALUE",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sep-tags",
        verbs: TAGS_VERBS,
        kind: InputKind::Verbatim("TEXT"),
        help: "What stands between tags in the outputs, if not a line break",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sep-labels",
        verbs: TAGS_VERBS,
        kind: InputKind::Verbatim("TEXT"),
        help: "What stands between labels in the outputs, if not a line break",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sep-annotations",
        verbs: TAGS_VERBS,
        kind: InputKind::Verbatim("TEXT"),
        help: "What stands between annotations in the outputs, if not a line break",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "bake-target",
        verbs: TAGS_VERBS,
        kind: InputKind::Text("NAME"),
        default: Some("docker-metadata-action"),
        help: "The target of the bake files",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "context",
        verbs: TAGS_VERBS,
        kind: InputKind::Choice(&["workflow", "git"]),
        default: Some("workflow"),
        help: "Whether the ref and the commit are the event's, or those of the checkout",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "github-token",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("TOKEN"),
        from_workflow: Some("${{ github.token }}"),
        secret: true,
        help: "The token to ask GitHub's API with, for what the event does not say (also whether the repository is public, before it is named in the public log), for the policy where there is no checkout, and for github-attestations",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "offline",
        verbs: OFFLINE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Ask no API: what the event does not say stays empty, and the roots of the public Sigstore instance are those of this program",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "environment",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("NAME"),
        help: "The environment that is released to; promote moves the tag of its name. One of the policy's, where there is a policy",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "services",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("SERVICE"),
        help: "Which of the policy's services are released; all, where none is named",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "policy",
        verbs: RELEASE_VERBS,
        kind: InputKind::Text("FILE"),
        path: true,
        help: "A policy file beside .github/shipmark.yml: environments with their repositories, and services. It only adds: the environments of .github/shipmark.yml hold wherever that exists. In a workflow both are read as the workflow's own commit has them",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "existing",
        verbs: RELEASE_VERBS,
        kind: InputKind::Choice(&["fail", "keep"]),
        help: "What to do where an immutable tag names another digest: refuse, or go on with the image that is there. Without it version tags fail, and a SHA tag on push keeps an image of the same commit. What is gone on with passes every check of the source; a promotion, or a push that names a version, goes on with it only where more than its own label speaks for it: a signature of this signer, verify-source, or that it is in the environment's from",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "platforms",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("PLATFORM"),
        help: "The platforms to release, as linux/amd64, linux/arm/v7 or windows(10.0.17763)/amd64: makes a new index, with another digest, of these images and their attestations. Without it the image is released as it is",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "platforms-drop-signatures",
        verbs: RELEASE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Go on where the index that platforms makes leaves signatures of the source's index behind",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "referrers",
        verbs: RELEASE_VERBS,
        kind: InputKind::Choice(&["known", "all", "none"]),
        default: Some("known"),
        help: "What stands beside the image and travels with it: known (signatures, SBOMs, provenance, attestations, scan reports, VEX), all, or none. Release records of another environment never do",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sign",
        verbs: SIGNING,
        kind: InputKind::Choice(&["key", "keyless", "off"]),
        default: Some("off"),
        help: "How to sign the image where it is released to, before a tag names it, or the file: with a key, with the identity of the job (keyless, which needs permissions: id-token: write), or not",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "signing-key",
        verbs: SIGNING,
        kind: InputKind::TextOrFile("KEY"),
        path: true,
        secret: true,
        help: "The private key to sign with, as text or file: PEM (PKCS#8) of an ECDSA key over P-256, or an encrypted cosign.key with its password in COSIGN_PASSWORD. Without it COSIGN_PRIVATE_KEY is taken",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "signature-format",
        verbs: RELEASE_VERBS,
        kind: InputKind::Choice(&["bundle", "legacy", "both"]),
        help: "The form of signatures: Sigstore bundles as referrers (keyless, if not said), the older tag sha256-….sig, or both (with a key, if not said)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "recursive",
        verbs: RECURSIVE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Sign, or with verify check, each manifest of an index too, not the index alone",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sign-annotations",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("NAME=VALUE"),
        help: "What signatures say beside commit, ref, workflow, run and version",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "sbom",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "Bills of materials to attest with the signature: CycloneDX 1 or SPDX 2, as JSON",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "scan-report",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "Scan reports to attest with the signature: JSON of Trivy or Grype, SARIF 2.1.0, or cosign's vulnerability predicate",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "provenance",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "SLSA provenance (v1 or v0.2) to attest with the signature: the predicate, or the statement around it",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "verification-summary",
        verbs: RELEASE_VERBS,
        kind: InputKind::List("FILE"),
        path: true,
        help: "SLSA verification summaries (v1) to attest with the signature: the predicate, or the statement around it",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "github-attestations",
        verbs: RELEASE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Have GitHub keep the attestations too, where gh attestation verify finds them: those that are made keyless, as bundles. Needs permissions: attestations: write",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "transparency-log",
        verbs: SIGNATURE_VERBS,
        kind: InputKind::Choice(&["on", "off"]),
        help: "Whether a transparency log has to hold what is checked; without it one has to for a certificate-identity, and for a key on an image none. On a release, on has what a key signs logged too, and is how a repository that is not known to be public agrees to be named in the log of Sigstore's public instance: that shows everybody the names of repository, workflow and branch",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "fulcio-url",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "The certificate authority of a private instance of Sigstore, in place of the one in signing-config",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "rekor-url",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "The transparency log of a private instance, of version 1, in place of those in signing-config. A Rekor v2 is named there",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "tsa-url",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "The timestamp authority of a private instance, as the whole address of requests, in place of the one in signing-config",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "oidc-issuer",
        verbs: SIGNING,
        kind: InputKind::Text("URL"),
        help: "Who has to have issued the job's identity token; another one is not used",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "oidc-audience",
        verbs: SIGNING,
        kind: InputKind::Text("NAME"),
        default: Some("sigstore"),
        help: "Whom the job's identity token is for",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "signing-config",
        verbs: SIGNING,
        kind: InputKind::Text("FILE"),
        path: true,
        help: "The services of a private instance of Sigstore (signing_config.v0.2.json)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "trusted-root",
        verbs: SIGNATURE_VERBS,
        kind: InputKind::Text("FILE"),
        path: true,
        help: "The keys and certificates of a private instance of Sigstore (trusted_root.json), whose word counts in place of the public instance's",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "verify-source",
        verbs: PROMOTE_VERBS,
        kind: InputKind::Switch,
        default: Some("false"),
        help: "Check the source as verify does, by key or certificate-identity, before anything is copied",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "bundle",
        verbs: BUNDLE_VERBS,
        kind: InputKind::Text("FILE"),
        required: BUNDLE_VERBS,
        path: true,
        help: "The Sigstore bundle to check (verify-bundle) or to write (sign-bundle)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "artifact",
        verbs: BUNDLE_VERBS,
        kind: InputKind::Text("FILE"),
        required: SIGN_BUNDLE,
        path: true,
        help: "The file that the bundle signs (verify-bundle, sign-bundle)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "digest",
        verbs: VERIFY_BUNDLE,
        kind: InputKind::Text("DIGEST"),
        help: "The digest of what the bundle signs, sha256:…, in place of the file (verify-bundle)",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "key",
        verbs: VERIFYING,
        kind: InputKind::TextOrFile("KEY"),
        path: true,
        help: "The public key of who has to have signed, as PEM or the file that holds it",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-identity",
        verbs: VERIFYING,
        kind: InputKind::Text("NAME"),
        help: "Who has to have signed keyless: the whole subject of the certificate, as https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main; * stands for any characters",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-oidc-issuer",
        verbs: VERIFYING,
        kind: InputKind::Text("URL"),
        default: Some("https://token.actions.githubusercontent.com"),
        help: "Who has to have vouched for that identity",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-repository",
        verbs: VERIFYING,
        help: "The repository whose workflow has to have signed, as acme/web",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-ref",
        verbs: VERIFYING,
        help: "The git ref on which it has to have run, as refs/heads/main",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-sha",
        verbs: VERIFYING,
        help: "The commit on which it has to have run",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-trigger",
        verbs: VERIFYING,
        help: "The event that has to have started it, as push",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-name",
        verbs: VERIFYING,
        help: "The name that the workflow has to have",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-github-workflow-uri",
        verbs: VERIFYING,
        help: "The workflow that has to have run, with its ref; it may call the one that certificate-identity names",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "certificate-runner-environment",
        verbs: VERIFYING,
        help: "The kind of runner that has to have signed: github-hosted or self-hosted",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "attestation",
        verbs: SOURCE_CHECKING,
        kind: InputKind::List("TYPE[,/PATH=VALUE]…"),
        help: "What has to be there, in place of a signature: signature, or the predicate type of an attestation with what its predicate has to say, at places as JSON pointers; * stands for any characters, \\, for a comma",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "credentials",
        verbs: REGISTRY_VERBS,
        kind: InputKind::List("LOGIN"),
        secret: true,
        help: "Logins as REGISTRY=USER:PASSWORD, before those of docker's config.json; the password may hold = and :",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "ca-file",
        kind: InputKind::Text("FILE"),
        path: true,
        help: "Certificates to trust beside the bundled ones and the system's, as PEM",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "insecure-registries",
        verbs: REGISTRY_VERBS,
        kind: InputKind::List("REGISTRY"),
        help: "Registries to speak plain HTTP with, as host or host:port; those on this machine need no mention",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "scratch-limit",
        verbs: RELEASE_VERBS,
        kind: InputKind::Text("GIB"),
        help: "The most that an archive may unpack to on disk, in GiB. Without it a hundred times the archive's size, at least half a GiB and at most 32",
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
        help: "The git ref to derive tags from, in place of the event's or the checkout's. Refused in a runner where an environment applies",
        ..DEFAULTS
    },
    InputDeclaration {
        name: "event",
        verbs: TAGGING_VERBS,
        kind: InputKind::Text("NAME[=FILE]"),
        path: true,
        help: "The event to derive tags from, and the file of its payload, in place of the runner's. Refused in a runner where an environment applies",
        ..DEFAULTS
    },
];

/// Every output there is, in the order in which they are documented.
pub const OUTPUTS: &[OutputDeclaration] = &[
    OutputDeclaration {
        name: "digest",
        verbs: REGISTRY_VERBS,
        help: "The digest of the image, sha256:…; of several services there is none",
    },
    OutputDeclaration {
        name: "source-digest",
        verbs: RELEASE_VERBS,
        help: "The digest that was asked for: another than digest where platforms made a new index, or an image that was there was kept",
    },
    OutputDeclaration {
        name: "image",
        verbs: RELEASE_VERBS,
        help: "repository@digest of each destination, one a line",
    },
    OutputDeclaration {
        name: "tags",
        verbs: TAGGING_VERBS,
        help: "The full references that name the image now (on a dry run: would name it), one a line",
    },
    OutputDeclaration {
        name: "version",
        verbs: TAGGING_VERBS,
        help: "The version that was released, where there is one",
    },
    OutputDeclaration {
        name: "signatures",
        verbs: RELEASE_VERBS,
        help: "Where the image's signatures are, made now or before, one a line",
    },
    OutputDeclaration {
        name: "attestations",
        verbs: RELEASE_VERBS,
        help: "Where its attestations are, made now or before, one a line",
    },
    OutputDeclaration {
        name: "attestation-urls",
        verbs: RELEASE_VERBS,
        help: "Where GitHub shows the attestations that were uploaded (github-attestations), one a line",
    },
    OutputDeclaration {
        name: "json",
        verbs: Verb::ALL,
        help: "The whole outcome as one JSON object; of tags, what docker/metadata-action gives",
    },
    OutputDeclaration {
        name: "outcome",
        verbs: REFUSABLE_VERBS,
        help: "released, unchanged (nothing had to be written, or it was a dry run), verified, signed, refused, or failed (some services of several)",
    },
    OutputDeclaration {
        name: "matrix",
        verbs: RELEASE_VERBS,
        help: "The images as a matrix for a later job: service (where there are services), image, digest",
    },
    OutputDeclaration {
        name: "tag-names",
        verbs: TAGS_VERBS,
        help: "The tags without the image's name",
    },
    OutputDeclaration {
        name: "labels",
        verbs: TAGS_VERBS,
        help: "Labels, one a line",
    },
    OutputDeclaration {
        name: "annotations",
        verbs: TAGS_VERBS,
        help: "Annotations with their level, one a line",
    },
    OutputDeclaration {
        name: "bake-file",
        verbs: TAGS_VERBS,
        help: "A bake file with tags and labels",
    },
    OutputDeclaration {
        name: "bake-file-tags",
        verbs: TAGS_VERBS,
        help: "A bake file with tags",
    },
    OutputDeclaration {
        name: "bake-file-labels",
        verbs: TAGS_VERBS,
        help: "A bake file with labels",
    },
    OutputDeclaration {
        name: "bake-file-annotations",
        verbs: TAGS_VERBS,
        help: "A bake file with annotations",
    },
];
