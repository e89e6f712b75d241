use super::deadline::Deadline;
use super::declared_keys::{
    ENVIRONMENT_KEYS, EXCLUDED_VERSION_LIST, RULES_TEXT, SOURCE_LIST, UNBOUND_WORDS,
};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::limits::{REPOSITORIES, REPOSITORY_LENGTH};
use super::records_repository::{RecordsRepositories, RecordsTemplate};
use super::repository_template::{
    RepositoryTemplate, RepositoryTemplateError, SERVICE_PLACEHOLDER,
};
use super::service_name::Service;
use super::signer_rule::SignerRule;
use super::signing_rule::{self, SigningRule};
use super::yaml_document::{YamlKey, YamlNode, YamlText, parse_value, printable_text};
use crate::image::Destination;
use crate::tagging::{CompatMode, EnvironmentName, ExcludedVersions, TagRuleSet};

/// An environment with its rules: a stage of the road from the build to production.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentRules {
    pub(super) name: EnvironmentName,
    pub(super) repository_at: FilePosition,
    pub(super) template: RepositoryTemplate,
    destinations: Vec<(Option<Service>, Destination)>,
    /// The repository that a service of the name `MARK` would have.
    pub(super) marked: Option<Destination>,
    /// Environments that its images come from, in the order in which images are looked up.
    from: Vec<EnvironmentName>,
    /// Positions of the names in `from`.
    pub(super) from_at: Vec<FilePosition>,
    tags: Option<YamlText>,
    /// Keys that the file gives it, in the order of their declaration.
    stated_keys: Vec<&'static str>,
    allows_unbound: bool,
    pub(super) excluded_versions: ExcludedVersions,
    signing: SigningRule,
    signers: Vec<SignerRule>,
    /// Repositories of the records, where they are not those of the images.
    records: Option<RecordsRepositories>,
    adopt_until: Option<Deadline>,
}

/// What an environment takes from the rest of its file.
#[derive(Clone, Copy)]
pub(super) struct PolicyDefaults<'a> {
    pub(super) services: &'a [Service],
    /// Key `records` of the file.
    pub(super) records: Option<&'a RecordsTemplate>,
}

impl EnvironmentRules {
    /// Reads an environment that may have at most `room` repositories.
    pub(super) fn parse(
        name: YamlKey,
        rules: YamlNode,
        defaults: PolicyDefaults<'_>,
        room: usize,
    ) -> Result<Self, PolicyError> {
        let services = defaults.services;
        let name = parse_value(name.position, &name.text)?;
        let mut fields = rules.into_fields(&ENVIRONMENT_KEYS)?;
        let stated_keys = fields.names(&ENVIRONMENT_KEYS);
        let repository = fields.take_required("repository")?;
        let (template, repository_at) = parse_template(repository)?;
        if template.is_per_service() && services.is_empty() {
            return Err(repository_at.to_error(PolicyProblem::NoServices));
        }
        let wanted = match template.is_per_service() {
            true => services.len(),
            false => 1,
        };
        if wanted > room {
            return Err(repository_at.to_error(PolicyProblem::TooManyRepositories(REPOSITORIES)));
        }
        let places = template.to_destinations(services);
        let (from, from_at) = match fields.take("from") {
            Some((_, node)) => parse_from(node)?,
            None => Default::default(),
        };
        let tags = fields
            .take("tags")
            .map(|(_, node)| node.into_text_of(RULES_TEXT));
        let unbound = fields.take("unbound").map(|(_, node)| parse_unbound(node));
        let (signing, signers) = signing_rule::parse_signing(&mut fields)?;
        let records = match fields.take("records") {
            Some((_, node)) => Some(RecordsTemplate::parse(node)?),
            None => defaults.records.cloned(),
        };
        let records = records.map(|own| own.to_repositories(&name, &template, services));
        let adopt_until = fields.take("adopt-until");
        let adopt_until = adopt_until.map(|(_, node)| Deadline::parse_date(node));
        let stage = Self {
            allows_unbound: unbound.transpose()?.unwrap_or(false),
            name,
            stated_keys,
            repository_at,
            destinations: places.map_err(|reason| {
                let text = template.to_string();
                repository_at.to_error(PolicyProblem::of_repository(reason, &text))
            })?,
            marked: template
                .with_service(SERVICE_PLACEHOLDER)
                .ok()
                .filter(|_| template.is_per_service()),
            template,
            from,
            from_at,
            tags: tags.transpose()?,
            excluded_versions: parse_excluded_versions(fields.take("exclude-versions"))?,
            signing,
            signers,
            records: records.transpose()?,
            adopt_until: adopt_until.transpose()?,
        };
        stage.rules(CompatMode::Compatible)?;
        Ok(stage)
    }

    /// The environment's name.
    pub fn name(&self) -> &EnvironmentName {
        &self.name
    }

    /// Returns the environments that its images come from, in the order in which images are looked up; empty
    /// if it is the first of its road.
    pub fn from(&self) -> &[EnvironmentName] {
        &self.from
    }

