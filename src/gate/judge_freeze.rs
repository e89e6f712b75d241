//! Judge of the freeze gate.

use jiff::Timestamp;

use super::freeze_window::FreezeWindow;
use super::verdict::{GateName, GateVerdict};
use crate::notices::to_printable;

/// Verdict of the freeze gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeJudgement {
    /// The verdict.
    pub verdict: GateVerdict,
    /// Whether a window is in effect that the reason of the run overrides.
    pub is_overridden: bool,
}

/// Limit on the reason of an override in a message, in characters.
const REASON_LIMIT: usize = 200;
/// Limit on windows that follow one another without a gap, for the time at which the gate passes.
const FOLLOWING_LIMIT: usize = 200;

/// Judges a release at `now` by the freeze windows of its environment. `override_reason` is the input
/// `override-freeze`.
pub fn judge_freeze(
    windows: &[FreezeWindow],
    override_reason: Option<&str>,
    now: Timestamp,
) -> FreezeJudgement {
    let mut verdict = GateVerdict::new(GateName::Freeze);
    let reason = override_reason
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let active = windows
        .iter()
        .filter_map(|window| Some((window, window.end_if_active(now)?)));
    let active: Vec<_> = active.collect();
    let mut is_overridden = false;
    for (window, end) in &active {
        let until = window.local_time(*end);
        verdict.add_fact(match reason.filter(|_| window.allows_override()) {
            Some(reason) => format!(
                "frozen by {window} until {until}, overridden: {}",
                to_printable(reason, REASON_LIMIT)
            ),
            None => format!("frozen by {window} until {until}"),
        });
        match reason {
            Some(_) if window.allows_override() => is_overridden = true,
            Some(_) => verdict.fail(format!(
                "frozen by {window}, which override-freeze does not override"
            )),
            None => verdict.fail(format!("frozen by {window} until {until}")),
        }
    }
    is_overridden &= verdict.has_passed();
    if let Some(reason) = reason {
        warn_of_reason(reason, is_overridden, active.is_empty(), &mut verdict);
    }
    if active.is_empty() {
        verdict.add_fact(outside_of(windows));
    } else if !verdict.has_passed() {
        verdict.add_hint(hint(windows, &active, now));
    }
    FreezeJudgement {
        verdict,
        is_overridden,
    }
}

fn warn_of_reason(reason: &str, is_overridden: bool, is_free: bool, verdict: &mut GateVerdict) {
    let reason = to_printable(reason, REASON_LIMIT);
    if is_overridden {
        verdict.add_warning(format!("freeze overridden: {reason}"));
        verdict.record_override(reason);
    } else if is_free {
        verdict.add_warning("override-freeze has no effect: no freeze window is in effect");
    }
}

fn outside_of(windows: &[FreezeWindow]) -> String {
    let names: Vec<String> = windows.iter().map(FreezeWindow::to_string).collect();
    format!("outside of {}", names.join("; "))
}

fn hint(windows: &[FreezeWindow], active: &[(&FreezeWindow, Timestamp)], now: Timestamp) -> String {
    let wait = match (first_free_time(windows, now), active.first()) {
        (Some(free), Some((window, _))) => {
            format!("release at or after {}", window.local_time(free))
        }
        _ => {
            "the windows leave no time for a release: change gates.freeze of the policy".to_owned()
        }
    };
    match active.iter().all(|(window, _)| window.allows_override()) {
        true => format!("{wait}, or give the reason to release now in the input override-freeze"),
        false => wait,
    }
}

/// Returns the first time from `now` on that is in no window; `None` if none was found.
fn first_free_time(windows: &[FreezeWindow], now: Timestamp) -> Option<Timestamp> {
    let mut time = now;
    for _ in 0..FOLLOWING_LIMIT {
        let ends = windows
            .iter()
            .filter_map(|window| window.end_if_active(time));
        match ends.max() {
            Some(end) => time = end,
            None => return Some(time),
        }
    }
    None
}
