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
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// The verbs that take it. None: it says which verb, and is an input of a workflow alone.
    pub verbs: &'static [Verb],
    /// What kind of value it takes.
    pub kind: Kind,
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
pub enum Kind {
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
pub struct Output {
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
    pub fn inputs(self) -> impl Iterator<Item = &'static Input> {
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

impl Input {
    /// The input of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        INPUTS.iter().find(|input| input.name == name)
    }

    /// The variable that the runner hands it over in: hyphens are kept.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase())
    }
}

/// What the names of the runner's variables for inputs begin with.
pub(super) const PREFIX: &str = "INPUT_";

const RELEASE: &[Verb] = &[Verb::Push, Verb::Promote];
const TAGS: &[Verb] = &[Verb::Tags];
const PROMOTE: &[Verb] = &[Verb::Promote];
const RECURSIVE: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Verify];
const OFFLINE: &[Verb] = &[Verb::Tags, Verb::Promote, Verb::Verify, Verb::VerifyBundle];
const SIGN_BUNDLE: &[Verb] = &[Verb::SignBundle];
const VERIFY_BUNDLE: &[Verb] = &[Verb::VerifyBundle];
const BUNDLE: &[Verb] = &[Verb::VerifyBundle, Verb::SignBundle];
/// Those that may sign.
const SIGNING: &[Verb] = &[Verb::Push, Verb::Promote, Verb::SignBundle];
/// Those that may check the image that they are given.
const CHECKING: &[Verb] = &[Verb::Promote, Verb::Verify];
/// Those that may check something.
const CHECKED: &[Verb] = &[Verb::Promote, Verb::Verify, Verb::VerifyBundle];
/// Those that derive tags.
const TAGGING: &[Verb] = &[Verb::Tags, Verb::Push, Verb::Promote];
/// Those that speak to registries.
const IMAGE: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Verify];

/// Those that make or check signatures.
const SIGNED: &[Verb] = OUTCOME;
/// Those that come to more than one end.
const OUTCOME: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Verify,
    Verb::VerifyBundle,
    Verb::SignBundle,
];

const DEFAULTS: Input = Input {
    name: "",
    verbs: Verb::ALL,
    kind: Kind::Text("TEXT"),
    required: &[],
    default: None,
    from_workflow: None,
    secret: false,
    path: false,
    help: "",
};

