//! The tests of attacks on environments and gates, and of refusals to choose an image, by name.
//!
//! | table | rows |
//! |---|---|
//! | [`ATTACKS`] | ways round the policy, gates and records |
//! | [`UNCLEAR_SOURCES`] | reasons for which no image is chosen, each with its own text |

use std::path::Path;

/// What is tried, and the test that shows that it fails: file and name.
type Row = (&'static str, &'static str, &'static str);

const ATTACKS: &[Row] = &[
    (
        "destination named directly",
        "gated_story/attacks.rs",
        "promise_5_a_destination_that_is_named_directly_has_its_gates",
    ),
    (
        "source past `from`",
        "policy.rs",
        "promise_5_a_source_past_from_is_refused_by_any_path",
    ),
    (
        "loosening inputs, each",
        "inputs_under_policy.rs",
        "promise_5_each_input_only_tightens",
    ),
    (
        "loosening inputs of the scan gate",
        "gates/scans.rs",
        "promise_6_inputs_only_tighten_the_scan_gate",
    ),
    (
        "policy edited in the working tree",
        "gated_story/attacks.rs",
        "promise_5_gates_are_those_of_the_workflows_commit",
    ),
    (
        "policy edited in the pull request or its merge ref",
        "policy.rs",
        "promise_5_in_a_run_for_a_pull_request_the_policy_is_that_of_the_base",
    ),
    (
        "policy added by an input",
        "policy.rs",
        "promise_5_the_input_policy_only_adds",
    ),
    (
        "VEX from the working tree",
        "gates/scans.rs",
        "promise_6_the_documents_of_the_policy_are_those_of_its_commit",
    ),
    (
        "committed report",
        "gates/scans.rs",
        "promise_6_a_committed_report_is_refused",
    ),
    (
        "forged record",
        "records/forged.rs",
        "promise_6_a_record_counts_under_its_own_name_only",
    ),
    (
        "changed record",
        "record_trust/damaged.rs",
        "promise_6_a_changed_record_does_not_count",
    ),
    (
        "record of another repository or environment, copied with its image",
        "gated_story/attacks.rs",
        "promise_6_records_of_another_repository_or_environment_are_not_replayed",
    ),
    (
        "entry copied from another timeline",
        "records/forged.rs",
        "promise_6_a_copied_entry_does_not_count",
    ),
    (
        "foreign record",
        "record_trust/mod.rs",
        "promise_6_a_record_of_another_signer_does_not_count",
    ),
    (
        "backdated record",
        "gated_story/attacks.rs",
        "promise_6_a_backdated_record_soaks_from_its_signature_on",
    ),
    (
        "promote workflow edited on another branch",
        "gated_story/attacks.rs",
        "promise_6_a_workflow_that_was_edited_on_another_branch_records_nothing_that_counts",
    ),
    (
        "a fork's `main`",
        "releasing_ref.rs",
        "promise_8_a_workflow_run_must_be_of_a_branch_that_may_release",
    ),
    (
        "pull request that is not merged, or of a fork",
        "releasing_ref.rs",
        "promise_8_a_pull_request_releases_nothing_before_it_is_merged",
    ),
    (
        "`release/v9-sha-<chosen>` of a fork",
        "which_image/branches.rs",
        "promise_8_the_branch_of_a_fork_names_no_commit",
    ),
    (
        "report of another digest, platform, artifact type or time",
        "gated_story/attacks.rs",
        "promise_6_a_report_of_another_image_platform_or_kind_passes_nothing",
    ),
    (
        "report of another image",
        "gates/scans.rs",
        "promise_6_a_report_of_another_image_refuses",
    ),
    (
        "attestation of a signer that the rule does not name",
        "gated_story/attacks.rs",
        "promise_6_an_attestation_counts_by_the_signers_of_its_rule_alone",
    ),
    (
        "old approval with a newer stage image",
        "gated_story/attacks.rs",
        "promise_5_an_approval_is_of_one_digest_and_of_its_own_reports",
    ),
    (
        "old approval with a newer release of stage",
        "which_image/approved.rs",
        "promise_5_an_approved_image_is_released_whatever_is_newer",
    ),
    (
        "signer past `until`",
        "gated_story/attacks.rs",
        "promise_6_the_record_of_a_signer_past_its_end_does_not_count",
    ),
    (
        "image pushed to the environment directly",
        "gates/attested.rs",
        "promise_6_an_image_that_was_pushed_to_the_environment_directly_is_not_released",
    ),
    (
        "summary attested by a run itself",
        "gates/summaries.rs",
        "promise_6_no_run_attests_a_summary_in_the_name_of_releases",
    ),
    (
        "files that outweigh attested reports",
        "gates/attested.rs",
        "promise_6_attested_reports_need_no_file",
    ),
];

const UNCLEAR_SOURCES: &[Row] = &[
    (
        "short SHA ambiguous in git",
        "which_image/branches.rs",
        "an_abbreviation_of_two_commits_is_refused",
    ),
    (
        "short SHA ambiguous in records",
        "which_image/commits.rs",
        "an_abbreviated_commit_is_made_whole_by_records_unless_two_begin_with_it",
    ),
    (
        "commit without image",
        "which_image/commits.rs",
        "a_commit_without_an_image_is_refused_with_the_places_that_were_searched",
    ),
    (
        "several digests for one commit",
        "which_image/commits.rs",
        "several_images_of_one_commit_are_refused_and_listed",
    ),
    (
        "head ahead of the named commit",
        "which_image/branches.rs",
        "a_branch_with_changes_since_the_commit_that_it_names_is_refused",
    ),
    (
        "branch name of a fork",
        "which_image/branches.rs",
        "promise_8_the_branch_of_a_fork_names_no_commit",
    ),
    (
        "merge of a fork",
        "which_image/merges.rs",
        "promise_8_a_merge_of_a_fork_names_no_commit",
    ),
    (
        "record missing",
        "which_image/signed.rs",
        "promise_6_an_image_without_a_record_is_not_promoted_from_an_environment_that_signs",
    ),
    (
        "record withdrawn",
        "which_image/signed.rs",
        "promise_6_a_withdrawn_image_is_not_promoted",
    ),
    (
        "release failed",
        "which_image/signed.rs",
        "promise_6_an_image_that_is_marked_as_failed_is_not_promoted",
    ),
    (
        "record of another environment",
        "which_image/signed.rs",
        "promise_6_the_record_of_another_environment_does_not_count",
    ),
    (
        "record of a signer that is not listed",
        "which_image/signed.rs",
        "promise_6_the_record_of_a_signer_that_is_not_listed_does_not_count",
    ),
    (
        "digest in two environments with different commits",
        "which_image/commits.rs",
        "an_image_that_two_environments_record_of_two_commits_is_refused",
    ),
    (
        "squash merge",
        "which_image/merges.rs",
        "a_squashed_commit_names_none_that_was_built",
    ),
    (
        "shallow clone",
        "which_image/merges.rs",
        "a_merge_that_the_clone_does_not_have_is_refused_with_the_depth_that_it_needs",
    ),
    (
        "older than the newest 320 records",
        "counts/found_source.rs",
        "ten_reads_find_a_commit_among_the_newest_320_releases",
    ),
    (
        "tag that contradicts the label",
        "which_image/commits.rs",
        "a_sha_tag_finds_an_image_that_no_record_names",
    ),
    (
        "newest for production",
        "which_image/newest.rs",
        "promise_5_the_newest_is_not_released_to_production",
    ),
];

#[test]
fn each_attack_and_each_unclear_source_has_its_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for (what, file, name) in ATTACKS.iter().chain(UNCLEAR_SOURCES) {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let is_test = text.split_once(&format!("fn {name}()"));
        let before = is_test.map(|(before, _)| before.trim_end());
        let before = before.unwrap_or_else(|| panic!("{what}: {file} has no {name}"));
        let before = before.trim_end_matches("async").trim_end();
        let is_run = before.ends_with("#[test]")
            || before.ends_with(")]")
            || before.ends_with("#[tokio::test]");
        assert!(is_run, "{what}: {name} is no test");
    }
}
