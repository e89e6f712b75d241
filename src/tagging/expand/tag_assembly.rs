//! From what the rules gave to tags: prefix and suffix, characters that a tag may hold, `latest`.

use semver::Version;

use super::ExpandError;
use super::expansion::{ExpandedTag, RuleExpansion};
use super::literal_commit_tag::names_commit;
use super::rule_expander::{RuleExpander, finding_at};
use super::rule_output::{RuleOutput, RuleOutputKind};
use super::template::TemplateProblem;
use crate::event::parse_version;
use crate::image::Tag;
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{FlavorAffix, LatestFlavor, RefRuleKind, RuleKind, TagRule};
use crate::tagging::tag_name;
use crate::tagging::tag_plan::{ImmutableTagSource, MovingTagSource, TagKind};
use crate::tagging::{CompatDifference, Finding, ReleaseSeries, VersionLine};

/// What `latest` depends on.
#[derive(Default)]
struct LatestVotes {
    /// What the first rule that gave a tag says.
    first: Option<bool>,
    /// Whether any rule that gave a tag is about a release.
    any: bool,
    /// That release, and the releases that it is numbered with.
    release: Option<(Version, ReleaseSeries)>,
}

impl RuleExpander<'_> {
    pub(super) fn finish_tags(
        &self,
        made: Vec<(&TagRule, RuleOutput)>,
        expansion: &mut RuleExpansion,
    ) -> Result<(), ExpandError> {
        let mut votes = LatestVotes::default();
        for (rule, made) in made {
            let place = format!("tags, line {}", rule.line);
            let tag = self.finish_tag(rule, &made)?;
            self.report_differences(&place, &rule.text, &mut expansion.findings);
            if let Some((tag, series)) = tag {
                votes.first.get_or_insert(made.latest.compatible);
                votes.any |= made.latest.strict;
                let release = made.release.map(|release| (release, series));
                votes.release = votes.release.or(release);
                expansion.tags.push(tag);
            }
        }
        self.add_latest(&votes, expansion)
    }

    fn report_differences(&self, place: &str, text: &str, findings: &mut Vec<Finding>) {
        let steps = self.differences.take();
        findings.extend(
            steps
                .into_iter()
                .map(|difference| finding_at(place, difference, text)),
        );
    }

    /// The tag, and what releases are called that are numbered together with it.
    fn finish_tag(
        &self,
        rule: &TagRule,
        made: &RuleOutput,
    ) -> Result<Option<(ExpandedTag, ReleaseSeries)>, ExpandError> {
        let prefix = self.expand_affix(
            rule,
            "prefix",
            rule.prefix.as_deref(),
            &self.rules.flavor.prefix,
        )?;
        let suffix = self.expand_affix(
            rule,
            "suffix",
            rule.suffix.as_deref(),
            &self.rules.flavor.suffix,
        )?;
        let Some(text) = self.to_valid_tag(&format!("{prefix}{}{suffix}", made.text)) else {
            return Ok(None);
        };
        if tag_name::is_reserved(&text) {
            return Err(ExpandError::reserved(rule, &text));
        }
        let is_of_branch = matches!(rule.kind, RuleKind::Ref(RefRuleKind::Branch))
            || matches!(made.content, RuleOutputKind::BranchName);
        if is_of_branch && self.is_reserved_name(&text) {
            return Ok(None);
        }
        let series = ReleaseSeries {
            prefix: tag_name::replace_invalid_characters(&prefix),
            suffix: tag_name::replace_invalid_characters(&suffix),
        };
        let kind = match tag_kind(made, &text, &series) {
            TagKind::Moving(MovingTagSource::Other | MovingTagSource::Branch)
                if self.is_literal_commit(rule, &text) =>
            {
                TagKind::Immutable(ImmutableTagSource::Commit)
            }
            kind => kind,
        };
        let expanded = ExpandedTag {
            kind: match rule.immutable {
                Some(immutable) => override_kind(kind, immutable, &text),
                None => kind,
            },
            rule: format!("the rule {}", printable_name(&rule.text)),
            text,
        };
        Ok(Some((expanded, series)))
    }

    /// Whether a plain name ends in the SHA of the commit, where that is more than a branch's name.
    fn is_literal_commit(&self, rule: &TagRule, text: &str) -> bool {
        let mut views = [&self.view, &self.intended].into_iter();
        let is_branch = |name: &str| tag_name::replace_invalid_characters(name) == text;
        matches!(rule.kind, RuleKind::Raw { .. })
            && !self.view.branch().is_some_and(is_branch)
            && views.any(|view| names_commit(text, &view.sha))
    }

    /// The rule's own goes in place of the flavor's, even where it is empty.
    fn expand_affix(
        &self,
        rule: &TagRule,
        name: &'static str,
        own: Option<&str>,
        flavor: &FlavorAffix,
    ) -> Result<String, ExpandError> {
        match own {
            Some(own) => self.expand_attribute(rule, name, own),
            None => self.expand_flavor(&flavor.text),
        }
    }

    fn expand_flavor(&self, text: &str) -> Result<String, ExpandError> {
        let expanded = self.language.expand(text, self.rules.mode);
        expanded.map_err(|problem: TemplateProblem| {
            ExpandError::for_entry("flavor", None, text, &problem)
        })
    }

    /// The text as a tag; none where nothing is left of it. Only in strict mode it is one for
    /// certain.
    fn to_valid_tag(&self, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let text = tag_name::replace_invalid_characters(text);
        let start = text.trim_start_matches(['.', '-']);
        if start.len() != text.len() {
            self.differences.add(CompatDifference::BadTag);
        }
        if start.len() > Tag::MAX {
            self.differences.add(CompatDifference::LongTag);
        }
        if !self.strict() {
            return Some(text);
        }
        match start.len() {
            0 => None,
            length if length > Tag::MAX => Some(tag_name::shorten(start, &text)),
            _ => Some(start.to_owned()),
        }
    }

    /// Whether a branch is called what something else is called: then it gives no tag.
    fn is_reserved_name(&self, text: &str) -> bool {
        let tag = text.parse::<Tag>().ok();
        if tag
            .and_then(|tag| tag_name::reserved_from_branches(&tag))
            .is_none()
        {
            return false;
        }
        self.differences.add(CompatDifference::ReservedName);
        self.strict()
    }

    fn add_latest(
        &self,
        votes: &LatestVotes,
        expansion: &mut RuleExpansion,
    ) -> Result<(), ExpandError> {
        let Some(first) = votes.first else {
            return Ok(());
        };
        let (loosely, strictly) = match self.rules.flavor.latest {
            LatestFlavor::Auto => (first, votes.any),
            LatestFlavor::Always => (true, true),
            LatestFlavor::Never => (false, false),
        };
        match (loosely, strictly) {
            (true, false) => self.differences.add(CompatDifference::LatestOnPrerelease),
            (false, true) => self.differences.add(CompatDifference::LatestByFirstRule),
            _ => {}
        }
        self.report_differences("tags", "latest", &mut expansion.findings);
        if !(if self.strict() { strictly } else { loosely }) {
            return Ok(());
        }
        let Some(text) = self.latest_text()? else {
            return Ok(());
        };
        if tag_name::is_reserved(&text) {
            return Err(ExpandError::reserved_latest(&text));
        }
        if expansion.tags.iter().any(|tag| tag.text == text) {
            self.differences.add(CompatDifference::LatestTwice);
        }
        self.report_differences("flavor", "latest", &mut expansion.findings);
        let kind = match &votes.release {
            Some((version, series)) => TagKind::Moving(MovingTagSource::Line {
                line: VersionLine::Latest,
                series: series.clone(),
                version: version.clone(),
            }),
            None => TagKind::Moving(MovingTagSource::Other),
        };
        let rule = "the flavor".to_owned();
        expansion.latest = Some(ExpandedTag { text, kind, rule });
        Ok(())
    }

    fn latest_text(&self) -> Result<Option<String>, ExpandError> {
        let flavor = &self.rules.flavor;
        let affix = |affix: &FlavorAffix| match (affix.on_latest, self.strict()) {
            (false, _) => Ok(String::new()),
            (true, true) => self.expand_flavor(&affix.text),
            (true, false) => {
                if affix.text.contains("{{") {
                    self.differences.add(CompatDifference::LatestTemplate);
                }
                Ok(affix.text.clone())
            }
        };
        let text = format!("{}latest{}", affix(&flavor.prefix)?, affix(&flavor.suffix)?);
        Ok(self.to_valid_tag(&text))
    }
}

