//! From what the rules gave to tags: prefix and suffix, characters that a tag may hold, `latest`.

use semver::Version;

use super::rule::{Made, What};
use super::template::Problem;
use super::{ExpandError, Expanded, Expander, Expansion, found};
use crate::event::version;
use crate::image::Tag;
use crate::tagging::default::shown;
use crate::tagging::derived::{Follows, Kind, Names};
use crate::tagging::name;
use crate::tagging::rules::{Affix, Latest, RefKind, Rule, RuleKind};
use crate::tagging::{Finding, Line, Series, Trap};

/// What `latest` depends on.
#[derive(Default)]
struct Votes {
    /// What the first rule that gave a tag says.
    first: Option<bool>,
    /// Whether any rule that gave a tag is about a release.
    any: bool,
    /// That release, and the releases that it is numbered with.
    release: Option<(Version, Series)>,
}

impl Expander<'_> {
    pub(super) fn settle(
        &self,
        made: Vec<(&Rule, Made)>,
        expansion: &mut Expansion,
    ) -> Result<(), ExpandError> {
        let mut votes = Votes::default();
        for (rule, made) in made {
            let place = format!("tags, line {}", rule.line);
            let tag = self.tag(rule, &made)?;
            self.report(&place, &rule.text, &mut expansion.findings);
            if let Some((tag, series)) = tag {
                votes.first.get_or_insert(made.latest.loosely);
                votes.any |= made.latest.strictly;
                let release = made.release.map(|release| (release, series));
                votes.release = votes.release.or(release);
                expansion.tags.push(tag);
            }
        }
        self.latest(&votes, expansion)
    }

    fn report(&self, place: &str, text: &str, findings: &mut Vec<Finding>) {
        let steps = self.steps.take();
        findings.extend(steps.into_iter().map(|trap| found(place, trap, text)));
    }

    /// The tag, and what releases are called that are numbered together with it.
    fn tag(&self, rule: &Rule, made: &Made) -> Result<Option<(Expanded, Series)>, ExpandError> {
        let prefix = self.affix(
            rule,
            "prefix",
            rule.prefix.as_deref(),
            &self.rules.flavor.prefix,
        )?;
        let suffix = self.affix(
            rule,
            "suffix",
            rule.suffix.as_deref(),
            &self.rules.flavor.suffix,
        )?;
        let Some(text) = self.valid(&format!("{prefix}{}{suffix}", made.text)) else {
            return Ok(None);
        };
        if name::is_reserved(&text) {
            return Err(ExpandError::reserved(rule, &text));
        }
        let is_of_branch = matches!(rule.kind, RuleKind::Ref(RefKind::Branch))
            || matches!(made.what, What::BranchName);
        if is_of_branch && self.is_of_another(&text) {
            return Ok(None);
        }
        let series = Series {
            prefix: sanitized(&prefix),
            suffix: sanitized(&suffix),
        };
        let kind = kind(made, &text, &series);
        let expanded = Expanded {
            kind: match rule.immutable {
                Some(immutable) => forced(kind, immutable, &text),
                None => kind,
            },
            rule: format!("the rule {}", shown(&rule.text)),
            text,
        };
        Ok(Some((expanded, series)))
    }

    /// The rule's own goes in place of the flavor's, even where it is empty.
    fn affix(
        &self,
        rule: &Rule,
        name: &'static str,
        own: Option<&str>,
        flavor: &Affix,
    ) -> Result<String, ExpandError> {
        match own {
            Some(own) => self.attribute(rule, name, own),
            None => self.of_flavor(&flavor.text),
        }
    }

    fn of_flavor(&self, text: &str) -> Result<String, ExpandError> {
        let expanded = self.language.expand(text, self.rules.mode);
        expanded.map_err(|problem: Problem| ExpandError::whole("flavor", None, text, &problem))
    }

    /// The text as a tag; none where nothing is left of it. Only in strict mode it is one for
    /// certain.
    fn valid(&self, text: &str) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let text = sanitized(text);
        let start = text.trim_start_matches(['.', '-']);
        if start.len() != text.len() {
            self.steps.add(Trap::BadTag);
        }
        if start.len() > Tag::MAX {
            self.steps.add(Trap::LongTag);
        }
        if !self.strict() {
            return Some(text);
        }
        match start.len() {
            0 => None,
            length if length > Tag::MAX => Some(name::shorten(start, &text)),
            _ => Some(start.to_owned()),
        }
    }

    /// Whether a branch is called what something else is called: then it gives no tag.
    fn is_of_another(&self, text: &str) -> bool {
        let tag = text.parse::<Tag>().ok();
        if tag
            .and_then(|tag| name::reserved_from_branches(&tag))
            .is_none()
        {
            return false;
        }
        self.steps.add(Trap::NameOfAnother);
        self.strict()
    }

    fn latest(&self, votes: &Votes, expansion: &mut Expansion) -> Result<(), ExpandError> {
        let Some(first) = votes.first else {
            return Ok(());
        };
        let (loosely, strictly) = match self.rules.flavor.latest {
            Latest::Auto => (first, votes.any),
            Latest::Always => (true, true),
            Latest::Never => (false, false),
        };
        match (loosely, strictly) {
            (true, false) => self.steps.add(Trap::LatestOnPrerelease),
            (false, true) => self.steps.add(Trap::LatestByFirstRule),
            _ => {}
        }
        self.report("tags", "latest", &mut expansion.findings);
        if !(if self.strict() { strictly } else { loosely }) {
            return Ok(());
        }
        let Some(text) = self.latest_text()? else {
            return Ok(());
        };
        if name::is_reserved(&text) {
            return Err(ExpandError::reserved_latest(&text));
        }
        if expansion.tags.iter().any(|tag| tag.text == text) {
            self.steps.add(Trap::LatestTwice);
        }
        self.report("flavor", "latest", &mut expansion.findings);
        let kind = match &votes.release {
            Some((version, series)) => Kind::Moving(Follows::Line {
                line: Line::Latest,
                series: series.clone(),
                version: version.clone(),
            }),
            None => Kind::Moving(Follows::Other),
        };
        let rule = "the flavor".to_owned();
        expansion.latest = Some(Expanded { text, kind, rule });
        Ok(())
    }

    fn latest_text(&self) -> Result<Option<String>, ExpandError> {
        let flavor = &self.rules.flavor;
        let affix = |affix: &Affix| match (affix.on_latest, self.strict()) {
            (false, _) => Ok(String::new()),
            (true, true) => self.of_flavor(&affix.text),
            (true, false) => {
                if affix.text.contains("{{") {
                    self.steps.add(Trap::LatestTemplate);
                }
                Ok(affix.text.clone())
            }
        };
        let text = format!("{}latest{}", affix(&flavor.prefix)?, affix(&flavor.suffix)?);
        Ok(self.valid(&text))
    }
}

