//! A plain model of an environment: what its tags, its history and its current release ought to be.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Entries of the environment's timeline, oldest first, and the versions that its tags name.
#[derive(Default, Debug, Clone)]
pub struct Model {
    pub entries: Vec<Event>,
    pub tags: BTreeMap<String, &'static str>,
}

/// An entry of the timeline.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub action: &'static str,
    pub version: &'static str,
    pub restores: Option<&'static str>,
}

impl Event {
    fn is_release(&self) -> bool {
        ["push", "promote", "adopt", "reinstate"].contains(&self.action)
    }
}

impl Model {
    /// A release without a record.
    pub fn tag(&mut self, version: &'static str) {
        self.tags.insert(version.to_owned(), version);
        self.tags.insert("prod".to_owned(), version);
        for line in lines(version) {
            let highest = self.highest(&line).unwrap();
            self.tags.insert(line, highest);
        }
    }

    pub fn release(&mut self, action: &'static str, version: &'static str) {
        self.add(action, version, None);
        self.tag(version);
    }

    /// The versions that the tags tell, lowest first, and what the environment is on as the last.
    pub fn adopt(&mut self) {
        let mut versions: Vec<_> = self.tags.values().copied().collect();
        versions.sort_by_key(|version| numbers(version));
        versions.dedup();
        let current = self.tags["prod"];
        if versions.last() != Some(&current) {
            versions.push(current);
        }
        for version in versions {
            self.add("adopt", version, None);
        }
    }

    pub fn mark(&mut self, state: &'static str, version: &'static str) {
        self.add(state, version, None);
    }

    /// Withdraws a release. Returns the lines that have no other release to go to.
    pub fn roll_back(&mut self, withdrawn: &'static str) -> Vec<String> {
        let is_current = self.current() == Some(withdrawn);
        let restores = self.known_good(withdrawn).filter(|_| is_current);
        self.withdraw(withdrawn, restores)
    }

    /// Withdraws a release, and puts a named one back.
    pub fn roll_back_to(&mut self, withdrawn: &'static str, to: &'static str) -> Vec<String> {
        self.withdraw(withdrawn, Some(to))
    }

    fn withdraw(&mut self, withdrawn: &'static str, restores: Option<&'static str>) -> Vec<String> {
        self.add("rollback", withdrawn, restores);
        let mut staying = Vec::new();
        for line in lines(withdrawn) {
            if self.tags.get(&line) != Some(&withdrawn) {
                continue;
            }
            match self.highest(&line) {
                Some(highest) => drop(self.tags.insert(line, highest)),
                None => staying.push(line),
            }
        }
        self.tags.insert("prod".to_owned(), self.current().unwrap());
        staying
    }

    fn add(&mut self, action: &'static str, version: &'static str, restores: Option<&'static str>) {
        self.entries.push(Event {
            action,
            version,
            restores,
        });
    }

    pub fn is_withdrawn(&self, version: &str) -> bool {
        let mut newest = self.entries.iter().rev();
        let newest = newest.find(|event| {
            event.version == version && ["rollback", "reinstate"].contains(&event.action)
        });
        newest.is_some_and(|event| event.action == "rollback")
    }

    pub fn withdrawn(&self) -> Vec<&'static str> {
        let mut versions: Vec<_> = self.entries.iter().map(|event| event.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions.retain(|version| self.is_withdrawn(version));
        versions
    }

    pub fn current(&self) -> Option<&'static str> {
        let newest_first = self.entries.iter().rev();
        let mut set = newest_first.filter_map(|event| match event.is_release() {
            true => Some(event.version),
            false => event.restores,
        });
        set.find(|version| !self.is_withdrawn(version))
    }

    /// The newest mark of a version.
    pub fn mark_of(&self, version: &str) -> Option<&'static str> {
        let mut marks = self.entries.iter().rev().filter(|event| {
            event.version == version && ["deployed", "failed"].contains(&event.action)
        });
        marks.next().map(|event| event.action)
    }

    fn newest_release(&self, version: &str) -> Option<usize> {
        self.entries
            .iter()
            .rposition(|event| event.is_release() && event.version == version)
    }

    /// What a rollback of the version puts back.
    pub fn known_good(&self, version: &str) -> Option<&'static str> {
        let before = &self.entries[..self.newest_release(version)?];
        let with_mark = |mark: Option<&str>| {
            let newest_first = before.iter().rev().filter(|event| event.is_release());
            let mut earlier = newest_first.map(|event| event.version);
            earlier.find(|earlier| {
                *earlier != version && !self.is_withdrawn(earlier) && self.mark_of(earlier) == mark
            })
        };
        with_mark(Some("deployed")).or_else(|| with_mark(None))
    }

    /// What the environment was on before the newest release of the version.
    pub fn before(&self, version: &str) -> Option<&'static str> {
        let end = self.newest_release(version)?;
        let earlier = Self {
            entries: self.entries[..end].to_vec(),
            tags: BTreeMap::new(),
        };
        earlier.current()
    }

    /// The state of a version's newest release.
    pub fn state(&self, version: &str) -> &'static str {
        match self.is_withdrawn(version) {
            true => "withdrawn",
            false if self.current() == Some(version) => "current",
            false => "superseded",
        }
    }

    /// The entries as `history` has them in JSON, newest first.
    pub fn history(&self, digests: &BTreeMap<&str, String>) -> Value {
        let entries = self.entries.iter().enumerate().rev();
        let entries = entries.map(|(at, event)| {
            let version = event.version;
            let is_newest = self.newest_release(version) == Some(at);
            let state = match self.state(version) {
                "current" if !is_newest => "superseded",
                state => state,
            };
            json!({
                "action": event.action,
                "version": version,
                "digest": digests[version],
                "restores": event.restores.map(|version| &digests[version]),
                "state": event.is_release().then_some(state),
                "mark": event.is_release().then(|| self.mark_of(version)).flatten(),
            })
        });
        entries.collect()
    }

    /// The highest released version of a line that is not withdrawn.
    fn highest(&self, line: &str) -> Option<&'static str> {
        let released = self.tags.iter().filter(|(tag, version)| tag == *version);
        let released = released.map(|(_, version)| *version);
        let on_line = released.filter(|version| {
            lines(version).iter().any(|own| own == line) && !self.is_withdrawn(version)
        });
        on_line.max_by_key(|version| numbers(version))
    }
}

/// The version lines of a version; none of a pre-release.
fn lines(version: &str) -> Vec<String> {
    if version.contains('-') {
        return Vec::new();
    }
    let (minor, _) = version.rsplit_once('.').unwrap();
    let (major, _) = minor.rsplit_once('.').unwrap();
    [minor, major, "latest"].map(str::to_owned).to_vec()
}

/// The three numbers of a version. A pre-release comes before its release.
fn numbers(version: &str) -> (Vec<u32>, bool) {
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, _)) => (numbers, true),
        None => (version, false),
    };
    let numbers = numbers.split('.').map(|number| number.parse().unwrap());
    (numbers.collect(), !pre)
}
