//! What a push or a promotion of this event would give, without an image and without a login.

use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::sought_commit::{PromotedCommit, named_commit};
use super::{dirty_checkout, naming_inputs, policy_environment, release_request, rule_inputs};
use crate::cli::Input;
use crate::image::NamedCommit;
use crate::policy::EnvironmentRules;
use crate::release::{Failure, ReleaseNaming, ReleaseVerb, refuse_excluded_version};
use crate::tagging::{
    self, DerivedTags, EnvironmentName, ExcludedVersions, Finding, ImageNames, ImageOrigin,
    NamedRelease, RuleExpansion, TagContext, TagRuleSet, TagRules,
};

/// Release that is shown and not made: by the inputs, and by the policy for one of its environments.
pub(super) struct ReleasePreview {
    verb: ReleaseVerb,
    pub(super) rules: TagRuleSet,
    naming: ReleaseNaming,
    excluded_versions: ExcludedVersions,
}

impl ReleasePreview {
    /// Reads the release of the verb in `for`; `None` without one.
    ///
    /// # Errors
    /// What that verb would refuse.
    pub(super) async fn read(invocation: &Invocation) -> Result<Option<Self>, Failure> {
        let verb = match invocation.arguments.choice(Input::For)? {
            Some("promote") => ReleaseVerb::Promote,
            Some(_) => ReleaseVerb::Push,
            None => return Ok(None),
        };
        let loaded = load_policy(invocation).await?;
        if let Some(loaded) = &loaded {
            invocation.log.info(&loaded.remark());
        }
        let loaded = loaded.filter(|loaded| !loaded.policy.environments().is_empty());
        let environment: Option<EnvironmentName> =
            invocation.arguments.value(Input::Environment)?;
        let stage = match loaded.as_ref().zip(environment.as_ref()) {
            Some((loaded, name)) => Some(policy_environment::find_environment(loaded, name)?),
            None => None,
        };
        if let Some(stage) = stage {
            policy_environment::refuse_push(stage, verb)?;
        }
        Self::by_policy(invocation, verb, stage, loaded.as_ref()).map(Some)
    }

    fn by_policy(
        invocation: &Invocation,
        verb: ReleaseVerb,
        stage: Option<&EnvironmentRules>,
        loaded: Option<&LoadedPolicy>,
    ) -> Result<Self, Failure> {
        let arguments = &invocation.arguments;
        let rules = match stage.zip(loaded) {
            Some((stage, loaded)) => release_request::environment_rules(stage, loaded, arguments)?,
            None => rule_inputs::parse_rules(arguments)?,
        };
        let naming = naming_inputs::read_naming(invocation, &rules, stage, loaded)?;
        Ok(Self {
            verb,
            naming,
            excluded_versions: release_request::excluded_versions(stage, loaded, arguments)?,
            rules,
        })
    }

    /// Derives the tags as the verb does; `rules` are those of the release, with references resolved.
    ///
    /// # Errors
    /// What the verb would refuse.
    pub(super) fn derive_tags(
        self,
        invocation: &Invocation,
        rules: &TagRuleSet,
        context: &TagContext,
    ) -> Result<RuleExpansion, Failure> {
        let (derived, missing) = match self.verb {
            ReleaseVerb::Push => {
                let version = self.naming.version.as_ref();
                (derive_push_tags(invocation, version, rules, context)?, None)
            }
            ReleaseVerb::Promote => derive_promote_tags(invocation, self.naming, rules, context)?,
        };
        refuse_excluded_version(&self.excluded_versions, &derived)?;
        let mut expansion = tagging::preview_tags(derived);
        expansion.findings.extend(missing.map(Finding::from_note));
        Ok(expansion)
    }
}

fn derive_push_tags(
    invocation: &Invocation,
    version: Option<&NamedRelease>,
    rules: &TagRuleSet,
    context: &TagContext,
) -> Result<DerivedTags, Failure> {
    let facts = dirty_checkout::check(invocation, rules, context.facts.clone())?;
    let context = TagContext {
        facts: facts.clone(),
        ..context.clone()
    };
    let rules = TagRules::new(rules.clone(), context);
    Ok(tagging::derive_push_tags(facts.as_ref(), version, &rules)?)
}

/// A promotion takes commit and version from the image. Of the image no more is known here than the inputs
/// `commit` and `version` say, and the commit that a promotion without `source` looks it up by. Returns also
/// what to set to show the rest.
fn derive_promote_tags(
    invocation: &Invocation,
    naming: ReleaseNaming,
    rules: &TagRuleSet,
    context: &TagContext,
) -> Result<(DerivedTags, Option<String>), Failure> {
    let facts = context.facts.as_ref();
    let origin = ImageOrigin {
        revision: match named_commit(invocation, facts)? {
            Some(PromotedCommit {
                commit: NamedCommit::Whole(commit),
                ..
            }) => Some(commit),
            _ => None,
        },
        names: ImageNames {
            requested_version: naming.version,
            commit_tag_form: naming.commit_tag_form,
            ..ImageNames::default()
        },
        ..ImageOrigin::default()
    };
    let environment = invocation.arguments.value(Input::Environment)?;
    let rules = TagRules::new(rules.clone(), context.clone());
    let derived = tagging::derive_promote_tags(facts, &origin, environment.as_ref(), &rules)?;
    let wanted = [
        ("commit", origin.revision.is_none()),
        ("version", derived.version.is_none()),
    ];
    let missing = wanted.iter().filter(|(_, is_missing)| *is_missing);
    let names: Vec<&str> = missing.map(|(name, _)| *name).collect();
    let missing = (!names.is_empty()).then(|| {
        format!(
            "a promotion also takes the commit and the version from the image, which is not read here: set {} to show its tags",
            names.join(" and ")
        )
    });
    Ok((derived, missing))
}
