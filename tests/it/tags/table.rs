//! The traps of docker/metadata-action, each shown by what both modes answer; docs/tags.md has the
//! same as a table, which is written from here:
//!
//! ```sh
//! UPDATE_DECLARED=1 cargo test --test it tags::table
//! ```

use std::path::Path;

use jiff::Timestamp;
use shipmark::event::{EventFacts, EventInputs, WorkflowEvent};
use shipmark::tagging::{CompatDifference, CompatMode, TagContext, TagRuleSet, expand_rules};

use crate::support::table::updates_documents;

/// An event, and rules that step into a trap for it.
struct Example {
    trap: CompatDifference,
    event: &'static str,
    git_ref: &'static str,
    payload: &'static str,
    tags: &'static str,
    flavor: &'static str,
    short_sha: Option<&'static str>,
}

const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

const fn push(trap: CompatDifference, git_ref: &'static str, tags: &'static str) -> Example {
    Example {
        trap,
        event: "push",
        git_ref,
        payload: r#"{"repository": {"default_branch": "main"}}"#,
        tags,
        flavor: "",
        short_sha: None,
    }
}

const fn on(
    event: &'static str,
    payload: &'static str,
    Example {
        trap,
        git_ref,
        tags,
        flavor,
        short_sha,
        ..
    }: Example,
) -> Example {
    Example {
        trap,
        event,
        git_ref,
        payload,
        tags,
        flavor,
        short_sha,
    }
}

const fn with(flavor: &'static str, example: Example) -> Example {
    let Example {
        trap,
        event,
        git_ref,
        payload,
        tags,
        short_sha,
        ..
    } = example;
    Example {
        trap,
        event,
        git_ref,
        payload,
        tags,
        flavor,
        short_sha,
    }
}

const MAIN: &str = "refs/heads/main";
const V1: &str = "refs/tags/v1.4.0";
const RC: &str = "refs/tags/v1.4.0-rc.1";
const LONG: &str = "refs/heads/a-branch-whose-name-is-so-long-that-no-registry-takes-it-as-a-tag-since-a-tag-has-one-hundred-and-twenty-eight-characters-at-most";
const RELEASE: &str =
    r#"{"action": "published", "release": {"tag_name": "v1.4.0", "prerelease": true}}"#;
const DRAFT: &str = r#"{"action": "created", "release": {"tag_name": "v1.4.0", "draft": true}}"#;
const PULL: &str = r#"{"number": 7, "pull_request": {"head": {"sha": "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff"}}}"#;
const RUN: &str = r#"{"repository": {"id": 1}, "workflow_run": {"head_branch": "fix",
    "head_sha": "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff", "head_repository": {"id": 1}}}"#;
const GONE: &str = r#"{"ref": "refs/heads/fix", "deleted": true}"#;

const EXAMPLES: &[Example] = &[
    push(
        CompatDifference::Quotes,
        V1,
        r#"type=match,"pattern=\d{1,2}\.\d""#,
    ),
    push(
        CompatDifference::Quotes,
        MAIN,
        r#"type=raw,value={{date "YYYY"}}"#,
    ),
    push(
        CompatDifference::Comment,
        MAIN,
        "type=raw,value=a\n  # as ever",
    ),
    push(
        CompatDifference::UnknownAttribute,
        MAIN,
        "type=raw,value=a,sufix=-b",
    ),
    push(
        CompatDifference::RepeatedAttribute,
        MAIN,
        "type=raw,value=a,value=b",
    ),
    push(
        CompatDifference::Priority,
        MAIN,
        "type=raw,value=a,priority=high",
    ),
    with(
        "prefix=a=b-",
        push(CompatDifference::FlavorValue, MAIN, "type=raw,value=c"),
    ),
    push(
        CompatDifference::Escape,
        "refs/heads/fix&go",
        "type=raw,value={{branch}}",
    ),
    push(
        CompatDifference::UnknownExpression,
        MAIN,
        "type=raw,value=a-{{brnach}}",
    ),
    push(
        CompatDifference::FalseIsTrue,
        "refs/heads/fix",
        "type=raw,value={{#if is_default_branch}}yes{{else}}no{{/if}}",
    ),
    on(
        "create",
        r#"{"ref": "fix", "ref_type": "branch"}"#,
        push(
            CompatDifference::DefaultOnCreate,
            "refs/heads/fix",
            "type=raw,value=a,enable={{is_default_branch}}",
        ),
    ),
    push(
        CompatDifference::TimeZone,
        MAIN,
        "type=raw,value={{date 'HH' tz='Europe/Berln'}}",
    ),
    push(
        CompatDifference::CommitDate,
        MAIN,
        "type=raw,value={{commit_date 'YYYY'}}",
    ),
    Example {
        short_sha: Some("-3"),
        ..push(CompatDifference::ShortSha, MAIN, "type=sha")
    },
    push(
        CompatDifference::NoMatch,
        V1,
        r"type=semver,pattern={{version}},match=web-(.*)",
    ),
    push(
        CompatDifference::MajorZero,
        "refs/tags/v0.4.0",
        "type=semver,pattern={{major}}",
    ),
    push(
        CompatDifference::Lists,
        "refs/tags/1.0+local.1",
        "type=pep440,pattern={{version}}",
    ),
    push(
        CompatDifference::BadTag,
        "refs/heads/.hidden",
        "type=ref,event=branch",
    ),
    push(CompatDifference::LongTag, LONG, "type=ref,event=branch"),
    push(
        CompatDifference::ReservedName,
        "refs/heads/latest",
        "type=ref,event=branch",
    ),
    on(
        "merge_group",
        "{}",
        push(
            CompatDifference::MergeQueue,
            "refs/heads/gh-readonly-queue/main/pr-7-860c190",
            "type=ref,event=branch",
        ),
    ),
    on(
        "pull_request",
        PULL,
        push(
            CompatDifference::MergeCommit,
            "refs/pull/7/merge",
            "type=sha",
        ),
    ),
    on(
        "workflow_run",
        RUN,
        push(CompatDifference::OtherRun, MAIN, "type=ref,event=branch"),
    ),
    on(
        "push",
        GONE,
        push(
            CompatDifference::Deleted,
            "refs/heads/fix",
            "type=ref,event=branch",
        ),
    ),
    on(
        "release",
        DRAFT,
        push(
            CompatDifference::Draft,
            V1,
            "type=semver,pattern={{version}}",
        ),
    ),
    push(
        CompatDifference::LatestOnPrerelease,
        RC,
        r"type=match,pattern=\d.\d.\d",
    ),
    push(
        CompatDifference::LatestOnPrerelease,
        RC,
        "type=ref,event=tag",
    ),
    on(
        "release",
        RELEASE,
        push(
            CompatDifference::LinesOnPrerelease,
            V1,
            "type=semver,pattern={{major}}.{{minor}}",
        ),
    ),
    push(
        CompatDifference::LatestByFirstRule,
        V1,
        "type=semver,pattern={{version}}\ntype=sha,priority=2000",
    ),
    with(
        "suffix=-{{branch}},onlatest=true,latest=true",
        push(CompatDifference::LatestTemplate, MAIN, "type=raw,value=a"),
    ),
    with(
        "latest=true",
        push(CompatDifference::LatestTwice, MAIN, "type=raw,value=latest"),
    ),
];

