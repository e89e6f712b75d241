use super::markdown::{block, code, row, text};
use super::words;
use crate::release::{Failure, Outcome, Released};

/// The report as the markdown of a job's summary.
pub(super) fn outcome(outcome: &Outcome) -> String {
    let mut page = format!(
        "## shipmark {}: {}\n\n",
        words::verb(outcome.verb),
        words::end(outcome)
    );
    page += &facts(outcome);
    for released in &outcome.destinations {
        page += &destination(outcome, released);
    }
    if !outcome.notes.is_empty() {
        page += "\n### Skipped and defaulted\n\n";
        for note in &outcome.notes {
            page += &format!("- {}\n", text(note));
        }
    }
    page + "\n"
}

/// A failure as the markdown of a job's summary.
pub(super) fn failure(verb: &str, failure: &Failure) -> String {
    let title = format!("## shipmark {verb}: {}\n\n", super::text::kind(failure));
    title + &complaint(failure)
}

/// What is wrong, why, and how to go on.
pub(super) fn complaint(failure: &Failure) -> String {
    let Some(complaint) = failure.complaint() else {
        return "A run that is repeated adds only what is missing.\n\n".to_owned();
    };
    let mut page = format!("{}\n\n", paragraph(&complaint.what));
    for (name, part) in [("Why", &complaint.why), ("How to go on", &complaint.hint)] {
        if let Some(part) = part {
            page += &format!("**{name}:** {}\n\n", paragraph(part));
        }
    }
    page
}

fn facts(outcome: &Outcome) -> String {
    let mut table = row(&["", ""]) + &row(&["---", "---"]);
    let mut fact = |name: &str, value: &str| table += &row(&[name, value]);
    fact("Source", &code(&outcome.source.to_string()));
    fact("Digest", &code(&outcome.root.to_string()));
    if let Some(subset) = &outcome.subset {
        let of = code(&subset.of.to_string());
        let is = text(&words::subset(subset));
        fact("Platforms", &format!("{is}; the source is {of}"));
    }
    if let Some(asked) = outcome.kept {
        let asked = code(&asked.to_string());
        fact("Kept", &format!("in place of {asked}, which was asked for"));
    }
    if let Some(version) = &outcome.version {
        fact("Version", &code(version));
    }
    if let Some(commit) = &outcome.commit {
        fact("Commit", &code(commit.as_str()));
    }
    table
}

fn destination(outcome: &Outcome, released: &Released) -> String {
    let image = words::by_digest(&released.place, outcome.root);
    let mut part = format!(
        "\n### {}\n\n{}\n",
        code(&released.place.to_string()),
        block([image.as_str()])
    );
    part += &row(&["Tag", "", "Why"]);
    part += &row(&["---", "---", "---"]);
    for result in &released.tags {
        part += &row(&[
            &code(result.tag.as_str()),
            &text(&words::change(&result.change, outcome.dry_run)),
            &text(&words::reason(&result.change, &result.kind, &result.rule)),
        ]);
    }
    for line in words::beside(&released.beside, outcome.dry_run) {
        part += &format!("\n{}\n", text(&line));
    }
    for signed in &released.signatures {
        let at = words::signature(&released.place, signed);
        let at = at.map(|at| code(&at)).unwrap_or_default();
        part += &format!("\n{} {at}\n", text(&words::signed(signed, outcome)));
        if let Some(url) = &signed.shown {
            part += &format!("\nkept by GitHub: <{url}>\n");
        }
    }
    let content = words::content(&released.content, outcome.dry_run);
    format!("{part}\n{}\n", text(&content))
}

