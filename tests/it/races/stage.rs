//! Runs against one registry whose requests about tags wait for their turn.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use shipmark::record::ReleaseMark;
use shipmark::release::{
    Failure, HistoryOutcome, HistoryRequest, MarkRequest, ReleaseContext, ReleaseRequest,
    RollbackRequest, TimelineRequest, history, run,
};
use shipmark::tagging::TagRules;

use super::running::{Run, is_free};
use super::schedule::Step;
use crate::registry::{Effect, Gate, Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::record_job::RecordJob;
use crate::support::recorded_stage::named;
use crate::support::records::*;
use crate::support::*;

pub const WEB: &str = "web";
/// How often everything else may go on before nothing is expected to happen any more.
const QUIET: usize = 32;

/// A release by one run: its version, and the image, by number.
pub type Release = (&'static str, usize);

/// Runs, each at a host of its own, with the same content behind.
pub struct Stage {
    hosts: Vec<Registry>,
    gates: Vec<Arc<Gate>>,
    contexts: Vec<ReleaseContext>,
    /// A host without a gate, for runs that nobody disturbs.
    calm: Registry,
    images: Vec<String>,
    before: BTreeMap<String, String>,
    /// Intents that were there before the runs.
    intents_before: BTreeSet<String>,
    /// Rules in place of the default table: the version and these.
    names: Option<&'static [&'static str]>,
    said: Vec<Said>,
    calm_said: Said,
    /// How many lists lacked a tag that was there.
    stale_lists: Cell<usize>,
    /// A version that is none.
    pub ignored: &'static str,
    /// Minutes at which the releases are planned and recorded, by image.
    times: Option<&'static [i64]>,
}

/// Name by which all runs know the registry if they record releases: a record names its repository.
const COMMON_HOST: &str = "registry.test";

/// How a run ended; nothing where it died.
pub type End = Option<Result<(), Failure>>;

/// A list of tags that is behind: which one of which run, and what it does not show yet.
#[derive(Debug, Clone, Copy)]
pub struct Stale {
    pub run: usize,
    pub nth: usize,
    pub lacks: &'static [&'static str],
}

impl Stage {
    /// A registry with release 0.4.0, and images that have no tag yet, and no creation time.
    pub async fn set(runs: usize, profile: impl Fn() -> Profile) -> Self {
        Self::set_created(&vec![None; runs + 1], profile).await
    }

    /// The same, with the creation times of the images; the last one is that of 0.4.0.
    pub async fn set_created(created: &[Option<&str>], profile: impl Fn() -> Profile) -> Self {
        let runs = created.len() - 1;
        let calm = Registry::start(profile()).await;
        let each = created.iter().enumerate();
        let images: Vec<String> = each
            .map(|(number, created)| image(&calm, number, *created))
            .collect();
        let old = images[runs].clone();
        let before = ["0.4.0", "0.4", "latest"].map(|tag| (tag.to_owned(), old.clone()));
        let mut hosts = Vec::new();
        for _ in 0..runs {
            hosts.push(calm.beside(profile()).await);
        }
        let (contexts, said): (Vec<ReleaseContext>, Vec<Said>) =
            hosts.iter().map(|_| context_with(hasty())).unzip();
        for (host, context) in hosts.iter().zip(&contexts) {
            // The first request finds out how a registry is spoken to; that is not the matter here.
            let place = format!("{}/{WEB}", host.host()).parse().unwrap();
            let access = shipmark::registry::RepositoryAccess::PullPush;
            let remote = context.registry.open_repository(&place, access, &[]);
            remote.tags().await.unwrap();
        }
        Self {
            gates: hosts.iter().map(Registry::gate).collect(),
            hosts,
            contexts,
            calm,
            images,
            before: before.into(),
            intents_before: BTreeSet::new(),
            names: None,
            said,
            calm_said: Said::default(),
            stale_lists: Cell::default(),
            ignored: "",
            times: None,
        }
    }

