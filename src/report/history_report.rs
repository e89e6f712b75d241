//! Report of `history`: the entries of timelines with their states, the newest first.

use super::batch_phrases::worst_failure;
use super::drift_text::drift_lines;
use super::phrases::digest_reference;
use super::record_words::{minutes, seconds, versioned, word};
use super::styled_text::{StyledText, Tone};
use super::text_report;
use crate::image::{Destination, Tag};
use crate::notices::to_printable;
use crate::policy::Service;
use crate::record::{EntryKnowledge, EntryRemark, EntryState, HistoryLine, TagPeriod};
use crate::release::{Failure, HistoryOutcome, TimelineSigning};
use crate::tagging::EnvironmentName;

/// History of an environment, of one service or several.
pub struct HistoryReport {
    /// Environment.
    pub environment: EnvironmentName,
    /// Tag whose images are shown.
    pub tag: Option<Tag>,
    /// Whether a policy says where the records are.
    pub has_policy: bool,
    /// Timeline of each repository that could be read.
    pub timelines: Vec<TimelineReport>,
    /// Timelines that could not be read.
    pub failed: Vec<FailedTimeline>,
}

/// Timeline of several that could not be read.
pub struct FailedTimeline {
    /// Service, if the environment has several.
    pub service: Option<Service>,
    /// Repository of the images.
    pub place: Destination,
    /// Reason.
    pub failure: Failure,
}

impl FailedTimeline {
    /// Returns the service, else the repository.
    pub(super) fn name(&self) -> String {
        let service = self.service.as_ref().map(ToString::to_string);
        service.unwrap_or_else(|| self.place.to_string())
    }
}

/// Timeline of one repository.
pub struct TimelineReport {
    /// Service, if the environment has several.
    pub service: Option<Service>,
    /// Its history.
    pub history: HistoryOutcome,
}

/// Most characters of a reason.
const REASON_LIMIT: usize = 300;

impl HistoryReport {
    /// Returns the report as text.
    pub(super) fn to_text(&self) -> StyledText {
        let mut text = StyledText::default();
        for timeline in &self.timelines {
            push_timeline(&mut text, self, &timeline.history);
            text.push("\n");
        }
        text.trim_end();
        text
    }

    /// Returns the failure that decides the exit status, and the text of all; `None` if every timeline was read.
    pub(super) fn to_failure(&self) -> Option<(&Failure, String)> {
        let failures = self.failed.iter().map(|failed| &failed.failure);
        let worst = worst_failure(failures)?;
        let count = self.timelines.len() + self.failed.len();
        let mut text = format!(
            "{}: {} of {count} timelines of {} cannot be read",
            text_report::failure_title(worst),
            self.failed.len(),
            self.environment
        );
        for failed in &self.failed {
            let diagnostic = failed.failure.diagnostic().map(ToString::to_string);
            let diagnostic = diagnostic.unwrap_or_default().replace('\n', "\n ");
            text += &format!("\n {}: {diagnostic}", failed.name());
        }
        Some((worst, text))
    }

    /// Replaces the failures.
    pub fn map_failures(&mut self, change: impl Fn(Failure) -> Failure) {
        for failed in &mut self.failed {
            failed.failure = change(failed.failure.clone());
        }
    }

    /// Returns `repository@digest` of each current image, one per line.
    pub(super) fn image_references(&self) -> String {
        let current = self.timelines.iter().filter_map(|timeline| {
            let history = &timeline.history;
            let current = history.current.as_ref()?;
            Some(digest_reference(&history.place, current.root))
        });
        current.collect::<Vec<_>>().join("\n")
    }

    /// Returns the names that the user gave, which are not secret.
    pub(super) fn names(&self) -> Vec<String> {
        let timelines = self.timelines.iter();
        timelines
            .map(|timeline| timeline.history.place.to_string())
            .collect()
    }
}

fn push_timeline(text: &mut StyledText, report: &HistoryReport, history: &HistoryOutcome) {
    let (tag, has_policy) = (report.tag.as_ref(), report.has_policy);
    let environment = &history.environment;
    text.push_toned(Tone::Title, &format!("{environment} of {}", history.place));
    text.push("\n");
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<11}  {value}\n"));
    match &history.current {
        Some(current) => {
            let reference = digest_reference(&history.place, current.root);
            fact(
                "current",
                &versioned(&reference, current.version.as_deref()),
            );
            fact("since", &seconds(current.since));
            match &current.good_before {
                Some((root, version)) => {
                    let reference = digest_reference(&history.place, *root);
                    fact("good before", &versioned(&reference, version.as_deref()));
                }
                None => fact("good before", "unknown"),
            }
        }
        None => fact("current", "unknown: no record says it"),
    }
    if let Some(place) = &history.entries_at {
        fact("records in", &place.to_string());
    }
    if let Some(phrase) = signing_phrase(history.signing) {
        fact("records", phrase);
    }
    if let Some((tag, periods)) = tag.zip(history.periods.as_ref()) {
        push_periods(text, history, tag, periods);
    } else {
        push_lines(text, history, has_policy);
        if history.has_more {
            text.push("  older entries: limit or all\n");
        }
    }
    for (at, line) in drift_lines(history).iter().enumerate() {
        text.push(if at == 0 { "\n  " } else { "  " });
        text.push_toned(Tone::Caution, line);
        text.push("\n");
    }
}

