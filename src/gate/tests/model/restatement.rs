//! What each gate decides, restated in the fewest words.

use super::scenario::{NOW, Rules, Scenario, minute};
use crate::gate::tests::digest;
use crate::gate::*;
use crate::image::Digest;
use crate::record::{RecordAction, TimelineEntry};

/// Returns which gates pass, in the order of [`GateName::ALL`].
pub fn gates_that_pass(it: &Scenario, rules: &Rules) -> [bool; 6] {
    let root = it.image.root;
    let released = || it.image.platforms.iter().filter(|p| p.is_released);
    let is_any = released().count() > 0;
    let scan = is_any && it.vex.iter().all(|v| v.content.is_ok()) && scan_passes(it, &rules.scan);
    let signature = it
        .signatures
        .iter()
        .any(|s| s.of == root && s.result.is_ok());
    let meets = |of: Digest, entry: &RequiredAttestation| {
        it.attestations.iter().any(|(about, proof)| match proof {
            _ if digest(*about) != of => false,
            AttestationProof::Signed { predicate_type, .. } => {
                entry.rule.matches_type(predicate_type)
            }
            AttestationProof::Unsigned { predicate_type, .. } => {
                !entry.is_signed && entry.rule.matches_type(predicate_type)
            }
            AttestationProof::Rejected(_) => false,
        })
    };
    let attestations = rules
        .attestations
        .iter()
        .all(|entry| meets(root, entry) || is_any && released().all(|p| meets(p.manifest, entry)));
    [
        scan,
        signature,
        attestations,
        soak_passes(it, &rules.soak),
        freeze_passes(it, rules),
        is_any && image_passes(it, &rules.image),
    ]
}

fn scan_passes(it: &Scenario, rule: &ScanRule) -> bool {
    let is_released = |p: &usize| it.image.platforms[*p].is_released;
    let counting: Vec<usize> = (0..it.reports.len())
        .filter(|r| !is_replaced(it, rule, *r))
        .collect();
    let fresh = |p: usize| {
        let mut attested = counting.iter().filter(|r| series(it, rule, **r).is_some());
        attested.any(|r| is_young(it, rule, *r) && scanned(it, rule, *r).unwrap().contains(&p))
    };
    let mut covered = Vec::new();
    for r in &counting {
        let Some(on) = scanned(it, rule, *r) else {
            return false;
        };
        let is_attested = it.reports[*r].attested_by.is_some();
        if is_attested && !on.is_empty() && !on.iter().any(is_released) {
            continue;
        }
        let all = || (0..it.image.platforms.len()).filter(is_released);
        let of = |p: &usize| on.is_empty() || on.contains(p);
        let report = it.reports[*r].content.as_ref().unwrap();
        let is_past = report.created_at.is_some_and(|at| at <= it.now);
        let may_be_old = is_past && is_attested && all().filter(of).all(fresh);
        if !report_passes(it, rule, *r, &on) || !is_young(it, rule, *r) && !may_be_old {
            return false;
        }
        if is_young(it, rule, *r) {
            covered.extend(on);
        }
    }
    (0..it.image.platforms.len()).all(|p| !is_released(&p) || covered.contains(&p))
}

/// Returns the platforms, signer and time of an attested report that names the image and is of a time that has been.
fn series(
    it: &Scenario,
    rule: &ScanRule,
    r: usize,
) -> Option<(Vec<usize>, String, jiff::Timestamp)> {
    let signer = it.reports[r].attested_by.clone()?;
    let report = it.reports[r].content.as_ref().ok()?;
    let at = report.created_at.filter(|at| *at <= it.now)?;
    (!report.is_unbound()).then_some((scanned(it, rule, r)?, signer, at))
}

fn is_replaced(it: &Scenario, rule: &ScanRule, r: usize) -> bool {
    let own = series(it, rule, r);
    let all = (0..it.reports.len()).filter_map(|other| series(it, rule, other));
    own.is_some_and(|own| {
        let mut newer = all.filter(|other| other.2 > own.2);
        newer.any(|other| (other.0, other.1) == (own.0.clone(), own.1.clone()))
    })
}

fn is_young(it: &Scenario, rule: &ScanRule, r: usize) -> bool {
    let created = it.reports[r].content.as_ref().unwrap().created_at;
    rule.max_age.as_ref().is_none_or(|limit| {
        created.is_some_and(|at| at <= it.now && at + limit.to_duration() >= it.now)
    })
}

