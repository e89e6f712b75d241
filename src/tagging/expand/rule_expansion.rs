//! What one rule makes of the event.

use semver::Version;

use super::pep440::Pep440Version;
use super::template::{TemplateLanguage, TemplateProblem};
use super::version_syntax::{self, is_raw, without_build};
use super::{ExpandError, RuleExpander, regex, short_sha};
use crate::tagging::default_tags::{printable_name, require_published};
use crate::tagging::rules::{RefRuleKind, RuleKind, TagRule, VersionRule};
use crate::tagging::tag_plan::{ImmutableTagSource, MovingTagSource, TagKind};
use crate::tagging::{CompatDifference, Finding};

/// What a rule gives, before anything is put around it.
pub(super) struct RuleOutput {
    pub(super) text: String,
    pub(super) content: RuleOutputKind,
    pub(super) latest: LatestDecision,
    /// The release that it belongs to, where it is one.
    pub(super) release: Option<Version>,
}

/// What the text is.
pub(super) enum RuleOutputKind {
    /// Part of a release's version, or all of it.
    PartOfRelease,
    /// Certainly this.
    Certain(TagKind),
    /// The name of the branch, by an expression.
    BranchName,
    /// A name: what it looks like decides.
    Name,
}

/// Whether `latest` goes with it: as docker/metadata-action has it, and as it should be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LatestDecision {
    pub(super) compatible: bool,
    pub(super) strict: bool,
}

impl LatestDecision {
    const NO: Self = Self::both(false);

    const fn both(yes: bool) -> Self {
        Self {
            compatible: yes,
            strict: yes,
        }
    }
}

impl RuleOutput {
    fn new(text: impl Into<String>, content: RuleOutputKind) -> Self {
        Self {
            text: text.into(),
            content,
            latest: LatestDecision::NO,
            release: None,
        }
    }

    fn moving(text: impl Into<String>, follows: MovingTagSource) -> Self {
        Self::new(text, RuleOutputKind::Certain(TagKind::Moving(follows)))
    }
}

type RuleResult<T> = std::result::Result<T, ExpandError>;