/// Returns how the records are signed; `None` if they are verified.
pub(super) const fn signing_phrase(signing: TimelineSigning) -> Option<&'static str> {
    match signing {
        TimelineSigning::Verified => None,
        TimelineSigning::Unchecked => {
            Some("signed, not verified: name a signer in key or certificate-identity")
        }
        TimelineSigning::Unsigned => {
            Some("not verified: no signers are named, whoever may push counts")
        }
    }
}

/// Returns what is to be said where no entry is shown.
pub(super) fn empty_phrase(history: &HistoryOutcome, has_policy: bool) -> String {
    let filter = history.filter.to_string();
    match filter.is_empty() {
        false => format!("no record with {filter}"),
        true if history.entries_at.is_none() && !has_policy => {
            "no records, or they are in another repository, which the policy names in records"
                .to_owned()
        }
        true => "no records".to_owned(),
    }
}

fn push_lines(text: &mut StyledText, history: &HistoryOutcome, has_policy: bool) {
    let lines = &history.lines;
    text.push("\n");
    if lines.is_empty() {
        text.push(&format!("  {}\n", empty_phrase(history, has_policy)));
        return;
    }
    let rows: Vec<[String; 8]> = lines.iter().map(line_cells).collect();
    let widths: Vec<usize> = (0..8)
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        })
        .collect();
    for (line, row) in lines.iter().zip(&rows) {
        let mut before = String::from(" ");
        let columns = row.iter().zip(&widths).enumerate();
        for (column, (cell, width)) in columns.filter(|(_, (_, width))| **width > 0) {
            let padded = format!("{cell:<width$}");
            match (column == STATE_COLUMN, line_tone(line)) {
                (true, Some(tone)) => {
                    text.push(&format!("{before} "));
                    before.clear();
                    text.push_toned(tone, &padded);
                    before.push(' ');
                }
                _ => before += &format!(" {padded} "),
            }
        }
        text.push(before.trim_end());
        text.push("\n");
        for remark in line_remarks(line) {
            text.push("    ");
            text.push_toned(Tone::Caution, &remark);
            text.push("\n");
        }
    }
}

/// Column of the state in [`line_cells`].
const STATE_COLUMN: usize = 6;

/// Returns time, version, action, digest, commit, actor, state and how the entry is known.
pub(super) fn line_cells(line: &HistoryLine) -> [String; 8] {
    let entry = line.entry.as_ref();
    let known = |text: Option<&String>| text.map(|text| word(text)).unwrap_or_default();
    let commit = entry.and_then(|entry| entry.commit.as_ref());
    [
        minutes(line.name.planned_at),
        known(entry.and_then(|entry| entry.version.as_ref())),
        line.name.action.to_string(),
        line.name.root.to_string(),
        commit
            .map(|commit| word(commit).chars().take(7).collect())
            .unwrap_or_default(),
        known(entry.and_then(|entry| entry.actor.as_ref())),
        line.state_words(),
        known_word(&line.known).to_owned(),
    ]
}

fn line_tone(line: &HistoryLine) -> Option<Tone> {
    match line.state? {
        EntryState::Current => Some(Tone::Done),
        EntryState::Withdrawn => Some(Tone::Refused),
        EntryState::Superseded => None,
    }
}

/// Returns how an entry is known, as one word.
pub(super) fn known_word(known: &EntryKnowledge) -> &'static str {
    match known {
        EntryKnowledge::Verified(_) => "verified",
        EntryKnowledge::Unverified => "unverified",
        EntryKnowledge::Vouched(_) => "vouched",
        EntryKnowledge::NotCounted(_) => "does not count",
    }
}

