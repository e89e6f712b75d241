//! What became of several services, as it is read: a row for each.

use super::markdown::{code_span, escape_text, table_row};
use super::{job_summary, json_output, phrases, step_outputs, text_report as plain};
use crate::policy::Service;
use crate::release::{BatchOutcome, Failure, ReleaseOutcome, ServiceOutcome};

/// So many failures are told in full where all of them would be too long.
const FAILURES_TOLD_IN_FULL: usize = 10;

/// What became of a service, in a line for the log while others are under way.
pub fn service_line(service: &Service, end: &ServiceOutcome) -> String {
    let mut line = format!("{service}: {}", service_state(end));
    match end {
        ServiceOutcome::Completed(outcome) => {
            line += &format!("  {}", service_detail(end));
            for released in &outcome.destinations {
                line += &format!(
                    "; {}",
                    phrases::copy_phrase(&released.copy_stats, outcome.dry_run)
                );
            }
        }
        ServiceOutcome::Failed(failure) => {
            let diagnostic = failure.complaint();
            line.extend(diagnostic.map(|diagnostic| format!(": {}", diagnostic.what)));
        }
        ServiceOutcome::NotStarted => {}
    }
    line
}

/// The report as plain text.
pub(super) fn to_text(batch: &BatchOutcome) -> String {
    if let Some(outcome) = only_outcome(batch) {
        return plain::release_text(outcome);
    }
    let names = batch.services.iter().map(|(service, _)| service);
    let name_width = names.map(|name| name.as_str().len()).max();
    let ends = batch
        .services
        .iter()
        .map(|(_, end)| service_state(end).len());
    let (name_width, end_width) = (
        name_width.unwrap_or_default(),
        ends.max().unwrap_or_default(),
    );
    let mut report = format!(
        "{} of {}\n",
        phrases::verb_name(batch.verb),
        service_counts(batch)
    );
    for (service, end) in &batch.services {
        let (service, state) = (service.as_str(), service_state(end));
        let line = format!(
            "  {service:<name_width$}  {state:<end_width$}  {}",
            service_detail(end)
        );
        report += &format!("{}\n", line.trim_end());
    }
    for (service, failure) in batch.failed() {
        report += &format!("\n{service}: {}\n", plain::failure_text(failure));
    }
    for note in distinct_notes(batch) {
        report += &format!("\nnote: {note}");
    }
    report.trim_end().to_owned()
}

/// The report as the markdown of a job's summary.
pub(super) fn to_summary(batch: &BatchOutcome) -> String {
    if let Some(outcome) = only_outcome(batch) {
        return job_summary::release_summary(outcome);
    }
    let mut page = format!(
        "## shipmark {}: {}\n\n",
        phrases::verb_name(batch.verb),
        escape_text(&service_counts(batch))
    );
    page += &table_row(&["Service", "", "Image", "Tags"]);
    page += &table_row(&["---", "---", "---", "---"]);
    for (service, end) in &batch.services {
        let (images, tags) = match end {
            ServiceOutcome::Completed(outcome) => {
                (step_outputs::image_references(outcome), tag_names(outcome))
            }
            _ => (Vec::new(), Vec::new()),
        };
        let [images, tags] = [images, tags].map(|them| {
            let them: Vec<_> = them.iter().map(|it| code_span(it)).collect();
            them.join(" ")
        });
        page += &table_row(&[
            &code_span(service.as_str()),
            service_state(end),
            &images,
            &tags,
        ]);
    }
    for (service, failure) in batch.failed() {
        page += &format!(
            "\n### {}: {}\n\n",
            code_span(service.as_str()),
            plain::failure_title(failure)
        );
        page += &job_summary::diagnostic_markdown(failure);
    }
    let notes = distinct_notes(batch);
    if !notes.is_empty() {
        page += "\n### Skipped and defaulted\n\n";
        for note in notes {
            page += &format!("- {}\n", escape_text(note));
        }
    }
    page + "\n"
}

/// The outputs. A digest stands for one image, so there is none for several.
pub(super) fn to_outputs(batch: &BatchOutcome) -> Vec<(&'static str, String)> {
    let all = |of: fn(&ReleaseOutcome) -> Vec<String>| -> String {
        let lines: Vec<_> = batch.done().flat_map(|(_, outcome)| of(outcome)).collect();
        lines.join("\n")
    };
    let mut outputs = vec![
        ("image", all(step_outputs::image_references)),
        ("tags", all(step_outputs::tag_references)),
        ("version", common_version(batch)),
        ("signatures", all(step_outputs::signature_references)),
        ("attestations", all(step_outputs::attestation_references)),
        ("attestation-urls", all(step_outputs::attestation_urls)),
        ("json", json_output::batch_json(batch)),
        ("outcome", outcome_word(batch).to_owned()),
        (
            "matrix",
            json_output::matrix_json(
                batch
                    .done()
                    .map(|(service, outcome)| (Some(service), outcome)),
            ),
        ),
    ];
    if let Some(outcome) = only_outcome(batch) {
        outputs.insert(0, ("digest", outcome.root.to_string()));
        outputs.insert(
            1,
            (
                "source-digest",
                phrases::requested_digest(outcome).to_string(),
            ),
        );
    }
    outputs
}

