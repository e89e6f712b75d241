//! Report of a release, and of a failure, as Markdown for the job summary.

use super::markdown::{code_block, code_span, escape_text, table_row};
use super::phrases;
use crate::release::{DestinationOutcome, Failure, ReleaseOutcome};

/// Returns the report of a release as Markdown for the job summary.
pub(super) fn release_summary(outcome: &ReleaseOutcome) -> String {
    let mut page = format!(
        "## shipmark {}: {}\n\n",
        phrases::verb_name(outcome.verb),
        phrases::title_phrase(outcome)
    );
    page += &facts_table(outcome);
    for released in &outcome.destinations {
        page += &destination_section(outcome, released);
    }
    if !outcome.notes.is_empty() {
        page += "\n### Skipped and defaulted\n\n";
        for note in &outcome.notes {
            page += &format!("- {}\n", escape_text(note));
        }
    }
    page + "\n"
}

/// Returns a failure as Markdown for the job summary.
pub(super) fn failure_summary(verb: &str, failure: &Failure) -> String {
    let title = format!(
        "## shipmark {verb}: {}\n\n",
        super::text_report::failure_title(failure)
    );
    title + &diagnostic_markdown(failure)
}

/// Returns what failed, why, and a hint.
pub(super) fn diagnostic_markdown(failure: &Failure) -> String {
    let Some(diagnostic) = failure.diagnostic() else {
        return "A repeated run adds only what is missing.\n\n".to_owned();
    };
    let mut page = format!("{}\n\n", paragraph(&diagnostic.what));
    for (name, part) in [("Why", &diagnostic.why), ("Hint", &diagnostic.hint)] {
        if let Some(part) = part {
            page += &format!("**{name}:** {}\n\n", paragraph(part));
        }
    }
    page
}

fn facts_table(outcome: &ReleaseOutcome) -> String {
    let mut table = table_row(&["", ""]) + &table_row(&["---", "---"]);
    let mut fact = |name: &str, value: &str| table += &table_row(&[name, value]);
    fact("Source", &code_span(&outcome.source.to_string()));
    if let Some(found) = phrases::lookup_phrase(outcome) {
        fact("Found", &escape_text(found.trim_start_matches("found ")));
    }
    fact("Digest", &code_span(&outcome.root.to_string()));
    if let Some(subset) = &outcome.platform_selection {
        let of = code_span(&subset.of.to_string());
        let is = escape_text(&phrases::platforms_phrase(subset));
        fact("Platforms", &format!("{is}; the source is {of}"));
    }
    if let Some(requested) = outcome.requested_digest {
        let requested = code_span(&requested.to_string());
        fact(
            "Kept",
            &format!("instead of {requested}, the requested digest"),
        );
    }
    if let Some(version) = &outcome.version {
        match outcome.provenance.version {
            Some(origin) => fact("Version", &format!("{} from {origin}", code_span(version))),
            None => fact("Version", &code_span(version)),
        }
    }
    if let Some(commit) = &outcome.commit {
        fact("Commit", &code_span(commit.as_str()));
    }
    if let Some(origin) = outcome.provenance.commit_tag {
        fact("SHA tag", &format!("from {origin}"));
    }
    table
}

fn destination_section(outcome: &ReleaseOutcome, released: &DestinationOutcome) -> String {
    let image = phrases::digest_reference(&released.place, outcome.root);
    let mut part = format!(
        "\n### {}\n\n{}\n",
        code_span(&released.place.to_string()),
        code_block([image.as_str()])
    );
    part += &table_row(&["Tag", "", "Why"]);
    part += &table_row(&["---", "---", "---"]);
    for result in &released.tags {
        part += &table_row(&[
            &code_span(result.tag.as_str()),
            &escape_text(&phrases::change_phrase(&result.change, outcome.dry_run)),
            &escape_text(&phrases::change_reason(
                &result.change,
                &result.kind,
                &result.rule,
            )),
        ]);
    }
    for line in phrases::referrer_lines(&released.referrers, outcome.dry_run) {
        part += &format!("\n{}\n", escape_text(&line));
    }
    for signed in &released.signatures {
        let at = phrases::signature_reference(&released.place, signed);
        let at = at.map(|at| code_span(&at)).unwrap_or_default();
        part += &format!(
            "\n{} {at}\n",
            escape_text(&phrases::signature_phrase(signed, outcome))
        );
        if let Some(url) = &signed.url {
            part += &format!("\nuploaded to GitHub: <{url}>\n");
        }
    }
    let content = phrases::copy_phrase(&released.copy_stats, outcome.dry_run);
    format!("{part}\n{}\n", escape_text(&content))
}

