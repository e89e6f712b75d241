//! The forms of texts in a policy file, as far as a regular expression can tell them.
//!
//! Each pattern accepts all that the parser accepts, and as little more as is short to write. The
//! patterns are for editors; the parser reads the texts into their types.

/// Form of a text.
#[derive(Debug)]
pub(super) struct TextForm {
    /// Regular expression of ECMAScript without anchors and look-around.
    pub(super) pattern: &'static str,
    /// Noun phrase for the table of keys, and for an editor where the pattern does not match.
    pub(super) expected: &'static str,
}

pub(super) const ENVIRONMENT_NAME: TextForm = TextForm {
    pattern: "[A-Za-z0-9][A-Za-z0-9-]{0,31}",
    expected: "name of 1 to 32 letters, digits or dashes, the first not a dash",
};

pub(super) const SERVICE_NAME: TextForm = TextForm {
    pattern: "[a-z0-9][a-z0-9._-]{0,63}",
    expected: "name of 1 to 64 lower-case letters, digits, dots, dashes or underscores, the first a letter or digit",
};

/// `oci:DIR`, or a repository with an optional registry: a name, or an IPv6 address, and a port.
pub(super) const REPOSITORY_TEMPLATE: TextForm = TextForm {
    pattern: r"(?:oci:(?:[^:{}]+(?:\{service\}[^:{}]*)?|\{service\}[^:{}]*)|(?:(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?/)?[a-z0-9][a-z0-9._/-]*|(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?/[a-z0-9._/-]*\{service\}[a-z0-9._/-]*)",
    expected: "repository in lower case without a tag, such as ghcr.io/acme/{service}, or oci:DIR",
};

pub(super) const TAG_RULES: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "text with a rule per line, such as type=sha",
};

pub(super) const VERSION_PATTERN: TextForm = TextForm {
    pattern: "[A-Za-z0-9._+*?-]+",
    expected: "version or pattern, such as 1.10.6, 1.10.* or 2024.*",
};

/// As a repository, with `{service}` and `{environment}` in any place.
pub(super) const RECORDS_TEMPLATE: TextForm = TextForm {
    pattern: r"(?:oci:(?:[^:{}]|\{(?:service|environment)\})+|(?:(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?/)?(?:[a-z0-9._/-]|\{(?:service|environment)\})+)",
    expected: "repository in lower case without a tag, such as ghcr.io/acme/records/{service}, or oci:DIR",
};

pub(super) const CERTIFICATE_IDENTITY: TextForm = TextForm {
    pattern: r"\S+",
    expected: "workflow such as https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/main, or another subject of a certificate",
};

pub(super) const OIDC_ISSUER: TextForm = TextForm {
    pattern: r"https?://\S+",
    expected: "URL such as https://token.actions.githubusercontent.com",
};

pub(super) const GITHUB_REPOSITORY: TextForm = TextForm {
    pattern: "[A-Za-z0-9._-]+/[A-Za-z0-9._-]+",
    expected: "repository on GitHub, such as acme/web",
};

pub(super) const PUBLIC_KEY: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "public key in PEM, or the path of a file with one, such as keys/cosign.pub",
};

pub(super) const ACTION_NAME: TextForm = TextForm {
    pattern: "(?:push|promote|adopt|reinstate|rollback|deployed|failed|pruned|hold|unhold)",
    expected: "name of an action: push, promote, adopt, reinstate, rollback, deployed, failed, pruned, hold or unhold",
};

pub(super) const CALENDAR_DATE: TextForm = TextForm {
    pattern: "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    expected: "date such as 2027-01-31",
};

/// A date, or a time of RFC 3339.
pub(super) const DATE_OR_TIME: TextForm = TextForm {
    pattern: r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?",
    expected: "date such as 2027-01-31, or time such as 2027-01-31T12:00:00Z",
};

/// A pattern of GitHub's branch filters.
pub(super) const REF_PATTERN: TextForm = TextForm {
    pattern: r"[^\x00-\x20\x7f]+",
    expected: "pattern of branches, such as main or release/**, or of tags, such as refs/tags/v*",
};

pub(super) const TAG_PATTERN: TextForm = TextForm {
    pattern: r"(?:[A-Za-z0-9._*?-]|\[!?[A-Za-z0-9._-]+\])+",
    expected: "pattern of tags, such as sha-* or [0-9]*.[0-9]*.[0-9]*",
};