/// What went wrong, if anything: the failure that decides the exit status, and all of it in words. A
/// refusal decides first, since no repetition mends it.
pub(super) fn to_failure(batch: &BatchOutcome) -> Option<(&Failure, String)> {
    let first = |is: fn(&Failure) -> bool| batch.failed().map(|(_, it)| it).find(|it| is(it));
    let worst = first(|it| matches!(it, Failure::Refused(_)))
        .or_else(|| first(|it| matches!(it, Failure::Input(_))))
        .or_else(|| first(|_| true))?;
    if let [(_, ServiceOutcome::Failed(failure))] = &batch.services[..] {
        return Some((failure, plain::failure_text(failure)));
    }
    let mut words = format!("{}: {}", plain::failure_title(worst), service_counts(batch));
    for (service, failure) in batch.failed().take(FAILURES_TOLD_IN_FULL) {
        let diagnostic = failure.complaint().map(ToString::to_string);
        let diagnostic = diagnostic.unwrap_or_default().replace('\n', "\n ");
        words += &format!("\n {service}: {diagnostic}");
    }
    let more = batch.failed().count().saturating_sub(FAILURES_TOLD_IN_FULL);
    if more > 0 {
        words += &format!("\n and {more} more, which the report names");
    }
    words += match batch.started {
        true => "\n a run that is repeated does the rest",
        false => "\n nothing was written",
    };
    Some((worst, words))
}

/// The one service, where there is no other and it went well: it is told like an image alone.
fn only_outcome(batch: &BatchOutcome) -> Option<&ReleaseOutcome> {
    match &batch.services[..] {
        [(_, ServiceOutcome::Completed(outcome))] => Some(outcome),
        _ => None,
    }
}

/// What became of a service, in a word or two.
pub(super) fn service_state(end: &ServiceOutcome) -> &'static str {
    match end {
        ServiceOutcome::Completed(outcome) if !outcome.has_changes() => "unchanged",
        ServiceOutcome::Completed(outcome) if outcome.dry_run => "would be released",
        ServiceOutcome::Completed(_) => "released",
        ServiceOutcome::Failed(failure) => plain::failure_title(failure),
        ServiceOutcome::NotStarted => "not begun",
    }
}

/// The output `outcome`.
pub(super) fn outcome_word(batch: &BatchOutcome) -> &'static str {
    match to_failure(batch) {
        Some((Failure::Refused(_), _)) => "refused",
        Some(_) => "failed",
        None if batch.has_changes() && !batch.dry_run => "released",
        None => "unchanged",
    }
}

/// `8 services: 5 released, 2 unchanged, 1 failed`
fn service_counts(batch: &BatchOutcome) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for (_, end) in &batch.services {
        let state = service_state(end);
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => counts.push((state, 1)),
        }
    }
    let each: Vec<_> = counts
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let services = phrases::count_phrase(batch.services.len() as u64, "service");
    format!("{services}: {}", each.join(", "))
}

fn service_detail(end: &ServiceOutcome) -> String {
    let ServiceOutcome::Completed(outcome) = end else {
        return String::new();
    };
    let places: Vec<_> = outcome
        .destinations
        .iter()
        .map(|released| released.place.to_string())
        .collect();
    let (places, tags) = (places.join(" "), tag_names(outcome).join(", "));
    format!("{}  {places}: {tags}", outcome.root.short())
}

/// The tags that name the image, without the repository's name.
fn tag_names(outcome: &ReleaseOutcome) -> Vec<String> {
    let results = outcome
        .destinations
        .iter()
        .flat_map(step_outputs::tags_naming_root);
    results.map(|result| result.tag.to_string()).collect()
}

/// The version, where all have the same one.
fn common_version(batch: &BatchOutcome) -> String {
    let mut versions = batch.done().map(|(_, outcome)| outcome.version.as_deref());
    match versions.next() {
        Some(Some(first)) if versions.all(|version| version == Some(first)) => first.to_owned(),
        _ => String::new(),
    }
}

