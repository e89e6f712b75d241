//! Outputs of the step of a release, of a batch and of a refusal.

use super::{batch_phrases, json_output, phrases, references};
use crate::release::{BatchOutcome, Diagnostic, ReleaseOutcome};

/// Returns the outputs of a release.
pub(super) fn release_outputs(outcome: &ReleaseOutcome) -> Vec<(&'static str, String)> {
    let lines = |lines: Vec<String>| lines.join("\n");
    vec![
        ("digest", outcome.root.to_string()),
        (
            "source-digest",
            phrases::requested_digest(outcome).to_string(),
        ),
        ("image", lines(references::image_references(outcome))),
        ("tags", lines(references::tag_references(outcome))),
        ("version", outcome.version.clone().unwrap_or_default()),
        (
            "signatures",
            lines(references::signature_references(outcome)),
        ),
        (
            "attestations",
            lines(references::attestation_references(outcome)),
        ),
        (
            "attestation-urls",
            lines(references::attestation_urls(outcome)),
        ),
        ("record", lines(references::record_ids(outcome))),
        ("json", json_output::outcome_json(outcome)),
        ("outcome", phrases::outcome_word(outcome).to_owned()),
        ("matrix", json_output::matrix_json([(None, outcome)])),
    ]
}

/// Returns the outputs of a refusal.
pub(super) fn refusal_outputs(diagnostic: &Diagnostic) -> Vec<(&'static str, String)> {
    vec![
        ("json", json_output::refusal_json(diagnostic)),
        ("outcome", "refused".to_owned()),
    ]
}

