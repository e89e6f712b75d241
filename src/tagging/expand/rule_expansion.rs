//! Expands one rule for the event.

use super::error::{ExpandError, RuleResult};
use super::expression_values::short_sha;
use super::pep440::Pep440Version;
use super::rule_expander::RuleExpander;
use super::rule_output::{LatestDecision, RuleOutput, RuleOutputKind};
use super::template::TemplateProblem;
use super::version_rules::no_channel;
use crate::tagging::default_tags::require_published;
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{RefRuleKind, RuleKind, TagRule, VersionRule};
use crate::tagging::tag_name::MERGE_QUEUE_PREFIX;
use crate::tagging::tag_plan::{ImmutableTagSource, MovingTagSource, TagKind};
use crate::tagging::{CompatDifference, Finding, NamedRelease, ReleaseVersion, VersionLine};

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
            RuleKind::Sha { long } => self.expand_sha(rule, *long, findings),
            RuleKind::Release { pattern } => self.expand_release(rule, pattern, findings),
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
            release: matched_version(&text, &source),
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
                if branch.starts_with(MERGE_QUEUE_PREFIX) {
                    self.differences.add(CompatDifference::MergeQueue);
                    if self.strict() {
                        return None;
                    }
                }
                Some(RuleOutput::moving(branch, MovingTagSource::Branch))
            }
            RefRuleKind::Tag => {
                let tag = self.view.tag()?;
                let version = version_of(tag);
                let names = match &version {
                    Some(_) => ImmutableTagSource::Version,
                    None => ImmutableTagSource::Other,
                };
                Some(RuleOutput {
                    latest: self.latest_for_name(tag, true),
                    release: version,
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
        let by_form = version_of(name).map(|version| version.is_prerelease());
        let by_python = || Pep440Version::parse(name).map(|version| version.is_prerelease());
        let prerelease = by_form.or_else(by_python).unwrap_or(false);
        let marked = of_event && self.is_marked_prerelease();
        LatestDecision {
            compatible: true,
            strict: !(prerelease || marked),
        }
    }

    fn expand_sha(
        &self,
        rule: &TagRule,
        long: bool,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<RuleOutput>> {
        let sha = self.view.sha.as_str();
        if sha.is_empty() {
            findings.push(Finding::from_note(
                "type=sha gives no tag: no commit is known, neither from the event nor from the image's label org.opencontainers.image.revision",
            ));
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
    fn expand_release(
        &self,
        rule: &TagRule,
        pattern: &str,
        findings: &mut Vec<Finding>,
    ) -> RuleResult<Option<RuleOutput>> {
        let mut no_tag = |why: &str| {
            findings.push(Finding::from_note(format!(
                "type=release gives no tag: {why}"
            )));
            Ok(None)
        };
        let Some(facts) = &self.context.facts else {
            return no_tag("there is no event");
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
            (None, None) => {
                return no_tag(
                    "the event is no published release, and no branch release/… is named",
                );
            }
        };
        if name.is_empty() {
            return no_tag("the release branch has no name after release/");
        }
        let Some(version) = version else {
            return Ok(Some(match version_of(name) {
                Some(release) => RuleOutput {
                    release: Some(release),
                    ..RuleOutput::new(name, RuleOutputKind::Name)
                },
                None => RuleOutput::moving(name, MovingTagSource::Other),
            }));
        };
        if let Some(finding) = no_channel(rule, pattern, &version) {
            findings.push(finding);
            return Ok(None);
        }
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

/// Returns the version of what a pattern has found in a name: that of the name, if a line of it was
/// found (`1.4` of `v1.4.0`), else the found one.
fn matched_version(found: &str, name: &str) -> Option<ReleaseVersion> {
    let of_name = version_of(name);
    let is_line = |version: &ReleaseVersion| VersionLine::named(found, version).is_some();
    match of_name {
        Some(version) if is_line(&version) => Some(version),
        of_name => version_of(found).or(of_name),
    }
}

/// Returns the version that a name from git, or part of it, names.
fn version_of(name: &str) -> Option<ReleaseVersion> {
    NamedRelease::parse(name).map(|release| release.version)
}
