use super::REPOSITORIES;
use super::document::{Key, Node, Text, parsed, shown};
use super::error::{At, PolicyError, Problem};
use super::matching::MARK;
use super::service::Service;
use super::template::{Template, TemplateError};
use crate::image::Place;
use crate::tagging::{Environment, Mode, Rules};

/// An environment with its rules: a stage of the road from the build to production.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub(super) name: Environment,
    pub(super) repository_at: At,
    pub(super) template: Template,
    places: Vec<(Option<Service>, Place)>,
    /// The repository that a service of the name [`MARK`] would have.
    pub(super) marked: Option<Place>,
    pub(super) from: Option<(Environment, At)>,
    tags: Option<Text>,
}

const KEYS: &[&str] = &["repository", "from", "tags"];
/// Keys of the design that come with later versions.
const LATER: &[&str] = &[
    "refs",
    "sign",
    "trust",
    "gates",
    "production",
    "immutable",
    "keep",
];

impl Stage {
    /// Reads an environment that may have at most `room` repositories.
    pub(super) fn read(
        name: Key,
        rules: Node,
        services: &[Service],
        room: usize,
    ) -> Result<Self, PolicyError> {
        let name = parsed(name.at, &name.text)?;
        let mut fields = rules.fields(KEYS, LATER)?;
        let repository = fields.need("repository")?;
        let (template, repository_at) = template(repository)?;
        if template.is_per_service() && services.is_empty() {
            return Err(repository_at.is(Problem::NoServices));
        }
        let wanted = match template.is_per_service() {
            true => services.len(),
            false => 1,
        };
        if wanted > room {
            return Err(repository_at.is(Problem::TooManyRepositories(REPOSITORIES)));
        }
        let places = template.places(services);
        let from = fields.take("from").map(|(_, node)| {
            let at = node.at;
            node.parsed().map(|name| (name, at))
        });
        let tags = fields.take("tags").map(|(_, node)| node.text());
        let stage = Self {
            name,
            repository_at,
            places: places.map_err(|reason| repository_at.is(Problem::Repository(reason)))?,
            marked: template
                .with(MARK)
                .ok()
                .filter(|_| template.is_per_service()),
            template,
            from: from.transpose()?,
            tags: tags.transpose()?,
        };
        stage.rules(Mode::Compatible)?;
        Ok(stage)
    }

    /// The environment's name.
    pub fn name(&self) -> &Environment {
        &self.name
    }

    /// The environment that its images come from; none where it is the first of its road.
    pub fn from(&self) -> Option<&Environment> {
        self.from.as_ref().map(|(from, _)| from)
    }

    /// Whether another file says of the environment what this one says.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let tags = |stage: &Self| stage.tags.as_ref().map(|tags| tags.text.clone());
        self.name == other.name
            && self.places == other.places
            && self.marked == other.marked
            && self.from() == other.from()
            && tags(self) == tags(other)
    }

    /// Whether each service has a repository of its own.
    pub fn is_per_service(&self) -> bool {
        self.template.is_per_service()
    }

    /// Its repositories: one for each service, or one alone.
    pub fn places(&self) -> &[(Option<Service>, Place)] {
        &self.places
    }

    /// The repository of a service; of none, where there is one alone.
    pub fn place(&self, service: Option<&Service>) -> Option<&Place> {
        let mut places = self.places.iter();
        let found = places.find(|(of, _)| of.as_ref() == service);
        found.map(|(_, place)| place)
    }

    /// Whether it says itself which tags a release gets.
    pub fn has_rules(&self) -> bool {
        self.tags.is_some()
    }

    /// Its rules for tags, where it has any.
    ///
    /// # Errors
    /// The first rule that is malformed. What compatible mode refuses is refused when the file is read.
    pub fn rules(&self, mode: Mode) -> Result<Option<Rules>, PolicyError> {
        let Some(Text { text, at }) = &self.tags else {
            return Ok(None);
        };
        let rules = Rules::read(text, "", mode).map_err(|error| {
            let line = at.line + error.line - 1;
            At { line, ..*at }.is(Problem::Rule(Box::new(error)))
        })?;
        match rules.is_default() {
            true => Err(at.is(Problem::NoRules)),
            false => Ok(Some(rules)),
        }
    }
}

/// The most characters of a repository: each service has a copy of them.
const LENGTH: usize = 1_000;

fn template(repository: Node) -> Result<(Template, At), PolicyError> {
    let Text { text, at } = repository.text()?;
    let text = text.trim();
    if text.len() > LENGTH {
        return Err(at.is(Problem::LongRepository(LENGTH)));
    }
    let template = Template::read(text).map_err(|error| {
        at.is(match error {
            TemplateError::Braces => Problem::Braces(shown(text)),
            TemplateError::Place(reason) => Problem::Repository(reason),
        })
    })?;
    Ok((template, at))
}
