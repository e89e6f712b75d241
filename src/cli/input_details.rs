//! The details of each input: what help says of it after its line.

use super::declared_inputs::Input;

impl Input {
    /// Returns whole sentences that follow the line of help; `None` if that line says everything.
    pub const fn details(self) -> Option<&'static str> {
        match self {
            Self::Source => Some(
                "A registry reference with tag or digest; oci:DIR[:NAME], an image layout; oci-archive:FILE[:NAME], a tar of a layout; docker-archive:FILE[:NAME], the output of docker save (FILE - is standard input); or docker-daemon:NAME, an image of the Docker engine. For a promotion to an environment of the policy a tag or digest alone is enough: it is read from the repository that the environment takes its images from. newest is the current release of that environment; refused for production. Default for promote: the image that was built from the commit of the event or the checkout.",
            ),
            Self::Sources => Some(
                "Written as web=sha256:…, one per line; the digest alone where the environment has one repository. Without services these are the services that are released. For an environment of the policy.",
            ),
            Self::Plan => Some(
                "The output plan of check, sha256:…: a digest of the policy, the images, versions and tags of all services. Give sources with it, so that the images are those that were approved.",
            ),
            Self::Images => Some(
                "Not needed if environment names an environment of the policy; history, inspect, rollback, mark, adopt, hold and unhold take the repository of an environment that no policy names. The verb tags takes names of images in the form of docker/metadata-action.",
            ),
            Self::Platforms => Some(
                "Creates a new index, with another digest, of these images and their attestations. Without this input the image is released unchanged. Other forms are linux/arm/v7 and windows(10.0.17763)/amd64.",
            ),
            Self::PlatformsDropSignatures => Some(
                "The new index has another digest, so signatures of the source's index do not sign it. Without this input the release is refused.",
            ),
            Self::Referrers => Some(
                "known: signatures, SBOMs, provenance, attestations, scan reports and VEX. all: every referrer. none: no referrer. Release records of another environment are never copied.",
            ),
            Self::ForeignLayers => Some(
                "These layers may not be distributed. skip: leave them at their addresses and report them. copy: copy them from the source, such as for a network without access to those addresses.",
            ),
            Self::ScratchLimit => Some(
                "Default: a hundred times the archive's size, at least half a GiB and at most 32.",
            ),
            Self::ScanFailOn => Some(
                "For an environment of the policy with a scan gate. Weaker than the policy's fail-on is refused.",
            ),
            Self::IgnoreUnfixed => Some(
                "For an environment of the policy with a scan gate. true is refused where the policy does not say it.",
            ),
            Self::Vex => Some(
                "For an environment of the policy with a scan gate. Documents are read at the policy's commit, never from the working tree.",
            ),
            Self::OverrideFreeze => Some(
                "For an environment of the policy with the gate freeze. Passes windows with override: true; the record and the summary carry the reason.",
            ),
            Self::Record => Some(
                "auto: record if an environment is given. on: require an environment. off: keep no record. The record is a referrer of the image, and an entry of the timeline under a tag shipmark.ENVIRONMENT.TIME.ACTION.….",
            ),
            Self::Withdraw => Some(
                "Default: the current release. A version can be written as any tag that names the release, such as v1.4.0, 1.4 or latest. An image that no record is about is withdrawn only by its digest.",
            ),
            Self::To => Some(
                "Default: the newest release before it that is neither withdrawn nor marked as failed; one that is marked as deployed goes first. If withdraw names a release that is not current, the environment stays where it is.",
            ),
            Self::Release => Some(
                "Default for mark: the current release. hold takes a digest of any image of the repository.",
            ),
            Self::Name => Some(
                "A name has 1 to 64 lower-case letters, digits, dots, dashes or underscores. The tag hold.NAME names the image while the hold is in effect.",
            ),
            Self::Reinstate => Some("Requires reason. Refused for an image that is not withdrawn."),
            Self::Dockerfile => {
                Some("Recorded as given. Default: what the record of the environment before says.")
            }
            Self::Limit => Some("Default: 20; all with since or tag."),
            Self::Verify => {
                Some("Without it an entry can be known by a newer record that names it.")
            }
            Self::Since => Some("A day begins at midnight of UTC."),
            Self::Tag => Some("Reads all entries."),
            Self::ExpectHead => Some(
                "Refuses the release if the timeline lacks this record: it was cut or made anew.",
            ),
            Self::Artifact => Some("verify-bundle can take digest instead."),
            Self::Apply => Some(
                "Write it first with plan-file. It is valid for 24 hours and by the same policy. Deletes only what a new plan condemns too, and reads each tag again right before.",
            ),
            Self::PlanFile => Some("Has each deletion with its reason, in order."),
            Self::Explain => Some("Such as 1.4.0, sha256:…, or ghcr.io/acme/web:1.4.0."),
            Self::KeepTags => Some("A pattern that matches no tag stops the plan."),
            Self::Archive => Some(
                "prune copies what goes, with all that it needs, before the first deletion. restore reads it from there; at GHCR it needs none for 30 days.",
            ),
            Self::Cache => Some("Content is verified when it is read. Safe to lose."),
            Self::MaxRequests => Some(
                "Nothing is planned from a part of what a repository has: give cache too, which keeps the manifests that were read.",
            ),
            Self::Digest => {
                Some("Written as sha256:…. history also takes the first 12 digits or more.")
            }
            Self::Tags => Some("Default: derived from the event, or on promote from the source."),
            Self::Version => Some(
                "For the tags of the default table; for history the version to show. Default for promote: the version of the event, of the tag given as source, of the image's label, or of the source repository's version tags that name the image, the first that is a full version. Default for push: the version of the event.",
            ),
            Self::ExcludeVersions => Some(
                "Such as a mistyped or retracted version, or old calendar tags. For an environment of the policy, the policy's key exclude-versions takes its place.",
            ),
            Self::Lines => {
                Some("on: each line moves forward to the highest release. off: give no such tag.")
            }
            Self::Existing => Some(
                "fail: refuse the release. keep: release the existing image. Default: version tags fail, and on push a SHA tag keeps an image of the same commit. The existing image must pass every check of the source. A promotion, or a push that names a version, continues with it only on more evidence than its own label: a signature of this signer, verify-source, or its presence in the environment's from.",
            ),
            Self::Mode => Some(
                "compatible: behave like docker/metadata-action and warn about known pitfalls. strict: fix them.",
            ),
            Self::Ref => Some(
                "Takes the place of the event's or the checkout's. Refused in a runner if an environment applies.",
            ),
            Self::Commit => Some(
                "Takes the place of the event's or the checkout's, for a run that builds another ref or promotes the image of another commit. Refused in a runner if an environment applies. history shows the releases of this commit, and also takes its first 7 digits or more.",
            ),
            Self::Event => Some(
                "Takes the place of the runner's. Refused in a runner if an environment applies.",
            ),
            Self::Context => Some("workflow: the event. git: the checkout."),
            Self::For => Some("Default: the tags of docker/metadata-action."),
            Self::SepTags | Self::SepLabels | Self::SepAnnotations => {
                Some("Default: a line break.")
            }
            Self::Environment => Some(
                "promote moves the tag of its name. If there is a policy, it must be one of the policy's environments. The verbs policy, history and inspect show this environment, verify judges what it is on; rollback, mark and adopt write its records.",
            ),
            Self::Policy => Some(
                "Environments with their repositories, and services. It only adds: the environments of .github/shipmark.yml always apply if that file exists. In a workflow both files are read from the workflow's own commit.",
            ),
            Self::Sign => Some(
                "The image is signed at each destination before a tag names it; sign-bundle signs the file. keyless needs permissions: id-token: write. Default: the key sign of the policy's environment, else off. Where the policy demands signatures, another value is refused.",
            ),
            Self::SigningKey => Some(
                "An ECDSA key (P-256, P-384, P-521), an Ed25519 key, or an RSA key (2048 to 4096 bits), plain, or encrypted by cosign or openssl with its password in COSIGN_PASSWORD. With transparency-log: on, an Ed25519 key needs Rekor v1 and signature-format: bundle. Default: COSIGN_PRIVATE_KEY.",
            ),
            Self::SignatureFormat => Some(
                "bundle: a referrer, the default for keyless. legacy: the tag sha256-….sig. both: the default for keys.",
            ),
            Self::Recursive => Some("Default: the index alone."),
            Self::SignAnnotations => Some(
                "They are added to commit, ref, workflow, run and version, which every signature states.",
            ),
            Self::ScanReport => Some(
                "JSON of Trivy or Grype, SARIF 2.1.0, CycloneDX with vulnerabilities; to attest also cosign's vulnerability predicate. With a scan gate (docs/gates.md) they are judged, and attested only if the gate has attach: true. verify takes them with environment.",
            ),
            Self::Unbound => Some(
                "refuse: the default. allow: attest them. A report of another image is always refused. If an environment of the policy applies, only its key unbound counts.",
            ),
            Self::Provenance | Self::VerificationSummary => {
                Some("A file holds the predicate, or the statement around it.")
            }
            Self::GithubAttestations => Some(
                "Uploads attestations that are bundles. Needs permissions: attestations: write.",
            ),
            Self::TransparencyLog => Some(
                "on: require (verify) or create (sign) an entry. off: do not. attestations: as on for signatures of images, and no entry for attestations, such as an SBOM over the limit of the log: a keyless attestation then has a timestamp alone. Default: on for keyless, off for a key on an image. On a release, on also logs signatures of a key, and permits naming a repository that is not known to be public in the log of Sigstore's public instance, which shows the names of repository, workflow and branch to everybody.",
            ),
            Self::FulcioUrl => Some("Takes the place of the one in signing-config."),
            Self::RekorUrl => Some(
                "Takes the place of those in signing-config. Name a Rekor v2 in signing-config.",
            ),
            Self::TsaUrl => {
                Some("The full address of requests. Takes the place of the one in signing-config.")
            }
            Self::OidcIssuer => Some("A token of another issuer is not used."),
            Self::TrustedRoot => Some("Trusted instead of the public instance's."),
            Self::VerifySource => Some("Checks by key or certificate-identity."),
            Self::CertificateIdentity => Some(
                "The full subject, such as https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main.",
            ),
            Self::CertificateGithubWorkflowRepository => {
                Some("The repository of the workflow that ran.")
            }
            Self::CertificateGithubWorkflowRef => Some("The ref of the run."),
            Self::CertificateGithubWorkflowTrigger => Some("The trigger of the run."),
            Self::CertificateGithubWorkflowUri => {
                Some("It may call the workflow that certificate-identity names.")
            }
            Self::Attestation => Some(
                "Required instead of a signature: signature, or the predicate type of an attestation with values that its predicate must have at JSON pointers. * matches any characters, \\, is a comma.",
            ),
            Self::Credentials => Some(
                "Used before those of Docker's config.json. The longest PATH that a repository is below counts. The password may contain = and :.",
            ),
            Self::CaFile => Some("The usual ones are the bundled certificates and the system's."),
            Self::InsecureRegistries => Some(
                "As host or host:port. Plain HTTP is used if the registry does not use TLS. Not needed for registries on this machine.",
            ),
            Self::CredentialsOverHttp => Some(
                "Registries of insecure-registries. Anyone on the network can read the credentials.",
            ),
            Self::TlsVerify => Some("Prefer ca-file."),
            Self::ClientCert => {
                Some("A registry's own certificate in certs.d of Docker takes precedence.")
            }
            Self::AllowDirty => {
                Some("Outside of a runner. The image then gets no tag of the commit.")
            }
            Self::Offline => Some(
                "Details that the event lacks stay empty. Verification makes no call to Sigstore's TUF repository: the trusted root of the public instance is the one in this program.",
            ),
            Self::Comment => Some(
                "In a run for pull_request, with permissions: pull-requests: write. One comment for each workflow and environment. Without the permission, as for a pull request of a fork, the report says that it was left out.",
            ),
            Self::CommentAuthor => {
                Some("A comment of anybody else is never updated, whatever it contains.")
            }
            Self::Deployments => Some(
                "One deployment for each environment and run, on the commit that the image was built from. Needs permissions: deployments: write. Nothing of it can fail the release.",
            ),
            Self::StorageRecord => Some(
                "For repositories of an organization. Needs permissions: artifact-metadata: write, and an attestation of the image at GitHub, such as with github-attestations.",
            ),
            Self::GithubToken => Some(
                "Used for details that the event lacks (also whether the repository is public, before it is named in the public log), for the policy if there is no checkout, and for github-attestations, deployments and storage-record.",
            ),
            Self::State
            | Self::Reason
            | Self::Link
            | Self::Target
            | Self::All
            | Self::Command
            | Self::Bundle
            | Self::Flavor
            | Self::Labels
            | Self::Annotations
            | Self::BakeTarget
            | Self::Services
            | Self::Sbom
            | Self::OidcAudience
            | Self::SigningConfig
            | Self::Key
            | Self::CertificateOidcIssuer
            | Self::CertificateGithubWorkflowSha
            | Self::CertificateGithubWorkflowName
            | Self::CertificateRunnerEnvironment
            | Self::ClientKey
            | Self::DryRun => None,
        }
    }
}
