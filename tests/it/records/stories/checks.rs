//! Holds the registry, `history` and `inspect` against the model.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shipmark::record::{EntryKnowledge, EntryRemark, HistoryLine, RecordId, ReleaseRecord};
use shipmark::release::{
    EnvironmentAccount, HistoryRequest, InspectRequest, InspectSubject, history, inspect,
};

use super::*;

impl World {
    pub(super) fn records(&self, repository: &str) -> Vec<(RecordId, ReleaseRecord)> {
        let names = entries(&self.stage.registry, repository).into_iter();
        let read = |name: String| {
            let record = record(&self.stage.registry, repository, &name);
            (RecordId::from_blob(&record.to_statement()), record)
        };
        names.map(read).collect()
    }

    pub(super) async fn check(&self) {
        let dangling = self.stage.registry.dangling();
        assert_eq!(dangling, Vec::<String>::new(), "{:#?}", self.log);
        self.check_tags();
        let pushed = self
            .model
            .dev
            .iter()
            .map(|version| ("push", *version, None));
        self.check_records(DEV, pushed.collect());
        let released = self.model.prod.entries.iter();
        let released = released.map(|event| (event.action, event.version, event.restores));
        self.check_records(PROD, released.collect());
        if self.model.prod.entries.is_empty() {
            return;
        }
        self.check_history().await;
        let prod = location(PROD, &self.stage.place(PROD));
        let current = self.model.prod.current().unwrap();
        let subject = InspectSubject::Environment(prod);
        self.check_account(subject, current).await;
        for version in VERSIONS.into_iter().filter(|it| *it != current) {
            if self.model.prod.tags.contains_key(version) {
                let source = format!("{}:{version}", self.stage.place(PROD));
                let subject = InspectSubject::Image(source.parse().unwrap());
                self.check_account(subject, version).await;
            }
        }
    }

    fn check_tags(&self) {
        let log = &self.log;
        let registry = &self.stage.registry;
        let expected = self.model.prod.tags.iter();
        let expected: BTreeMap<_, _> = expected
            .map(|(tag, version)| (tag.clone(), self.digests[version].clone()))
            .collect();
        let mut tags = registry.tags(PROD);
        let others = ["shipmark.", "sha256-", "git-"];
        tags.retain(|tag, _| !others.iter().any(|it| tag.starts_with(it)));
        assert_eq!(tags, expected, "{log:#?}");
        let current = self.model.dev.last().map(|version| &self.digests[version]);
        assert_eq!(registry.tags(DEV).get("main"), current, "{log:#?}");
    }

    /// Compares action, root and what was put back of each record.
    fn check_records(
        &self,
        environment: &str,
        expected: Vec<(&str, &'static str, Option<&'static str>)>,
    ) {
        let log = &self.log;
        let records = self.records(environment);
        let told = records.iter().map(|(_, record)| {
            let predicate = &record.predicate;
            let restores = predicate.restores.map(|root| root.to_string());
            (
                predicate.action.to_string(),
                record.root.to_string(),
                restores,
            )
        });
        let expected = expected.into_iter().map(|(action, version, restores)| {
            let restores = restores.map(|version| self.digests[version].clone());
            (action.to_owned(), self.digests[version].clone(), restores)
        });
        let (told, expected): (Vec<_>, Vec<_>) = (told.collect(), expected.collect());
        assert_eq!(told, expected, "{environment} {log:#?}");
        let dev: Vec<RecordId> = self.records(DEV).iter().map(|(id, _)| *id).collect();
        let mut seen = Vec::new();
        for (id, record) in &records {
            let predicate = &record.predicate;
            let previous = &predicate.previous;
            assert!(previous.iter().all(|it| seen.contains(it)), "{log:#?}");
            assert_eq!(previous.is_empty(), predicate.past.is_empty(), "{log:#?}");
            let source = predicate.source.as_ref().and_then(|source| source.record);
            let is_promotion = ["promote", "reinstate"].contains(&predicate.action.as_str());
            assert_eq!(source.is_some(), is_promotion, "{log:#?}");
            assert!(source.iter().all(|it| dev.contains(it)), "{log:#?}");
            seen.push(*id);
        }
    }

