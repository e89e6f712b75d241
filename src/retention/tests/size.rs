//! A repository of the size that the benchmark has: planned in 0.25 s on two cores with the release profile.

use std::time::Instant;

use super::support::*;

/// Returns 10,000 tags over 4,000 indexes of two platforms with six referrers each.
fn large_repository() -> crate::retention::RepositorySnapshot {
    let mut web = repository();
    for root in 0..4_000_i64 {
        let days = root / 20;
        let [index, a, b] = ["I", "a", "b"].map(|it| format!("{it}{root}"));
        web.image(&a, days);
        web.image(&b, days);
        web.index(&index, &[&a, &b], days);
        for number in 0..6 {
            web.referrer(&format!("S{root}-{number}"), &index, days);
        }
        web.tag(&format!("1.{}.{}", root % 50, root / 50), &index);
        web.tag(&format!("sha-{root:07x}"), &index);
        if root % 2 == 0 {
            web.tag(&format!("pr-{root}"), &index);
        }
    }
    web
}

#[test]
fn a_large_repository_is_planned_in_little_time() {
    let web = large_repository();
    assert_eq!(web.tags.len(), 10_000);
    let rules = rules([
        tags("pr-*").older("14d"),
        tags("sha-*").older("30d").last(20),
        versions("*").last(10),
        untagged().older("7d"),
    ]);
    let start = Instant::now();
    let plan = plan_web(&web, &rules);
    let time = start.elapsed();
    assert_eq!(plan.images.total, 4_000);
    assert_eq!(plan.images.condemned, 3_370);
    assert_eq!(plan.gone().len(), 3_370 * 9);
    // Without optimization, and while other tests run.
    assert!(time.as_secs() < 20, "{time:?}");
}