fn tag_kind(made: &RuleOutput, text: &str, series: &ReleaseSeries) -> TagKind {
    let of_name = || match parse_version(text) {
        Some(_) => TagKind::Immutable(ImmutableTagSource::Version),
        None => TagKind::Moving(MovingTagSource::Other),
    };
    match (&made.content, &made.release) {
        (RuleOutputKind::Certain(kind), _) => kind.clone(),
        (RuleOutputKind::BranchName, _) if parse_version(text).is_none() => {
            TagKind::Moving(MovingTagSource::Branch)
        }
        (RuleOutputKind::BranchName, _) => TagKind::Immutable(ImmutableTagSource::Version),
        (RuleOutputKind::Name, _) | (RuleOutputKind::PartOfRelease, None) => of_name(),
        (RuleOutputKind::PartOfRelease, Some(release)) => match version_line(&made.text, release) {
            Some(line) => TagKind::Moving(MovingTagSource::Line {
                line,
                series: series.clone(),
                version: release.clone(),
            }),
            None if made
                .text
                .contains(&super::version_syntax::without_build(release)) =>
            {
                TagKind::Immutable(ImmutableTagSource::Version)
            }
            None => of_name(),
        },
    }
}

/// The line of `release` that is called `text`.
fn version_line(text: &str, release: &Version) -> Option<VersionLine> {
    let lines = [
        VersionLine::Major(release.major),
        VersionLine::Minor(release.major, release.minor),
    ];
    let text = text.strip_prefix('v').unwrap_or(text);
    lines.into_iter().find(|line| line.to_string() == text)
}

/// A rule may say itself whether its tag moves.
fn override_kind(kind: TagKind, immutable: bool, text: &str) -> TagKind {
    match (immutable, kind.is_immutable()) {
        (true, true) | (false, false) => kind,
        (false, true) => TagKind::Moving(MovingTagSource::Other),
        (true, false) => TagKind::Immutable(match parse_version(text) {
            Some(_) => ImmutableTagSource::Version,
            None => ImmutableTagSource::Other,
        }),
    }
}
