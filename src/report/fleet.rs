//! What became of several services, as it is read: a row for each.

use super::markdown::{code, row, text};
use super::{json, outputs, summary, text as plain, words};
use crate::policy::Service;
use crate::release::{End, Failure, FleetOutcome, Outcome};

/// So many failures are told in full where all of them would be too long.
const TOLD: usize = 10;

/// What became of a service, in a line for the log while others are under way.
pub fn ended(service: &Service, end: &End) -> String {
    let mut line = format!("{service}: {}", state(end));
    match end {
        End::Done(outcome) => {
            line += &format!("  {}", detail(end));
            for released in &outcome.destinations {
                line += &format!("; {}", words::content(&released.content, outcome.dry_run));
            }
        }
        End::Failed(failure) => {
            let complaint = failure.complaint();
            line.extend(complaint.map(|complaint| format!(": {}", complaint.what)));
        }
        End::NotBegun => {}
    }
    line
}

/// The report as plain text.
pub(super) fn report(fleet: &FleetOutcome) -> String {
    if let Some(outcome) = only(fleet) {
        return plain::outcome(outcome);
    }
    let names = fleet.services.iter().map(|(service, _)| service);
    let name_width = names.map(|name| name.as_str().len()).max();
    let ends = fleet.services.iter().map(|(_, end)| state(end).len());
    let (name_width, end_width) = (
        name_width.unwrap_or_default(),
        ends.max().unwrap_or_default(),
    );
    let mut report = format!("{} of {}\n", words::verb(fleet.verb), counts(fleet));
    for (service, end) in &fleet.services {
        let (service, state) = (service.as_str(), state(end));
        let line = format!(
            "  {service:<name_width$}  {state:<end_width$}  {}",
            detail(end)
        );
        report += &format!("{}\n", line.trim_end());
    }
    for (service, failure) in fleet.failed() {
        report += &format!("\n{service}: {}\n", plain::failure(failure));
    }
    for note in notes(fleet) {
        report += &format!("\nnote: {note}");
    }
    report.trim_end().to_owned()
}

/// The report as the markdown of a job's summary.
pub(super) fn page(fleet: &FleetOutcome) -> String {
    if let Some(outcome) = only(fleet) {
        return summary::outcome(outcome);
    }
    let mut page = format!(
        "## shipmark {}: {}\n\n",
        words::verb(fleet.verb),
        text(&counts(fleet))
    );
    page += &row(&["Service", "", "Image", "Tags"]);
    page += &row(&["---", "---", "---", "---"]);
    for (service, end) in &fleet.services {
        let (images, tags) = match end {
            End::Done(outcome) => (outputs::images(outcome), tag_names(outcome)),
            _ => (Vec::new(), Vec::new()),
        };
        let [images, tags] = [images, tags].map(|them| {
            let them: Vec<_> = them.iter().map(|it| code(it)).collect();
            them.join(" ")
        });
        page += &row(&[&code(service.as_str()), state(end), &images, &tags]);
    }
    for (service, failure) in fleet.failed() {
        page += &format!(
            "\n### {}: {}\n\n",
            code(service.as_str()),
            plain::kind(failure)
        );
        page += &summary::complaint(failure);
    }
    let notes = notes(fleet);
    if !notes.is_empty() {
        page += "\n### Skipped and defaulted\n\n";
        for note in notes {
            page += &format!("- {}\n", text(note));
        }
    }
    page + "\n"
}

/// The outputs. A digest stands for one image, so there is none for several.
pub(super) fn outputs(fleet: &FleetOutcome) -> Vec<(&'static str, String)> {
    let all = |of: fn(&Outcome) -> Vec<String>| -> String {
        let lines: Vec<_> = fleet.done().flat_map(|(_, outcome)| of(outcome)).collect();
        lines.join("\n")
    };
    let mut outputs = vec![
        ("image", all(outputs::images)),
        ("tags", all(outputs::tags)),
        ("version", version(fleet)),
        ("signatures", all(outputs::signatures)),
        ("attestations", all(outputs::attestations)),
        ("attestation-urls", all(outputs::attestation_urls)),
        ("json", json::fleet(fleet)),
        ("outcome", word(fleet).to_owned()),
        (
            "matrix",
            json::matrix(
                fleet
                    .done()
                    .map(|(service, outcome)| (Some(service), outcome)),
            ),
        ),
    ];
    if let Some(outcome) = only(fleet) {
        outputs.insert(0, ("digest", outcome.root.to_string()));
        outputs.insert(1, ("source-digest", words::asked(outcome).to_string()));
    }
    outputs
}

