//! The table of keys of gates.

use super::declared_signer_keys::EVIDENCE_SIGNER_KEYS;
use super::key_shapes::{EntriesShape, KeyDeclaration, KeySet, ListShape, ValueShape};
use super::limits::{
    ATTESTATIONS, CHECKS, EXCEPTIONS, FREEZE_WINDOWS, LABELS, PLATFORMS, REF_PATTERNS, SIGNERS,
    VEX_FILES,
};
use super::text_form::{
    APPROVAL_COUNT, ATTESTATION_RULE, BYTE_SIZE, CHECK_NAME, DATE_OR_TIME, EXCLUDED_APPROVER,
    FILE_PATH, FREEZE_MOMENT, GITHUB_ENVIRONMENT, GITHUB_LOGIN, IMAGE_LABEL, IMAGE_USER,
    PACKAGE_PATTERN, PLATFORM_NAME, REASON, REF_PATTERN, RULE_DURATION, TIME_ZONE,
    VULNERABILITY_ID, WORKFLOW_FILE,
};

/// Words of the key `fail-on`.
pub(super) const FAIL_ON_WORDS: [&str; 5] = ["critical", "high", "medium", "low", "negligible"];

/// Words of the key `suppressed`.
pub(super) const SUPPRESSED_WORDS: [&str; 2] = ["show", "deny"];

/// Shapes of values, in messages.
pub(super) const FLAG_OR_SIGNERS: &str = "true, false or a mapping with the key signers";
pub(super) const SOAK_VALUE: &str = "a duration or a mapping with the key for";
pub(super) const ATTESTATION_VALUE: &str = "text or a mapping with the key rule";

pub(super) const EVIDENCE_SIGNER_LIST: EntriesShape = EntriesShape {
    keys: &EVIDENCE_SIGNER_KEYS,
    text: None,
    limit: SIGNERS,
    may_be_empty: false,
    noun: "signers",
};

pub(super) const ATTESTATION_LIST: EntriesShape = EntriesShape {
    keys: &ATTESTATION_KEYS,
    text: Some(&ATTESTATION_RULE),
    limit: ATTESTATIONS,
    may_be_empty: false,
    noun: "attestations",
};

pub(super) const EXCEPTION_LIST: EntriesShape = EntriesShape {
    keys: &EXCEPTION_KEYS,
    text: None,
    limit: EXCEPTIONS,
    may_be_empty: true,
    noun: "exceptions",
};

pub(super) const FREEZE_LIST: EntriesShape = EntriesShape {
    keys: &FREEZE_KEYS,
    text: None,
    limit: FREEZE_WINDOWS,
    may_be_empty: false,
    noun: "freeze windows",
};

pub(super) const REF_LIST: ListShape = ListShape {
    form: &REF_PATTERN,
    limit: REF_PATTERNS,
    is_unique: false,
    may_be_empty: false,
    noun: "refs",
};

pub(super) const CHECK_LIST: EntriesShape = EntriesShape {
    keys: &CHECK_KEYS,
    text: None,
    limit: CHECKS,
    may_be_empty: false,
    noun: "checks",
};

pub(super) const EXCLUDED_APPROVERS: ListShape = ListShape {
    form: &EXCLUDED_APPROVER,
    limit: 2,
    is_unique: true,
    may_be_empty: false,
    noun: "roles",
};

pub(super) const VEX_LIST: ListShape = ListShape {
    form: &FILE_PATH,
    limit: VEX_FILES,
    is_unique: false,
    may_be_empty: true,
    noun: "VEX documents",
};

pub(super) const PLATFORM_LIST: ListShape = ListShape {
    form: &PLATFORM_NAME,
    limit: PLATFORMS,
    is_unique: false,
    may_be_empty: false,
    noun: "platforms",
};

pub(super) const LABEL_LIST: ListShape = ListShape {
    form: &IMAGE_LABEL,
    limit: LABELS,
    is_unique: false,
    may_be_empty: false,
    noun: "labels",
};

