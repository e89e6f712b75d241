//! Runs against one registry whose requests about tags wait for their turn.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use shipmark::archive::Unpacking;
use shipmark::release::{Failure, ReleaseContext, ReleaseOutcome, ReleaseRequest, run};
use shipmark::tagging::TagRules;
use tokio::task::JoinHandle;

use super::schedule::{Step, is_new_tag};
use crate::registry::{Effect, Gate, Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::records::recorded;
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
pub type End = Option<Result<ReleaseOutcome, Failure>>;

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
        for image in &self.images {
            for intent in self.calm.referrers(WEB, image) {
                self.calm
                    .remove_manifest(WEB, intent["digest"].as_str().unwrap());
            }
        }
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
    pub async fn calm_run(&self, release: Release) -> Result<ReleaseOutcome, Failure> {
        self.calm_attempt(release, 1).await
    }

    /// Repeats a run, and nobody disturbs it.
    pub async fn calm_attempt(
        &self,
        release: Release,
        attempt: u64,
    ) -> Result<ReleaseOutcome, Failure> {
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
        run(&request, &context).await
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
        releases: &[Release],
        victim: Option<usize>,
        stale: Option<Stale>,
        mut choose: impl FnMut(Vec<Step>) -> Option<Step>,
    ) -> Vec<End> {
        self.reset();
        let mut runs = self.begin(releases);
        while let Some(step) = choose(self.enabled(&mut runs, victim).await) {
            let at = &mut runs[step.run()];
            at.step(&step);
            match &step {
                Step::Death { .. } => at.task.take().unwrap().abort(),
                Step::Request { run, request, nth } => {
                    let behind = stale.filter(|stale| {
                        (stale.run, stale.nth) == (*run, *nth) && request.contains("/tags/list")
                    });
                    let effect = behind.map(|stale| self.listing_without(stale.lacks));
                    self.gates[*run].release(request, effect);
                }
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

    fn begin(&self, releases: &[Release]) -> Vec<Run> {
        let each = self.hosts.iter().zip(&self.contexts).zip(releases);
        each.map(|((host, context), release)| {
            let request = self.request(host, *release);
            let context = ReleaseContext {
                registry: context.registry.clone(),
                blob_index: Default::default(),
                meter: context.meter.clone(),
                notices: context.notices.clone(),
                ancestry: None,
                unpacking: Unpacking::default(),
                docker_host: None,
            };
            let task = tokio::task::spawn_local(async move { run(&request, &context).await });
            Run {
                version: release.0,
                wrote_version: false,
                wrote_entry: self.times.is_none(),
                task: Some(task),
                asked: BTreeMap::new(),
                just_wrote: false,
            }
        })
        .collect()
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
            if victim == Some(number) && run.just_wrote {
                steps.push(Step::Death { run: number });
            }
            steps.extend(held.into_iter().map(|request| Step::Request {
                run: number,
                nth: run.asked.get(&request).copied().unwrap_or(0) + 1,
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

/// Whether nothing that another run may still do touches this step, so that it may as well come now.
fn is_free(step: &Step, steps: &[Step], runs: &[Run]) -> bool {
    let Step::Request { run, request, .. } = step else {
        return false;
    };
    if steps.contains(&Step::Death { run: *run }) {
        return false;
    }
    let object = request.rsplit('/').next().unwrap_or_default();
    let mut others = runs
        .iter()
        .enumerate()
        .filter(|(at, it)| at != run && !it.is_over());
    others.all(|(_, other)| {
        if request.contains("/tags/list") {
            return other.wrote_version && other.wrote_entry;
        }
        if object.starts_with("shipmark.") {
            // An entry is written once, and known from a list.
            return !request.starts_with("PUT ");
        }
        let is_version = object.split('.').count() == 3;
        let is_theirs = object == other.version
            || object == "latest"
            || object == "prod"
            || (!is_version && other.version.starts_with(&format!("{object}.")));
        !(is_theirs || is_new_tag(object) && request.starts_with("PUT "))
    })
}

/// A run under way.
struct Run {
    version: &'static str,
    wrote_version: bool,
    /// Whether it has written its timeline entry, or writes none.
    wrote_entry: bool,
    task: Option<JoinHandle<Result<ReleaseOutcome, Failure>>>,
    asked: BTreeMap<String, usize>,
    just_wrote: bool,
}

impl Run {
    fn is_over(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn step(&mut self, step: &Step) {
        if let Step::Request { request, .. } = step {
            *self.asked.entry(request.clone()).or_insert(0) += 1;
            self.just_wrote = request.starts_with("PUT ");
            self.wrote_version |= self.just_wrote && request.ends_with(self.version);
            self.wrote_entry |= self.just_wrote && request.contains("/manifests/shipmark.");
        }
    }

    async fn end(self) -> End {
        let task = self.task?;
        if !task.is_finished() {
            task.abort();
            return None;
        }
        Some(task.await.unwrap())
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
