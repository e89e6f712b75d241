//! Reads an environment of the policy file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::deadline::Deadline;
use super::declared_keys::{
    ENVIRONMENT_KEYS, EXCLUDED_VERSION_LIST, EXISTING_WORDS, IMMUTABLE_LIST, LINES_WORDS,
    LOG_WORDS, RULES_TEXT, SOURCE_LIST, UNBOUND_WORDS,
};
use super::environment_rules::{EnvironmentRules, ExistingTags};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::gates::{EnvironmentGates, GateContext, parse_github_environment};
use super::limits::{REPOSITORIES, REPOSITORY_LENGTH};
use super::problem_list::ProblemList;
use super::records_repository::RecordsTemplate;
use super::ref_patterns::parse_refs;
use super::repository_template::{
    RepositoryTemplate, RepositoryTemplateError, SERVICE_PLACEHOLDER,
};
use super::retention_keys::{EnvironmentRetention, RetentionKeys};
use super::service_name::Service;
use super::signer_rule::parse_signers;
use super::signing_rule::{self, SigningRule};
use super::yaml_fields::YamlFields;
use super::yaml_node::{YamlNode, YamlText, not_a_value, parse_value, printable_text};
use crate::image::Destination;
use crate::tagging::{CompatMode, EnvironmentName, ExcludedVersions, ImmutableTags, TagPattern};

/// What an environment takes from the rest of its file.
#[derive(Clone, Copy)]
pub(super) struct PolicyDefaults<'a> {
    pub(super) services: &'a [Service],
    /// Whether all services could be read.
    pub(super) are_services_right: bool,
    /// Key `defaults` of the file, apart from its gates.
    pub(super) keys: Option<&'a YamlFields>,
    /// Key `gates` of `defaults`.
    pub(super) gates: Option<&'a YamlNode>,
    /// Key `records` of the file.
    pub(super) records: Option<&'a RecordsTemplate>,
    /// Whether the key `lines` of the file leaves version lines on.
    pub(super) gives_lines: bool,
    /// Key `retention` of the file.
    pub(super) retention: &'a Arc<RetentionKeys>,
}

/// Key `repository` of an environment.
struct ImageRepositories {
    at: FilePosition,
    template: RepositoryTemplate,
    destinations: Vec<(Option<Service>, Destination)>,
}

/// Environments that images come from, each with its position.
type Sources = (Vec<EnvironmentName>, Vec<FilePosition>);

/// Environment as it is read: with its place in the graph of promotions also where it has problems.
pub(super) struct ParsedEnvironment {
    pub(super) name: EnvironmentName,
    pub(super) sources: Sources,
    /// The rules; `None` if the repository is missing or malformed.
    pub(super) rules: Option<EnvironmentRules>,
}

