//! Real events for tests: `tests/data/events`, whose SOURCES.md says where each comes from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{EventError, EventFacts, EventInputs};

/// A payload, the environment of its run, or both.
pub(crate) struct EventFixture {
    /// `push/run_push_dev`
    pub(crate) name: String,
    environment: BTreeMap<String, String>,
    payload: Option<Vec<u8>>,
}

impl EventFixture {
    /// The facts of it: as in a runner where there is an environment, else as for `--event`.
    pub(crate) fn facts(&self) -> Result<EventFacts, EventError> {
        let folder = self.name.split('/').next().unwrap();
        let variable = |name: &str| self.environment.get(name).map(String::as_str);
        EventFacts::parse(&EventInputs {
            name: match variable("GITHUB_EVENT_NAME") {
                Some(name) => name,
                None if folder == "env_only" => "",
                None => folder,
            },
            git_ref: variable("GITHUB_REF"),
            sha: variable("GITHUB_SHA"),
            repository: variable("GITHUB_REPOSITORY"),
            payload: self.payload.as_deref(),
        })
    }
}

/// The one of that name.
pub(crate) fn facts(name: &str) -> EventFacts {
    let all = load_all();
    let fixture = all.iter().find(|fixture| fixture.name == name);
    fixture.unwrap().facts().unwrap()
}

/// All of them, by name.
pub(crate) fn load_all() -> Vec<EventFixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/events");
    let mut stems: Vec<PathBuf> = list_folders(&root)
        .iter()
        .flat_map(|folder| list_entries(folder))
        .map(|path| path.with_extension(""))
        .collect();
    // File names hold dots (`tag_v1.2.3rc2.env`), which is why the ending is put back by hand.
    stems.sort();
    stems.dedup();
    stems.iter().map(|stem| load_fixture(&root, stem)).collect()
}

fn load_fixture(root: &Path, stem: &Path) -> EventFixture {
    let ending = |ending: &str| PathBuf::from(format!("{}.{ending}", stem.display()));
    let environment = fs::read_to_string(ending("env")).unwrap_or_default();
    EventFixture {
        name: stem.strip_prefix(root).unwrap().display().to_string(),
        environment: environment
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        payload: fs::read(ending("json")).ok(),
    }
}

fn list_folders(root: &Path) -> Vec<PathBuf> {
    let all = list_entries(root);
    all.into_iter().filter(|path| path.is_dir()).collect()
}

fn list_entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
