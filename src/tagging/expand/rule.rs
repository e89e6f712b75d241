//! What one rule makes of the event.

use semver::Version;

use super::pep440::Pep440;
use super::template::{Language, Problem};
use super::version::{self, is_raw, without_build};
use super::{ExpandError, Expander, pattern, short_sha};
use crate::tagging::default::{published, shown};
use crate::tagging::derived::{Follows, Kind, Names};
use crate::tagging::rules::{RefKind, Rule, RuleKind, Versioned};
use crate::tagging::{Finding, Trap};

/// What a rule gives, before anything is put around it.
pub(super) struct Made {
    pub(super) text: String,
    pub(super) what: What,
    pub(super) latest: ForLatest,
    /// The release that it belongs to, where it is one.
    pub(super) release: Option<Version>,
}

/// What the text is.
pub(super) enum What {
    /// Part of a release's version, or all of it.
    PartOfRelease,
    /// Certainly this.
    Known(Kind),
    /// The name of the branch, by an expression.
    BranchName,
    /// A name: what it looks like decides.
    Name,
}

/// Whether `latest` goes with it: as docker/metadata-action has it, and as it should be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ForLatest {
    pub(super) loosely: bool,
    pub(super) strictly: bool,
}

impl ForLatest {
    const NO: Self = Self::both(false);

    const fn both(yes: bool) -> Self {
        Self {
            loosely: yes,
            strictly: yes,
        }
    }
}

impl Made {
    fn new(text: impl Into<String>, what: What) -> Self {
        Self {
            text: text.into(),
            what,
            latest: ForLatest::NO,
            release: None,
        }
    }

    fn moving(text: impl Into<String>, follows: Follows) -> Self {
        Self::new(text, What::Known(Kind::Moving(follows)))
    }
}

type Result<T> = std::result::Result<T, ExpandError>;

