//! The table of keys of gates.

use super::declared_signer_keys::EVIDENCE_SIGNER_KEYS;
use super::key_shapes::{EntriesShape, KeyDeclaration, KeySet, ListShape, ValueShape};
use super::limits::{
    ATTESTATIONS, EXCEPTIONS, FREEZE_WINDOWS, LABELS, PLATFORMS, SIGNERS, VEX_FILES,
};
use super::text_form::{
    ATTESTATION_RULE, BYTE_SIZE, DATE_OR_TIME, FILE_PATH, FREEZE_MOMENT, IMAGE_LABEL, IMAGE_USER,
    PACKAGE_PATTERN, PLATFORM_NAME, REASON, RULE_DURATION, TIME_ZONE, VULNERABILITY_ID,
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
    ],
    required: &[],
    reserved: &[],
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
    reserved: &[],
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
    reserved: &[],
    needs_one: false,
    one_of: &[],
};

/// Keys of a gate with signers of its own.
pub(super) const GATE_SIGNER_KEYS: KeySet = KeySet {
    shape: "a mapping with the key signers",
    known: &[EVIDENCE_SIGNERS],
    required: &["signers"],
    reserved: &[],
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
    reserved: &[],
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
    reserved: &[],
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
    reserved: &[],
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
    reserved: &[],
    needs_one: true,
    one_of: &[],
};