/// Keys of the gates of an environment.
pub(super) const GATE_KEYS: KeySet = KeySet {
    shape: "a mapping with names of gates",
    known: &[
        KeyDeclaration {
            name: "scan",
            shape: ValueShape::Mapping(&SCAN_KEYS),
            help: "Reports of vulnerability scanners, of the input `scan-report` or attested",
        },
        SIGNATURE,
        ATTESTATIONS_GATE,
        SOAK,
        FREEZE,
        IMAGE,
        CHECKS_GATE,
        APPROVALS_GATE,
    ],
    required: &[],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of the gates of a service.
pub(super) const SERVICE_GATE_KEYS: KeySet = KeySet {
    known: &[
        KeyDeclaration {
            name: "scan",
            shape: ValueShape::Mapping(&SERVICE_SCAN_KEYS),
            help: "Keys of the scan gate that differ for the service",
        },
        SIGNATURE,
        ATTESTATIONS_GATE,
        SOAK,
        FREEZE,
        IMAGE,
        CHECKS_GATE,
        APPROVALS_GATE,
    ],
    ..GATE_KEYS
};

const SIGNATURE: KeyDeclaration = KeyDeclaration {
    name: "signature",
    shape: ValueShape::Either(&ValueShape::Flag, &ValueShape::Mapping(&GATE_SIGNER_KEYS)),
    help: "Whether the root must have a signature of a signer of `from`, or of its own `signers`",
};

const ATTESTATIONS_GATE: KeyDeclaration = KeyDeclaration {
    name: "attestations",
    shape: ValueShape::Entries(ATTESTATION_LIST),
    help: "Attestations that the image must have, in the language of the input `attestation`",
};

const SOAK: KeyDeclaration = KeyDeclaration {
    name: "soak",
    shape: ValueShape::Either(
        &ValueShape::Text(&RULE_DURATION),
        &ValueShape::Mapping(&SOAK_KEYS),
    ),
    help: "Time for which the image must have been current, without interruption, in the environment of `from` that it comes from",
};

const FREEZE: KeyDeclaration = KeyDeclaration {
    name: "freeze",
    shape: ValueShape::Entries(FREEZE_LIST),
    help: "Windows of time without releases, weekly or absolute",
};

const IMAGE: KeyDeclaration = KeyDeclaration {
    name: "image",
    shape: ValueShape::Mapping(&IMAGE_KEYS),
    help: "Properties that the image must have, on every platform",
};

const CHECKS_GATE: KeyDeclaration = KeyDeclaration {
    name: "checks",
    shape: ValueShape::Entries(CHECK_LIST),
    help: "Check runs and commit statuses that must have succeeded on the source commit",
};

const APPROVALS_GATE: KeyDeclaration = KeyDeclaration {
    name: "approvals",
    shape: ValueShape::Mapping(&APPROVAL_KEYS),
    help: "Approvals that the run's deployment to a GitHub environment must have",
};

/// Keys of the scan gate.
pub(super) const SCAN_KEYS: KeySet = KeySet {
    shape: "a mapping with the key fail-on",
    known: &[
        KeyDeclaration {
            name: "fail-on",
            shape: ValueShape::Word(&FAIL_ON_WORDS),
            help: "Lowest severity that fails the gate",
        },
        KeyDeclaration {
            name: "ignore-unfixed",
            shape: ValueShape::Flag,
            help: "Whether findings do not count that the report states to have no fix",
        },
        KeyDeclaration {
            name: "max-age",
            shape: ValueShape::Text(&RULE_DURATION),
            help: "Longest time since the scan. Default: any",
        },
        KeyDeclaration {
            name: "suppressed",
            shape: ValueShape::Choice(&SUPPRESSED_WORDS),
            help: "Findings that the report itself suppresses: `show` (default), or `deny`, which refuses the report",
        },
        KeyDeclaration {
            name: "ignore",
            shape: ValueShape::Entries(EXCEPTION_LIST),
            help: "Findings that do not count",
        },
        KeyDeclaration {
            name: "vex",
            shape: ValueShape::List(VEX_LIST),
            help: "OpenVEX documents in the repository, read at the commit of the policy",
        },
        KeyDeclaration {
            name: "vex-signers",
            shape: ValueShape::Entries(EVIDENCE_SIGNER_LIST),
            help: "Who may sign OpenVEX attestations of the image that count. Default: only files count",
        },
        KeyDeclaration {
            name: "attested",
            shape: ValueShape::Either(&ValueShape::Flag, &ValueShape::Mapping(&GATE_SIGNER_KEYS)),
            help: "Whether scan attestations of the image are judged too, by a signer of `from`, or of its own `signers`",
        },
        KeyDeclaration {
            name: "attach",
            shape: ValueShape::Flag,
            help: "Whether the reports of the input `scan-report` are stored next to the root as attestations",
        },
    ],
    required: &["fail-on"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of the scan gate of a service.
pub(super) const SERVICE_SCAN_KEYS: KeySet = KeySet {
    shape: "a mapping with keys of the scan gate",
    required: &[],
    ..SCAN_KEYS
};

/// Keys of an exception of the scan gate.
pub(super) const EXCEPTION_KEYS: KeySet = KeySet {
    shape: "a mapping with the keys id and reason",
    known: &[
        KeyDeclaration {
            name: "id",
            shape: ValueShape::Text(&VULNERABILITY_ID),
            help: "Id of the vulnerability, as the report has it",
        },
        KeyDeclaration {
            name: "reason",
            shape: ValueShape::Text(&REASON),
            help: "Why the finding does not count",
        },
        KeyDeclaration {
            name: "package",
            shape: ValueShape::Text(&PACKAGE_PATTERN),
            help: "Package URL or name of the package; `*` matches any characters. Default: any package",
        },
        KeyDeclaration {
            name: "platform",
            shape: ValueShape::Text(&PLATFORM_NAME),
            help: "Platform of the image. Default: any platform",
        },
        KeyDeclaration {
            name: "until",
            shape: ValueShape::Text(&DATE_OR_TIME),
            help: "End of the exception: a day, itself included, in UTC, or a time. Default: none",
        },
    ],
    required: &["id", "reason"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of a gate with signers of its own.
pub(super) const GATE_SIGNER_KEYS: KeySet = KeySet {
    shape: "a mapping with the key signers",
    known: &[EVIDENCE_SIGNERS],
    required: &["signers"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

const EVIDENCE_SIGNERS: KeyDeclaration = KeyDeclaration {
    name: "signers",
    shape: ValueShape::Entries(EVIDENCE_SIGNER_LIST),
    help: "Who must have signed. Default: the signers of `from`",
};

/// Keys of an entry of the attestations gate.
pub(super) const ATTESTATION_KEYS: KeySet = KeySet {
    shape: "a mapping with the key rule",
    known: &[
        KeyDeclaration {
            name: "rule",
            shape: ValueShape::Text(&ATTESTATION_RULE),
            help: "Predicate type, and values in the predicate",
        },
        KeyDeclaration {
            name: "signed",
            shape: ValueShape::Choice(&["true", "false"]),
            help: "`false`: the attestation need not be signed, such as those of BuildKit. Default: `true`",
        },
        EVIDENCE_SIGNERS,
    ],
    required: &["rule"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of the soak gate.
pub(super) const SOAK_KEYS: KeySet = KeySet {
    shape: "a mapping with the key for",
    known: &[
        KeyDeclaration {
            name: "for",
            shape: ValueShape::Text(&RULE_DURATION),
            help: "The time",
        },
        KeyDeclaration {
            name: "still-current",
            shape: ValueShape::Flag,
            help: "Whether the image must still be current there",
        },
    ],
    required: &["for"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of a freeze window.
pub(super) const FREEZE_KEYS: KeySet = KeySet {
    shape: "a mapping with the keys from, to and zone",
    known: &[
        KeyDeclaration {
            name: "from",
            shape: ValueShape::Text(&FREEZE_MOMENT),
            help: "First moment of the window: a day of the week and a time, or a date and a time",
        },
        KeyDeclaration {
            name: "to",
            shape: ValueShape::Text(&FREEZE_MOMENT),
            help: "End of the window, which is not included",
        },
        KeyDeclaration {
            name: "zone",
            shape: ValueShape::Text(&TIME_ZONE),
            help: "Time zone of both",
        },
        KeyDeclaration {
            name: "override",
            shape: ValueShape::Flag,
            help: "Whether the input `override-freeze` with a reason lets a release pass",
        },
    ],
    required: &["from", "to", "zone"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of the image gate.
pub(super) const IMAGE_KEYS: KeySet = KeySet {
    shape: "a mapping with keys of the image gate",
    known: &[
        KeyDeclaration {
            name: "platforms",
            shape: ValueShape::List(PLATFORM_LIST),
            help: "Platforms that the image must have. It may have others",
        },
        KeyDeclaration {
            name: "user",
            shape: ValueShape::Text(&IMAGE_USER),
            help: "User of the image: `non-root`, or a name or number",
        },
        KeyDeclaration {
            name: "max-size",
            shape: ValueShape::Text(&BYTE_SIZE),
            help: "Limit on the sum of the compressed layers, of the largest platform",
        },
        KeyDeclaration {
            name: "max-age",
            shape: ValueShape::Text(&RULE_DURATION),
            help: "Longest time since the image was made (`created` of its config)",
        },
        KeyDeclaration {
            name: "labels",
            shape: ValueShape::List(LABEL_LIST),
            help: "Labels that the image must have, each `NAME` or `NAME=PATTERN`",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: true,
    one_of: &[],
};

/// Keys of an entry of the checks gate.
pub(super) const CHECK_KEYS: KeySet = KeySet {
    shape: "a mapping with the key name or status",
    known: &[
        KeyDeclaration {
            name: "name",
            shape: ValueShape::Text(&CHECK_NAME),
            help: "Name of the check run; for a job of GitHub Actions the name of the job",
        },
        KeyDeclaration {
            name: "app",
            shape: ValueShape::Text(&GITHUB_LOGIN),
            help: "App that must have created the check run. Default: `github-actions`",
        },
        KeyDeclaration {
            name: "workflow",
            shape: ValueShape::Text(&WORKFLOW_FILE),
            help: "File in `.github/workflows/` of which the check must be a job. Needed for the app `github-actions`",
        },
        KeyDeclaration {
            name: "branches",
            shape: ValueShape::List(REF_LIST),
            help: "Branches whose workflow runs count. Default: the `refs` of the environment that images are first pushed to",
        },
        KeyDeclaration {
            name: "status",
            shape: ValueShape::Text(&CHECK_NAME),
            help: "Name of a commit status, instead of a check run",
        },
        KeyDeclaration {
            name: "creator",
            shape: ValueShape::Text(&GITHUB_LOGIN),
            help: "Login of the account that must have created the commit status. Needed with `status`",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: false,
    one_of: &["name", "status"],
};

/// Keys of the approvals gate.
pub(super) const APPROVAL_KEYS: KeySet = KeySet {
    shape: "a mapping with the key environment",
    known: &[
        KeyDeclaration {
            name: "environment",
            shape: ValueShape::Text(&GITHUB_ENVIRONMENT),
            help: "Environment on GitHub that the job has",
        },
        KeyDeclaration {
            name: "min",
            shape: ValueShape::Text(&APPROVAL_COUNT),
            help: "Number of users who must have approved. Default: 1",
        },
        KeyDeclaration {
            name: "not",
            shape: ValueShape::List(EXCLUDED_APPROVERS),
            help: "Users whose approval does not count: `author` of the source commit and its pull request, `actor` who started the run",
        },
    ],
    required: &["environment"],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};