/// Each run of characters that no tag may hold becomes one dash.
fn sanitized(text: &str) -> String {
    let mut tag = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        let allowed = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if allowed {
            tag.push(c);
        } else if !in_run {
            tag.push('-');
        }
        in_run = !allowed;
    }
    tag
}

fn kind(made: &Made, text: &str, series: &Series) -> Kind {
    let of_name = || match version(text) {
        Some(_) => Kind::Immutable(Names::Version),
        None => Kind::Moving(Follows::Other),
    };
    match (&made.what, &made.release) {
        (What::Known(kind), _) => kind.clone(),
        (What::BranchName, _) if version(text).is_none() => Kind::Moving(Follows::Branch),
        (What::BranchName, _) => Kind::Immutable(Names::Version),
        (What::Name, _) | (What::PartOfRelease, None) => of_name(),
        (What::PartOfRelease, Some(release)) => match line(&made.text, release) {
            Some(line) => Kind::Moving(Follows::Line {
                line,
                series: series.clone(),
                version: release.clone(),
            }),
            None if made.text.contains(&super::version::without_build(release)) => {
                Kind::Immutable(Names::Version)
            }
            None => of_name(),
        },
    }
}

/// The line of `release` that is called `text`.
fn line(text: &str, release: &Version) -> Option<Line> {
    let lines = [
        Line::Major(release.major),
        Line::Minor(release.major, release.minor),
    ];
    let text = text.strip_prefix('v').unwrap_or(text);
    lines.into_iter().find(|line| line.to_string() == text)
}

/// A rule may say itself whether its tag moves.
fn forced(kind: Kind, immutable: bool, text: &str) -> Kind {
    match (immutable, kind.is_immutable()) {
        (true, true) | (false, false) => kind,
        (false, true) => Kind::Moving(Follows::Other),
        (true, false) => Kind::Immutable(match version(text) {
            Some(_) => Names::Version,
            None => Names::Other,
        }),
    }
}
