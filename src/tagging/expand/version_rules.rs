//! Expands the rules that read a version: `type=semver`, `type=pep440` and the version of a release.

use semver::Version;

use super::error::{ExpandError, RuleResult};
use super::pep440::Pep440Version;
use super::regex;
use super::rule_expander::RuleExpander;
use super::rule_output::{LatestDecision, RuleOutput, RuleOutputKind};
use super::template::{TemplateLanguage, TemplateProblem};
use super::version_syntax::{self, is_raw, names_channel, without_build};
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{TagRule, VersionRule};
use crate::tagging::tag_plan::{ImmutableTagSource, TagKind};
use crate::tagging::{CompatDifference, Finding, ReleaseVersion};

impl RuleExpander<'_> {
    pub(super) fn expand_semver(
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
        if let Some(finding) = no_channel(rule, &versioned.pattern, &version) {
            findings.push(finding);
            return Ok(None);
        }
        self.release_version(rule, versioned, &source, &version)
            .map(Some)
    }

    pub(super) fn release_version(
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
            let is_channel = names_channel(pattern);
            let text = match is_raw(pattern) || is_channel {
                true => self.expand_pattern(rule, &language, pattern)?,
                false => without_build(version),
            };
            let content = match is_channel {
                true => RuleOutputKind::PartOfRelease,
                false => full(),
            };
            return Ok(RuleOutput::new(text, content).with_release(version));
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
                ..RuleOutput::new(text, full()).with_release(version)
            });
        }
        Ok(RuleOutput {
            text: self.without_major_zero(text, version),
            content: RuleOutputKind::PartOfRelease,
            latest: LatestDecision::both(true),
            release: Some(ReleaseVersion::from_semver(version)),
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
    pub(super) fn is_marked_prerelease(&self) -> bool {
        let release = self
            .context
            .facts
            .as_ref()
            .and_then(|facts| facts.release.as_ref());
        release.is_some_and(|release| release.prerelease)
    }

    pub(super) fn expand_pep440(
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
        let release = ReleaseVersion::parse(&normal);
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

    pub(super) fn match_groups(
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
}

/// Returns what to say where the pattern names the channel of a pre-release that has none.
pub(super) fn no_channel(rule: &TagRule, pattern: &str, version: &Version) -> Option<Finding> {
    let has_channel = ReleaseVersion::from_semver(version).channel().is_some();
    let is_missing = names_channel(pattern) && !version.pre.is_empty() && !has_channel;
    is_missing.then(|| {
        Finding::from_note(format!(
            "tags, line {}: the pre-release {} names no channel, since a tag of that word belongs to something \
             else: no tag",
            rule.line,
            printable_name(&version.to_string())
        ))
    })
}

fn no_version(rule: &TagRule, source: &str, what: &str) -> Finding {
    let text = format!(
        "tags, line {}: {} is no {what}: no tag",
        rule.line,
        printable_name(source)
    );
    Finding::from_note(text)
}
