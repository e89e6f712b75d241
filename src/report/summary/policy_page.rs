//! Summary of `policy`: a drawing of the promotions, and the rules of each environment.

use super::SummaryContext;
use crate::policy::EnvironmentRules;
use crate::report::markdown::{code_block, code_span, details, escape_text, table_row};
use crate::report::policy_report::{PolicyReport, default_tags, repository_lines, unbound_phrase};
use crate::report::{phrases, policy_diagram};

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
    for environment in shown.environments().filter(|it| it.is_per_service()) {
        let lines = repository_lines(environment);
        let title = format!("Repositories of {}", environment.name());
        page += &details(&title, &code_block(lines.iter().map(String::as_str)));
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
        let from = environment.from().map(|from| code_span(from.as_str()));
        table += &table_row(&[
            &code_span(environment.name().as_str()),
            from.as_deref().unwrap_or("push"),
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

fn tags_cell(environment: &EnvironmentRules) -> String {
    let rules = environment.rule_lines().into_iter().map(code_span);
    match rules.collect::<Vec<String>>().as_slice() {
        [] => default_tags(environment).to_owned(),
        rules => rules.join("<br>"),
    }
}