    /// Records the releases in the timeline of prod, planned at these minutes, by image. The hosts are proxies
    /// to one registry.
    pub async fn with_records(mut self, times: &'static [i64]) -> Self {
        self.times = Some(times);
        let through = self.hosts.iter().map(|host| context_with(behind(host)));
        (self.contexts, self.said) = through.unzip();
        for context in &self.contexts {
            let place = format!("{COMMON_HOST}/{WEB}").parse().unwrap();
            let access = shipmark::registry::RepositoryAccess::PullPush;
            let remote = context.registry.open_repository(&place, access, &[]);
            // As above, with a request that no gate holds.
            let target = shipmark::image::TagOrDigest::Digest(self.images[0].parse().unwrap());
            remote.head_manifest(&target).await.unwrap();
        }
        self
    }

    /// Begins with these releases, recorded one after the other, and no other tag.
    pub async fn with_past(mut self, releases: &[Release]) -> Self {
        self.set_tags(BTreeMap::new());
        for release in releases {
            self.calm_run(*release).await.unwrap();
        }
        self.before = self.tags();
        self.intents_before = self.intents().into_iter().collect();
        self
    }

    fn intents(&self) -> Vec<String> {
        let images = self.images.iter();
        let listed = images.flat_map(|image| self.calm.referrers(WEB, image));
        let digest = |listed: serde_json::Value| listed["digest"].as_str().unwrap().to_owned();
        listed.map(digest).collect()
    }

    fn place(&self, host: &Registry) -> String {
        match self.times {
            Some(_) => format!("{COMMON_HOST}/{WEB}"),
            None => format!("{}/{WEB}", host.host()),
        }
    }