impl RuleExpander<'_> {
    pub(super) fn expand_rule(
        &self,
        rule: &TagRule,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<RuleOutput>> {
        self.record_view_difference(rule);
        match &rule.kind {
            RuleKind::Schedule { pattern } => self.expand_schedule(rule, pattern),
            RuleKind::Semver(versioned) => self.expand_semver(rule, versioned, findings),
            RuleKind::Pep440(versioned) => self.expand_pep440(rule, versioned, findings),
            RuleKind::Match { .. } => self.expand_match(rule, findings),
            RuleKind::Edge { branch } => Ok(self.expand_edge(branch)),
            RuleKind::Ref(kind) => Ok(self.expand_ref(*kind)),
            RuleKind::Raw { value } => {
                let text = self.expand_attribute(rule, "value", value)?;
                let holds = |branch: &str| !branch.is_empty() && text.contains(branch);
                let is_branch = value.contains("branch") && self.view.branch().is_some_and(holds);
                let what = if is_branch {
                    RuleOutputKind::BranchName
                } else {
                    RuleOutputKind::Name
                };
                Ok(Some(RuleOutput::new(text, what)))
            }
            RuleKind::Sha { long } => self.expand_sha(rule, *long),
            RuleKind::Release { pattern } => self.expand_release(rule, pattern),
            RuleKind::Env => Ok(self.expand_environment(findings)),
        }
    }

    /// Rules that go by the ref are about another one in strict mode.
    fn record_view_difference(&self, rule: &TagRule) {
        let by_ref = matches!(
            rule.kind,
            RuleKind::Semver(_)
                | RuleKind::Pep440(_)
                | RuleKind::Match { .. }
                | RuleKind::Edge { .. }
                | RuleKind::Ref(_)
        );
        let by_sha = matches!(rule.kind, RuleKind::Sha { .. });
        if (by_ref && self.view.git_ref != self.intended.git_ref)
            || (by_sha && self.view.sha != self.intended.sha)
        {
            self.differences.add(self.context.view_difference());
        }
    }

    fn expand_schedule(&self, rule: &TagRule, pattern: &str) -> RuleResult<Option<RuleOutput>> {
        if !self.context.workflow.event.contains("schedule") {
            return Ok(None);
        }
        let text = self
            .dates
            .expand(pattern, self.rules.mode)
            .map_err(|problem| ExpandError::for_attribute(rule, "pattern", pattern, &problem))?;
        Ok(Some(RuleOutput::moving(text, MovingTagSource::Other)))
    }

    fn expand_semver(
        &self,
        rule: &TagRule,
        versioned: &VersionRule,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<RuleOutput>> {
        let Some(source) = self.version_source(rule, versioned, findings)? else {
            return Ok(None);
        };
        let Some(version) = version_syntax::parse_semver(&source) else {
            findings.push(no_version(rule, &source, "semantic version"));
            return Ok(None);
        };
        self.release_version(rule, versioned, &source, &version)
            .map(Some)
    }

    fn release_version(
        &self,
        rule: &TagRule,
        versioned: &VersionRule,
        source: &str,
        version: &Version,
    ) -> RuleResult<RuleOutput> {
        let make = || version_syntax::semver_language(source, version, &self.differences);
        let language = self.version_language("semver", source, make);
        let pattern = &versioned.pattern;
        self.check_pattern(rule, pattern)?;
        let full = || RuleOutputKind::Certain(TagKind::Immutable(ImmutableTagSource::Version));
        if !version.pre.is_empty() {
            let text = match is_raw(pattern) {
                true => self.expand_pattern(rule, &language, pattern)?,
                false => without_build(version),
            };
            return Ok(RuleOutput::new(text, full()));
        }
        let text = self.expand_pattern(rule, &language, pattern)?;
        if versioned.value.is_empty() && self.is_marked_prerelease() {
            let mended = without_build(version);
            if text != mended && !is_raw(pattern) {
                self.differences.add(CompatDifference::LinesOnPrerelease);
            }
            let text = if self.strict() && !is_raw(pattern) {
                mended
            } else {
                text
            };
            let latest = LatestDecision {
                compatible: true,
                strict: false,
            };
            return Ok(RuleOutput {
                latest,
                ..RuleOutput::new(text, full())
            });
        }
        Ok(RuleOutput {
            text: self.without_major_zero(text, version),
            content: RuleOutputKind::PartOfRelease,
            latest: LatestDecision::both(true),
            release: Some(version.clone()),
        })
    }

    /// Every 0.x may break what the one before promised.
    fn without_major_zero(&self, text: String, version: &Version) -> String {
        if version.major != 0 || text != "0" {
            return text;
        }
        self.differences.add(CompatDifference::MajorZero);
        match self.strict() {
            true => String::new(),
            false => text,
        }
    }

    /// Whether the event is about a release that its author marked as a pre-release.
    fn is_marked_prerelease(&self) -> bool {
        let release = self
            .context
            .facts
            .as_ref()
            .and_then(|facts| facts.release.as_ref());
        release.is_some_and(|release| release.prerelease)
    }

    fn expand_pep440(
        &self,
        rule: &TagRule,
        versioned: &VersionRule,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<RuleOutput>> {
        let Some(source) = self.version_source(rule, versioned, findings)? else {
            return Ok(None);
        };
        let Some(version) = Pep440Version::parse(&source) else {
            findings.push(no_version(rule, &source, "version by PEP 440"));
            return Ok(None);
        };
        let normal = version.to_normalised(".");
        if version.to_normalised(",") != normal {
            self.differences.add(CompatDifference::Lists);
        }
        let local = if self.strict() { "." } else { "," };
        let make = || version_syntax::pep440_language(&source, &version, local, &self.differences);
        let language = self.version_language("pep440", &source, make);
        let pattern = &versioned.pattern;
        self.check_pattern(rule, pattern)?;
        if version.has_marker() {
            let text = match is_raw(pattern) {
                true => source,
                false => version.to_normalised(local),
            };
            let what = RuleOutputKind::Certain(TagKind::Immutable(ImmutableTagSource::Version));
            return Ok(Some(RuleOutput::new(text, what)));
        }
        let text = self.expand_pattern(rule, &language, pattern)?;
        let whole = [&normal, &version.to_normalised(local), &source].contains(&&text);
        let release = version_syntax::parse_semver(&normal);
        Ok(Some(RuleOutput {
            content: match (&release, whole) {
                (_, true) => {
                    RuleOutputKind::Certain(TagKind::Immutable(ImmutableTagSource::Version))
                }
                (Some(_), false) => RuleOutputKind::PartOfRelease,
                (None, false) => RuleOutputKind::Name,
            },
            text,
            latest: LatestDecision {
                compatible: true,
                strict: !self.is_marked_prerelease(),
            },
            release,
        }))
    }

    fn check_pattern(&self, rule: &TagRule, pattern: &str) -> RuleResult<()> {
        TemplateLanguage::check_syntax(pattern)
            .map_err(|problem| ExpandError::for_attribute(rule, "pattern", pattern, &problem))
    }

    fn expand_pattern(
        &self,
        rule: &TagRule,
        language: &TemplateLanguage,
        pattern: &str,
    ) -> RuleResult<String> {
        let expanded = language.expand(pattern, self.rules.mode);
        expanded.map_err(|problem| ExpandError::for_attribute(rule, "pattern", pattern, &problem))
    }

    /// What a version is read from: the value, else the tag's name; or what `match` finds in it.
    fn version_source(
        &self,
        rule: &TagRule,
        versioned: &VersionRule,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<String>> {
        let source = match (versioned.value.as_str(), self.view.tag()) {
            ("", Some(tag)) => tag.to_owned(),
            ("", None) => return Ok(None),
            (value, _) => self.expand_attribute(rule, "value", value)?,
        };
        let matching = versioned.matching.as_str();
        if matching.is_empty() {
            return Ok(Some(source.replace('/', "-")));
        }
        let Some(groups) = self.match_groups(rule, "match", matching, &source)? else {
            self.differences.add(CompatDifference::NoMatch);
            let text = format!(
                "{} does not match {}",
                printable_name(matching),
                printable_name(&source)
            );
            findings.push(Finding::from_note(text));
            return Ok((!self.strict()).then(|| source.replace('/', "-")));
        };
        match groups.into_iter().nth(1).flatten() {
            Some(found) => Ok(Some(found.replace('/', "-"))),
            None => {
                let text = format!("it matches {}, but has no group 1", printable_name(&source));
                let problem = TemplateProblem { text, column: 1 };
                Err(ExpandError::for_attribute(
                    rule, "match", matching, &problem,
                ))
            }
        }
    }

    fn match_groups(
        &self,
        rule: &TagRule,
        attribute: &'static str,
        pattern: &str,
        text: &str,
    ) -> RuleResult<Option<Vec<Option<String>>>> {
        regex::match_groups(pattern, text).map_err(|error| {
            let text = error.to_string();
            ExpandError::for_attribute(
                rule,
                attribute,
                pattern,
                &TemplateProblem { text, column: 1 },
            )
        })
    }

    fn expand_match(
        &self,
        rule: &TagRule,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<RuleOutput>> {
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
            (value, _) => self.expand_attribute(rule, "value", value)?,
        };
        let mut note = |text| {
            findings.push(Finding::from_note(text));
            Ok(None)
        };
        let Some(groups) = self.match_groups(rule, "pattern", pattern, &source)? else {
            return note(format!(
                "{} does not match {}",
                printable_name(pattern),
                printable_name(&source)
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
                printable_name(pattern),
                printable_name(group),
                printable_name(&source)
            ));
        };
        Ok(Some(RuleOutput {
            latest: self.latest_for_name(&source, value.is_empty()),
            release: self.release_from_name(&source),
            ..RuleOutput::new(text, RuleOutputKind::Name)
        }))
    }

    fn expand_edge(&self, branch: &str) -> Option<RuleOutput> {
        let branch = match branch {
            "" => self.context.default_branch.as_deref()?,
            branch => branch,
        };
        (self.view.branch()? == branch).then(|| RuleOutput::moving("edge", MovingTagSource::Branch))
    }

    fn expand_ref(&self, kind: RefRuleKind) -> Option<RuleOutput> {
        match kind {
            RefRuleKind::Branch => {
                let branch = self.view.branch()?;
                if branch.starts_with("gh-readonly-queue/") {
                    self.differences.add(CompatDifference::MergeQueue);
                    if self.strict() {
                        return None;
                    }
                }
                Some(RuleOutput::moving(branch, MovingTagSource::Branch))
            }
            RefRuleKind::Tag => {
                let tag = self.view.tag()?;
                let names = match crate::event::parse_version(tag) {
                    Some(_) => ImmutableTagSource::Version,
                    None => ImmutableTagSource::Other,
                };
                Some(RuleOutput {
                    latest: self.latest_for_name(tag, true),
                    release: self.release_from_name(tag),
                    ..RuleOutput::new(tag, RuleOutputKind::Certain(TagKind::Immutable(names)))
                })
            }
            RefRuleKind::Pull => Some(RuleOutput::moving(
                self.view.pull_request()?,
                MovingTagSource::PullRequest,
            )),
        }
    }

    /// `latest` goes with a tag, though not with a pre-release.
    fn latest_for_name(&self, name: &str, of_event: bool) -> LatestDecision {
        let by_semver = version_syntax::parse_semver(name).map(|version| !version.pre.is_empty());
        let by_python = || Pep440Version::parse(name).map(|version| version.is_prerelease());
        let prerelease = by_semver.or_else(by_python).unwrap_or(false);
        let marked = of_event && self.is_marked_prerelease();
        LatestDecision {
            compatible: true,
            strict: !(prerelease || marked),
        }
    }

    fn release_from_name(&self, name: &str) -> Option<Version> {
        version_syntax::parse_semver(name)
            .as_ref()
            .and_then(super::release_of)
    }

    fn expand_sha(&self, rule: &TagRule, long: bool) -> RuleResult<Option<RuleOutput>> {
        let sha = self.view.sha.as_str();
        if sha.is_empty() {
            return Ok(None);
        }
        let text = match long {
            true => sha.to_owned(),
            false => self.short_sha(sha).map_err(|text| {
                let problem = TemplateProblem { text, column: 1 };
                ExpandError::for_attribute(rule, "format", "", &problem)
            })?,
        };
        let what = RuleOutputKind::Certain(TagKind::Immutable(ImmutableTagSource::Commit));
        Ok(Some(RuleOutput::new(text, what)))
    }

    fn short_sha(&self, sha: &str) -> std::result::Result<String, String> {
        let strictly = short_sha(self.context, sha, true);
        if self.strict() {
            return strictly;
        }
        let loosely = short_sha(self.context, sha, false)?;
        if strictly.as_ref() != Ok(&loosely) {
            self.differences.add(CompatDifference::ShortSha);
        }
        Ok(loosely)
    }

    /// A release branch names a version or just a release; a published release names its tag.
    fn expand_release(&self, rule: &TagRule, pattern: &str) -> RuleResult<Option<RuleOutput>> {
        let Some(facts) = &self.context.facts else {
            return Ok(None);
        };
        let branch = facts.release_branch().map_err(|error| {
            let problem = TemplateProblem {
                text: error.to_string(),
                column: 1,
            };
            ExpandError::for_attribute(rule, "type", "", &problem)
        })?;
        let tag = facts
            .release
            .as_ref()
            .and_then(|release| require_published(release).ok());
        let (name, version) = match (&branch, tag) {
            (Some(branch), _) => (branch.name(), branch.version.clone()),
            (None, Some(tag)) => (tag, crate::event::parse_version(tag)),
            (None, None) => return Ok(None),
        };
        if name.is_empty() {
            return Ok(None);
        }
        let Some(version) = version else {
            return Ok(Some(RuleOutput::moving(name, MovingTagSource::Other)));
        };
        let versioned = VersionRule {
            pattern: pattern.to_owned(),
            value: String::new(),
            matching: String::new(),
        };
        self.release_version(rule, &versioned, name, &version)
            .map(Some)
    }

    fn expand_environment(&self, findings: &mut Vec<Finding>) -> Option<RuleOutput> {
        let Some(environment) = &self.context.environment else {
            findings.push(Finding::from_note(
                "no environment is named, so type=env gives no tag",
            ));
            return None;
        };
        Some(RuleOutput::moving(
            environment.as_str(),
            MovingTagSource::Environment,
        ))
    }
}

fn no_version(rule: &TagRule, source: &str, what: &str) -> Finding {
    let text = format!(
        "tags, line {}: {} is no {what}: no tag",
        rule.line,
        printable_name(source)
    );
    Finding::from_note(text)
}
