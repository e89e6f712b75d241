//! The table of keys. The parser takes names, limits and words from here, and the JSON Schema and the
//! documentation's table are written from it.

use super::declared_gate_keys::{GATE_KEYS, REF_LIST, SERVICE_GATE_KEYS};
use super::declared_retention_keys::RETENTION;
use super::declared_signer_keys::SIGNER_LIST;
use super::key_shapes::{KeyDeclaration, KeySet, ListShape, MappingsShape, ValueShape};
use super::limits::{ENVIRONMENTS, EXCLUDED_VERSIONS, SERVICES, SOURCES, TAG_PATTERNS};
use super::text_form::{
    BUILD_TARGET, CALENDAR_DATE, ENVIRONMENT_NAME, FILE_PATH, GITHUB_ENVIRONMENT, RECORDS_TEMPLATE,
    REPOSITORY_TEMPLATE, SERVICE_NAME, TAG_PATTERN, TAG_RULES, VERSION_PATTERN,
};

/// Shapes of values, in messages.
pub(super) const A_LIST: &str = "a list";
pub(super) const A_FLAG: &str = "true or false";
pub(super) const TEXT_OR_LIST: &str = "text or a list";
pub(super) const LIST_OR_MAPPING: &str = "a list, or a mapping from names to services";
pub(super) const RULES_TEXT: &str = "text with a rule per line";
pub(super) const NAMED_ENVIRONMENTS_MAPPING: &str = "a mapping from names to environments";

pub(super) const NAMED_GATES_MAPPING: &str = "a mapping from names of environments to gates";

/// Words of keys that are on or off.
pub(super) const FLAG_WORDS: [&str; 2] = ["false", "true"];

/// Words of the key `transparency-log`.
pub(super) const LOG_WORDS: [&str; 2] = ["on", "attestations"];

/// Words of the key `existing`.
pub(super) const EXISTING_WORDS: [&str; 2] = ["fail", "keep"];

/// Words of the key `unbound`.
pub(super) const UNBOUND_WORDS: [&str; 2] = ["refuse", "allow"];

/// Words of the key `lines`.
pub(super) const LINES_WORDS: [&str; 2] = ["on", "off"];

/// Words of the key `sign`.
pub(super) const SIGN_WORDS: [&str; 3] = ["off", "keyless", "key"];

pub(super) const SERVICE_LIST: ListShape = ListShape {
    form: &SERVICE_NAME,
    limit: SERVICES,
    is_unique: true,
    may_be_empty: true,
    noun: "services",
};

pub(super) const EXCLUDED_VERSION_LIST: ListShape = ListShape {
    form: &VERSION_PATTERN,
    limit: EXCLUDED_VERSIONS,
    is_unique: false,
    may_be_empty: true,
    noun: "excluded versions",
};

pub(super) const SOURCE_LIST: ListShape = ListShape {
    form: &ENVIRONMENT_NAME,
    limit: SOURCES,
    is_unique: true,
    may_be_empty: false,
    noun: "environments",
};

pub(super) const IMMUTABLE_LIST: ListShape = ListShape {
    form: &TAG_PATTERN,
    limit: TAG_PATTERNS,
    is_unique: false,
    may_be_empty: false,
    noun: "patterns of immutable tags",
};

