//! Facts about the run by the runner's variables: workflow, actor, event, and the repository's page.

use serde::Deserialize;
use url::Url;

use super::facts_table::FactsTable;
use super::links::{OwnerKind, RepositoryOwner, RepositoryPage, link, package_page};
use crate::actions::ProcessEnvironment;
use crate::image::Destination;
use crate::report::markdown::{code_span, escape_text};

/// Facts about the run; all unknown outside of a runner.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct RunFacts {
    workflow: Option<String>,
    number: Option<String>,
    id: Option<u64>,
    attempt: u64,
    actor: Option<String>,
    event: Option<String>,
    ref_name: Option<String>,
    server: Option<Url>,
    repository: Option<String>,
    owner: Option<RepositoryOwner>,
}

#[derive(Deserialize)]
struct EventJson {
    repository: EventRepositoryJson,
}

#[derive(Deserialize)]
struct EventRepositoryJson {
    owner: EventOwnerJson,
}

#[derive(Deserialize)]
struct EventOwnerJson {
    login: String,
    #[serde(rename = "type")]
    kind: String,
}

impl RunFacts {
    /// Returns the facts that the runner's variables and its event file tell.
    pub(in crate::report) fn from_environment(environment: &ProcessEnvironment) -> Self {
        let variable = |name| environment.get(name).map(str::to_owned);
        let number = |name| environment.get(name).and_then(|text| text.parse().ok());
        let server = environment.get("GITHUB_SERVER_URL");
        let server = server.and_then(|text| Url::parse(text).ok());
        Self {
            workflow: variable("GITHUB_WORKFLOW"),
            number: variable("GITHUB_RUN_NUMBER"),
            id: number("GITHUB_RUN_ID"),
            attempt: number("GITHUB_RUN_ATTEMPT").unwrap_or(1),
            actor: variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR")),
            event: variable("GITHUB_EVENT_NAME"),
            ref_name: variable("GITHUB_REF_NAME"),
            server: server.filter(|url| matches!(url.scheme(), "https" | "http")),
            repository: variable("GITHUB_REPOSITORY"),
            owner: read_owner(environment),
        }
    }

    /// Returns the page of the repository that the workflow belongs to.
    pub(super) fn repository_page(&self) -> Option<RepositoryPage> {
        RepositoryPage::new(self.server.as_ref()?, self.repository.as_deref()?)
    }

    /// Returns the page of the repository that a source label names.
    pub(super) fn labelled_page(&self, label: &str) -> Option<RepositoryPage> {
        RepositoryPage::from_source_label(self.server.as_ref()?, label)
    }

    /// Returns the page of the package that a destination is, if it is known.
    pub(super) fn package_page(&self, destination: &Destination) -> Option<Url> {
        package_page(self.server.as_ref()?, self.owner.as_ref()?, destination)
    }

    /// Returns run, actor and event.
    pub(super) fn table(&self) -> FactsTable {
        let mut facts = FactsTable::default();
        let parts: Vec<String> = self.run().into_iter().chain(self.event()).collect();
        if !parts.is_empty() {
            facts.add("Run", parts.join(", "));
        }
        facts
    }

    /// Returns a text such as `[release #42](…) by octocat`.
    fn run(&self) -> Option<String> {
        let workflow = self.workflow.as_deref()?;
        let mut name = escape_text(workflow);
        if let Some(number) = &self.number {
            name += &format!(" #{}", escape_text(number));
        }
        if self.attempt > 1 {
            name += &format!(", attempt {}", self.attempt);
        }
        let mut text = match self.repository_page().zip(self.id) {
            Some((page, id)) => link(&name, &page.run(id, self.attempt)),
            None => name,
        };
        if let Some(actor) = &self.actor {
            text += &format!(" by {}", escape_text(actor));
        }
        Some(text)
    }

    /// Returns a text such as `push of v1.4.0`.
    fn event(&self) -> Option<String> {
        let event = escape_text(self.event.as_deref()?);
        Some(match &self.ref_name {
            Some(name) => format!("{event} of {}", code_span(name)),
            None => event,
        })
    }
}

/// Returns the owner that the event names; `None` if it names another one than the runner.
fn read_owner(environment: &ProcessEnvironment) -> Option<RepositoryOwner> {
    let event = std::fs::read(environment.path("GITHUB_EVENT_PATH")?).ok()?;
    let event: EventJson = serde_json::from_slice(&event).ok()?;
    let owner = event.repository.owner;
    let (name, _) = environment.get("GITHUB_REPOSITORY")?.split_once('/')?;
    let kind = match owner.kind.as_str() {
        "Organization" => OwnerKind::Organization,
        "User" => OwnerKind::User,
        _ => return None,
    };
    (owner.login == name).then_some(RepositoryOwner {
        name: owner.login,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_variables_stay_text() {
        let environment = ProcessEnvironment::from_iter([
            ("GITHUB_WORKFLOW", "[x](javascript:1)"),
            ("GITHUB_RUN_NUMBER", "1"),
            ("GITHUB_RUN_ID", "7/../../evil"),
            ("GITHUB_ACTOR", "@acme"),
            ("GITHUB_EVENT_NAME", "push<b>"),
            ("GITHUB_REF_NAME", "a`b|c"),
            ("GITHUB_SERVER_URL", "javascript:alert(1)"),
            ("GITHUB_REPOSITORY", "acme/web"),
        ]);
        let table = RunFacts::from_environment(&environment).table();
        insta::assert_snapshot!(table.to_markdown(), @r"

        | Run | \[x\](javascript:1) #1 by @&#8203;acme, push\<b> of ``a`b``&#124;`c` |
        | :--- | :--- |
        ");
    }

    #[test]
    fn an_owner_is_known_from_the_event_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let event = folder.path().join("event.json");
        let owner = |login: &str, kind: &str| {
            let json = serde_json::json!({"repository": {"owner": {"login": login, "type": kind}}});
            std::fs::write(&event, json.to_string()).unwrap();
            read_owner(&ProcessEnvironment::from_iter([
                ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
                ("GITHUB_REPOSITORY", "acme/web"),
            ]))
        };
        let known = owner("acme", "User").map(|owner| owner.kind);
        assert_eq!(known, Some(OwnerKind::User));
        assert_eq!(owner("acme", "Enterprise"), None);
        assert_eq!(owner("other", "User"), None);
        assert_eq!(read_owner(&ProcessEnvironment::default()), None);
    }
}