impl Expander<'_> {
    pub(super) fn made(&self, rule: &Rule, findings: &mut Vec<Finding>) -> Result<Option<Made>> {
        self.note_other_view(rule);
        match &rule.kind {
            RuleKind::Schedule { pattern } => self.schedule(rule, pattern),
            RuleKind::Semver(versioned) => self.semver(rule, versioned, findings),
            RuleKind::Pep440(versioned) => self.pep440(rule, versioned, findings),
            RuleKind::Match { .. } => self.matching(rule, findings),
            RuleKind::Edge { branch } => Ok(self.edge(branch)),
            RuleKind::Ref(kind) => Ok(self.git_ref(*kind)),
            RuleKind::Raw { value } => {
                let text = self.attribute(rule, "value", value)?;
                let is_branch =
                    value.contains("branch") && self.view.branch() == Some(text.as_str());
                let what = if is_branch {
                    What::BranchName
                } else {
                    What::Name
                };
                Ok(Some(Made::new(text, what)))
            }
            RuleKind::Sha { long } => self.sha(rule, *long),
            RuleKind::Release { pattern } => self.release(rule, pattern),
            RuleKind::Env => Ok(self.environment(findings)),
        }
    }

    /// Rules that go by the ref are about another one in strict mode.
    fn note_other_view(&self, rule: &Rule) {
        let by_ref = matches!(
            rule.kind,
            RuleKind::Semver(_)
                | RuleKind::Pep440(_)
                | RuleKind::Match { .. }
                | RuleKind::Edge { .. }
                | RuleKind::Ref(_)
        );
        let by_sha = matches!(rule.kind, RuleKind::Sha { .. });
        if (by_ref && self.view.git_ref != self.meant.git_ref)
            || (by_sha && self.view.sha != self.meant.sha)
        {
            self.steps.add(self.subject.difference());
        }
    }

    fn schedule(&self, rule: &Rule, pattern: &str) -> Result<Option<Made>> {
        if !self.subject.workflow.event.contains("schedule") {
            return Ok(None);
        }
        let text = self
            .dates
            .expand(pattern, self.rules.mode)
            .map_err(|problem| ExpandError::of(rule, "pattern", pattern, &problem))?;
        Ok(Some(Made::moving(text, Follows::Other)))
    }

    fn semver(
        &self,
        rule: &Rule,
        versioned: &Versioned,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Made>> {
        let Some(source) = self.source(rule, versioned, findings)? else {
            return Ok(None);
        };
        let Some(version) = version::semver(&source) else {
            findings.push(no_version(rule, &source, "semantic version"));
            return Ok(None);
        };
        self.release_version(rule, versioned, &source, &version)
            .map(Some)
    }

    fn release_version(
        &self,
        rule: &Rule,
        versioned: &Versioned,
        source: &str,
        version: &Version,
    ) -> Result<Made> {
        let make = || version::semver_language(source, version, &self.steps);
        let language = self.version_language("semver", source, make);
        let pattern = &versioned.pattern;
        self.check(rule, pattern)?;
        let full = || What::Known(Kind::Immutable(Names::Version));
        if !version.pre.is_empty() {
            let text = match is_raw(pattern) {
                true => self.pattern(rule, &language, pattern)?,
                false => without_build(version),
            };
            return Ok(Made::new(text, full()));
        }
        let text = self.pattern(rule, &language, pattern)?;
        if versioned.value.is_empty() && self.release_is_marked() {
            let mended = without_build(version);
            if text != mended && !is_raw(pattern) {
                self.steps.add(Trap::LinesOnPrerelease);
            }
            let text = if self.strict() && !is_raw(pattern) {
                mended
            } else {
                text
            };
            let latest = ForLatest {
                loosely: true,
                strictly: false,
            };
            return Ok(Made {
                latest,
                ..Made::new(text, full())
            });
        }
        Ok(Made {
            text: self.but_major_zero(text, version),
            what: What::PartOfRelease,
            latest: ForLatest::both(true),
            release: Some(version.clone()),
        })
    }

    /// Every 0.x may break what the one before promised.
    fn but_major_zero(&self, text: String, version: &Version) -> String {
        if version.major != 0 || text != "0" {
            return text;
        }
        self.steps.add(Trap::MajorZero);
        match self.strict() {
            true => String::new(),
            false => text,
        }
    }

    /// Whether the event is about a release that its author marked as a pre-release.
    fn release_is_marked(&self) -> bool {
        let release = self
            .subject
            .facts
            .as_ref()
            .and_then(|facts| facts.release.as_ref());
        release.is_some_and(|release| release.prerelease)
    }

    fn pep440(
        &self,
        rule: &Rule,
        versioned: &Versioned,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Made>> {
        let Some(source) = self.source(rule, versioned, findings)? else {
            return Ok(None);
        };
        let Some(version) = Pep440::read(&source) else {
            findings.push(no_version(rule, &source, "version by PEP 440"));
            return Ok(None);
        };
        let normal = version.normalised(".");
        if version.normalised(",") != normal {
            self.steps.add(Trap::Lists);
        }
        let local = if self.strict() { "." } else { "," };
        let make = || version::pep440_language(&source, &version, local, &self.steps);
        let language = self.version_language("pep440", &source, make);
        let pattern = &versioned.pattern;
        self.check(rule, pattern)?;
        if version.is_marked() {
            let text = match is_raw(pattern) {
                true => source,
                false => version.normalised(local),
            };
            let what = What::Known(Kind::Immutable(Names::Version));
            return Ok(Some(Made::new(text, what)));
        }
        let text = self.pattern(rule, &language, pattern)?;
        let whole = [&normal, &version.normalised(local), &source].contains(&&text);
        let release = version::semver(&normal);
        Ok(Some(Made {
            what: match (&release, whole) {
                (_, true) => What::Known(Kind::Immutable(Names::Version)),
                (Some(_), false) => What::PartOfRelease,
                (None, false) => What::Name,
            },
            text,
            latest: ForLatest {
                loosely: true,
                strictly: !self.release_is_marked(),
            },
            release,
        }))
    }

    fn check(&self, rule: &Rule, pattern: &str) -> Result<()> {
        Language::check(pattern)
            .map_err(|problem| ExpandError::of(rule, "pattern", pattern, &problem))
    }

    fn pattern(&self, rule: &Rule, language: &Language, pattern: &str) -> Result<String> {
        let expanded = language.expand(pattern, self.rules.mode);
        expanded.map_err(|problem| ExpandError::of(rule, "pattern", pattern, &problem))
    }

    /// What a version is read from: the value, else the tag's name; or what `match` finds in it.
    fn source(
        &self,
        rule: &Rule,
        versioned: &Versioned,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<String>> {
        let source = match (versioned.value.as_str(), self.view.tag()) {
            ("", Some(tag)) => tag.to_owned(),
            ("", None) => return Ok(None),
            (value, _) => self.attribute(rule, "value", value)?,
        };
        let matching = versioned.matching.as_str();
        if matching.is_empty() {
            return Ok(Some(source.replace('/', "-")));
        }
        let Some(groups) = self.groups(rule, "match", matching, &source)? else {
            self.steps.add(Trap::NoMatch);
            let text = format!("{} does not match {}", shown(matching), shown(&source));
            findings.push(Finding::note(text));
            return Ok((!self.strict()).then(|| source.replace('/', "-")));
        };
        match groups.into_iter().nth(1).flatten() {
            Some(found) => Ok(Some(found.replace('/', "-"))),
            None => {
                let text = format!("it matches {}, but has no group 1", shown(&source));
                let problem = Problem { text, column: 1 };
                Err(ExpandError::of(rule, "match", matching, &problem))
            }
        }
    }

    fn groups(
        &self,
        rule: &Rule,
        attribute: &'static str,
        pattern: &str,
        text: &str,
    ) -> Result<Option<Vec<Option<String>>>> {
        pattern::groups(pattern, text).map_err(|error| {
            let text = error.to_string();
            ExpandError::of(rule, attribute, pattern, &Problem { text, column: 1 })
        })
    }

    fn matching(&self, rule: &Rule, findings: &mut Vec<Finding>) -> Result<Option<Made>> {
        let RuleKind::Match {
            pattern,
            group,
            value,
        } = &rule.kind
        else {
            return Ok(None);
        };
        let source = match (value.as_str(), self.view.tag()) {
            ("", Some(tag)) => tag.to_owned(),
            ("", None) => return Ok(None),
            (value, _) => self.attribute(rule, "value", value)?,
        };
        let mut note = |text| {
            findings.push(Finding::note(text));
            Ok(None)
        };
        let Some(groups) = self.groups(rule, "pattern", pattern, &source)? else {
            return note(format!(
                "{} does not match {}",
                shown(pattern),
                shown(&source)
            ));
        };
        // Looked up as it is written: 01 is no group.
        let index = group
            .parse::<usize>()
            .ok()
            .filter(|index| index.to_string() == *group);
        let found = index.and_then(|index| groups.into_iter().nth(index).flatten());
        let Some(text) = found else {
            return note(format!(
                "{} has no group {} for {}",
                shown(pattern),
                shown(group),
                shown(&source)
            ));
        };
        Ok(Some(Made {
            latest: self.latest_of_name(&source, value.is_empty()),
            release: self.release_of_name(&source),
            ..Made::new(text, What::Name)
        }))
    }

    fn edge(&self, branch: &str) -> Option<Made> {
        let branch = match branch {
            "" => self.subject.default_branch.as_deref()?,
            branch => branch,
        };
        (self.view.branch()? == branch).then(|| Made::moving("edge", Follows::Branch))
    }

    fn git_ref(&self, kind: RefKind) -> Option<Made> {
        match kind {
            RefKind::Branch => {
                let branch = self.view.branch()?;
                if branch.starts_with("gh-readonly-queue/") {
                    self.steps.add(Trap::MergeQueue);
                    if self.strict() {
                        return None;
                    }
                }
                Some(Made::moving(branch, Follows::Branch))
            }
            RefKind::Tag => {
                let tag = self.view.tag()?;
                let names = match crate::event::version(tag) {
                    Some(_) => Names::Version,
                    None => Names::Other,
                };
                Some(Made {
                    latest: self.latest_of_name(tag, true),
                    release: self.release_of_name(tag),
                    ..Made::new(tag, What::Known(Kind::Immutable(names)))
                })
            }
            RefKind::Pull => Some(Made::moving(self.view.pull()?, Follows::PullRequest)),
        }
    }

    /// `latest` goes with a tag, though not with a pre-release.
    fn latest_of_name(&self, name: &str, of_event: bool) -> ForLatest {
        let by_semver = version::semver(name).map(|version| !version.pre.is_empty());
        let by_python = || Pep440::read(name).map(|version| version.is_prerelease());
        let prerelease = by_semver.or_else(by_python).unwrap_or(false);
        let marked = of_event && self.release_is_marked();
        ForLatest {
            loosely: true,
            strictly: !(prerelease || marked),
        }
    }

    fn release_of_name(&self, name: &str) -> Option<Version> {
        version::semver(name).as_ref().and_then(super::release)
    }

    fn sha(&self, rule: &Rule, long: bool) -> Result<Option<Made>> {
        let sha = self.view.sha.as_str();
        if sha.is_empty() {
            return Ok(None);
        }
        let text = match long {
            true => sha.to_owned(),
            false => self.short(sha).map_err(|text| {
                let problem = Problem { text, column: 1 };
                ExpandError::of(rule, "format", "", &problem)
            })?,
        };
        let what = What::Known(Kind::Immutable(Names::Commit));
        Ok(Some(Made::new(text, what)))
    }

    fn short(&self, sha: &str) -> std::result::Result<String, String> {
        let strictly = short_sha(self.subject, sha, true);
        if self.strict() {
            return strictly;
        }
        let loosely = short_sha(self.subject, sha, false)?;
        if strictly.as_ref() != Ok(&loosely) {
            self.steps.add(Trap::ShortSha);
        }
        Ok(loosely)
    }

    /// A release branch names a version or just a release; a published release names its tag.
    fn release(&self, rule: &Rule, pattern: &str) -> Result<Option<Made>> {
        let Some(facts) = &self.subject.facts else {
            return Ok(None);
        };
        let branch = facts.release_branch().map_err(|error| {
            let problem = Problem {
                text: error.to_string(),
                column: 1,
            };
            ExpandError::of(rule, "type", "", &problem)
        })?;
        let tag = facts
            .release
            .as_ref()
            .and_then(|release| published(release).ok());
        let (name, version) = match (&branch, tag) {
            (Some(branch), _) => (branch.name(), branch.version.clone()),
            (None, Some(tag)) => (tag, crate::event::version(tag)),
            (None, None) => return Ok(None),
        };
        if name.is_empty() {
            return Ok(None);
        }
        let Some(version) = version else {
            return Ok(Some(Made::moving(name, Follows::Other)));
        };
        let versioned = Versioned {
            pattern: pattern.to_owned(),
            value: String::new(),
            matching: String::new(),
        };
        self.release_version(rule, &versioned, name, &version)
            .map(Some)
    }

    fn environment(&self, findings: &mut Vec<Finding>) -> Option<Made> {
        let Some(environment) = &self.subject.environment else {
            findings.push(Finding::note(
                "no environment is named, so type=env gives no tag",
            ));
            return None;
        };
        Some(Made::moving(environment.as_str(), Follows::Environment))
    }
}

fn no_version(rule: &Rule, source: &str, what: &str) -> Finding {
    let text = format!(
        "tags, line {}: {} is no {what}: no tag",
        rule.line,
        shown(source)
    );
    Finding::note(text)
}