/// Returns what is to be said of an entry below its line.
pub(super) fn line_remarks(line: &HistoryLine) -> Vec<String> {
    let mut remarks = Vec::new();
    if let EntryKnowledge::NotCounted(reason) = &line.known {
        let reason = to_printable(reason, REASON_LIMIT);
        remarks.push(format!("{} does not count: {reason}", line.name));
    }
    if let Some(restores) = line.entry.as_ref().and_then(|entry| entry.restores) {
        remarks.push(format!("back to {restores}"));
    }
    if let Some(hold) = line.entry.as_ref().and_then(|entry| entry.hold.as_ref()) {
        remarks.push(format!("hold {}", word(hold)));
    }
    let note = |name: &str, text: &String| format!("{name}: {}", to_printable(text, REASON_LIMIT));
    remarks.extend(line.reason.iter().map(|text| note("reason", text)));
    remarks.extend(line.link.iter().map(|text| note("link", text)));
    remarks.extend(line.remarks.iter().map(remark_phrase));
    remarks
}

pub(super) fn remark_phrase(remark: &EntryRemark) -> String {
    match remark {
        EntryRemark::Gone => "gap: a newer record names this entry, and it is gone".to_owned(),
        EntryRemark::MissesPrevious(record) => {
            format!("gap: the record before it is gone: {record}")
        }
        EntryRemark::Fork(record) => {
            format!("fork: it and {record} do not name each other")
        }
        EntryRemark::Stray => "stray: no newer record names this entry".to_owned(),
        EntryRemark::Replay(name) => format!("replay: it repeats the record of {name}"),
        EntryRemark::Future => "its time has not come".to_owned(),
    }
}

fn push_periods(text: &mut StyledText, history: &HistoryOutcome, tag: &Tag, periods: &[TagPeriod]) {
    text.push(&format!("\n  {tag}\n"));
    if periods.is_empty() {
        text.push("    no record names this tag, and it is not there\n");
    }
    for period in periods.iter().rev() {
        let reference = digest_reference(&history.place, period.root);
        text.push(&format!(
            "    {}\n      {}\n",
            period_phrase(period),
            versioned(&reference, period.version.as_deref())
        ));
    }
}

