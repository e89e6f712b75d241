//! From rules to tags: what each rule makes of the event, and what is made of all of them.

mod error;
mod helper;
mod moment;
mod pattern;
mod pep440;
mod rule;
mod settle;
mod subject;
mod template;
mod version;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use semver::Version;

pub use error::ExpandError;
pub use subject::Subject;

use helper::Dates;
use rule::Made;
use subject::View;
use template::{Expression, Language, Problem, Steps};

use super::rules::{Rule, Rules, number};
use super::{Finding, Kind, Mode, Trap};
use crate::tagging::default::shown;

/// What rules come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expansion {
    /// What the rules gave, in their order; some may be there twice.
    pub tags: Vec<Expanded>,
    /// The tag `latest`, with what the flavor puts around it.
    pub latest: Option<Expanded>,
    /// What a person should know of it.
    pub findings: Vec<Finding>,
    /// Whether a tag that is there twice is listed once.
    strict: bool,
}

/// A tag that a rule gives. In compatible mode it need not be a valid one.
#[derive(Debug, Clone, PartialEq)]
pub struct Expanded {
    /// The text of the tag.
    pub text: String,
    /// Whether it may ever be moved.
    pub kind: Kind,
    /// The rule, made printable.
    pub rule: String,
}

impl Expansion {
    /// The text of the first rule that gave one.
    pub fn version(&self) -> Option<&str> {
        self.tags.first().map(|tag| tag.text.as_str())
    }

    /// The names of the tags in the order in which they are listed.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for tag in &self.tags {
            if !names.contains(&tag.text.as_str()) {
                names.push(&tag.text);
            }
        }
        if let Some(latest) = &self.latest
            && !(self.strict && names.contains(&latest.text.as_str()))
        {
            names.push(&latest.text);
        }
        names
    }
}

/// Expands rules.
///
/// # Errors
/// A template or regular expression that cannot be read or expanded, or, in strict mode, one that
/// says something unknown.
pub fn expand(rules: &Rules, subject: &Subject) -> Result<Expansion, ExpandError> {
    let expander = Expander::new(rules, subject);
    let mut expansion = Expansion {
        findings: rules.findings.clone(),
        strict: rules.mode == Mode::Strict,
        ..Expansion::default()
    };
    if expander.withheld(&mut expansion) {
        return Ok(expansion);
    }
    let mut made = Vec::new();
    for rule in &rules.rules {
        if let Some(one) = expander.rule(rule, &mut expansion.findings)? {
            made.push((rule, one));
        }
    }
    expander.settle(made, &mut expansion)?;
    Ok(expansion)
}

/// Expands a line of `labels` or `annotations`.
pub(super) fn line(
    rules: &Rules,
    subject: &Subject,
    input: &'static str,
    lines: &[super::rules::Entry],
    findings: &mut Vec<Finding>,
) -> Result<Vec<String>, ExpandError> {
    let expander = Expander::new(rules, subject);
    lines
        .iter()
        .map(|entry| {
            let expanded =
                expander
                    .language
                    .expand(&entry.text, rules.mode)
                    .map_err(|problem| {
                        ExpandError::whole(input, Some(entry.line), &entry.text, &problem)
                    })?;
            for trap in expander.steps.take() {
                let place = format!("{input}, line {}", entry.line);
                findings.push(found(&place, trap, &entry.text));
            }
            Ok(expanded)
        })
        .collect()
}

fn found(place: &str, trap: Trap, text: &str) -> Finding {
    Finding::trap(trap, format!("{place}: {}: {}", trap.title(), shown(text)))
}

/// What all rules have in common.
struct Expander<'a> {
    rules: &'a Rules,
    subject: &'a Subject,
    view: View,
    meant: View,
    language: Language,
    dates: Language,
    /// What patterns may say of a version: most rules are about the same one.
    versions: RefCell<HashMap<(&'static str, String), Rc<Language>>>,
    steps: Steps,
}

impl<'a> Expander<'a> {
    fn new(rules: &'a Rules, subject: &'a Subject) -> Self {
        let steps = Steps::default();
        let (given, meant) = (subject.as_given(), subject.as_meant());
        let dates = Dates {
            now: subject.now,
            committed: subject.committed,
            strict: false,
            steps: steps.clone(),
        };
        let expressions = expressions(subject, &given, &meant);
        Self {
            language: Language::of_rules(expressions, &dates, &steps),
            dates: Language::of_dates(&dates, &steps),
            view: match rules.mode {
                Mode::Compatible => given,
                Mode::Strict => meant.clone(),
            },
            meant,
            versions: RefCell::default(),
            rules,
            subject,
            steps,
        }
    }

    fn strict(&self) -> bool {
        self.rules.mode == Mode::Strict
    }

    /// Expands an attribute of a rule.
    fn attribute(
        &self,
        rule: &Rule,
        name: &'static str,
        text: &str,
    ) -> Result<String, ExpandError> {
        let expanded = self.language.expand(text, self.rules.mode);
        expanded.map_err(|problem| ExpandError::of(rule, name, text, &problem))
    }

    /// The language of the version that was written as `raw`.
    fn version_language(
        &self,
        kind: &'static str,
        raw: &str,
        make: impl FnOnce() -> Language,
    ) -> Rc<Language> {
        let mut versions = self.versions.borrow_mut();
        let language = versions.entry((kind, raw.to_owned()));
        language.or_insert_with(|| Rc::new(make())).clone()
    }

