use std::collections::BTreeSet;
use std::sync::Arc;

use super::gate_signers::{GateSigners, has_all};
use crate::gate::{ScanException, ScanRule, SeverityError, SeverityThreshold, WildcardPattern};
use crate::policy::SignerRule;
use crate::policy::deadline::Deadline;
use crate::policy::declared_gate_keys::{
    EXCEPTION_KEYS, EXCEPTION_LIST, FAIL_ON_WORDS, SUPPRESSED_WORDS, VEX_LIST,
};
use crate::policy::error::PolicyError;
use crate::policy::key_position::KeyPosition;
use crate::policy::limits::GATE_TEXT_LENGTH;
use crate::policy::problem_list::ProblemList;
use crate::policy::repository_file::parse_repository_file;
use crate::policy::signer_rule::parse_evidence_signers;
use crate::policy::yaml_fields::YamlFields;
use crate::policy::yaml_node::{YamlNode, not_a_value, parse_text_value};

/// Scan gate of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanGate {
    /// Which findings fail, and which reports count.
    pub rule: ScanRule,
    /// Paths of OpenVEX documents in the repository, read at the commit of the policy.
    pub vex_files: Vec<String>,
    /// Who may sign OpenVEX attestations that count; none: only files count.
    pub vex_signers: Arc<[SignerRule]>,
    /// Whose scan attestations of the image are judged in addition to files; `None`: nobody's.
    pub attested: Option<GateSigners>,
    pub(in crate::policy) attested_at: KeyPosition,
    /// Whether report files are stored next to the root as attestations.
    pub attaches_reports: bool,
    pub(in crate::policy) attach_at: KeyPosition,
}

impl ScanGate {
    /// Reads the keys of the gate; those that are not there are those of `base`.
    pub(super) fn parse(
        fields: &mut YamlFields,
        base: Option<&Self>,
        allows_unbound: bool,
        problems: &mut ProblemList,
    ) -> Option<Self> {
        let threshold = fields.read("fail-on", problems, parse_threshold);
        let mut gate = match base {
            Some(base) => base.clone(),
            // Without a threshold the file is refused; the other keys are read for their problems.
            None => Self::new(FAIL_ON_WORDS[0].parse().ok()?, allows_unbound),
        };
        gate.rule.fail_on = threshold.unwrap_or(gate.rule.fail_on);
        gate.read_rule(fields, problems);
        gate.read_evidence(fields, problems);
        Some(gate)
    }

    fn new(fail_on: SeverityThreshold, allows_unbound: bool) -> Self {
        Self {
            rule: ScanRule {
                fail_on,
                ignore_unfixed: false,
                max_age: None,
                allows_unbound,
                denies_suppressed: false,
                ignore: Vec::new(),
            },
            vex_files: Vec::new(),
            vex_signers: Arc::default(),
            attested: None,
            attested_at: KeyPosition::default(),
            attaches_reports: false,
            attach_at: KeyPosition::default(),
        }
    }

    fn read_rule(&mut self, fields: &mut YamlFields, problems: &mut ProblemList) {
        let rule = &mut self.rule;
        if let Some(flag) = fields.read("ignore-unfixed", problems, YamlNode::into_flag) {
            rule.ignore_unfixed = flag;
        }
        if let Some(age) = fields.read("max-age", problems, parse_text_value) {
            rule.max_age = Some(age);
        }
        let [_, deny] = SUPPRESSED_WORDS;
        let word = |node: YamlNode| node.into_word(&SUPPRESSED_WORDS);
        if let Some(word) = fields.read("suppressed", problems, word) {
            rule.denies_suppressed = word == deny;
        }
        if let Some((_, list)) = fields.take("ignore") {
            rule.ignore = parse_exceptions(list, problems);
        }
    }

    fn read_evidence(&mut self, fields: &mut YamlFields, problems: &mut ProblemList) {
        let texts = fields.read("vex", problems, |list| list.into_texts(VEX_LIST));
        if let Some(texts) = texts {
            let paths = texts.iter().filter_map(|text| {
                let path = parse_repository_file(text);
                problems.keep(path)
            });
            self.vex_files = paths.collect();
        }
        if let Some((_, list)) = fields.take("vex-signers") {
            self.vex_signers = parse_evidence_signers(list, problems);
        }
        if let Some((at, node)) = fields.take("attested") {
            self.attested_at = at.into();
            self.attested = GateSigners::parse(node, problems);
        }
        self.attach_at = fields.position("attach").map_or(self.attach_at, Into::into);
        if let Some(flag) = fields.read("attach", problems, YamlNode::into_flag) {
            self.attaches_reports = flag;
        }
    }

    /// Returns the keys in which this gate is weaker than `base`. The exceptions are not compared.
    pub(super) fn keys_weaker_than(&self, base: &Self) -> Vec<&'static str> {
        // More attestations and documents can be those that were missing, and fewer can be those that would fail, or
        // that have the newest statement on a finding.
        let are_alike =
            |own: &[SignerRule], base: &[SignerRule]| has_all(base, own) && has_all(own, base);
        let is_attested_alike = match (&self.attested, &base.attested) {
            (Some(GateSigners::Own(own)), Some(GateSigners::Own(base))) => are_alike(own, base),
            (own, base) => own == base,
        };
        let files = |gate: &Self| gate.vex_files.iter().cloned().collect::<BTreeSet<String>>();
        let others = [
            ("vex", files(self) != files(base)),
            (
                "vex-signers",
                !are_alike(&self.vex_signers, &base.vex_signers),
            ),
            ("attested", !is_attested_alike),
            ("attach", base.attaches_reports && !self.attaches_reports),
        ];
        let others = others.into_iter().filter(|(_, is_weaker)| *is_weaker);
        let rule = self.rule.keys_weaker_than(&base.rule);
        rule.into_iter().chain(others.map(|(key, _)| key)).collect()
    }
}

fn parse_exceptions(list: YamlNode, problems: &mut ProblemList) -> Vec<ScanException> {
    let entries = problems.keep(list.into_entries(EXCEPTION_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_exception(entry, problems))
        .collect()
}

fn parse_exception(entry: YamlNode, problems: &mut ProblemList) -> Option<ScanException> {
    let mut fields = entry.into_fields(&EXCEPTION_KEYS, problems)?;
    let id = fields.read("id", problems, parse_plain_text);
    let reason = fields.read("reason", problems, parse_plain_text);
    let package = fields.read("package", problems, parse_plain_text);
    let platform = fields.read("platform", problems, parse_text_value);
    let until = fields.read("until", problems, Deadline::parse);
    Some(ScanException {
        id: id?,
        package: package.map(WildcardPattern::new),
        platform,
        until: until.map(|until| until.end()),
        reason: reason?,
    })
}

fn parse_threshold(node: YamlNode) -> Result<SeverityThreshold, PolicyError> {
    let position = node.position;
    let word = node.into_word(&FAIL_ON_WORDS)?;
    word.parse()
        .map_err(|reason: SeverityError| position.to_error(not_a_value(word, reason)))
}

fn parse_plain_text(node: YamlNode) -> Result<String, PolicyError> {
    Ok(node.into_short_text(GATE_TEXT_LENGTH)?.text)
}