impl ParsedEnvironment {
    /// Reads an environment that may have at most `room` repositories.
    pub(super) fn parse(
        (name, name_at): (EnvironmentName, FilePosition),
        rules: YamlNode,
        defaults: PolicyDefaults<'_>,
        room: usize,
        problems: &mut ProblemList,
    ) -> Self {
        let Some(mut fields) = rules.into_fields(&ENVIRONMENT_KEYS, problems) else {
            return Self {
                name,
                sources: Sources::default(),
                rules: None,
            };
        };
        if let Some(keys) = defaults.keys {
            fields.fill_in(keys);
        }
        let stated_keys = fields.names(&ENVIRONMENT_KEYS);
        let images = fields.read("repository", problems, |node| {
            ImageRepositories::parse(node, defaults, room)
        });
        let images = images.flatten();
        let (from, from_at) = fields
            .read("from", problems, parse_from)
            .unwrap_or_default();
        let sources = (from.clone(), from_at.clone());
        let allows_unbound = fields
            .read("unbound", problems, parse_unbound)
            .unwrap_or(false);
        let existing = fields.read("existing", problems, parse_existing);
        let context = GateContext {
            defaults: defaults.gates.cloned(),
            has_source: !from.is_empty(),
            allows_unbound,
        };
        let gates = fields.take("gates").map(|(_, node)| node);
        let before = problems.added();
        let gates = EnvironmentGates::parse(gates, context, problems);
        let are_gates_read = problems.added() == before;
        let default_signers = defaults.keys.and_then(|keys| keys.position("signers"));
        let before = problems.added();
        let is_sign_stated = is_own_key(&fields, "sign", defaults.keys);
        let (signing, signers) =
            signing_rule::parse_signing(&mut fields, default_signers, problems);
        let is_signing_read = problems.added() == before;
        let records = fields.read("records", problems, RecordsTemplate::parse);
        let records = records.or_else(|| defaults.records.cloned());
        let records = images.as_ref().and_then(|images| {
            let records = records?.to_repositories(&name, &images.template, defaults.services);
            problems.keep(records)
        });
        let tags = fields.read("tags", problems, |node| node.into_text_of(RULES_TEXT));
        let refs = fields.read("refs", problems, parse_refs);
        let immutable_tags = fields.read("immutable", problems, parse_immutable);
        let gives_lines = fields.read("lines", problems, parse_lines);
        let excluded_versions = fields.read("exclude-versions", problems, parse_excluded_versions);
        let production_at = fields.position("production").unwrap_or(name_at);
        let is_production = fields.read("production", problems, YamlNode::into_flag);
        let may_ignore_vsa = is_sign_stated && !is_own_key(&fields, "vsa", defaults.keys);
        let vsa_at = fields.position("vsa");
        let adds_vsa = fields.read("vsa", problems, YamlNode::into_flag);
        let needs_sign = adds_vsa == Some(true) && signing == SigningRule::Off && is_signing_read;
        if let (Some(at), true, false) = (vsa_at, needs_sign, may_ignore_vsa) {
            problems.add(at.to_error(PolicyProblem::NeedsSign("vsa")));
        }
        let adds_vsa = adds_vsa.filter(|_| !needs_sign);
        let adopt_until = fields.read("adopt-until", problems, Deadline::parse_date);
        let github_environment =
            fields.read("github-environment", problems, parse_github_environment);
        let retention = fields.take("retention");
        let retention = EnvironmentRetention {
            of_file: Arc::clone(defaults.retention),
            own: retention.map_or_else(RetentionKeys::default, |(_, node)| {
                RetentionKeys::parse(node, problems)
            }),
        };
        let rules = images.map(|images| EnvironmentRules {
            name: name.clone(),
            name_at,
            repository_at: images.at,
            marked: images.marked(),
            template: images.template,
            destinations: images.destinations,
            is_production: is_production.unwrap_or(false),
            production_at,
            from,
            from_at,
            refs,
            tags,
            immutable_tags: immutable_tags.unwrap_or_default(),
            gives_lines: gives_lines.unwrap_or(defaults.gives_lines),
            stated_keys,
            allows_unbound,
            existing,
            excluded_versions: excluded_versions.unwrap_or_default(),
            gates,
            are_gates_read,
            service_gates: BTreeMap::new(),
            signing,
            is_signing_read,
            signers,
            adds_vsa: adds_vsa.unwrap_or(false),
            records,
            adopt_until,
            github_environment,
            retention,
        });
        if let Some(rules) = &rules {
            problems.keep(rules.rules(CompatMode::Compatible));
        }
        Self {
            name,
            sources,
            rules,
        }
    }
}

/// Returns whether a key of an environment is its own, and not one of the defaults.
fn is_own_key(fields: &YamlFields, name: &str, defaults: Option<&YamlFields>) -> bool {
    let of_defaults = defaults.and_then(|keys| keys.position(name));
    let at = fields.position(name);
    at.is_some() && at != of_defaults
}

impl ImageRepositories {
    /// Parses the key; `None` if it depends on services that could not be read.
    fn parse(
        node: YamlNode,
        defaults: PolicyDefaults<'_>,
        room: usize,
    ) -> Result<Option<Self>, PolicyError> {
        let services = defaults.services;
        let (template, at) = parse_template(node)?;
        if template.is_per_service() && !defaults.are_services_right {
            return Ok(None);
        }
        if template.is_per_service() && services.is_empty() {
            return Err(at.to_error(PolicyProblem::NoServices));
        }
        let count = match template.is_per_service() {
            true => services.len(),
            false => 1,
        };
        if count > room {
            return Err(at.to_error(PolicyProblem::TooManyRepositories(REPOSITORIES)));
        }
        let destinations = template.to_destinations(services).map_err(|reason| {
            let text = template.to_string();
            at.to_error(PolicyProblem::of_repository(reason, &text))
        })?;
        Ok(Some(Self {
            at,
            template,
            destinations,
        }))
    }

    /// Returns the repository that a service of the name `MARK` would have.
    fn marked(&self) -> Option<Destination> {
        let marked = self.template.with_service(SERVICE_PLACEHOLDER).ok();
        marked.filter(|_| self.template.is_per_service())
    }
}