    fn rule(&self, rule: &Rule, findings: &mut Vec<Finding>) -> Result<Option<Made>, ExpandError> {
        let enabled = match self.attribute(rule, "enable", &rule.enable)?.as_str() {
            "true" => true,
            "false" => false,
            other => {
                let text = format!("it comes to {:?}, neither true nor false", shown(other));
                let problem = Problem { text, column: 1 };
                return Err(ExpandError::of(rule, "enable", &rule.enable, &problem));
            }
        };
        let made = match enabled {
            true => self.made(rule, findings)?,
            false => None,
        };
        for trap in self.steps.take() {
            findings.push(found(
                &format!("tags, line {}", rule.line),
                trap,
                &rule.text,
            ));
        }
        Ok(made)
    }

    /// Whether nothing is tagged because what the event is about is gone, or not out yet.
    fn withheld(&self, expansion: &mut Expansion) -> bool {
        let Some(facts) = &self.subject.facts else {
            return false;
        };
        let unpublished = || {
            let release = facts.release.as_ref();
            release.and_then(|release| super::default::published(release).err())
        };
        let (trap, why) = if facts.deleted {
            let gone = super::default::not_deleted(facts).err();
            (Trap::Deleted, gone.map(|error| error.to_string()))
        } else if let Some(error) = unpublished() {
            (Trap::Draft, Some(error.to_string()))
        } else {
            return false;
        };
        let text = why.unwrap_or_else(|| trap.title().to_owned());
        expansion.findings.push(Finding::trap(trap, text));
        self.strict()
    }
}

/// The expressions that stand for a value.
fn expressions(subject: &Subject, given: &View, meant: &View) -> Vec<Expression> {
    let differ = (given != meant).then(|| subject.difference());
    let expression = |name, value: &dyn Fn(&View) -> String| Expression {
        name,
        compatible: Ok(value(given).into()),
        strict: Ok(value(meant).into()),
        trap: differ,
    };
    let short = |view: &View, strict| short_sha(subject, &view.sha, strict).map(Into::into);
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut all = vec![
        expression("branch", &|view| owned(view.branch())),
        expression("tag", &|view| owned(view.tag())),
        expression("base_ref", &|view| base_ref(subject, view)),
        Expression {
            name: "sha",
            compatible: short(given, false),
            strict: short(meant, true),
            trap: match short_sha(subject, &meant.sha, true) {
                Ok(_) => differ,
                Err(_) => Some(Trap::ShortSha),
            },
        },
    ];
    for (name, yes) in [
        ("is_default_branch", true),
        ("is_not_default_branch", false),
    ] {
        let loosely = is_default_branch(subject, given, false) == yes;
        let strictly = is_default_branch(subject, meant, true) == yes;
        let on_create = loosely != strictly && given == meant;
        let trap = if on_create {
            Trap::DefaultOnCreate
        } else {
            Trap::FalseIsTrue
        };
        all.push(Expression {
            name,
            compatible: Ok(loosely.to_string().into()),
            strict: Ok(strictly.into()),
            trap: differ.or(Some(trap)),
        });
    }
    all
}

fn base_ref(subject: &Subject, view: &View) -> String {
    let workflow = &subject.workflow;
    let base = match (view.tag(), view.pull()) {
        (Some(_), _) => workflow
            .base_ref
            .as_deref()
            .map(|base| base.strip_prefix("refs/heads/").unwrap_or(base)),
        (_, Some(_)) => workflow.pull_base.as_deref(),
        _ => None,
    };
    base.unwrap_or_default().to_owned()
}

fn is_default_branch(subject: &Subject, view: &View, strict: bool) -> bool {
    let Subject { workflow, .. } = subject;
    let branch = view.branch().unwrap_or(&view.git_ref);
    let always: &[&str] = match strict {
        true => &["discussion", "issues", "schedule"],
        false => &["create", "discussion", "issues", "schedule"],
    };
    !branch.is_empty()
        && (workflow.repository.default_branch.as_deref() == Some(branch)
            || always.iter().any(|name| workflow.event.contains(name)))
}

/// The first characters of a commit's id.
fn short_sha(subject: &Subject, sha: &str, strict: bool) -> Result<String, String> {
    let variable = "DOCKER_METADATA_SHORT_SHA_LENGTH";
    let length = match &subject.short_sha {
        Some(text) => number(text)
            .ok_or_else(|| format!("{variable} is {:?}, which is no number", shown(text)))?,
        None => 7.0,
    };
    let sensible = (4.0..=64.0).contains(&length) && length.fract() == 0.0;
    if strict && !sensible {
        return Err(format!(
            "{variable} is {length}, not a whole number from 4 to 64"
        ));
    }
    if length >= sha.len() as f64 {
        return Ok(sha.to_owned());
    }
    // Ids are hexadecimal; what is none is cut where a character ends.
    Ok(sha.chars().take(length.max(0.0) as usize).collect())
}

/// The release that a version is: none for a pre-release.
fn release(version: &Version) -> Option<Version> {
    version.pre.is_empty().then(|| version.clone())
}

#[cfg(test)]
mod tests;