/// Returns the outputs of a batch. Several images have no `digest`, which names one image.
pub(super) fn batch_outputs(batch: &BatchOutcome) -> Vec<(&'static str, String)> {
    let all = |of: fn(&ReleaseOutcome) -> Vec<String>| -> String {
        let lines: Vec<_> = batch
            .completed()
            .flat_map(|(_, outcome)| of(outcome))
            .collect();
        lines.join("\n")
    };
    let mut outputs = vec![
        ("image", all(references::image_references)),
        ("tags", all(references::tag_references)),
        ("version", common_version(batch)),
        ("signatures", all(references::signature_references)),
        ("attestations", all(references::attestation_references)),
        ("attestation-urls", all(references::attestation_urls)),
        ("record", all(references::record_ids)),
        ("json", json_output::batch_json(batch)),
        ("outcome", batch_phrases::outcome_word(batch).to_owned()),
        (
            "matrix",
            json_output::matrix_json(
                batch
                    .completed()
                    .map(|(service, outcome)| (Some(service), outcome)),
            ),
        ),
    ];
    if let Some(outcome) = batch_phrases::only_outcome(batch) {
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

/// Returns the digest of each service, one per line.
pub(super) fn batch_digests(batch: &BatchOutcome) -> String {
    let digests = batch
        .completed()
        .map(|(_, outcome)| outcome.root.to_string());
    digests.collect::<Vec<_>>().join("\n")
}

/// Returns the version if all services have the same one, else an empty text.
fn common_version(batch: &BatchOutcome) -> String {
    let mut versions = batch
        .completed()
        .map(|(_, outcome)| outcome.version.as_deref());
    match versions.next() {
        Some(Some(first)) if versions.all(|version| version == Some(first)) => first.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{OUTPUTS, OutputDeclaration, Verb};
    use crate::report::sample_outcomes;

    #[test]
    fn every_declared_output_is_written() {
        let given: Vec<_> = release_outputs(&sample_outcomes::promoted_outcome())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let given_by = |verb| move |output: &&OutputDeclaration| output.verbs.contains(&verb);
        let declared: Vec<_> = OUTPUTS
            .iter()
            .filter(given_by(Verb::Promote))
            .map(|output| output.name)
            .collect();
        assert_eq!(given, declared);
    }

    fn shown(outputs: Vec<(&str, String)>) -> String {
        outputs
            .into_iter()
            .filter(|(name, _)| *name != "json")
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect()
    }

    #[test]
    fn outputs_are_plain_values() {
        insta::assert_snapshot!(shown(release_outputs(&sample_outcomes::promoted_outcome())), @r#"
    digest: sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    source-digest: sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    image: prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    tags: prod.example.com/team/web:1.4.0
    prod.example.com/team/web:prod
    oci:mirror:1.4.0
    version: 1.4.0
    signatures: 
    attestations: 
    attestation-urls: 
    record: 
    outcome: released
    matrix: {"include":[{"image":"prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","digest":"sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"},{"image":"oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","digest":"sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"}]}
    "#);
        insta::assert_snapshot!(shown(release_outputs(&sample_outcomes::dry_run_outcome())), @r#"
    digest: sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    source-digest: sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    image: prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
    tags: prod.example.com/team/web:1.4.0
    prod.example.com/team/web:prod
    oci:mirror:1.4.0
    version: 1.4.0
    signatures: 
    attestations: 
    attestation-urls: 
    record: 
    outcome: unchanged
    matrix: {"include":[{"image":"prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","digest":"sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"},{"image":"oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2","digest":"sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"}]}
    "#);
        insta::assert_snapshot!(shown(refusal_outputs(sample_outcomes::refused_failure().diagnostic().unwrap())), @"outcome: refused");
    }

    #[test]
    fn json_is_one_line_with_everything() {
        let text = json_output::outcome_json(&sample_outcomes::hostile_outcome());
        assert!(!text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["version"], sample_outcomes::HOSTILE);
        let value: serde_json::Value = serde_json::from_str(&json_output::outcome_json(
            &sample_outcomes::promoted_outcome(),
        ))
        .unwrap();
        insta::assert_snapshot!(format!("{value:#}"), @r#"
        {
          "commit": "860c1904a1ce19322e91ac35af1ab07466440c37",
          "destinations": [
            {
              "content": {
                "blobsMounted": 2,
                "blobsMoved": 4,
                "blobsPresent": 1,
                "blobsShared": 3,
                "bytesMounted": 2000,
                "bytesMoved": 12900000,
                "bytesPresent": 48,
                "bytesResumed": 1048576,
                "bytesShared": 4096,
                "manifestsWritten": 5
              },
              "image": "prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2",
              "place": "prod.example.com/team/web",
              "referrers": {
                "copied": {
                  "sbom": 1,
                  "signature": 2
                },
                "left": [
                  {
                    "count": 1,
                    "kind": "record",
                    "why": "record"
                  }
                ],
                "present": {
                  "provenance": 1
                }
              },
              "tags": [
                {
                  "change": "created",
                  "immutable": true,
                  "reference": "prod.example.com/team/web:1.4.0",
                  "rule": "the rule of 1.4.0",
                  "tag": "1.4.0"
                },
                {
                  "change": "moved",
                  "immutable": false,
                  "previous": "sha256:6db7d803e74f1ffa7d8f5adc0bf95b3e15bf4c8373fffadf546227cc6c6742cb",
                  "reference": "prod.example.com/team/web:prod",
                  "rule": "the rule of prod",
                  "tag": "prod"
                },
                {
                  "change": "stays",
                  "immutable": false,
                  "previous": "sha256:6db7d803e74f1ffa7d8f5adc0bf95b3e15bf4c8373fffadf546227cc6c6742cb",
                  "reference": "prod.example.com/team/web:latest",
                  "rule": "the rule of latest",
                  "tag": "latest",
                  "why": "2.0.0 is higher"
                }
              ]
            },
            {
              "content": {
                "blobsMounted": 0,
                "blobsMoved": 0,
                "blobsPresent": 0,
                "blobsShared": 0,
                "bytesMounted": 0,
                "bytesMoved": 0,
                "bytesPresent": 0,
                "bytesResumed": 0,
                "bytesShared": 0,
                "manifestsWritten": 0
              },
              "image": "oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2",
              "place": "oci:mirror",
              "tags": [
                {
                  "change": "unchanged",
                  "immutable": true,
                  "reference": "oci:mirror:1.4.0",
                  "rule": "the rule of 1.4.0",
                  "tag": "1.4.0"
                }
              ]
            }
          ],
          "digest": "sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2",
          "dryRun": false,
          "mediaType": "application/vnd.oci.image.index.v1+json",
          "notes": [
            "no tag 1 for a 0.x version"
          ],
          "outcome": "released",
          "shaTagFrom": "source-tag",
          "source": "oci:dev:git-860c190",
          "verb": "promote",
          "version": "1.4.0",
          "versionFrom": "label"
        }
        "#);
        insta::assert_snapshot!(json_output::refusal_json(sample_outcomes::refused_failure().diagnostic().unwrap()), @r#"{"outcome":"refused","what":"tag 1.4.0 of prod.example.com/team/web names another image","why":"1.4.0 is an immutable tag","hint":"release 1.4.1"}"#);
    }

    #[test]
    fn outputs_are_over_all_services() {
        let outputs = batch_outputs(&sample_outcomes::batch_outcome());
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
    record: 
    outcome: refused
    ");
    }

    #[test]
    fn one_service_has_the_outputs_of_an_image_alone() {
        let mut batch = sample_outcomes::batch_outcome();
        batch.services.truncate(1);
        let (_, outcome) = batch.completed().next().unwrap();
        let digest = ("digest", outcome.root.to_string());
        assert_eq!(batch_outputs(&batch)[0], digest);
    }
}