/// Keys of the file.
pub(super) const POLICY_KEYS: KeySet = KeySet {
    shape: "a mapping with the key environments",
    known: &[
        KeyDeclaration {
            name: "environments",
            shape: ValueShape::Mappings(MappingsShape {
                names: &ENVIRONMENT_NAME,
                limit: ENVIRONMENTS,
                keys: &ENVIRONMENT_KEYS,
                may_be_nothing: false,
            }),
            help: "Environments by name, such as `dev`, `stage` and `prod`. Capitals count as lower case, as in the names of GitHub's environments",
        },
        KeyDeclaration {
            name: "services",
            shape: ValueShape::Either(
                &ValueShape::List(SERVICE_LIST),
                &ValueShape::Mappings(SERVICE_MAPPINGS),
            ),
            help: "Services that `{service}` in repositories stands for: their names, or a mapping from their names to keys of their own",
        },
        KeyDeclaration {
            name: "defaults",
            shape: ValueShape::Mapping(&DEFAULT_KEYS),
            help: "Keys of every environment that does not have them itself. Of `gates`, each gate by itself",
        },
        KeyDeclaration {
            name: "exclude-versions",
            shape: ValueShape::List(EXCLUDED_VERSION_LIST),
            help: "Versions that never count for version lines, in all environments, such as `1.10.6` or `2024.*`. The input of that name is refused",
        },
        KeyDeclaration {
            name: "records",
            shape: ValueShape::Text(&RECORDS_TEMPLATE),
            help: "Repository of the release records, for every environment without a key `records` of its own",
        },
        LINES,
        KeyDeclaration {
            name: "trusted-root",
            shape: ValueShape::Text(&FILE_PATH),
            help: "Trusted root of a private Sigstore instance, a file relative to the root of the repository, that certificates of signers must lead to. Default: the public instance. The input `trusted-root` cannot name another one",
        },
        KeyDeclaration {
            name: "transparency-log",
            shape: ValueShape::Choice(&LOG_WORDS),
            help: "Whether records and attestations of keyless signers must be in a transparency log: `on` (default), or `attestations`, which leaves them out, and takes a timestamp. The input of that name cannot say less",
        },
        RETENTION,
    ],
    required: &[],
    of_retention: KEYS_OF_RETENTION,
    needs_one: false,
    one_of: &[],
};

/// Keys of `retention` that are easily written without it.
const KEYS_OF_RETENTION: &[&str] = &["keep", "prune"];

/// Keys of an environment.
pub(super) const ENVIRONMENT_KEYS: KeySet = KeySet {
    shape: "a mapping with the key repository",
    known: &[
        KeyDeclaration {
            name: "repository",
            shape: ValueShape::Text(&REPOSITORY_TEMPLATE),
            help: "Repository of the environment's images, or `oci:DIR` (image layout). `{service}` stands for the name of a service; it can occur once, in the path",
        },
        KeyDeclaration {
            name: "production",
            shape: ValueShape::Flag,
            help: "Whether this is a production environment, which must have signatures, signers that pin a ref, a scan or attestation gate and an immutable tag",
        },
        KeyDeclaration {
            name: "from",
            shape: ValueShape::Either(
                &ValueShape::Text(&ENVIRONMENT_NAME),
                &ValueShape::List(SOURCE_LIST),
            ),
            help: "Environment that the images come from, or a list of environments in the order in which images are looked up. An environment without it is the first of its chain",
        },
        REFS,
        TAGS,
        IMMUTABLE,
        LINES,
        UNBOUND,
        EXISTING,
        KeyDeclaration {
            name: "exclude-versions",
            shape: ValueShape::List(EXCLUDED_VERSION_LIST),
            help: "Versions that never count for version lines in this environment, in addition to those for all environments",
        },
        GATES,
        SIGN,
        SIGNERS_OF_RECORDS,
        VSA,
        KeyDeclaration {
            name: "records",
            shape: ValueShape::Text(&RECORDS_TEMPLATE),
            help: "Repository of the environment's release records. `{service}` stands for the name of the service and `{environment}` for that of the environment. Default: the repository of the images",
        },
        ADOPT_UNTIL,
        GITHUB_ENVIRONMENT_KEY,
        RETENTION,
    ],
    required: &["repository"],
    of_retention: KEYS_OF_RETENTION,
    needs_one: false,
    one_of: &[],
};

/// Keys that all environments can have from `defaults`.
pub(super) const DEFAULT_KEYS: KeySet = KeySet {
    shape: "a mapping with keys of environments",
    known: &[
        REFS,
        TAGS,
        IMMUTABLE,
        UNBOUND,
        EXISTING,
        GATES,
        SIGN,
        SIGNERS_OF_RECORDS,
        VSA,
        ADOPT_UNTIL,
    ],
    required: &[],
    of_retention: KEYS_OF_RETENTION,
    needs_one: false,
    one_of: &[],
};

/// Services, each with keys of its own.
pub(super) const SERVICE_MAPPINGS: MappingsShape = MappingsShape {
    names: &SERVICE_NAME,
    limit: SERVICES,
    keys: &SERVICE_KEYS,
    may_be_nothing: true,
};

/// Gates of a service by environments.
pub(super) const SERVICE_GATE_MAPPINGS: MappingsShape = MappingsShape {
    names: &ENVIRONMENT_NAME,
    limit: ENVIRONMENTS,
    keys: &SERVICE_GATE_KEYS,
    may_be_nothing: false,
};