/// Returns from when to when a tag named an image.
pub(super) fn period_phrase(period: &TagPeriod) -> String {
    let from = period.from.map_or_else(|| "unknown".to_owned(), seconds);
    let until = match (period.until, period.is_now) {
        (_, true) => "now".to_owned(),
        (Some(until), _) => seconds(until),
        (None, _) => "unknown".to_owned(),
    };
    let by = match period.by {
        Some(_) => "",
        None => ", by no record",
    };
    format!("{from} to {until}{by}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::output_schema::OutputSchema;
    use crate::report::summary::{self, SummaryContext};
    use crate::report::summary::{sample_history, sample_inspection};

    #[test]
    fn a_history_reads_well() {
        insta::assert_snapshot!(sample_history().to_text().as_str(), @r"
        prod of ghcr.io/acme/web/prod
          current      ghcr.io/acme/web/prod@sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61 (1.4.1)
          since        2026-11-20 09:30:00 UTC
          good before  ghcr.io/acme/web/prod@sha256:74b860b3270666137a4d543c3e3d1e4e473d54636f7593d1c17bf693e6540bbe (1.4.0)

          2026-11-20 09:30         rollback  1f4dc096d58f  860c190  octocat                     verified
            back to sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61
            reason: errors at *checkout*
            link: https://example.com/incidents/7
          2026-11-20 09:00  1.5.0  promote   1f4dc096d58f  860c190  octocat  withdrawn, failed  vouched
          2026-11-12 14:05  1.4.1  promote   f0b672321a89  860c190  octocat  current, deployed  vouched
          2026-11-03 08:00  1.4.0  promote   74b860b32706  860c190  octocat  superseded         vouched
            gap: a newer record names this entry, and it is gone
          2026-11-02 08:00         promote   9024e01a852f                                       does not count
            shipmark.prod.20261102t080000123z.promote.9024e01a852f.fb87c486e765 does not count: its record is not signed, expected a signature of the *release* workflow

          drift: 1.4 names sha256:74b860b3270666137a4d543c3e3d1e4e473d54636f7593d1c17bf693e6540bbe (1.4.0), expected sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61 (1.4.1)
          mend a version line: release its highest version again
        ");
        insta::assert_snapshot!(sample_inspection().to_text().as_str(), @"
        ghcr.io/acme/web/prod:1.4.1
          image        ghcr.io/acme/web/prod@sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61
          version      1.4.1
          commit       860c1904a1ce19322e91ac35af1ab07466440c37 of https://github.com/acme/web (by its record)
          dockerfile   docker/Dockerfile, target runtime

          evidence
            signature     sha256:1a2fc26dc7ea5a2a4748b7cb2b1ef193d96ab2c99f93092f69e63075b28d1278
                          not verified: no signer is given
            sbom          sha256:98f3ae1ef67113d8140d4f6cb8d2830070e21ea48f091be519659846c771a374
                          not verified: no signer is given
            unknown       sha256:3fc9b689459d738f8c88a3a48aa9e33542016b7a4052e001aaa536fca74813cb
                          not verified: no signer is given
            sbom          sha256:43cc23fa52b87b4cc1d02b5b114154151d6adddb17c9fddc06b027fa99e24008
                          considered by the release

          environments
            prod of ghcr.io/acme/web/prod: current
              2026-11-12 14:05  promote  1.4.1  by octocat  vouched
                reason: the *weekly* release
              record       sha256:41f9fc28800674199192eefe14f059f970229840c4d448a0a272ea2364962579
              signed by    https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main
              from         ghcr.io/acme/web/stage@sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61
              run          https://github.com/acme/web/actions/runs/18233541042
              since        2026-11-12 14:05:00 UTC
              rests on     prod of ghcr.io/acme/web/prod: promote 1.4.1, 2026-11-11 08:00:00 UTC, verified, signed by https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main
              before       ghcr.io/acme/web/prod@sha256:0a29b179b4ddd64a4f8cc5de3f629d4b8df21ab50a6f7096144d7076a260669c
              good before  ghcr.io/acme/web/prod@sha256:74b860b3270666137a4d543c3e3d1e4e473d54636f7593d1c17bf693e6540bbe (1.4.0)
              drift: 1.4.1 names sha256:f0b672321a89484f4da859ffc741bbfe8b5b693d387f7e05f84c5de625a1cc61, expected sha256:74b860b3270666137a4d543c3e3d1e4e473d54636f7593d1c17bf693e6540bbe (1.4.1)
              mend 1.4.1: no release moves an immutable tag; point it to sha256:74b860b3270666137a4d543c3e3d1e4e473d54636f7593d1c17bf693e6540bbe by hand
            prod-eu of ghcr.io/acme/web/prod
              unfinished: promote 1.4.1, planned at 2026-11-13 07:00:00 UTC, by the run https://github.com/acme/web/actions/runs/18233541042, has no timeline entry
        ");
    }

    fn failed() -> FailedTimeline {
        FailedTimeline {
            service: "worker".parse().ok(),
            place: "ghcr.io/acme/worker/prod".parse().unwrap(),
            failure: Failure::service("source ghcr.io/acme/worker/prod: HTTP 403")
                .with_hint("grant the repository read access to the package"),
        }
    }

    #[test]
    fn a_timeline_that_cannot_be_read_is_named_after_the_others() {
        let mut history = sample_history();
        assert!(history.to_failure().is_none());
        history.failed.push(failed());
        insta::assert_snapshot!(history.to_failure().unwrap().1, @r"
        failed: 1 of 2 timelines of prod cannot be read
         worker: source ghcr.io/acme/worker/prod: HTTP 403
          hint: grant the repository read access to the package
        ");
        let page = summary::history_summary(&history, &SummaryContext::default());
        for part in ["> **worker: Failed:** source", "### ghcr.io/acme/web/prod"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let outputs = history.to_outputs();
        let names: Vec<_> = outputs.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["json"], "no digest stands for both");
    }

    #[test]
    fn objects_are_of_the_schema() {
        let json = |outputs: Vec<(&str, String)>| {
            let found = outputs.into_iter().find(|(name, _)| *name == "json");
            found.unwrap().1
        };
        let mut schema = OutputSchema::load();
        let mut history = sample_history();
        let shown = &mut history.timelines[0].history;
        let remarks = [
            EntryRemark::Future,
            EntryRemark::Stray,
            EntryRemark::Fork(shown.lines[0].record().unwrap()),
            EntryRemark::MissesPrevious(shown.lines[0].record().unwrap()),
            EntryRemark::Replay(shown.lines[1].name.clone()),
        ];
        shown.lines[0].remarks.extend(remarks);
        shown.periods = Some(vec![TagPeriod {
            root: shown.lines[0].entry.as_ref().unwrap().root,
            version: None,
            by: shown.lines[0].entry.clone(),
            from: Some(shown.lines[0].name.planned_at),
            until: None,
            is_now: true,
        }]);
        history.tag = Some("1.4".parse().unwrap());
        history.failed.push(failed());
        schema.check("history", &json(history.to_outputs()));
        schema.check("inspection", &json(sample_inspection().to_outputs()));
        let unseen = schema.unseen(&["history"]);
        assert_eq!(unseen, [""; 0]);
    }

    #[test]
    fn outputs_name_the_current_image_and_the_one_before() {
        let outputs = sample_history().to_outputs();
        let shown: Vec<_> = outputs.iter().filter(|(name, _)| *name != "json").collect();
        assert_eq!(shown.len(), 3);
        assert!(shown.iter().all(|(_, value)| value.starts_with("sha256:")));
        let inspected = sample_inspection().to_outputs();
        let names: Vec<_> = inspected.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["digest", "previous-digest", "record", "image", "json"]
        );
    }
}
