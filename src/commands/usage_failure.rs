//! Wrong command lines in a job, which are reported like wrong inputs.

use crate::release::Failure;

/// Returns the failure that an explanation of a wrong command line describes: its first line says what is
/// wrong, its last one names the command that prints help.
pub fn usage_failure(explanation: &str) -> Failure {
    let lines = explanation.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let what = first.strip_prefix("error: ").unwrap_or(first);
    let failure = Failure::input(what.to_string());
    let details: Vec<&str> = lines.collect();
    match details.as_slice() {
        [] => failure,
        [hint] => failure.with_hint(*hint),
        [reasons @ .., hint] => failure.with_reason(reasons.join("; ")).with_hint(*hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_has_what_why_and_hint() {
        let failure = usage_failure("error: a is wrong\n\n  tip: b\n  [c]\n\n`shipmark help`\n");
        let diagnostic = failure.diagnostic().unwrap();
        assert_eq!(diagnostic.what, "a is wrong");
        assert_eq!(
            diagnostic.to_string(),
            "a is wrong\n why:  tip: b; [c]\n hint: `shipmark help`"
        );
        assert!(matches!(usage_failure(""), Failure::Input(_)));
    }
}