/// What was skipped or defaulted, said once.
fn distinct_notes(batch: &BatchOutcome) -> Vec<&str> {
    let mut notes: Vec<&str> = Vec::new();
    for (_, outcome) in batch.done() {
        for note in &outcome.notes {
            if !notes.contains(&note.as_str()) {
                notes.push(note);
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_outcomes;

    #[test]
    fn a_report_has_a_line_for_each_service() {
        insta::assert_snapshot!(to_text(&sample_outcomes::batch_outcome()), @r"
    promote of 4 services: 1 released, 1 unchanged, 1 refused, 1 not begun
      web     released   sha256:4813494d137e  prod.example.com/team/web: 1.4.0, prod
      api     unchanged  sha256:4813494d137e  oci:mirror: 1.4.0
      worker  refused
      cron    not begun

    worker: refused: tag 1.4.0 of prod.example.com/team/web names another image
     why:  1.4.0 is an immutable tag
     hint: release 1.4.1

    note: no tag 1 for a 0.x version
    ");
        insta::assert_snapshot!(to_failure(&sample_outcomes::batch_outcome()).unwrap().1, @r"
    refused: 4 services: 1 released, 1 unchanged, 1 refused, 1 not begun
     worker: tag 1.4.0 of prod.example.com/team/web names another image
      why:  1.4.0 is an immutable tag
      hint: release 1.4.1
     a run that is repeated does the rest
    ");
    }

    #[test]
    fn a_service_that_ends_is_told_in_a_line() {
        let batch = sample_outcomes::batch_outcome();
        let lines: Vec<_> = batch
            .services
            .iter()
            .map(|(it, end)| service_line(it, end))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
    web: released  sha256:4813494d137e  prod.example.com/team/web: 1.4.0, prod; 5 manifests written, 12.3 MiB moved in 4 blobs, 6.0 KiB not moved (48 B in 1 blob there already, 1.9 KiB in 2 blobs mounted, 4.0 KiB in 3 blobs brought by this run already), 1.0 MiB not moved again after 1 break
    api: unchanged  sha256:4813494d137e  oci:mirror: 1.4.0; nothing had to be copied
    worker: refused: tag 1.4.0 of prod.example.com/team/web names another image
    cron: not begun
    ");
    }

    #[test]
    fn a_page_has_a_row_for_each_service() {
        insta::assert_snapshot!(to_summary(&sample_outcomes::batch_outcome()), @r"
    ## shipmark promote: 4 services&#58; 1 released, 1 unchanged, 1 refused, 1 not begun

    | Service |  | Image | Tags |
    | --- | --- | --- | --- |
    | `web` | released | `prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` | `1.4.0` `prod` |
    | `api` | unchanged | `oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` | `1.4.0` |
    | `worker` | refused |  |  |
    | `cron` | not begun |  |  |

    ### `worker`: refused

    tag 1&#46;4&#46;0 of prod&#46;example&#46;com/team/web names another image

    **Why:** 1&#46;4&#46;0 is an immutable tag

    **How to go on:** release 1&#46;4&#46;1


    ### Skipped and defaulted

    - no tag 1 for a 0&#46;x version
    ");
    }

    #[test]
    fn outputs_are_over_all_services() {
        let outputs = to_outputs(&sample_outcomes::batch_outcome());
        let json = |name| -> serde_json::Value {
            let found = outputs.iter().find(|(known, _)| *known == name);
            serde_json::from_str(&found.unwrap().1).unwrap()
        };
        let services = json("json")["services"].take();
        assert_eq!(services[1]["service"], "api");
        assert_eq!(services[1]["destinations"][0]["place"], "oci:mirror");
        assert_eq!(services[2]["outcome"], "refused");
        assert_eq!(services[2]["hint"], "release 1.4.1");
        assert_eq!(services[3]["outcome"], "not begun");
        let matrix = json("matrix")["include"].take();
        assert_eq!(matrix[0]["service"], "web");
        assert_eq!(matrix.as_array().unwrap().len(), 2);
        let plain = outputs
            .iter()
            .filter(|(name, _)| !["json", "matrix"].contains(name));
        let shown: String = plain
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        insta::assert_snapshot!(shown, @r"
    image: prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    tags: prod.example.com/team/web:1.4.0
    prod.example.com/team/web:prod
    oci:mirror:1.4.0
    version: 1.4.0
    signatures: 
    attestations: 
    attestation-urls: 
    outcome: refused
    ");
    }

    #[test]
    fn one_service_is_told_like_an_image_alone() {
        let mut batch = sample_outcomes::batch_outcome();
        batch.services.truncate(1);
        let Some((_, outcome)) = batch.done().next() else {
            panic!("it is done");
        };
        assert_eq!(to_text(&batch), plain::release_text(outcome));
        assert_eq!(to_summary(&batch), job_summary::release_summary(outcome));
        let digest = ("digest", outcome.root.to_string());
        assert_eq!(to_outputs(&batch)[0], digest);
        assert!(to_failure(&batch).is_none());
    }

    #[test]
    fn a_thousand_failures_are_not_all_told() {
        let mut batch = sample_outcomes::batch_outcome();
        let failed = batch.services.remove(2);
        batch.services.extend(std::iter::repeat_n(failed, 30));
        let told = to_failure(&batch).unwrap().1;
        assert!(
            told.contains("and 20 more") && told.lines().count() < 50,
            "{told}"
        );
    }
}