    /// Whether another file says of the environment what this one says.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let tags = |stage: &Self| stage.tags.as_ref().map(|tags| tags.text.clone());
        self.name == other.name
            && self.destinations == other.destinations
            && self.marked == other.marked
            && self.from() == other.from()
            && tags(self) == tags(other)
            && self.allows_unbound == other.allows_unbound
            && self.excluded_versions == other.excluded_versions
            && self.signing == other.signing
            && self.signers == other.signers
            && self.records == other.records
            && self.adopt_until == other.adopt_until
    }

    /// Returns the repository as it is written, with `{service}` in it if each service has its own.
    pub fn repository(&self) -> String {
        self.template.to_string()
    }

    /// Returns the lines of its rules for tags, without blank lines and comments; empty if it has none.
    pub fn rule_lines(&self) -> Vec<&str> {
        let text = self.tags.as_ref().map_or("", |tags| tags.text.as_str());
        let lines = text.lines().map(str::trim);
        let is_rule = |line: &&str| !line.is_empty() && !line.starts_with('#');
        lines.filter(is_rule).collect()
    }

    /// Returns whether the file gives the environment a key, such as `unbound`.
    pub fn states(&self, key: &str) -> bool {
        self.stated_keys.contains(&key)
    }

    /// Returns the keys that the file gives the environment, in the order of the documentation.
    pub fn stated_keys(&self) -> &[&'static str] {
        &self.stated_keys
    }

    /// Whether each service has a repository of its own.
    pub fn is_per_service(&self) -> bool {
        self.template.is_per_service()
    }

    /// Its repositories: one for each service, or one alone.
    pub fn destinations(&self) -> &[(Option<Service>, Destination)] {
        &self.destinations
    }

    /// The repository of a service; of none, where there is one alone.
    pub fn place(&self, service: Option<&Service>) -> Option<&Destination> {
        let mut places = self.destinations.iter();
        let found = places.find(|(of, _)| of.as_ref() == service);
        found.map(|(_, place)| place)
    }

    /// Whether scan reports and SBOMs that name no image may be attested there.
    pub fn allows_unbound(&self) -> bool {
        self.allows_unbound
    }

    /// Returns the signatures that each release to it has, at least.
    pub fn signing(&self) -> SigningRule {
        self.signing
    }

    /// Returns who may write its records; at least one where it demands signatures, else none.
    pub fn signers(&self) -> &[SignerRule] {
        &self.signers
    }

    /// Returns the repository of a service's records (of none, where the environment has one repository);
    /// `None`: the repository of the images.
    pub fn records_place(&self, service: Option<&Service>) -> Option<&Destination> {
        let mut places = self.records_places().iter();
        let found = places.find(|(of, _)| of.as_ref() == service);
        found.map(|(_, place)| place)
    }

    /// Returns the repositories of its records, each with its service; none where they are those of the images.
    pub fn records_places(&self) -> &[(Option<Service>, Destination)] {
        let records = self.records.as_ref();
        records.map_or(&[], |records| records.places.as_slice())
    }

    /// Returns the repository of its records as it is written, with `{environment}` replaced; `None`: the
    /// repository of the images.
    pub fn records_repository(&self) -> Option<String> {
        let records = self.records.as_ref();
        records.map(|records| records.template.to_string())
    }

    /// Returns the last day of `adopt`; `None`: images that were there before records are not recorded.
    pub fn adopt_until(&self) -> Option<&Deadline> {
        self.adopt_until.as_ref()
    }

    /// Whether it says itself which tags a release gets.
    pub fn has_rules(&self) -> bool {
        self.tags.is_some()
    }

    /// Its rules for tags, where it has any.
    ///
    /// # Errors
    /// The first rule that is malformed. What compatible mode refuses is refused when the file is read.
    pub fn rules(&self, mode: CompatMode) -> Result<Option<TagRuleSet>, PolicyError> {
        let Some(YamlText { text, position: at }) = &self.tags else {
            return Ok(None);
        };
        let rules = TagRuleSet::parse(text, "", mode).map_err(|error| {
            let line = at.line + error.line - 1;
            FilePosition { line, ..*at }.to_error(PolicyProblem::Rule(Box::new(error)))
        })?;
        match rules.is_default() {
            true => Err(at.to_error(PolicyProblem::NoRules)),
            false => Ok(Some(rules)),
        }
    }
}

/// Parses the key `exclude-versions`: a list of patterns.
pub(super) fn parse_excluded_versions(
    field: Option<(FilePosition, YamlNode)>,
) -> Result<ExcludedVersions, PolicyError> {
    let Some((_, list)) = field else {
        return Ok(ExcludedVersions::default());
    };
    let patterns = list.into_texts(EXCLUDED_VERSION_LIST)?;
    for YamlText { text, position: at } in &patterns {
        ExcludedVersions::parse([text.as_str()])
            .map_err(|error| at.to_error(PolicyProblem::ExcludedVersions(error)))?;
    }
    let patterns = patterns.iter().map(|pattern| pattern.text.as_str());
    Ok(ExcludedVersions::parse(patterns).unwrap_or_default())
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
fn parse_from(node: YamlNode) -> Result<(Vec<EnvironmentName>, Vec<FilePosition>), PolicyError> {
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

fn parse_unbound(node: YamlNode) -> Result<bool, PolicyError> {
    let YamlText { text, position } = node.into_text()?;
    let [refuse, allow] = UNBOUND_WORDS;
    match text.as_str() {
        word if word == allow => Ok(true),
        word if word == refuse => Ok(false),
        other => Err(position.to_error(PolicyProblem::NotOneOf {
            text: printable_text(other),
            words: &UNBOUND_WORDS,
        })),
    }
}
