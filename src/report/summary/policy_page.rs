//! Summary of `policy`: a drawing of the promotions, and the rules of each environment.

use super::SummaryContext;
use crate::policy::EnvironmentRules;
use crate::report::markdown::{code_block, code_span, details, escape_text, table_row};
use crate::report::policy_places::place_lines;
use crate::report::policy_report::{PolicyReport, default_tags, refs_phrase, unbound_phrase};
use crate::report::{phrases, policy_diagram, policy_gates, policy_records};

/// Returns a policy as Markdown.
pub(in crate::report) fn policy_summary(shown: &PolicyReport, context: &SummaryContext) -> String {
    let mut page = format!(
        "## {}\n\n**Shown** by shipmark policy: {}\n",
        title(shown),
        code_span(&shown.file)
    );
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    if let Some(chart) = policy_diagram::flowchart(&shown.policy) {
        page += &format!("\n```mermaid\n{chart}```\n");
    }
    page += &environments_table(shown);
    page += &gates_table(shown);
    page += &records_table(shown);
    for environment in shown.environments().filter(|it| it.is_per_service()) {
        let name = environment.name();
        let lists = [
            ("Repositories", environment.destinations()),
            ("Records", environment.records_places()),
        ];
        for (title, places) in lists.into_iter().filter(|(_, places)| !places.is_empty()) {
            let lines = place_lines(places);
            let lines = code_block(lines.iter().map(String::as_str));
            page += &details(&format!("{title} of {name}"), &lines);
        }
    }
    page + "\n"
}

fn title(shown: &PolicyReport) -> String {
    let environments = shown.policy.environments().len() as u64;
    let environments = phrases::count_phrase(environments, "environment");
    match shown.policy.services().len() as u64 {
        0 => format!("Policy: {environments}"),
        services => format!(
            "Policy: {environments}, {}",
            phrases::count_phrase(services, "service")
        ),
    }
}

fn environments_table(shown: &PolicyReport) -> String {
    let head = [
        "Environment",
        "From",
        "Repository",
        "Tags",
        "Unbound",
        "Excluded versions",
    ];
    let mut table = String::new();
    for environment in shown.environments() {
        let from = environment.from().iter();
        let from: Vec<String> = from.map(|from| code_span(from.as_str())).collect();
        table += &table_row(&[
            &code_span(environment.name().as_str()),
            &from_cell(&from),
            &code_span(&environment.repository()),
            &tags_cell(environment),
            &unbound_phrase(environment),
            &escape_text(&shown.excluded_phrase(environment)),
        ]);
    }
    match table.is_empty() {
        true => "\nNo environment: the policy has no effect.\n".to_owned(),
        false => format!("\n{}{}{table}", table_row(&head), table_row(&["---"; 6])),
    }
}

/// Returns the table of refs, immutable tags and gates; empty without environments.
fn gates_table(shown: &PolicyReport) -> String {
    let head = ["Environment", "Production", "Refs", "Gates"];
    let mut table = String::new();
    for environment in shown.environments() {
        let gates = policy_gates::gate_lines(environment);
        let gates: Vec<String> = gates.iter().map(|line| escape_text(line)).collect();
        table += &table_row(&[
            &code_span(environment.name().as_str()),
            if environment.is_production() {
                "yes"
            } else {
                "no"
            },
            &escape_text(&refs_phrase(environment)),
            &gates.join("<br>"),
        ]);
    }
    match table.is_empty() {
        true => String::new(),
        false => format!("\n{}{}{table}", table_row(&head), table_row(&["---"; 4])),
    }
}

/// Returns the table of signatures and records; empty without environments.
fn records_table(shown: &PolicyReport) -> String {
    let head = ["Environment", "Sign", "Signers", "Records", "Adopt until"];
    let mut table = String::new();
    for environment in shown.environments() {
        let records = environment.records_repository();
        let records = records.map(|repository| code_span(&repository));
        table += &table_row(&[
            &code_span(environment.name().as_str()),
            &policy_records::sign_phrase(environment),
            &signers_cell(environment),
            records
                .as_deref()
                .unwrap_or(policy_records::DEFAULT_RECORDS),
            &policy_records::adopt_until_phrase(environment),
        ]);
    }
    match table.is_empty() {
        true => String::new(),
        false => format!("\n{}{}{table}", table_row(&head), table_row(&["---"; 5])),
    }
}

fn signers_cell(environment: &EnvironmentRules) -> String {
    let signers = environment.signers().iter().map(|signer| {
        let limits = policy_records::limits_phrase(signer);
        let name = code_span(&policy_records::signer_name(&signer.signer));
        format!("{name} {}", escape_text(&limits))
    });
    match signers.collect::<Vec<String>>().as_slice() {
        [] => policy_records::NO_SIGNERS.to_owned(),
        signers => signers.join("<br>"),
    }
}

fn from_cell(from: &[String]) -> String {
    match from {
        [] => "push".to_owned(),
        from => from.join("<br>"),
    }
}

fn tags_cell(environment: &EnvironmentRules) -> String {
    let rules = environment.rule_lines().into_iter().map(code_span);
    match rules.collect::<Vec<String>>().as_slice() {
        [] => default_tags(environment).to_owned(),
        rules => rules.join("<br>"),
    }
}