/// What went wrong, if anything: the failure that decides the exit status, and all of it in words. A
/// refusal decides first, since no repetition mends it.
pub(super) fn failure(fleet: &FleetOutcome) -> Option<(&Failure, String)> {
    let first = |is: fn(&Failure) -> bool| fleet.failed().map(|(_, it)| it).find(|it| is(it));
    let worst = first(|it| matches!(it, Failure::Refused(_)))
        .or_else(|| first(|it| matches!(it, Failure::Input(_))))
        .or_else(|| first(|_| true))?;
    if let [(_, End::Failed(failure))] = &fleet.services[..] {
        return Some((failure, plain::failure(failure)));
    }
    let mut words = format!("{}: {}", plain::kind(worst), counts(fleet));
    for (service, failure) in fleet.failed().take(TOLD) {
        let complaint = failure.complaint().map(ToString::to_string);
        let complaint = complaint.unwrap_or_default().replace('\n', "\n ");
        words += &format!("\n {service}: {complaint}");
    }
    let more = fleet.failed().count().saturating_sub(TOLD);
    if more > 0 {
        words += &format!("\n and {more} more, which the report names");
    }
    words += match fleet.begun {
        true => "\n a run that is repeated does the rest",
        false => "\n nothing was written",
    };
    Some((worst, words))
}

/// The one service, where there is no other and it went well: it is told like an image alone.
fn only(fleet: &FleetOutcome) -> Option<&Outcome> {
    match &fleet.services[..] {
        [(_, End::Done(outcome))] => Some(outcome),
        _ => None,
    }
}

/// What became of a service, in a word or two.
pub(super) fn state(end: &End) -> &'static str {
    match end {
        End::Done(outcome) if !outcome.released() => "unchanged",
        End::Done(outcome) if outcome.dry_run => "would be released",
        End::Done(_) => "released",
        End::Failed(failure) => plain::kind(failure),
        End::NotBegun => "not begun",
    }
}

/// The output `outcome`.
pub(super) fn word(fleet: &FleetOutcome) -> &'static str {
    match failure(fleet) {
        Some((Failure::Refused(_), _)) => "refused",
        Some(_) => "failed",
        None if fleet.released() && !fleet.dry_run => "released",
        None => "unchanged",
    }
}

/// `8 services: 5 released, 2 unchanged, 1 failed`
fn counts(fleet: &FleetOutcome) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for (_, end) in &fleet.services {
        let state = state(end);
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => counts.push((state, 1)),
        }
    }
    let each: Vec<_> = counts
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let services = words::count(fleet.services.len() as u64, "service");
    format!("{services}: {}", each.join(", "))
}

fn detail(end: &End) -> String {
    let End::Done(outcome) = end else {
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
fn tag_names(outcome: &Outcome) -> Vec<String> {
    let results = outcome.destinations.iter().flat_map(outputs::naming);
    results.map(|result| result.tag.to_string()).collect()
}

/// The version, where all have the same one.
fn version(fleet: &FleetOutcome) -> String {
    let mut versions = fleet.done().map(|(_, outcome)| outcome.version.as_deref());
    match versions.next() {
        Some(Some(first)) if versions.all(|version| version == Some(first)) => first.to_owned(),
        _ => String::new(),
    }
}

/// What was skipped or defaulted, said once.
fn notes(fleet: &FleetOutcome) -> Vec<&str> {
    let mut notes: Vec<&str> = Vec::new();
    for (_, outcome) in fleet.done() {
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
    use crate::report::samples;

    #[test]
    fn a_report_has_a_line_for_each_service() {
        insta::assert_snapshot!(report(&samples::fleet()), @r"
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
        insta::assert_snapshot!(failure(&samples::fleet()).unwrap().1, @r"
    refused: 4 services: 1 released, 1 unchanged, 1 refused, 1 not begun
     worker: tag 1.4.0 of prod.example.com/team/web names another image
      why:  1.4.0 is an immutable tag
      hint: release 1.4.1
     a run that is repeated does the rest
    ");
    }

    #[test]
    fn a_service_that_ends_is_told_in_a_line() {
        let fleet = samples::fleet();
        let lines: Vec<_> = fleet
            .services
            .iter()
            .map(|(it, end)| ended(it, end))
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
        insta::assert_snapshot!(page(&samples::fleet()), @r"
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
        let outputs = outputs(&samples::fleet());
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
        let mut fleet = samples::fleet();
        fleet.services.truncate(1);
        let Some((_, outcome)) = fleet.done().next() else {
            panic!("it is done");
        };
        assert_eq!(report(&fleet), plain::outcome(outcome));
        assert_eq!(page(&fleet), summary::outcome(outcome));
        let digest = ("digest", outcome.root.to_string());
        assert_eq!(outputs(&fleet)[0], digest);
        assert!(failure(&fleet).is_none());
    }

    #[test]
    fn a_thousand_failures_are_not_all_told() {
        let mut fleet = samples::fleet();
        let failed = fleet.services.remove(2);
        fleet.services.extend(std::iter::repeat_n(failed, 30));
        let told = failure(&fleet).unwrap().1;
        assert!(
            told.contains("and 20 more") && told.lines().count() < 50,
            "{told}"
        );
    }
}