fn paragraph(lines: &str) -> String {
    lines.lines().map(text).collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_summary_tells_it_all() {
        insta::assert_snapshot!(outcome(&samples::promoted()), @r"
        ## shipmark promote: released

        |  |  |
        | --- | --- |
        | Source | `oci:dev:git-860c190` |
        | Digest | `sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` |
        | Version | `1.4.0` |
        | Commit | `860c1904a1ce19322e91ac35af1ab07466440c37` |

        ### `prod.example.com/team/web`

        ```text
        prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
        ```

        | Tag |  | Why |
        | --- | --- | --- |
        | `1.4.0` | created | the rule of 1&#46;4&#46;0 &#40;immutable&#41; |
        | `prod` | moved from sha256&#58;6db7d803e74f | the rule of prod &#40;moving&#41; |
        | `latest` | stays at sha256&#58;6db7d803e74f | 2&#46;0&#46;0 is higher |

        travelled with it&#58; 2 signatures, 1 SBOM

        there with it already&#58; 1 provenance statement

        stayed behind&#58; 1 release record, of another environment

        5 manifests written, 12&#46;3 MiB moved in 4 blobs, 6&#46;0 KiB not moved &#40;48 B in 1 blob there already, 1&#46;9 KiB in 2 blobs mounted, 4&#46;0 KiB in 3 blobs brought by this run already&#41;, 1&#46;0 MiB not moved again after 1 break

        ### `oci:mirror`

        ```text
        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
        ```

        | Tag |  | Why |
        | --- | --- | --- |
        | `1.4.0` | unchanged | the rule of 1&#46;4&#46;0 &#40;immutable&#41; |

        nothing had to be copied

        ### Skipped and defaulted

        - no tag 1 for a 0&#46;x version
        ");
    }

    #[test]
    fn a_refusal_says_how_to_go_on() {
        insta::assert_snapshot!(failure("promote", &samples::refused()), @r"
        ## shipmark promote: refused

        tag 1&#46;4&#46;0 of prod&#46;example&#46;com/team/web names another image

        **Why:** 1&#46;4&#46;0 is an immutable tag

        **How to go on:** release 1&#46;4&#46;1
        ");
    }

    #[test]
    fn hostile_text_stays_text() {
        let page = outcome(&samples::hostile());
        insta::assert_snapshot!(page, @r"
        ## shipmark promote: nothing had to change

        |  |  |
        | --- | --- |
        | Source | ``` oci:x�::add-mask::y�## z ``  ```&#124;`  <script>alert(1)</script> [a](b) @acme %0A ##[group] ` |
        | Digest | `sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` |
        | Version | ``` x�::add-mask::y�## z ``  ```&#124;`  <script>alert(1)</script> [a](b) @acme %0A ##[group] ` |
        | Commit | `860c1904a1ce19322e91ac35af1ab07466440c37` |

        ### ``` oci:x�::add-mask::y�## z ``  ```&#124;`  <script>alert(1)</script> [a](b) @acme %0A ##[group] `

        ```text
        oci:x�::add-mask::y�## z `` | <script>alert(1)</script> [a](b) @acme %0A ##[group]@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
        ```

        | Tag |  | Why |
        | --- | --- | --- |
        | `1.4.0` | unchanged | x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93; &#40;immutable&#41; |
        | `latest` | not written | x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93; |

        stayed behind&#58; 1 of type x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93;, no known kind &#40;referrers&#58; all takes it along&#41;

        nothing had to be copied

        ### Skipped and defaulted

        - x�&#58;&#58;add&#45;mask&#58;&#58;y�&#35;&#8203;&#35;&#8203; z &#96;&#96; &#124; &#60;script&#62;alert&#40;1&#41;&#60;/script&#62; &#91;a&#93;&#40;b&#41; &#64;&#8203;acme %0A &#35;&#8203;&#35;&#8203;&#91;group&#93;
        ");
        let failure = failure(
            "push",
            &Failure::input(samples::HOSTILE).hint(samples::HOSTILE),
        );
        for line in page.lines().chain(failure.lines()) {
            assert!(!line.starts_with("::") && !line.starts_with("## z"));
        }
        assert!(!failure.replace("<br>", "").contains(['<', '`', '|', '[']));
    }
}