fn paragraph(lines: &str) -> String {
    lines
        .lines()
        .map(escape_text)
        .collect::<Vec<_>>()
        .join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_outcomes;

    #[test]
    fn a_summary_tells_it_all() {
        insta::assert_snapshot!(release_summary(&sample_outcomes::promoted_outcome()), @r"
        ## shipmark promote: released

        |  |  |
        | --- | --- |
        | Source | `oci:dev:git-860c190` |
        | Digest | `sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` |
        | Version | `1.4.0` from the label of the image |
        | Commit | `860c1904a1ce19322e91ac35af1ab07466440c37` |
        | SHA tag | from the tag given as source |

        ### `prod.example.com/team/web`

        ```text
        prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
        ```

        | Tag |  | Why |
        | --- | --- | --- |
        | `1.4.0` | created | the rule of 1&#46;4&#46;0 &#40;immutable&#41; |
        | `prod` | moved from sha256&#58;6db7d803e74f | the rule of prod &#40;moving&#41; |
        | `latest` | stays at sha256&#58;6db7d803e74f | 2&#46;0&#46;0 is higher |

        copied referrers&#58; 2 signatures, 1 SBOM

        referrers already present&#58; 1 provenance statement

        skipped referrers&#58; 1 release record, of another environment

        5 manifests written, 12&#46;3 MiB moved in 4 blobs, 6&#46;0 KiB not moved &#40;48 B in 1 blob already present, 1&#46;9 KiB in 2 blobs mounted, 4&#46;0 KiB in 3 blobs already copied in this run&#41;, 1&#46;0 MiB not sent again after 1 interruption

        ### `oci:mirror`

        ```text
        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
        ```

        | Tag |  | Why |
        | --- | --- | --- |
        | `1.4.0` | unchanged | the rule of 1&#46;4&#46;0 &#40;immutable&#41; |

        nothing to copy

        ### Skipped and defaulted

        - no tag 1 for a 0&#46;x version
        ");
    }

    #[test]
    fn a_refusal_says_how_to_go_on() {
        insta::assert_snapshot!(failure_summary("promote", &sample_outcomes::refused_failure()), @r"
        ## shipmark promote: refused

        tag 1&#46;4&#46;0 of prod&#46;example&#46;com/team/web names another image

        **Why:** 1&#46;4&#46;0 is an immutable tag

        **Hint:** release 1&#46;4&#46;1
        ");
    }

    #[test]
    fn hostile_text_stays_text() {
        let page = release_summary(&sample_outcomes::hostile_outcome());
        insta::assert_snapshot!(page, @r"
        ## shipmark promote: already up to date

        |  |  |
        | --- | --- |
        | Source | ``` oci:x�::add-mask::y�## z ``  ```&#124;`  <script>alert(1)</script> [a](b) @acme %0A ##[group] ` |
        | Digest | `sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` |
        | Version | ``` x�::add-mask::y�## z ``  ```&#124;`  <script>alert(1)</script> [a](b) @acme %0A ##[group] ` from the label of the image |
        | Commit | `860c1904a1ce19322e91ac35af1ab07466440c37` |
        | SHA tag | from the tag given as source |

        ### ``` oci:x�::add-mask::y�## z ``  ```&#124;`  <script>alert(1)</script> [a](b) @acme %0A ##[group] `

        ```text
        oci:x�::add-mask::y�## z `` | <script>alert(1)</script> [a](b) @acme %0A ##[group]@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
        ```

        | Tag |  | Why |
        | --- | --- | --- |
        | `1.4.0` | unchanged | x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93; &#40;immutable&#41; |
        | `latest` | not written | x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93; |

        skipped referrers&#58; 1 of type x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93; of unknown kind &#40;referrers&#58; all copies them&#41;

        nothing to copy

        ### Skipped and defaulted

        - x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93;
        ");
        let failure = failure_summary(
            "push",
            &Failure::input(sample_outcomes::HOSTILE).with_hint(sample_outcomes::HOSTILE),
        );
        for line in page.lines().chain(failure.lines()) {
            assert!(!line.starts_with("::") && !line.starts_with("## z"));
        }
        assert!(!failure.replace("<br>", "").contains(['<', '`', '|', '[']));
    }
}