/// Keys of a service.
pub(super) const SERVICE_KEYS: KeySet = KeySet {
    shape: "a mapping with keys of a service",
    known: &[
        KeyDeclaration {
            name: "dockerfile",
            shape: ValueShape::Text(&FILE_PATH),
            help: "Dockerfile of the service, relative to the root of the repository. It is handed out to the job that builds, and not read",
        },
        KeyDeclaration {
            name: "target",
            shape: ValueShape::Text(&BUILD_TARGET),
            help: "Stage of the Dockerfile that is built. It is handed out to the job that builds",
        },
        KeyDeclaration {
            name: "gates",
            shape: ValueShape::Mappings(SERVICE_GATE_MAPPINGS),
            help: "Gates of the service by the names of environments, as changes to the gates of the environment. They may only tighten, except `scan.ignore`, which replaces that of the environment",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: false,
    one_of: &[],
};

const REFS: KeyDeclaration = KeyDeclaration {
    name: "refs",
    shape: ValueShape::List(REF_LIST),
    help: "Refs whose workflow runs may release to the environment, as GitHub's branch filters have them: `main`, `release/**`, `!release/**-alpha`, `refs/tags/v*`. Default: every ref",
};

const TAGS: KeyDeclaration = KeyDeclaration {
    name: "tags",
    shape: ValueShape::Text(&TAG_RULES),
    help: "Rules that give the tags, one per line. Default: the tags come from the event or the image",
};

const IMMUTABLE: KeyDeclaration = KeyDeclaration {
    name: "immutable",
    shape: ValueShape::List(IMMUTABLE_LIST),
    help: "Patterns of tags that are immutable in the environment, whatever rule gives them, such as `[0-9]*.[0-9]*.[0-9]*` or `sha-*`",
};

const LINES: KeyDeclaration = KeyDeclaration {
    name: "lines",
    shape: ValueShape::Choice(&LINES_WORDS),
    help: "Version lines, such as `1.4`, `1` and `latest`: `on` (default) or `off`. The input `lines` cannot turn them on where this is `off`",
};

const UNBOUND: KeyDeclaration = KeyDeclaration {
    name: "unbound",
    shape: ValueShape::Choice(&UNBOUND_WORDS),
    help: "Scan reports and SBOMs that name no image: `refuse` (default) or `allow`",
};

const EXISTING: KeyDeclaration = KeyDeclaration {
    name: "existing",
    shape: ValueShape::Choice(&EXISTING_WORDS),
    help: "Treatment of an immutable tag that points to another digest: `fail` refuses the release, `keep` releases the existing image. Default: version tags fail, and on `push` a SHA tag keeps an image of the same commit. The input `existing` can only say `fail` where this key is not `keep`",
};

const GATES: KeyDeclaration = KeyDeclaration {
    name: "gates",
    shape: ValueShape::Mapping(&GATE_KEYS),
    help: "Gates that each image passes before its release to the environment. All of them must pass",
};

const SIGN: KeyDeclaration = KeyDeclaration {
    name: "sign",
    shape: ValueShape::Choice(&SIGN_WORDS),
    help: "Signatures that each release to the environment has: `keyless`, `key` or `off` (default). The input `sign` can add signatures, and cannot leave out or replace those of the policy",
};

const SIGNERS_OF_RECORDS: KeyDeclaration = KeyDeclaration {
    name: "signers",
    shape: ValueShape::Entries(SIGNER_LIST),
    help: "Who may write the records of the environment. Required where `sign` is `keyless` or `key`",
};

const VSA: KeyDeclaration = KeyDeclaration {
    name: "vsa",
    shape: ValueShape::Flag,
    help: "Whether each release adds a verification summary attestation (SLSA) that names the environment",
};

const GITHUB_ENVIRONMENT_KEY: KeyDeclaration = KeyDeclaration {
    name: "github-environment",
    shape: ValueShape::Text(&GITHUB_ENVIRONMENT),
    help: "Name of the environment on GitHub, which the input `deployments` uses. Default: the name of the environment",
};

const ADOPT_UNTIL: KeyDeclaration = KeyDeclaration {
    name: "adopt-until",
    shape: ValueShape::Text(&CALENDAR_DATE),
    help: "Last day on which `adopt` may record images that were there before records were kept, in UTC. Default: `adopt` is refused",
};