impl Example {
    fn subject(&self) -> TagContext {
        let given = EventInputs {
            name: self.event,
            git_ref: Some(self.git_ref),
            sha: Some(SHA),
            repository: Some("acme/web"),
            payload: Some(self.payload.as_bytes()),
        };
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        TagContext {
            workflow: WorkflowEvent::parse(&given),
            short_sha: self.short_sha.map(str::to_owned),
            ..TagContext::from_facts(Some(EventFacts::parse(&given).unwrap()), now)
        }
    }

    /// The tags, and the traps that were stepped into.
    fn answer(&self, mode: CompatMode) -> (Result<Vec<String>, String>, Vec<CompatDifference>) {
        let rules = match TagRuleSet::parse(self.tags, self.flavor, mode) {
            Ok(rules) => rules,
            Err(error) => return (Err(error.to_string()), Vec::new()),
        };
        match expand_rules(&rules, &self.subject()) {
            Ok(expansion) => {
                let names = expansion.names().into_iter().map(str::to_owned).collect();
                let traps = expansion
                    .findings
                    .iter()
                    .filter_map(|finding| finding.difference);
                (Ok(names), traps.collect())
            }
            Err(error) => (Err(error.problem), Vec::new()),
        }
    }

    fn row(&self) -> String {
        let cell = |answer: Result<Vec<String>, String>| match answer {
            Ok(names) if names.is_empty() => "no tag".to_owned(),
            Ok(names) => names
                .iter()
                .map(|name| code(name))
                .collect::<Vec<_>>()
                .join(" "),
            Err(problem) => format!("error: {}", code(&problem)),
        };
        let mut rules: Vec<String> = self.tags.lines().map(code).collect();
        if !self.flavor.is_empty() {
            rules.push(format!("flavor {}", code(self.flavor)));
        }
        if let Some(length) = self.short_sha {
            rules.push(code(&format!("DOCKER_METADATA_SHORT_SHA_LENGTH={length}")));
        }
        format!(
            "| {} | {} of {}: {} | {} | {} |\n",
            self.trap.title().replace('|', "\\|").replace('<', "&lt;"),
            self.event,
            code(self.git_ref),
            rules.join("<br>"),
            cell(self.answer(CompatMode::Compatible).0),
            cell(self.answer(CompatMode::Strict).0),
        )
    }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[test]
fn each_trap_is_shown_and_warned_of() {
    for trap in CompatDifference::ALL {
        assert!(
            EXAMPLES.iter().any(|example| example.trap == *trap),
            "{trap:?}"
        );
    }
    for example in EXAMPLES {
        let (compatible, traps) = example.answer(CompatMode::Compatible);
        let (strict, _) = example.answer(CompatMode::Strict);
        assert_ne!(compatible, strict, "{:?}", example.trap);
        if compatible.is_ok() {
            assert!(
                traps.contains(&example.trap),
                "{:?}: {traps:?}",
                example.trap
            );
        }
    }
}

const MARKS: [&str; 2] = [
    "<!-- traps: written from tests/it/tags/table.rs -->\n",
    "<!-- end -->\n",
];

#[test]
fn the_documentation_has_this_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tags.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let start = text.find(MARKS[0]).unwrap() + MARKS[0].len();
    let end = start + text[start..].find(MARKS[1]).unwrap();
    let rows: String = EXAMPLES.iter().map(Example::row).collect();
    let table =
        format!("| what happens | for example | compatible | strict |\n|---|---|---|---|\n{rows}");
    if updates_documents() {
        std::fs::write(&path, format!("{}{table}{}", &text[..start], &text[end..])).unwrap();
        return;
    }
    assert_eq!(
        &text[start..end],
        table,
        "UPDATE_DECLARED=1 cargo test --test it tags::table"
    );
}
