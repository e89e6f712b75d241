//! From what the rules gave to tags: prefix and suffix, characters that a tag may hold, `latest`.

use super::ExpandError;
use super::expansion::{ExpandedTag, RuleExpansion};
use super::literal_commit_tag::names_commit;
use super::rule_expander::{RuleExpander, finding_at};
use super::rule_output::{RuleOutput, RuleOutputKind};
use super::template::TemplateProblem;
use super::version_links::{VersionedTag, link_version_lines, tag_kind};
use crate::image::Tag;
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{FlavorAffix, LatestFlavor, RefRuleKind, RuleKind, TagRule};
use crate::tagging::tag_name;
use crate::tagging::tag_plan::{ImmutableTagSource, MovingTagSource, TagKind};
use crate::tagging::{CompatDifference, Finding, NamedRelease, ReleaseSeries, ReleaseVersion};

/// What `latest` depends on.
#[derive(Default)]
struct LatestVotes {
    /// What the first rule that gave a tag says.
    first: Option<bool>,
    /// Whether any rule that gave a tag is about a release.
    any: bool,
}

impl RuleExpander<'_> {
    pub(super) fn finish_tags(
        &self,
        made: Vec<(&TagRule, RuleOutput)>,
        expansion: &mut RuleExpansion,
    ) -> Result<(), ExpandError> {
        let mut votes = LatestVotes::default();
        let mut tags = Vec::new();
        for (rule, made) in made {
            let place = format!("tags, line {}", rule.line);
            let tag = self.finish_tag(rule, &made)?;
            self.report_differences(&place, &rule.text, &mut expansion.findings);
            if let Some(tag) = tag {
                votes.first.get_or_insert(made.latest.compatible);
                votes.any |= made.latest.strict;
                tags.push(tag);
            }
        }
        let latest = self.latest_tag(&votes, &tags, &mut expansion.findings)?;
        let has_latest = latest.is_some();
        tags.extend(latest);
        link_version_lines(&mut tags, self.event_version());
        let mut tags: Vec<ExpandedTag> = tags.into_iter().map(|it| it.tag).collect();
        expansion.latest = if has_latest { tags.pop() } else { None };
        expansion.tags = tags;
        if !self.rules.gives_lines {
            expansion.latest = None;
            expansion.tags.retain(|tag| !tag.kind.is_line());
        }
        Ok(())
    }

    /// Returns the version that the event is about.
    fn event_version(&self) -> Option<ReleaseVersion> {
        let tag = self.view.tag()?;
        NamedRelease::parse(tag).map(|release| release.version)
    }

    fn report_differences(&self, place: &str, text: &str, findings: &mut Vec<Finding>) {
        let steps = self.differences.take();
        findings.extend(
            steps
                .into_iter()
                .map(|difference| finding_at(place, difference, text)),
        );
    }

    fn finish_tag(
        &self,
        rule: &TagRule,
        made: &RuleOutput,
    ) -> Result<Option<VersionedTag>, ExpandError> {
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
        let series = tag_series(rule, made, [&prefix, &suffix]);
        let kind = match tag_kind(made, &text, &series) {
            TagKind::Moving(MovingTagSource::Other | MovingTagSource::Branch)
                if self.is_literal_commit(rule, &text) =>
            {
                TagKind::Immutable(ImmutableTagSource::Commit)
            }
            kind => kind,
        };
        let has_own_kind = rule.immutable.is_some();
        let expanded = ExpandedTag {
            kind: match rule.immutable {
                Some(immutable) => override_kind(kind, immutable),
                None => kind,
            },
            rule: format!("the rule {}", printable_name(&rule.text)),
            text,
        };
        Ok(Some(VersionedTag {
            is_name: !has_own_kind && matches!(made.content, RuleOutputKind::Name),
            tag: expanded,
            series,
            version: made.release.clone(),
        }))
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

    pub(super) fn expand_flavor(&self, text: &str) -> Result<String, ExpandError> {
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

    fn latest_tag(
        &self,
        votes: &LatestVotes,
        tags: &[VersionedTag],
        findings: &mut Vec<Finding>,
    ) -> Result<Option<VersionedTag>, ExpandError> {
        let Some(first) = votes.first else {
            return Ok(None);
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
        self.report_differences("tags", "latest", findings);
        if !(if self.strict() { strictly } else { loosely }) {
            return Ok(None);
        }
        let Some((text, series)) = self.latest_text()? else {
            return Ok(None);
        };
        if tag_name::is_reserved(&text) {
            return Err(ExpandError::reserved_latest(&text));
        }
        if tags.iter().any(|it| it.tag.text == text) {
            self.differences.add(CompatDifference::LatestTwice);
        }
        self.report_differences("flavor", "latest", findings);
        Ok(Some(VersionedTag {
            tag: ExpandedTag {
                text,
                kind: TagKind::Moving(MovingTagSource::Other),
                rule: "the flavor".to_owned(),
            },
            series,
            version: None,
            is_name: true,
        }))
    }

    fn latest_text(&self) -> Result<Option<(String, ReleaseSeries)>, ExpandError> {
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
        let (prefix, suffix) = (affix(&flavor.prefix)?, affix(&flavor.suffix)?);
        let text = self.to_valid_tag(&format!("{prefix}latest{suffix}"));
        let [prefix, suffix] =
            [prefix, suffix].map(|affix| tag_name::replace_invalid_characters(&affix));
        Ok(text.map(|text| (text, ReleaseSeries::from_affixes(&prefix, &suffix))))
    }
}

/// Returns the series of a tag: what the rule, the flavor, the pattern and the name of a component
/// have put around its version.
fn tag_series(rule: &TagRule, made: &RuleOutput, [prefix, suffix]: [&str; 2]) -> ReleaseSeries {
    let (before, after) = rule.kind.literals();
    let is_around = made.text.starts_with(before) && made.text.ends_with(after);
    let (before, after) = if is_around { (before, after) } else { ("", "") };
    let component = match (before, NamedRelease::parse(&made.text)) {
        ("", Some(release)) => {
            let v = if release.has_v { "v" } else { "" };
            format!("{}{v}", release.component)
        }
        _ => before.to_owned(),
    };
    let [prefix, suffix] = [format!("{prefix}{component}"), format!("{after}{suffix}")]
        .map(|affix| tag_name::replace_invalid_characters(&affix));
    let series = ReleaseSeries::from_affixes(&prefix, &suffix);
    match &made.release {
        Some(version) => series.with_builds_of(version),
        None => series,
    }
}

/// A rule may say itself whether its tag moves.
fn override_kind(kind: TagKind, immutable: bool) -> TagKind {
    match (immutable, kind.is_immutable()) {
        (true, true) | (false, false) => kind,
        (false, true) => TagKind::Moving(MovingTagSource::Other),
        (true, false) => TagKind::Immutable(ImmutableTagSource::Other),
    }
}