    /// Releases with the version's own tag and these tags alone.
    pub fn with_names(mut self, names: &'static [&'static str]) -> Self {
        self.before
            .retain(|tag, _| tag.split('.').count() == 3 || names.contains(&tag.as_str()));
        self.names = Some(names);
        self
    }

    /// What a run has said since this was last asked.
    pub fn take_said(&self, run: usize) -> String {
        self.said[run].take()
    }

    /// How many lists lacked a tag that was there, since this was last asked.
    pub fn take_stale_lists(&self) -> usize {
        self.stale_lists.take()
    }

    /// What the runs that nobody disturbs have said.
    pub fn said_calm(&self) -> String {
        self.calm_said.text()
    }

    /// Adds an image; returns its number.
    pub fn add_image(&mut self, created: Option<&str>) -> usize {
        let number = self.images.len();
        self.images.push(image(&self.calm, number, created));
        number
    }

    pub fn before(&self) -> BTreeMap<String, String> {
        self.before.clone()
    }

    pub fn add_before(&mut self, tag: &str, image: usize) {
        self.before
            .insert(tag.to_owned(), self.images[image].clone());
    }

    pub fn image(&self, number: usize) -> &str {
        &self.images[number]
    }

    pub fn tags(&self) -> BTreeMap<String, String> {
        self.calm.tags(WEB)
    }

    pub fn set_tags(&self, tags: BTreeMap<String, String>) {
        self.calm.set_tags(WEB, tags);
    }

    /// Puts everything back to what it was before the runs, without the intents of earlier plays.
    fn reset(&self) {
        self.set_tags(self.before.clone());
        for intent in self.intents() {
            if !self.intents_before.contains(&intent) {
                self.calm.remove_manifest(WEB, &intent);
            }
        }
    }

    /// The releases, as runs of their own.
    pub fn releases(&self, releases: &[Release]) -> Vec<Run> {
        let each = self.hosts.iter().zip(releases);
        each.map(|(host, release)| {
            let job = RecordJob::Release(Box::new(self.request(host, *release)));
            let run = Run::new(job).releasing(release.0);
            match self.times {
                Some(_) => run,
                None => run.without_entry(),
            }
        })
        .collect()
    }

    /// The rollback of a release, or of the current one.
    pub fn rollback(&self, withdraw: Option<&str>, now: i64, run: u64) -> Run {
        Run::new(RecordJob::RollBack(RollbackRequest {
            timeline: self.timeline(now, run),
            withdraw: withdraw.map(named),
            to: None,
            excluded_versions: Default::default(),
            dry_run: false,
        }))
    }

    /// The mark of a release, or of the current one.
    pub fn mark(&self, state: ReleaseMark, release: Option<&str>, now: i64, run: u64) -> Run {
        Run::new(RecordJob::Mark(MarkRequest {
            timeline: self.timeline(now, run),
            state,
            release: release.map(named),
        }))
    }

    fn timeline(&self, now: i64, run: u64) -> TimelineRequest {
        TimelineRequest {
            location: location("prod", &self.place(&self.calm)),
            account: account(now, run),
            signer: None,
            adds_summary: false,
        }
    }

    /// What a reader is told that nobody disturbs.
    pub async fn history(&self) -> HistoryOutcome {
        let request = HistoryRequest {
            location: location("prod", &self.place(&self.calm)),
            clock: minute(60),
            limit: None,
            reads_each: true,
            filter: Default::default(),
            tag: None,
        };
        history(&request, &context_with(behind(&self.calm)).0)
            .await
            .unwrap()
    }

    fn request(&self, host: &Registry, (version, image): Release) -> ReleaseRequest {
        let place = self.place(host);
        let source = format!("{place}@{}", self.images[image]);
        let mut request = promote(&source, &[&place], &format!("refs/tags/v{version}"));
        if let Some(names) = self.names {
            let rules = [version].into_iter().chain(names.iter().copied());
            request.rules = TagRules::parse(rules).unwrap();
        }
        if let (TagRules::Custom(inputs), Some(_)) = (&mut request.rules, self.times) {
            Arc::make_mut(inputs).context.environment = Some("prod".parse().unwrap());
        }
        match self.times {
            Some(times) => recorded(request, "prod", times[image], image as u64 + 1),
            None => request,
        }
    }

    /// A run that nobody disturbs.
    pub async fn calm_run(&self, release: Release) -> Result<(), Failure> {
        self.calm_attempt(release, 1).await
    }

    /// Repeats a run, and nobody disturbs it.
    pub async fn calm_attempt(&self, release: Release, attempt: u64) -> Result<(), Failure> {
        let settings = match self.times {
            Some(_) => behind(&self.calm),
            None => hasty(),
        };
        let mut context = context_with(settings).0;
        context.notices = self.calm_said.notices();
        let mut request = self.request(&self.calm, release);
        if let Some(options) = &mut request.record {
            options.account.run.as_mut().unwrap().attempt = Some(attempt);
        }
        run(&request, &context).await.map(drop)
    }

    /// The tags of the timeline's entries, in their order, with the records.
    pub fn records(&self) -> Vec<(String, shipmark::record::ReleaseRecord)> {
        let names = crate::support::records::entries(&self.calm, WEB).into_iter();
        names
            .map(|name| {
                let record = crate::support::records::record(&self.calm, WEB, &name);
                (name, record)
            })
            .collect()
    }

    /// Lets the runs go on step by step, as `choose` says, until it says no more or all have ended.
    pub async fn play(
        &self,
        mut runs: Vec<Run>,
        victim: Option<usize>,
        stale: Option<Stale>,
        mut choose: impl FnMut(Vec<Step>) -> Option<Step>,
    ) -> Vec<End> {
        self.reset();
        for (run, context) in runs.iter_mut().zip(&self.contexts) {
            run.begin(context);
        }
        while let Some(step) = choose(self.enabled(&mut runs, victim).await) {
            runs[step.run()].step(&step);
            if let Step::Request { run, request, nth } = &step {
                let behind = stale.filter(|stale| {
                    (stale.run, stale.nth) == (*run, *nth) && request.contains("/tags/list")
                });
                let effect = behind.map(|stale| self.listing_without(stale.lacks));
                self.gates[*run].release(request, effect);
            }
        }
        let mut ends = Vec::new();
        for run in runs {
            ends.push(run.end().await);
        }
        for _ in 0..QUIET {
            tokio::task::yield_now().await;
        }
        for gate in &self.gates {
            gate.clear();
        }
        ends
    }

    /// What can happen next, once nothing more happens by itself.
    async fn enabled(&self, runs: &mut [Run], victim: Option<usize>) -> Vec<Step> {
        let mut quiet = 0;
        let mut before = Vec::new();
        while quiet < QUIET {
            tokio::task::yield_now().await;
            let held: Vec<_> = self.gates.iter().map(|gate| gate.held()).collect();
            let waits = |(run, held): (&Run, &Vec<String>)| run.is_over() || !held.is_empty();
            if held == before && runs.iter().zip(&held).all(waits) {
                quiet += 1;
            } else {
                quiet = 0;
            }
            before = held;
        }
        let mut steps: Vec<Step> = Vec::new();
        for (number, (run, held)) in runs.iter().zip(before).enumerate() {
            if run.is_over() {
                continue;
            }
            // Dying after a read leaves the same as dying before it.
            if victim == Some(number) && run.just_wrote() {
                steps.push(Step::Death { run: number });
            }
            steps.extend(held.into_iter().map(|request| Step::Request {
                run: number,
                nth: run.next_of(&request),
                request,
            }));
        }
        steps.sort();
        match steps.iter().find(|step| is_free(step, &steps, runs)) {
            Some(free) => vec![free.clone()],
            None => steps,
        }
    }

    fn listing_without(&self, lacks: &[&str]) -> Effect {
        let tags = self.tags();
        let shown = |tag: &&String| !lacks.contains(&tag.as_str());
        let there: Vec<_> = tags.keys().filter(shown).collect();
        let is_stale = there.len() < tags.len();
        self.stale_lists
            .set(self.stale_lists.get() + usize::from(is_stale));
        let body = json!({"name": WEB, "tags": there}).to_string();
        Effect::status_with(200, &[("content-type", "application/json")], &body)
    }

    /// The lines name what the highest version names, and everything that is named is there.
    pub fn assert_right(&self, when: &dyn Fn() -> String) {
        let tags = self.tags();
        let is_version =
            |tag: &&String| tag.split('.').count() == 3 && tag.as_str() != self.ignored;
        let is_line = |tag: &&String| tag.split('.').count() < 3 && tag.as_str() != "prod";
        let lines = tags.keys().filter(is_line);
        for line in lines {
            let of_line = |tag: &&String| line == "latest" || tag.starts_with(line.as_str());
            // One digit each, so that the text's order is theirs.
            let highest = tags
                .keys()
                .filter(is_version)
                .filter(of_line)
                .max()
                .unwrap();
            assert_eq!(tags[line], tags[highest], "{line}\n{tags:#?}\n{}", when());
        }
        assert_eq!(self.calm.dangling(), Vec::<String>::new(), "{}", when());
    }
}

/// An image of its own, in place by its digest.
fn image(registry: &Registry, number: usize, created: Option<&str>) -> String {
    let image = MadeImage::created_at(u32::try_from(number).unwrap(), created);
    image.put(registry, WEB, &[]);
    image.digest()
}

/// The same, for runs that reach the registry through one of its hosts.
fn behind(host: &Registry) -> shipmark::registry::RegistrySettings {
    let mut settings = hasty();
    // TLS is tried first, where nobody listens.
    settings.http.proxies.https = Some("http://127.0.0.1:1".to_owned());
    settings.http.proxies.http = Some(host.url());
    settings.insecure = vec![COMMON_HOST.parse().unwrap()];
    settings
}

/// No waiting between attempts, and no attempt that waiting alone would end.
fn hasty() -> shipmark::registry::RegistrySettings {
    let mut settings = settings();
    settings.http.timing.retry = std::time::Duration::ZERO;
    settings.http.timing.stall = std::time::Duration::from_secs(60);
    settings
}