/// Returns the platforms that a report was made of; `None` if it is about another image or no report.
fn scanned(it: &Scenario, rule: &ScanRule, report: usize) -> Option<Vec<usize>> {
    let report = it.reports[report].content.as_ref().ok()?;
    let platforms = &it.image.platforms;
    let mut named: Vec<Digest> = report.subject.repo_digests.iter().copied().collect();
    named.extend(report.subject.config_digest);
    let own = |p: usize| [platforms[p].manifest, platforms[p].config];
    let is_ours =
        |d: Digest| d == it.image.root || (0..platforms.len()).any(|p| own(p).contains(&d));
    let child = report.subject.manifest_digest;
    named.extend(child.filter(|d| named.is_empty() || is_ours(*d)));
    if named.is_empty() && !rule.allows_unbound {
        return None;
    }
    let agrees = |p: &usize| {
        named
            .iter()
            .all(|d| *d == it.image.root || own(*p).contains(d))
    };
    let possible = (0..platforms.len()).filter(|p| !named.is_empty() || platforms[*p].is_released);
    let possible: Vec<usize> = possible.filter(agrees).collect();
    if named.iter().any(|d| *d != it.image.root) {
        return Some(possible).filter(|it| !it.is_empty());
    }
    let meant = possible
        .into_iter()
        .filter(|p| report.platform.is_none() || report.platform == platforms[*p].platform);
    let meant: Vec<usize> = meant.collect();
    Some(if meant.len() == 1 { meant } else { Vec::new() })
}

fn report_passes(it: &Scenario, rule: &ScanRule, report: usize, on: &[usize]) -> bool {
    let report = it.reports[report].content.as_ref().unwrap();
    let is_whole =
        !rule.denies_suppressed || report.suppressed.is_empty() && report.filters.is_empty();
    let amd_only = |exception: &ScanException| exception.platform.is_none() || on == [0];
    let is_excepted = |f: &ScanFinding<'_>| {
        rule.ignore.iter().any(|e| {
            let is_package = e
                .package
                .as_ref()
                .is_none_or(|w| w.matches(f.package) || w.matches(f.purl));
            e.id == f.id
                && is_package
                && amd_only(e)
                && e.until.is_none_or(|u| u.to_timestamp() > it.now)
        })
    };
    is_whole
        && report.findings.iter().all(|f| {
            f.severity < rule.fail_on.severity()
                || rule.ignore_unfixed && f.fix == FixState::Unfixed
                || is_excepted(&f)
                || is_declared_harmless(it, &f, on)
        })
}

fn is_declared_harmless(it: &Scenario, f: &ScanFinding<'_>, on: &[usize]) -> bool {
    let mut names = vec![it.image.root];
    on.iter().for_each(|p| {
        names.extend([
            it.image.platforms[*p].manifest,
            it.image.platforms[*p].config,
        ])
    });
    let statements = it
        .vex
        .iter()
        .flat_map(|v| v.content.iter())
        .flat_map(|v| v.statements.iter());
    let mut about: Vec<(jiff::Timestamp, bool)> = Vec::new();
    for s in statements.filter(|s| s.vulnerability.contains(f.id)) {
        let is_harmless = matches!(s.status, VexStatus::Fixed | VexStatus::NotAffected(Some(_)));
        let is_about = s.products.iter().any(|p| {
            let mut packages = p.subcomponents.iter().flat_map(|c| c.identifiers.iter());
            names.iter().any(|d| p.component.digests.contains(d))
                && (p.subcomponents.is_empty()
                    || packages.any(|purl| purl == f.purl)
                    || f.purl.is_empty() && !is_harmless)
        });
        if is_about && (!is_harmless || s.timestamp <= it.now) {
            about.push((s.timestamp, is_harmless));
        }
    }
    let newest = about.iter().map(|(at, _)| *at).max();
    newest.is_some()
        && about
            .iter()
            .filter(|(at, _)| Some(*at) == newest)
            .all(|(_, is_harmless)| *is_harmless)
}

