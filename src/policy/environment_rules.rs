use std::collections::BTreeMap;
use std::sync::Arc;

use super::deadline::Deadline;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::gates::EnvironmentGates;
use super::records_repository::RecordsRepositories;
use super::repository_template::RepositoryTemplate;
use super::service_name::Service;
use super::signer_rule::SignerRule;
use super::signing_rule::SigningRule;
use super::yaml_node::YamlText;
use crate::event::RefFilter;
use crate::image::Destination;
use crate::tagging::{CompatMode, EnvironmentName, ExcludedVersions, ImmutableTags, TagRuleSet};

/// Treatment of immutable tags that point to another digest than that of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingTags {
    /// They refuse the release.
    Fail,
    /// Their image is released.
    Keep,
}

/// An environment with its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentRules {
    pub(super) name: EnvironmentName,
    /// Where the name stands.
    pub(super) name_at: FilePosition,
    pub(super) repository_at: FilePosition,
    pub(super) template: RepositoryTemplate,
    pub(super) destinations: Vec<(Option<Service>, Destination)>,
    /// The repository that a service of the name `MARK` would have.
    pub(super) marked: Option<Destination>,
    pub(super) is_production: bool,
    /// Where the key `production` stands, or the name.
    pub(super) production_at: FilePosition,
    /// Environments that its images come from, in the order in which images are looked up.
    pub(super) from: Vec<EnvironmentName>,
    /// Positions of the names in `from`.
    pub(super) from_at: Vec<FilePosition>,
    pub(super) refs: Option<RefFilter>,
    pub(super) tags: Option<YamlText>,
    pub(super) immutable_tags: ImmutableTags,
    pub(super) gives_lines: bool,
    /// Keys that the file gives it, in the order of their declaration.
    pub(super) stated_keys: Vec<&'static str>,
    pub(super) allows_unbound: bool,
    pub(super) existing: Option<ExistingTags>,
    pub(super) excluded_versions: ExcludedVersions,
    pub(super) gates: EnvironmentGates,
    /// Whether its gates could be read without a problem.
    pub(super) are_gates_read: bool,
    /// Gates of the services that differ.
    pub(super) service_gates: BTreeMap<Service, Arc<EnvironmentGates>>,
    pub(super) signing: SigningRule,
    /// Whether its key `sign` could be read without a problem.
    pub(super) is_signing_read: bool,
    pub(super) signers: Vec<SignerRule>,
    pub(super) adds_vsa: bool,
    /// Repositories of the records, where they are not those of the images.
    pub(super) records: Option<RecordsRepositories>,
    pub(super) adopt_until: Option<Deadline>,
    /// Name of the environment on GitHub, where it is stated.
    pub(super) github_environment: Option<String>,
}

impl EnvironmentRules {
    /// The environment's name.
    pub fn name(&self) -> &EnvironmentName {
        &self.name
    }

    /// Returns the environments that its images come from, in the order in which images are looked up; empty
    /// if it is the first of its road.
    pub fn from(&self) -> &[EnvironmentName] {
        &self.from
    }

    /// Returns whether it is a production environment.
    pub fn is_production(&self) -> bool {
        self.is_production
    }

    /// Returns the refs whose workflow runs may release to it; `None`: every ref.
    pub fn refs(&self) -> Option<&RefFilter> {
        self.refs.as_ref()
    }

    /// Returns the tags that are immutable in it, whatever rule gives them.
    pub fn immutable_tags(&self) -> &ImmutableTags {
        &self.immutable_tags
    }

    /// Returns whether releases to it get tags of version lines.
    pub fn gives_lines(&self) -> bool {
        self.gives_lines
    }

    /// Returns the gates that an image of a service passes before its release to the environment; of none, where
    /// the environment has one repository.
    pub fn gates(&self, service: Option<&Service>) -> &EnvironmentGates {
        let own = service.and_then(|service| self.service_gates.get(service));
        own.map_or(&self.gates, AsRef::as_ref)
    }

    /// Returns the gates of the environment, and those of each service that has its own.
    pub fn all_gates(&self) -> impl Iterator<Item = &EnvironmentGates> {
        let own = std::iter::once(self.gates(None));
        own.chain(self.service_gates().map(|(_, gates)| gates))
    }

    /// Returns the services whose gates differ from those of the environment, each with its gates.
    pub fn service_gates(&self) -> impl Iterator<Item = (&Service, &EnvironmentGates)> {
        let gates = self.service_gates.iter();
        gates.map(|(service, gates)| (service, gates.as_ref()))
    }

    /// Returns whether each release to it adds a verification summary attestation (VSA).
    pub fn adds_vsa(&self) -> bool {
        self.adds_vsa
    }

    /// Whether another file says of the environment what this one says.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let tags = |stage: &Self| stage.tags.as_ref().map(|tags| tags.text.clone());
        self.name == other.name
            && self.destinations == other.destinations
            && self.marked == other.marked
            && self.from() == other.from()
            && tags(self) == tags(other)
            && self.is_production == other.is_production
            && self.refs == other.refs
            && self.immutable_tags == other.immutable_tags
            && self.gives_lines == other.gives_lines
            && self.gates == other.gates
            && self.service_gates == other.service_gates
            && self.adds_vsa == other.adds_vsa
            && self.allows_unbound == other.allows_unbound
            && self.existing == other.existing
            && self.excluded_versions == other.excluded_versions
            && self.signing == other.signing
            && self.signers == other.signers
            && self.records == other.records
            && self.adopt_until == other.adopt_until
            && self.github_environment() == other.github_environment()
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

    /// Returns what happens to immutable tags that point to another digest; `None`: it depends on the tag.
    pub fn existing(&self) -> Option<ExistingTags> {
        self.existing
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

    /// Returns the name of the environment on GitHub.
    pub fn github_environment(&self) -> &str {
        let stated = self.github_environment.as_deref();
        stated.unwrap_or(self.name.as_str())
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
