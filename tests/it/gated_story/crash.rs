//! The promotion to production dies at any request, and its repetition ends as an undisturbed one does.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::story::{Merged, on_main, to_production};
use super::*;
use crate::registry::{Effect, Fault, Snapshot};

/// Teams that die side by side.
const AT_ONCE: usize = 2;

/// What a promotion leaves of a service: tags, actions of the timeline, and results of summaries.
type Left = (BTreeMap<String, String>, Vec<(String, String)>, Vec<String>);

/// A team right before the promotion, which can be had again.
struct Deathbed {
    team: Team,
    services: &'static str,
    merged: Merged,
    before: [Snapshot; 3],
}

impl Deathbed {
    async fn new(services: &'static str) -> Self {
        let mut team = Team::new().await;
        let merged = team.merge_release();
        let before = team.registries.each_ref().map(Registry::snapshot);
        Self {
            team,
            services,
            merged,
            before,
        }
    }

    fn restore(&self) {
        for (registry, before) in self.team.registries.iter().zip(&self.before) {
            registry.restore(before);
        }
        self.team.begin_run();
    }

    /// What production has of each service; digests by the names of commits, which two teams share.
    fn left(&self) -> Vec<Left> {
        let left = self.services.lines().map(|service| {
            let mut tags = self.team.registries[2].tags(&format!("team/{service}"));
            tags.retain(|tag, _| !tag.starts_with("sha256-") && !tag.starts_with("shipmark."));
            (
                tags,
                self.team.timeline("prod", service),
                self.team.results(service),
            )
        });
        left.collect()
    }

    fn attempt(&self, attempt: u32) -> std::process::Command {
        let job = Job {
            attempt,
            ..on_main(&self.merged.merge)
        };
        // A report of a service that is not released is about no image of the run.
        let reports = self.merged.reports.lines();
        let is_own = |report: &&str| {
            let mut services = self.services.lines();
            services.any(|service| report.starts_with(service))
        };
        let reports: Vec<_> = reports.filter(is_own).collect();
        let reports = reports.join("\n");
        let services = ("services", self.services);
        self.team
            .step(job, &[&to_production(&reports)[..], &[services]].concat())
    }

    fn complete(&self, attempt: u32, when: &str) {
        let ran = Ran::of(self.attempt(attempt).output().unwrap());
        assert_eq!(ran.status, Some(0), "{when}: {}", ran.log);
    }

    /// Runs the promotion undisturbed. Returns what it leaves, and the requests of each registry.
    fn undisturbed(&self) -> (Vec<Left>, [usize; 3]) {
        self.restore();
        self.complete(1, "undisturbed");
        (
            self.left(),
            self.team.registries.each_ref().map(Registry::count),
        )
    }

    async fn dies_at(&self, which: usize, at: usize, effect: Effect, expected: &[Left]) {
        let when = format!("{effect:?} at request {at} of registry {which}");
        self.restore();
        let registry = &self.team.registries[which];
        registry.fault(Fault::at(at, effect));
        let mut first = self.attempt(1);
        let child = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        die(child.unwrap(), registry).await;
        let prod = &self.team.registries[2];
        assert_eq!(prod.dangling(), [""; 0], "{when}");
        registry.clear_faults();
        registry.resume();
        self.complete(2, &when);
        assert_eq!(prod.dangling(), [""; 0], "{when}");
        assert_eq!(self.left(), expected, "{when}");
        self.team.clear_logs();
        self.complete(3, &when);
        assert_eq!(self.team.writes(), [""; 0], "{when}");
    }
}

/// Waits until the registry stops or the run ends, and kills the run.
async fn die(mut child: Child, registry: &Registry) {
    let ended = async {
        while child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = registry.stopped() => tokio::time::sleep(Duration::from_millis(20)).await,
        () = ended => {}
    }
    let _ = child.kill();
    child.wait().unwrap();
}

/// How a promotion of some services dies.
#[derive(Clone, Copy)]
struct Deaths {
    /// Names of the services.
    services: &'static str,
    effects: &'static [Effect],
    /// Registries whose requests are counted.
    registries: &'static [usize],
    /// Of so many requests one is the last.
    stride: usize,
}

/// Two teams share the deaths.
async fn dies(deaths: Deaths) {
    // A run is waited for in a thread that serves nothing.
    let runtime = tokio::runtime::Handle::current();
    let tasks = (0..AT_ONCE).map(|number| {
        let deaths = share_deaths(deaths, number);
        let runtime = runtime.clone();
        tokio::task::spawn_blocking(move || runtime.block_on(deaths))
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// Plays every second death, beginning with the first or the second one.
async fn share_deaths(deaths: Deaths, number: usize) {
    let bed = Deathbed::new(deaths.services).await;
    let (expected, requests) = bed.undisturbed();
    for (tags, timeline, results) in &expected {
        assert!(
            tags.contains_key("1.2.0") && tags.contains_key("prod"),
            "{tags:?}"
        );
        assert_eq!((timeline.len(), results.len()), (1, 1));
    }
    let mut all = Vec::new();
    for which in deaths.registries {
        for at in (1..=requests[*which]).step_by(deaths.stride) {
            all.extend(deaths.effects.iter().map(|effect| (*which, at, effect)));
        }
    }
    let own: Vec<_> = all.into_iter().skip(number).step_by(AT_ONCE).collect();
    assert!(own.len() > 20, "{requests:?}");
    for (which, at, effect) in own {
        bed.dies_at(which, at, effect.clone(), &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_2_a_gated_promotion_that_dies_after_any_write_is_finished_by_its_repetition() {
    dies(Deaths {
        services: "web",
        effects: &[Effect::StopForGoodAfter],
        registries: &[2],
        stride: 1,
    })
    .await;
}

/// Services run side by side: their requests come in another order each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_2_a_gated_promotion_of_two_services_that_dies_is_finished_by_its_repetition() {
    dies(Deaths {
        services: "web\napi",
        effects: &[Effect::StopForGood, Effect::StopForGoodAfter],
        registries: &[1, 2],
        stride: 8,
    })
    .await;
}
