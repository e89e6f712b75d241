//! A registry that has too much to do: how long it is left alone, and how many requests it gets at once.

use std::time::{Duration, Instant, SystemTime};

use super::engine::{promotion, put_image};
use super::*;
use crate::registry::{Effect, Exchange, Fault, Profile, Registry};

/// Copies an image of many small layers into a registry, and gives the log of that.
async fn into(to: &Registry, layers: u64) -> Vec<Exchange> {
    let source = Registry::start(Profile::plain()).await;
    let layers: Vec<(u64, u64)> = (0..layers).map(|seed| (1000, seed)).collect();
    put_image(&source, &layers);
    let from = format!("{}/big:1", source.host());
    let request = promotion(&from, &format!("{}/copy", to.host()));
    let timing = RetryTiming {
        attempts: 12,
        ..timing()
    };
    let settings = RegistrySettings {
        http: HttpSettings {
            timing,
            ..settings().http
        },
        ..settings()
    };
    done(request, &context_with(settings).0).await;
    assert_eq!(to.dangling(), Vec::<String>::new());
    to.log()
}

/// `Retry-After` in both forms holds back all requests to that registry, whichever was told so.
#[tokio::test]
async fn a_pause_that_a_registry_asks_for_is_one_for_all_requests() {
    for (is_date, least) in [(false, 950), (true, 700)] {
        let until = SystemTime::now() + Duration::from_secs(2);
        let header = match is_date {
            false => "1".to_owned(),
            true => httpdate::fmt_http_date(until),
        };
        let to = Registry::start(Profile::plain()).await;
        let slow = Effect::Delay(Duration::from_millis(20));
        to.fault(Fault::on("POST", "/uploads/", slow).times(60));
        let busy = Effect::status_with(429, &[("retry-after", &header)], "");
        to.fault(Fault::on("POST", "/uploads/", busy));
        let log = into(&to, 200).await;
        let asked: Instant = log
            .iter()
            .find(|it| it.status == Some(429))
            .and_then(|it| it.answered)
            .unwrap();
        // What was on its way by then arrives in a moment.
        let pause = Duration::from_millis(least);
        let during = log
            .iter()
            .filter(|it| (asked + Duration::from_millis(100)..asked + pause).contains(&it.arrived));
        let during: Vec<String> = during.map(Exchange::line).collect();
        assert_eq!(during, Vec::<String>::new(), "{header}");
        assert!(log.iter().any(|it| it.arrived > asked + pause), "{header}");
    }
}

/// The most requests that were under way at once, of those that arrived in the order of `log`.
fn at_once(log: &[Exchange]) -> usize {
    let under_way = |at: Instant| {
        let is = |it: &&Exchange| it.arrived <= at && it.answered.is_none_or(|end| end > at);
        log.iter().filter(is).count()
    };
    log.iter()
        .map(|it| under_way(it.arrived))
        .max()
        .unwrap_or_default()
}

/// Half as many at once each time that it says 429 or 503; and more again as it answers, of which it
/// has those that were under way.
#[tokio::test]
async fn a_registry_that_is_busy_gets_fewer_requests_at_once_and_then_more_again() {
    let slow = || Fault::on("*", "/uploads/", Effect::Delay(Duration::from_millis(5))).always();
    let idle = Registry::start(Profile::plain()).await;
    idle.fault(slow());
    let most = at_once(&into(&idle, 150).await);
    assert!(most > 32, "{most}");
    for status in [429, 503] {
        let to = Registry::start(Profile::plain()).await;
        to.fault(Fault::on("*", "/uploads/", Effect::status(status)).times(30));
        to.fault(slow());
        let log = into(&to, 150).await;
        let last = log
            .iter()
            .rposition(|it| it.status == Some(status))
            .unwrap();
        let uploads: Vec<Exchange> = log[last + 1..].to_vec();
        let (first, rest) = uploads.split_at(10);
        let (before, after) = (at_once(first), at_once(rest));
        assert!(before <= most / 2, "{status}: {before} of {most}");
        assert!(after >= before + 4, "{status}: {before}, then {after}");
    }
}