/// Walks through the hours of the timeline of stage, in which no root is reinstated.
fn soak_passes(it: &Scenario, rule: &SoakRule) -> bool {
    let (entries, root) = (it.timeline.entries(), it.image.root);
    let hour = |h: i64| minute(60 * h);
    let before = |h: i64| {
        entries
            .iter()
            .filter(move |e| e.planned_at.to_timestamp() <= hour(h))
    };
    let is_gone =
        |h: i64, root| before(h).any(|e| e.action == RecordAction::Rollback && e.root == root);
    let current = |h: i64| {
        before(h)
            .rev()
            .filter_map(TimelineEntry::root_it_sets)
            .find(|r| !is_gone(h, *r))
    };
    let (mut length, mut longest, mut proofs) = (0, 0, Vec::new());
    for h in (0..).take_while(|h| hour(*h) < it.now) {
        let is_current = current(h) == Some(root);
        let begins = is_current && (h == 0 || current(h - 1) != Some(root));
        if begins || !is_current {
            (length, proofs) = (0, Vec::new());
        }
        let at_this_hour =
            before(h).filter(|e| e.planned_at.to_timestamp() == hour(h) && !e.is_summary);
        for e in at_this_hour.filter(|e| begins || e.root_it_sets() == Some(root)) {
            proofs.push(
                it.signed_at
                    .get(&e.record)
                    .map_or(hour(h), |signed| signed.to_timestamp().max(hour(h))),
            );
        }
        length += u64::from(is_current && proofs.iter().any(|proof| *proof <= hour(h)));
        longest = longest.max(length);
    }
    let mark = entries.iter().rfind(|e| {
        e.root == root && matches!(e.action, RecordAction::Failed | RecordAction::Deployed)
    });
    let is_failed = mark.is_some_and(|e| e.action == RecordAction::Failed);
    let hours = if rule.is_still_current {
        length
    } else {
        longest
    };
    !is_failed && !is_gone(NOW / 60, root) && hours * 3600 >= rule.duration.to_duration().as_secs()
}

/// All windows are weekly and in UTC, and the scenario is at noon of a Thursday.
fn freeze_passes(_: &Scenario, rules: &Rules) -> bool {
    let minutes = |moment: &str| {
        let (day, clock) = moment.split_once(' ').unwrap();
        let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .iter()
            .position(|it| *it == day)
            .unwrap();
        let (hours, minutes) = clock.split_once(':').unwrap();
        day * 1440 + hours.parse::<usize>().unwrap() * 60 + minutes.parse::<usize>().unwrap()
    };
    let now = minutes("thu 12:00");
    let week = 7 * 1440;
    rules.freeze.iter().all(|window| {
        let text = window.to_string();
        let (from, to) = text
            .strip_suffix(" (UTC)")
            .unwrap()
            .split_once(" to ")
            .unwrap();
        let [from, to] = [minutes(from), minutes(to)];
        let is_frozen = (now + week - from) % week < (to + week - from) % week;
        !is_frozen || window.allows_override() && rules.override_reason.is_some()
    })
}

fn image_passes(it: &Scenario, rule: &ImageRule) -> bool {
    let released: Vec<&JudgedPlatform> = it
        .image
        .platforms
        .iter()
        .filter(|p| p.is_released)
        .collect();
    let needs_config = rule.user.is_some() || rule.max_age.is_some() || !rule.labels.is_empty();
    let has =
        |name: &crate::image::PlatformName| released.iter().any(|p| p.name() == name.to_string());
    let config_passes = |config: &JudgedConfig| {
        let user = rule
            .user
            .as_ref()
            .is_none_or(|user| match user.to_string().as_str() {
                "non-root" => !["", "0"].contains(&config.user.as_str()),
                "app" => ["app", "app:staff"].contains(&config.user.as_str()),
                other => config.user == other,
            });
        let age = rule.max_age.as_ref().is_none_or(|limit| {
            config
                .created
                .is_some_and(|at| at <= it.now && at + limit.to_duration() >= it.now)
        });
        user && age
            && rule
                .labels
                .iter()
                .all(|label| config.labels.get(&label.name).is_some())
    };
    rule.platforms.iter().all(has)
        && rule
            .max_size
            .as_ref()
            .is_none_or(|size| released.iter().all(|p| p.layers_size <= size.bytes()))
        && (!needs_config
            || released
                .iter()
                .all(|p| p.content.as_ref().is_some_and(config_passes)))
}
