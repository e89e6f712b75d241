//! The table of keys of retention.

use super::key_shapes::{EntriesShape, KeyDeclaration, KeySet, ListShape, ValueShape};
use super::limits::{PINNED_FILES, PRUNE_RULES, REGISTRY_APIS, TAG_PATTERNS};
use super::text_form::{
    FILE_PATTERN, IMAGE_NUMBER, IMAGE_SHARE, KEEP_DURATION, REGISTRY_API, RULE_DURATION,
    TAG_PATTERN,
};

/// The word of the key `untagged`.
pub(super) const UNTAGGED_WORDS: [&str; 1] = ["true"];

/// Keys of a prune rule that say which of its images stay.
pub(super) const PRUNE_BOUNDS: [&str; 2] = ["older-than", "keep-last"];

pub(super) const RETENTION_TAG_LIST: ListShape = ListShape {
    form: &TAG_PATTERN,
    limit: TAG_PATTERNS,
    is_unique: false,
    may_be_empty: false,
    noun: "patterns of tags",
};

pub(super) const PINNED_LIST: ListShape = ListShape {
    form: &FILE_PATTERN,
    limit: PINNED_FILES,
    is_unique: false,
    may_be_empty: false,
    noun: "patterns of files",
};

pub(super) const API_LIST: ListShape = ListShape {
    form: &REGISTRY_API,
    limit: REGISTRY_APIS,
    is_unique: false,
    may_be_empty: false,
    noun: "registries",
};

pub(super) const PRUNE_LIST: EntriesShape = EntriesShape {
    keys: &PRUNE_KEYS,
    text: None,
    limit: PRUNE_RULES,
    may_be_empty: true,
    noun: "prune rules",
};

/// Keys of retention.
pub(super) const RETENTION_KEYS: KeySet = KeySet {
    shape: "a mapping with keys of retention",
    known: &[
        KeyDeclaration {
            name: "keep",
            shape: ValueShape::Mapping(&KEEP_KEYS),
            help: "What stays, whatever `prune` says",
        },
        KeyDeclaration {
            name: "prune",
            shape: ValueShape::Entries(PRUNE_LIST),
            help: "What may go. What no rule names stays; without rules nothing goes",
        },
        KeyDeclaration {
            name: "grace",
            shape: ValueShape::Text(&RULE_DURATION),
            help: "Time during which nothing new goes. Default: `24h`",
        },
        KeyDeclaration {
            name: "limits",
            shape: ValueShape::Mapping(&LIMIT_KEYS),
            help: "Limits beyond which nothing of a repository goes at all",
        },
        KeyDeclaration {
            name: "apis",
            shape: ValueShape::Either(
                &ValueShape::Text(&REGISTRY_API),
                &ValueShape::List(API_LIST),
            ),
            help: "Registries with an API of their own whose host does not tell it, as `REGISTRY=VENDOR` or `REGISTRY=VENDOR ADDRESS`. Vendors: `acr`, `artifactory`, `docker-hub`, `ecr`, `gar`, `ghcr`, `gitlab`, `harbor`, `quay`",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: true,
    one_of: &[],
};

/// Keys of what stays.
pub(super) const KEEP_KEYS: KeySet = KeySet {
    shape: "a mapping with keys of what stays",
    known: &[
        KeyDeclaration {
            name: "released",
            shape: ValueShape::Text(&KEEP_DURATION),
            help: "Time after its last use in an environment, by the records, during which a released image stays. A year has 366 days",
        },
        KeyDeclaration {
            name: "rollback",
            shape: ValueShape::Text(&IMAGE_NUMBER),
            help: "Number of the newest releases of each environment whose images stay, in every repository",
        },
        KeyDeclaration {
            name: "tags",
            shape: ValueShape::Either(
                &ValueShape::Text(&TAG_PATTERN),
                &ValueShape::List(RETENTION_TAG_LIST),
            ),
            help: "Patterns of tags that stay, with their images",
        },
        KeyDeclaration {
            name: "pinned",
            shape: ValueShape::Either(
                &ValueShape::Text(&FILE_PATTERN),
                &ValueShape::List(PINNED_LIST),
            ),
            help: "Patterns of files in the repository, at the commit of the policy, whose digests stay",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: true,
    one_of: &[],
};

/// Keys of a prune rule.
pub(super) const PRUNE_KEYS: KeySet = KeySet {
    shape: "a mapping with the key tags, versions or untagged",
    known: &[
        KeyDeclaration {
            name: "tags",
            shape: ValueShape::Either(
                &ValueShape::Text(&TAG_PATTERN),
                &ValueShape::List(RETENTION_TAG_LIST),
            ),
            help: "Patterns of tags that the rule is about. Tags of records, holds and evidence (`shipmark.*`, `hold.*`, `sha256-*`) are never among them",
        },
        KeyDeclaration {
            name: "versions",
            shape: ValueShape::Either(
                &ValueShape::Text(&TAG_PATTERN),
                &ValueShape::List(RETENTION_TAG_LIST),
            ),
            help: "Patterns of full versions that the rule is about, in the order of versions. Pre-releases are counted apart",
        },
        KeyDeclaration {
            name: "untagged",
            shape: ValueShape::Word(&UNTAGGED_WORDS),
            help: "`true`: the rule is about images without a tag that no index lists",
        },
        KeyDeclaration {
            name: "older-than",
            shape: ValueShape::Text(&RULE_DURATION),
            help: "Age below which an image stays. Either `older-than` or `keep-last` is required, or both",
        },
        KeyDeclaration {
            name: "keep-last",
            shape: ValueShape::Text(&IMAGE_NUMBER),
            help: "Number of the newest images of the rule that stay, counted before `older-than` is applied",
        },
        KeyDeclaration {
            name: "orphans",
            shape: ValueShape::Flag,
            help: "With `untagged`: whether signatures, attestations and SBOMs go whose image is gone",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: false,
    one_of: &["tags", "versions", "untagged"],
};

/// Keys of the limits of a run.
pub(super) const LIMIT_KEYS: KeySet = KeySet {
    shape: "a mapping with limits of deletions",
    known: &[
        KeyDeclaration {
            name: "share",
            shape: ValueShape::Text(&IMAGE_SHARE),
            help: "The largest share of the images of a repository that one run deletes. Default: `30%`",
        },
        KeyDeclaration {
            name: "images",
            shape: ValueShape::Text(&IMAGE_NUMBER),
            help: "The most images of a repository that one run deletes. Default: `100`",
        },
    ],
    required: &[],
    of_retention: &[],
    needs_one: true,
    one_of: &[],
};

/// Key `retention` of the file and of an environment.
pub(super) const RETENTION: KeyDeclaration = KeyDeclaration {
    name: "retention",
    shape: ValueShape::Mapping(&RETENTION_KEYS),
    help: "What `prune` keeps and deletes. `keep` of an environment adds to that of the file; `apis` too. Its `prune`, `grace` and `limits` replace those of the file",
};