/// Adds the problems of default keys, also of those that every environment has itself.
pub(super) fn check_defaults(
    keys: &YamlFields,
    gates: Option<&YamlNode>,
    problems: &mut ProblemList,
) {
    let mut fields = keys.clone();
    fields.read("refs", problems, parse_refs);
    fields.read("tags", problems, |node| node.into_text_of(RULES_TEXT));
    fields.read("immutable", problems, parse_immutable);
    fields.read("unbound", problems, parse_unbound);
    fields.read("sign", problems, SigningRule::parse);
    if let Some((_, list)) = fields.take("signers") {
        parse_signers(list, problems);
    }
    fields.read("vsa", problems, YamlNode::into_flag);
    fields.read("adopt-until", problems, Deadline::parse_date);
    let context = GateContext {
        defaults: None,
        has_source: true,
        allows_unbound: false,
    };
    EnvironmentGates::parse(gates.cloned(), context, problems);
}

/// Parses the key `exclude-versions`: a list of patterns.
pub(super) fn parse_excluded_versions(list: YamlNode) -> Result<ExcludedVersions, PolicyError> {
    let patterns = list.into_texts(EXCLUDED_VERSION_LIST)?;
    for YamlText { text, position: at } in &patterns {
        ExcludedVersions::parse([text.as_str()])
            .map_err(|error| at.to_error(PolicyProblem::ExcludedVersions(error)))?;
    }
    let patterns = patterns.iter().map(|pattern| pattern.text.as_str());
    Ok(ExcludedVersions::parse(patterns).unwrap_or_default())
}

/// Parses the key `lines`: whether there are version lines.
pub(super) fn parse_lines(node: YamlNode) -> Result<bool, PolicyError> {
    let [on, _] = LINES_WORDS;
    Ok(node.into_word(&LINES_WORDS)? == on)
}

/// Parses the key `transparency-log`: whether attestations are left out of the log.
pub(super) fn parse_log(node: YamlNode) -> Result<bool, PolicyError> {
    let [_, attestations] = LOG_WORDS;
    Ok(node.into_word(&LOG_WORDS)? == attestations)
}

fn parse_immutable(list: YamlNode) -> Result<ImmutableTags, PolicyError> {
    let mut patterns = Vec::new();
    for YamlText { text, position } in list.into_texts(IMMUTABLE_LIST)? {
        let text = text.trim();
        let pattern = TagPattern::parse(text);
        patterns.push(pattern.map_err(|reason| position.to_error(not_a_value(text, reason)))?);
    }
    Ok(ImmutableTags::new(patterns))
}

fn parse_template(repository: YamlNode) -> Result<(RepositoryTemplate, FilePosition), PolicyError> {
    let YamlText { text, position: at } = repository.into_text()?;
    let text = text.trim();
    if text.len() > REPOSITORY_LENGTH {
        return Err(at.to_error(PolicyProblem::LongRepository(REPOSITORY_LENGTH)));
    }
    let template = RepositoryTemplate::parse(text).map_err(|error| {
        at.to_error(match error {
            RepositoryTemplateError::Braces => PolicyProblem::Braces(printable_text(text)),
            RepositoryTemplateError::Place(reason) => PolicyProblem::of_repository(reason, text),
        })
    })?;
    Ok((template, at))
}

/// Parses the key `from`: one environment, or a list.
fn parse_from(node: YamlNode) -> Result<Sources, PolicyError> {
    let (mut names, mut positions) = (Vec::new(), Vec::<FilePosition>::new());
    for YamlText { text, position: at } in node.into_one_or_more_texts(SOURCE_LIST)? {
        let name: EnvironmentName = parse_value(at, &text)?;
        if let Some(first) = names.iter().position(|known| *known == name) {
            return Err(at.to_error(PolicyProblem::Duplicate {
                what: name.to_string(),
                first: positions[first].line,
            }));
        }
        names.push(name);
        positions.push(at);
    }
    Ok((names, positions))
}

fn parse_existing(node: YamlNode) -> Result<ExistingTags, PolicyError> {
    let [_, keep] = EXISTING_WORDS;
    Ok(match node.into_word(&EXISTING_WORDS)? == keep {
        true => ExistingTags::Keep,
        false => ExistingTags::Fail,
    })
}

fn parse_unbound(node: YamlNode) -> Result<bool, PolicyError> {
    let [_, allow] = UNBOUND_WORDS;
    Ok(node.into_word(&UNBOUND_WORDS)? == allow)
}