/// Every input there is, in the order in which they are documented.
pub const INPUTS: &[Input] = &[
    Input {
        name: "command",
        verbs: &[],
        kind: Kind::Choice(Verb::NAMES),
        default: Some("tags"),
        help: "What to do",
        ..DEFAULTS
    },
    Input {
        name: "source",
        verbs: IMAGE,
        kind: Kind::Text("IMAGE"),
        required: IMAGE,
        path: true,
        help: "The image to start from: a registry reference with tag or digest, oci:DIR[:NAME] (an image layout), oci-archive:FILE[:NAME] (a tar of one), docker-archive:FILE[:NAME] (what docker save writes) or docker-daemon:NAME (an image of the Docker engine). To an environment of the policy also a tag or digest alone, of the repository that it takes its images from",
        ..DEFAULTS
    },
    Input {
        name: "images",
        verbs: TAGGING,
        kind: Kind::List("PLACE"),
        path: true,
        help: "Where it goes: a repository without a tag, or oci:DIR (an image layout); not needed where environment names one of the policy's. For tags, names in the form of docker/metadata-action",
        ..DEFAULTS
    },
    Input {
        name: "tags",
        verbs: TAGGING,
        kind: Kind::List("RULE"),
        help: "The rules that give the tags, in the language of docker/metadata-action. Without any they follow from the event, or from the source where it is promoted",
        ..DEFAULTS
    },
    Input {
        name: "flavor",
        verbs: TAGGING,
        kind: Kind::List("SETTING"),
        help: "What goes for all rules: latest=, prefix=, suffix=",
        ..DEFAULTS
    },
    Input {
        name: "mode",
        verbs: TAGGING,
        kind: Kind::Choice(&["compatible", "strict"]),
        default: Some("compatible"),
        help: "Whether rules are taken as docker/metadata-action takes them, with a warning where that is a trap, or with the traps mended",
        ..DEFAULTS
    },
    Input {
        name: "labels",
        verbs: TAGS,
        kind: Kind::List("LABEL"),
        help: "Labels beside those of the OCI specification, as KEY=VALUE",
        ..DEFAULTS
    },
    Input {
        name: "annotations",
        verbs: TAGS,
        kind: Kind::List("ANNOTATION"),
        help: "Annotations beside those of the OCI specification, as KEY=VALUE",
        ..DEFAULTS
    },
    Input {
        name: "sep-tags",
        verbs: TAGS,
        kind: Kind::Verbatim("TEXT"),
        help: "What stands between tags in the outputs, if not a line break",
        ..DEFAULTS
    },
    Input {
        name: "sep-labels",
        verbs: TAGS,
        kind: Kind::Verbatim("TEXT"),
        help: "What stands between labels in the outputs, if not a line break",
        ..DEFAULTS
    },
    Input {
        name: "sep-annotations",
        verbs: TAGS,
        kind: Kind::Verbatim("TEXT"),
        help: "What stands between annotations in the outputs, if not a line break",
        ..DEFAULTS
    },
    Input {
        name: "bake-target",
        verbs: TAGS,
        kind: Kind::Text("NAME"),
        default: Some("docker-metadata-action"),
        help: "The target of the bake files",
        ..DEFAULTS
    },
    Input {
        name: "context",
        verbs: TAGS,
        kind: Kind::Choice(&["workflow", "git"]),
        default: Some("workflow"),
        help: "Whether the ref and the commit are the event's, or those of the checkout",
        ..DEFAULTS
    },
    Input {
        name: "github-token",
        verbs: TAGGING,
        kind: Kind::Text("TOKEN"),
        from_workflow: Some("${{ github.token }}"),
        secret: true,
        help: "The token to ask GitHub's API with, for what the event does not say (also whether the repository is public, before it is named in the public log), for the policy where there is no checkout, and for github-attestations",
        ..DEFAULTS
    },
    Input {
        name: "offline",
        verbs: OFFLINE,
        kind: Kind::Switch,
        default: Some("false"),
        help: "Ask no API: what the event does not say stays empty, and the roots of the public Sigstore instance are those of this program",
        ..DEFAULTS
    },
    Input {
        name: "environment",
        verbs: TAGGING,
        kind: Kind::Text("NAME"),
        help: "The environment that is released to; promote moves the tag of its name. One of the policy's, where there is a policy",
        ..DEFAULTS
    },
    Input {
        name: "services",
        verbs: RELEASE,
        kind: Kind::List("SERVICE"),
        help: "Which of the policy's services are released; all, where none is named",
        ..DEFAULTS
    },
    Input {
        name: "policy",
        verbs: RELEASE,
        kind: Kind::Text("FILE"),
        path: true,
        help: "A policy file beside .github/shipmark.yml: environments with their repositories, and services. It only adds: the environments of .github/shipmark.yml hold wherever that exists. In a workflow both are read as the workflow's own commit has them",
        ..DEFAULTS
    },
    Input {
        name: "existing",
        verbs: RELEASE,
        kind: Kind::Choice(&["fail", "keep"]),
        help: "What to do where an immutable tag names another digest: refuse, or go on with the image that is there. Without it version tags fail, and a SHA tag on push keeps an image of the same commit. What is gone on with passes every check of the source; a promotion, or a push that names a version, goes on with it only where more than its own label speaks for it: a signature of this signer, verify-source, or that it is in the environment's from",
        ..DEFAULTS
    },
    Input {
        name: "platforms",
        verbs: RELEASE,
        kind: Kind::List("PLATFORM"),
        help: "The platforms to release, as linux/amd64, linux/arm/v7 or windows(10.0.17763)/amd64: makes a new index, with another digest, of these images and their attestations. Without it the image is released as it is",
        ..DEFAULTS
    },
    Input {
        name: "platforms-drop-signatures",
        verbs: RELEASE,
        kind: Kind::Switch,
        default: Some("false"),
        help: "Go on where the index that platforms makes leaves signatures of the source's index behind",
        ..DEFAULTS
    },
    Input {
        name: "referrers",
        verbs: RELEASE,
        kind: Kind::Choice(&["known", "all", "none"]),
        default: Some("known"),
        help: "What stands beside the image and travels with it: known (signatures, SBOMs, provenance, attestations, scan reports, VEX), all, or none. Release records of another environment never do",
        ..DEFAULTS
    },
    Input {
        name: "sign",
        verbs: SIGNING,
        kind: Kind::Choice(&["key", "keyless", "off"]),
        default: Some("off"),
        help: "How to sign the image where it is released to, before a tag names it, or the file: with a key, with the identity of the job (keyless, which needs permissions: id-token: write), or not",
        ..DEFAULTS
    },
    Input {
        name: "signing-key",
        verbs: SIGNING,
        kind: Kind::TextOrFile("KEY"),
        path: true,
        secret: true,
        help: "The private key to sign with, as text or file: PEM (PKCS#8) of an ECDSA key over P-256, or an encrypted cosign.key with its password in COSIGN_PASSWORD. Without it COSIGN_PRIVATE_KEY is taken",
        ..DEFAULTS
    },
    Input {
        name: "signature-format",
        verbs: RELEASE,
        kind: Kind::Choice(&["bundle", "legacy", "both"]),
        help: "The form of signatures: Sigstore bundles as referrers (keyless, if not said), the older tag sha256-….sig, or both (with a key, if not said)",
        ..DEFAULTS
    },
    Input {
        name: "recursive",
        verbs: RECURSIVE,
        kind: Kind::Switch,
        default: Some("false"),
        help: "Sign, or with verify check, each manifest of an index too, not the index alone",
        ..DEFAULTS
    },
    Input {
        name: "sign-annotations",
        verbs: RELEASE,
        kind: Kind::List("NAME=VALUE"),
        help: "What signatures say beside commit, ref, workflow, run and version",
        ..DEFAULTS
    },
    Input {
        name: "sbom",
        verbs: RELEASE,
        kind: Kind::List("FILE"),
        path: true,
        help: "Bills of materials to attest with the signature: CycloneDX 1 or SPDX 2, as JSON",
        ..DEFAULTS
    },
    Input {
        name: "scan-report",
        verbs: RELEASE,
        kind: Kind::List("FILE"),
        path: true,
        help: "Scan reports to attest with the signature: JSON of Trivy or Grype, SARIF 2.1.0, or cosign's vulnerability predicate",
        ..DEFAULTS
    },
    Input {
        name: "provenance",
        verbs: RELEASE,
        kind: Kind::List("FILE"),
        path: true,
        help: "SLSA provenance (v1 or v0.2) to attest with the signature: the predicate, or the statement around it",
        ..DEFAULTS
    },
    Input {
        name: "verification-summary",
        verbs: RELEASE,
        kind: Kind::List("FILE"),
        path: true,
        help: "SLSA verification summaries (v1) to attest with the signature: the predicate, or the statement around it",
        ..DEFAULTS
    },
    Input {
        name: "github-attestations",
        verbs: RELEASE,
        kind: Kind::Switch,
        default: Some("false"),
        help: "Have GitHub keep the attestations too, where gh attestation verify finds them: those that are made keyless, as bundles. Needs permissions: attestations: write",
        ..DEFAULTS
    },
    Input {
        name: "transparency-log",
        verbs: SIGNED,
        kind: Kind::Choice(&["on", "off"]),
        help: "Whether a transparency log has to hold what is checked; without it one has to for a certificate-identity, and for a key on an image none. On a release, on has what a key signs logged too, and is how a repository that is not known to be public agrees to be named in the log of Sigstore's public instance: that shows everybody the names of repository, workflow and branch",
        ..DEFAULTS
    },
    Input {
        name: "fulcio-url",
        verbs: SIGNING,
        kind: Kind::Text("URL"),
        help: "The certificate authority of a private instance of Sigstore, in place of the one in signing-config",
        ..DEFAULTS
    },
    Input {
        name: "rekor-url",
        verbs: SIGNING,
        kind: Kind::Text("URL"),
        help: "The transparency log of a private instance, of version 1, in place of those in signing-config. A Rekor v2 is named there",
        ..DEFAULTS
    },
    Input {
        name: "tsa-url",
        verbs: SIGNING,
        kind: Kind::Text("URL"),
        help: "The timestamp authority of a private instance, as the whole address of requests, in place of the one in signing-config",
        ..DEFAULTS
    },
    Input {
        name: "oidc-issuer",
        verbs: SIGNING,
        kind: Kind::Text("URL"),
        help: "Who has to have issued the job's identity token; another one is not used",
        ..DEFAULTS
    },
    Input {
        name: "oidc-audience",
        verbs: SIGNING,
        kind: Kind::Text("NAME"),
        default: Some("sigstore"),
        help: "Whom the job's identity token is for",
        ..DEFAULTS
    },
    Input {
        name: "signing-config",
        verbs: SIGNING,
        kind: Kind::Text("FILE"),
        path: true,
        help: "The services of a private instance of Sigstore (signing_config.v0.2.json)",
        ..DEFAULTS
    },
    Input {
        name: "trusted-root",
        verbs: SIGNED,
        kind: Kind::Text("FILE"),
        path: true,
        help: "The keys and certificates of a private instance of Sigstore (trusted_root.json), whose word counts in place of the public instance's",
        ..DEFAULTS
    },
    Input {
        name: "verify-source",
        verbs: PROMOTE,
        kind: Kind::Switch,
        default: Some("false"),
        help: "Check the source as verify does, by key or certificate-identity, before anything is copied",
        ..DEFAULTS
    },
    Input {
        name: "bundle",
        verbs: BUNDLE,
        kind: Kind::Text("FILE"),
        required: BUNDLE,
        path: true,
        help: "The Sigstore bundle to check (verify-bundle) or to write (sign-bundle)",
        ..DEFAULTS
    },
    Input {
        name: "artifact",
        verbs: BUNDLE,
        kind: Kind::Text("FILE"),
        required: SIGN_BUNDLE,
        path: true,
        help: "The file that the bundle signs (verify-bundle, sign-bundle)",
        ..DEFAULTS
    },
    Input {
        name: "digest",
        verbs: VERIFY_BUNDLE,
        kind: Kind::Text("DIGEST"),
        help: "The digest of what the bundle signs, sha256:…, in place of the file (verify-bundle)",
        ..DEFAULTS
    },
    Input {
        name: "key",
        verbs: CHECKED,
        kind: Kind::TextOrFile("KEY"),
        path: true,
        help: "The public key of who has to have signed, as PEM or the file that holds it",
        ..DEFAULTS
    },
    Input {
        name: "certificate-identity",
        verbs: CHECKED,
        kind: Kind::Text("NAME"),
        help: "Who has to have signed keyless: the whole subject of the certificate, as https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main; * stands for any characters",
        ..DEFAULTS
    },
    Input {
        name: "certificate-oidc-issuer",
        verbs: CHECKED,
        kind: Kind::Text("URL"),
        default: Some("https://token.actions.githubusercontent.com"),
        help: "Who has to have vouched for that identity",
        ..DEFAULTS
    },
    Input {
        name: "certificate-github-workflow-repository",
        verbs: CHECKED,
        help: "The repository whose workflow has to have signed, as acme/web",
        ..DEFAULTS
    },
    Input {
        name: "certificate-github-workflow-ref",
        verbs: CHECKED,
        help: "The git ref on which it has to have run, as refs/heads/main",
        ..DEFAULTS
    },
    Input {
        name: "certificate-github-workflow-sha",
        verbs: CHECKED,
        help: "The commit on which it has to have run",
        ..DEFAULTS
    },
    Input {
        name: "certificate-github-workflow-trigger",
        verbs: CHECKED,
        help: "The event that has to have started it, as push",
        ..DEFAULTS
    },
    Input {
        name: "certificate-github-workflow-name",
        verbs: CHECKED,
        help: "The name that the workflow has to have",
        ..DEFAULTS
    },
    Input {
        name: "certificate-github-workflow-uri",
        verbs: CHECKED,
        help: "The workflow that has to have run, with its ref; it may call the one that certificate-identity names",
        ..DEFAULTS
    },
    Input {
        name: "certificate-runner-environment",
        verbs: CHECKED,
        help: "The kind of runner that has to have signed: github-hosted or self-hosted",
        ..DEFAULTS
    },
    Input {
        name: "attestation",
        verbs: CHECKING,
        kind: Kind::List("TYPE[,/PATH=VALUE]…"),
        help: "What has to be there, in place of a signature: signature, or the predicate type of an attestation with what its predicate has to say, at places as JSON pointers; * stands for any characters, \\, for a comma",
        ..DEFAULTS
    },
    Input {
        name: "credentials",
        verbs: IMAGE,
        kind: Kind::List("LOGIN"),
        secret: true,
        help: "Logins as REGISTRY=USER:PASSWORD, before those of docker's config.json; the password may hold = and :",
        ..DEFAULTS
    },
    Input {
        name: "ca-file",
        kind: Kind::Text("FILE"),
        path: true,
        help: "Certificates to trust beside the bundled ones and the system's, as PEM",
        ..DEFAULTS
    },
    Input {
        name: "insecure-registries",
        verbs: IMAGE,
        kind: Kind::List("REGISTRY"),
        help: "Registries to speak plain HTTP with, as host or host:port; those on this machine need no mention",
        ..DEFAULTS
    },
    Input {
        name: "scratch-limit",
        verbs: RELEASE,
        kind: Kind::Text("GIB"),
        help: "The most that an archive may unpack to on disk, in GiB. Without it a hundred times the archive's size, at least half a GiB and at most 32",
        ..DEFAULTS
    },
    Input {
        name: "dry-run",
        verbs: RELEASE,
        kind: Kind::Switch,
        default: Some("false"),
        help: "Plan and report, but write nothing",
        ..DEFAULTS
    },
    Input {
        name: "ref",
        verbs: TAGGING,
        kind: Kind::Text("REF"),
        help: "The git ref to derive tags from, in place of the event's or the checkout's. Refused in a runner where an environment applies",
        ..DEFAULTS
    },
    Input {
        name: "event",
        verbs: TAGGING,
        kind: Kind::Text("NAME[=FILE]"),
        path: true,
        help: "The event to derive tags from, and the file of its payload, in place of the runner's. Refused in a runner where an environment applies",
        ..DEFAULTS
    },
];