    async fn check_history(&self) {
        let log = &self.log;
        let request = HistoryRequest {
            location: location(PROD, &self.stage.place(PROD)),
            clock: minute(self.minute),
            limit: None,
            reads_each: true,
            filter: Default::default(),
            tag: None,
        };
        let shown = history(&request, &context()).await.unwrap();
        let lines = shown.lines.iter().map(|line| self.shown(line));
        let lines: Value = lines.collect();
        assert_eq!(lines, self.model.prod.history(&self.digests), "{log:#?}");
        assert_eq!(shown.drift, [], "{log:#?}");
        assert!(shown.unfinished.is_empty() && !shown.has_more, "{log:#?}");
        let current = shown.current.unwrap();
        let version = self.model.prod.current().unwrap();
        assert_eq!(current.root.to_string(), self.digests[version], "{log:#?}");
        assert_eq!(current.version.as_deref(), Some(version), "{log:#?}");
        let good = current.good_before.and_then(|(_, version)| version);
        let expected = self.model.prod.known_good(version);
        assert_eq!(good.as_deref(), expected, "{log:#?}");
    }

    /// A line as the model has it.
    fn shown(&self, line: &HistoryLine) -> Value {
        assert_eq!(line.known, EntryKnowledge::Unverified, "{:#?}", self.log);
        let is_fork = |remark: &EntryRemark| matches!(remark, EntryRemark::Fork(_));
        let mut remarks = line.remarks.iter();
        let is_expected = remarks.all(|remark| self.has_forks && is_fork(remark));
        assert!(is_expected, "{:?} {:#?}", line.remarks, self.log);
        let entry = line.entry.as_ref().unwrap();
        let mark = line.mark.map(|mark| match mark {
            ReleaseMark::Deployed => "deployed",
            ReleaseMark::Failed => "failed",
        });
        json!({
            "action": entry.action.to_string(),
            "version": entry.version,
            "digest": entry.root.to_string(),
            "restores": entry.restores.map(|root| root.to_string()),
            "state": line.state.map(|state| state.to_string()),
            "mark": mark,
        })
    }

    /// Compares what is said of an image.
    async fn check_account(&self, subject: InspectSubject, version: &str) {
        let request = InspectRequest {
            subject,
            timelines: Vec::new(),
            finds_environments: true,
            signer: None,
            is_offline: false,
            clock: minute(self.minute),
        };
        let shown = inspect(&request, &context()).await.unwrap();
        let about = format!("{version} {:#?}", self.log);
        assert_eq!(
            shown.image.root.to_string(),
            self.digests[version],
            "{about}"
        );
        let is_prod = |it: &&EnvironmentAccount| it.environment.as_str() == PROD;
        let account = shown.environments.iter().find(is_prod).expect(&about);
        let model = &self.model.prod;
        let state = account.state.map(|state| state.to_string());
        assert_eq!(state.as_deref(), Some(model.state(version)), "{about}");
        let version_of = |it: &Option<(_, Option<String>)>| it.clone().and_then(|it| it.1);
        let good = version_of(&account.good_before);
        assert_eq!(good.as_deref(), model.known_good(version), "{about}");
        let before = version_of(&account.before);
        assert_eq!(before.as_deref(), model.before(version), "{about}");
        assert!(account.unfinished.is_empty(), "{about}");
        assert_eq!(account.tag_drift, None, "{about}");
        let own = model.entries.iter().rev();
        let own = own.filter(|event| event.version == version || event.restores == Some(version));
        let own: Vec<_> = own.map(|event| event.action.to_owned()).collect();
        let lines = account
            .lines
            .iter()
            .map(|line| line.name.action.to_string());
        assert_eq!(lines.collect::<Vec<_>>(), own, "{about}");
    }
}