pub(super) const FILE_PATH: TextForm = TextForm {
    pattern: r"[^/\x00-\x1f][^\x00-\x1f]*",
    expected: "path of a file in the repository, such as security/web.openvex.json",
};

pub(super) const BUILD_TARGET: TextForm = TextForm {
    pattern: "[A-Za-z0-9][A-Za-z0-9._-]*",
    expected: "name of a stage, such as runtime",
};

pub(super) const RULE_DURATION: TextForm = TextForm {
    pattern: "(?:[0-9]{1,12}[wdhms])+",
    expected: "duration such as 24h, 90d or 1d12h",
};

pub(super) const BYTE_SIZE: TextForm = TextForm {
    pattern: r"[0-9]{1,16}(?:\.[0-9]{1,3})?(?:B|[kKMGT]B|[KMGT]iB)",
    expected: "size such as 500MiB or 1GB",
};

pub(super) const VULNERABILITY_ID: TextForm = TextForm {
    pattern: r"\S+",
    expected: "id such as CVE-2026-1234",
};

pub(super) const REASON: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "reason",
};

pub(super) const PACKAGE_PATTERN: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "package URL or name, such as pkg:deb/* or openssl",
};

pub(super) const PLATFORM_NAME: TextForm = TextForm {
    pattern: r"[A-Za-z0-9._-]+(?:\([A-Za-z0-9._-]+\))?/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)?",
    expected: "platform such as linux/amd64",
};

pub(super) const ATTESTATION_RULE: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "predicate type such as https://slsa.dev/provenance/v1, with conditions after it",
};

pub(super) const FREEZE_MOMENT: TextForm = TextForm {
    pattern: "(?:(?:mon|tue|wed|thu|fri|sat|sun) [0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2})",
    expected: "moment such as fri 15:00 or 2026-12-23T00:00",
};

pub(super) const TIME_ZONE: TextForm = TextForm {
    pattern: "[A-Za-z0-9._+/-]+",
    expected: "name of the IANA time zone database, such as Europe/Berlin or UTC",
};

pub(super) const IMAGE_USER: TextForm = TextForm {
    pattern: r"[^\s:]\S*",
    expected: "non-root, or name or number of a user",
};

pub(super) const IMAGE_LABEL: TextForm = TextForm {
    pattern: r"[^\s=]+(?:=[\s\S]*)?",
    expected: "label such as org.opencontainers.image.revision, or NAME=PATTERN",
};

pub(super) const CHECK_NAME: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "name such as test",
};

pub(super) const GITHUB_LOGIN: TextForm = TextForm {
    pattern: r"[A-Za-z0-9_-]+(?:\[bot\])?",
    expected: "name on GitHub, such as github-actions",
};

pub(super) const WORKFLOW_FILE: TextForm = TextForm {
    pattern: r"[^/\x00-\x1f]+\.ya?ml",
    expected: "name of a file in .github/workflows/, such as ci.yml",
};

pub(super) const GITHUB_ENVIRONMENT: TextForm = TextForm {
    pattern: r"[\s\S]*\S[\s\S]*",
    expected: "name of an environment on GitHub, such as production",
};

pub(super) const APPROVAL_COUNT: TextForm = TextForm {
    pattern: "[1-6]",
    expected: "number from 1 to 6",
};

pub(super) const EXCLUDED_APPROVER: TextForm = TextForm {
    pattern: "(?:author|actor)",
    expected: "role: author or actor",
};

/// A duration that may have years.
pub(super) const KEEP_DURATION: TextForm = TextForm {
    pattern: "(?:[0-9]{1,12}[ywdhms])+",
    expected: "duration such as 7y, 90d or 1y26w",
};

pub(super) const IMAGE_NUMBER: TextForm = TextForm {
    pattern: "[1-9][0-9]{0,5}",
    expected: "number from 1 to 999999",
};

pub(super) const IMAGE_SHARE: TextForm = TextForm {
    pattern: "(?:100|[1-9][0-9]?)%",
    expected: "share from 1% to 100%",
};

pub(super) const FILE_PATTERN: TextForm = TextForm {
    pattern: r"[^/\x00-\x1f][^\x00-\x1f]*",
    expected: "path of files in the repository, such as deploy/**/*.yaml",
};

pub(super) const REGISTRY_API: TextForm = TextForm {
    pattern: r"[^\s=]+=[a-z-]+(?:\s+https?://\S+)?",
    expected: "registry with its vendor, such as harbor.example.com=harbor",
};