/// Every output there is, in the order in which they are documented.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "digest",
        verbs: IMAGE,
        help: "The digest of the image, sha256:…; of several services there is none",
    },
    Output {
        name: "source-digest",
        verbs: RELEASE,
        help: "The digest that was asked for: another than digest where platforms made a new index, or an image that was there was kept",
    },
    Output {
        name: "image",
        verbs: RELEASE,
        help: "repository@digest of each destination, one a line",
    },
    Output {
        name: "tags",
        verbs: TAGGING,
        help: "The full references that name the image now (on a dry run: would name it), one a line",
    },
    Output {
        name: "version",
        verbs: TAGGING,
        help: "The version that was released, where there is one",
    },
    Output {
        name: "signatures",
        verbs: RELEASE,
        help: "Where the image's signatures are, made now or before, one a line",
    },
    Output {
        name: "attestations",
        verbs: RELEASE,
        help: "Where its attestations are, made now or before, one a line",
    },
    Output {
        name: "attestation-urls",
        verbs: RELEASE,
        help: "Where GitHub shows the attestations that were uploaded (github-attestations), one a line",
    },
    Output {
        name: "json",
        verbs: Verb::ALL,
        help: "The whole outcome as one JSON object; of tags, what docker/metadata-action gives",
    },
    Output {
        name: "outcome",
        verbs: OUTCOME,
        help: "released, unchanged (nothing had to be written, or it was a dry run), verified, signed, refused, or failed (some services of several)",
    },
    Output {
        name: "matrix",
        verbs: RELEASE,
        help: "The images as a matrix for a later job: service (where there are services), image, digest",
    },
    Output {
        name: "tag-names",
        verbs: TAGS,
        help: "The tags without the image's name",
    },
    Output {
        name: "labels",
        verbs: TAGS,
        help: "Labels, one a line",
    },
    Output {
        name: "annotations",
        verbs: TAGS,
        help: "Annotations with their level, one a line",
    },
    Output {
        name: "bake-file",
        verbs: TAGS,
        help: "A bake file with tags and labels",
    },
    Output {
        name: "bake-file-tags",
        verbs: TAGS,
        help: "A bake file with tags",
    },
    Output {
        name: "bake-file-labels",
        verbs: TAGS,
        help: "A bake file with labels",
    },
    Output {
        name: "bake-file-annotations",
        verbs: TAGS,
        help: "A bake file with annotations",
    },
];
