//! Examples of each verb. A test parses every line.

use super::verb::Verb;

/// Command line that shows the use of a verb.
pub(super) struct CommandExample {
    /// What it does, as a phrase.
    pub(super) purpose: &'static str,
    /// The line, without quotes.
    pub(super) line: &'static str,
}

const fn example(purpose: &'static str, line: &'static str) -> CommandExample {
    CommandExample { purpose, line }
}

impl Verb {
    /// Returns two or three examples.
    pub(super) const fn examples(self) -> &'static [CommandExample] {
        match self {
            Self::Tags => {
                &const {
                    [
                        example(
                            "Tags of the checkout's commit, in the language of docker/metadata-action",
                            "shipmark tags --images ghcr.io/acme/web --context git",
                        ),
                        example(
                            "Tags that a push of version 1.4.0 would give",
                            "shipmark tags --images ghcr.io/acme/web --for push --ref refs/tags/v1.4.0",
                        ),
                        example(
                            "Tags by rules",
                            "shipmark tags --images acme/web --tags type=semver,pattern={{version}} --tags type=sha",
                        ),
                    ]
                }
            }
            Self::Push => {
                &const {
                    [
                        example(
                            "Push what docker build made, under the tags of the checkout",
                            "shipmark push --source docker-daemon:web --images ghcr.io/acme/web",
                        ),
                        example(
                            "Push a layout to two registries, signed with a key",
                            "shipmark push --source oci:build --images ghcr.io/acme/web --images docker.io/acme/web --sign key --signing-key cosign.key",
                        ),
                        example(
                            "See what a push would do",
                            "shipmark push --source oci-archive:image.tar --images ghcr.io/acme/web --dry-run",
                        ),
                    ]
                }
            }
            Self::Promote => {
                &const {
                    [
                        example(
                            "Release the image of the checkout's commit as version 1.4.0",
                            "shipmark promote --images ghcr.io/acme/web --version 1.4.0",
                        ),
                        example(
                            "Copy a release to production, after a check of its signature",
                            "shipmark promote --source ghcr.io/acme/web:1.4.0 --images prod.example.com/acme/web --environment prod --verify-source --key cosign.pub",
                        ),
                        example(
                            "Release all services of the policy to an environment",
                            "shipmark promote --source 1.4.0 --environment prod",
                        ),
                    ]
                }
            }
            Self::Check => {
                &const {
                    [
                        example(
                            "Show what a promotion of all services to an environment would do",
                            "shipmark check --source 1.4.0 --environment prod",
                        ),
                        example(
                            "Judge a scan report by the gates of an environment",
                            "shipmark check --source 1.4.0 --environment prod --services web --scan-report trivy.json",
                        ),
                    ]
                }
            }
            Self::Verify => {
                &const {
                    [
                        example(
                            "Verify a signature made with a key",
                            "shipmark verify --source ghcr.io/acme/web:1.4.0 --key cosign.pub",
                        ),
                        example(
                            "Verify a keyless signature of a workflow",
                            "shipmark verify --source ghcr.io/acme/web:1.4.0 --certificate-identity https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main",
                        ),
                        example(
                            "Judge what an environment of the policy is on, by new scan reports",
                            "shipmark verify --environment prod --scan-report web.json --scan-report api.json",
                        ),
                    ]
                }
            }
            Self::VerifyBundle => {
                &const {
                    [
                        example(
                            "Verify a file by the bundle of a key",
                            "shipmark verify-bundle --bundle web.sigstore.json --artifact web.tar.gz --key cosign.pub --transparency-log off",
                        ),
                        example(
                            "Verify a keyless bundle of a workflow",
                            "shipmark verify-bundle --bundle web.sigstore.json --artifact web.tar.gz --certificate-identity https://github.com/acme/web/.github/workflows/release.yml@refs/tags/v1.4.0",
                        ),
                    ]
                }
            }
            Self::SignBundle => {
                &const {
                    [
                        example(
                            "Sign a file with a key, and log the signature",
                            "shipmark sign-bundle --artifact web.tar.gz --bundle web.sigstore.json --sign key --signing-key cosign.key --transparency-log on",
                        ),
                        example(
                            "Sign a file with the identity of the job",
                            "shipmark sign-bundle --artifact web.tar.gz --bundle web.sigstore.json --sign keyless",
                        ),
                    ]
                }
            }
            Self::History => {
                &const {
                    [
                        example(
                            "Show the newest releases of an environment of the policy",
                            "shipmark history --environment prod",
                        ),
                        example(
                            "Show what the tag 1.4 named, without a policy",
                            "shipmark history --environment prod --images ghcr.io/acme/web --tag 1.4",
                        ),
                        example(
                            "Verify each entry of this year",
                            "shipmark history --environment prod --since 2026-01-01 --verify",
                        ),
                    ]
                }
            }
            Self::Inspect => {
                &const {
                    [
                        example(
                            "Show where an image comes from and where it was released",
                            "shipmark inspect --source ghcr.io/acme/web:1.4.0",
                        ),
                        example(
                            "Show what an environment is on, and what was good before",
                            "shipmark inspect --environment prod",
                        ),
                    ]
                }
            }
            Self::Rollback => {
                &const {
                    [
                        example(
                            "Withdraw the current release of an environment",
                            "shipmark rollback --environment prod --reason orders-fail",
                        ),
                        example(
                            "Go back to a version, without a policy",
                            "shipmark rollback --environment prod --images ghcr.io/acme/web --to 1.3.0",
                        ),
                        example(
                            "See what the withdrawal of a version would do",
                            "shipmark rollback --environment prod --withdraw 1.4.1 --dry-run",
                        ),
                    ]
                }
            }
            Self::Mark => {
                &const {
                    [
                        example(
                            "Record that the current release is deployed",
                            "shipmark mark --environment prod --state deployed",
                        ),
                        example(
                            "Record that a version has failed, so that no rollback puts it back",
                            "shipmark mark --environment prod --state failed --release 1.4.0 --link https://status.example.com/17",
                        ),
                    ]
                }
            }
            Self::Adopt => {
                &const {
                    [
                        example(
                            "List the releases that would be recorded",
                            "shipmark adopt --environment prod --dry-run",
                        ),
                        example(
                            "Record the releases of a repository, without a policy",
                            "shipmark adopt --environment prod --images ghcr.io/acme/web",
                        ),
                    ]
                }
            }
            Self::Hold => {
                &const {
                    [
                        example(
                            "Keep a release of an environment of the policy",
                            "shipmark hold --name case-7 --environment prod --release 1.4.0 --reason audit-of-2026",
                        ),
                        example(
                            "Keep an image by its tag, without records",
                            "shipmark hold --name case-7 --images ghcr.io/acme/web --release 1.4.0 --reason audit-of-2026",
                        ),
                    ]
                }
            }
            Self::Unhold => {
                &const {
                    [
                        example(
                            "Lift a hold in an environment of the policy",
                            "shipmark unhold --name case-7 --environment prod --reason audit-closed",
                        ),
                        example(
                            "Lift a hold of one service",
                            "shipmark unhold --name case-7 --environment prod --services web --reason audit-closed",
                        ),
                    ]
                }
            }
            Self::Prune => {
                &const {
                    [
                        example(
                            "Show what goes and what stays by the policy, and keep the plan",
                            "shipmark prune --plan-file plan.json",
                        ),
                        example(
                            "Delete by a plan that was shown, with a copy of what goes",
                            "shipmark prune --apply plan.json --archive oci:deleted",
                        ),
                        example(
                            "Explain why an image stays or goes",
                            "shipmark prune --services web --explain 1.4.0",
                        ),
                    ]
                }
            }
            Self::Restore => {
                &const {
                    [
                        example(
                            "Bring a deleted image back with its signatures and tags",
                            "shipmark restore --images ghcr.io/acme/web --archive oci:deleted --digest sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a",
                        ),
                        example(
                            "Bring an image back into an image layout",
                            "shipmark restore --images oci:web --archive oci:deleted --digest sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a",
                        ),
                    ]
                }
            }
            Self::Policy => {
                &const {
                    [
                        example(
                            "Show the environments of .github/shipmark.yml",
                            "shipmark policy",
                        ),
                        example(
                            "Show one environment, with those of another file",
                            "shipmark policy --policy policy.yml --environment prod",
                        ),
                    ]
                }
            }
        }
    }
}
