//! Plan of a release: what somebody approved who approved it. Policy, images, versions and tags of all services as a
//! canonical text; its digest is the plan's. What destinations have is no part of it, so that a run that is repeated has
//! the same plan.

use super::Failure;
use super::plan_terms::PlanTerms;
use crate::image::{Destination, Digest};
use crate::notices::Notices;
use crate::policy::Service;
use crate::tagging::EnvironmentName;

/// Image of a service, with what it is going to be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedRelease {
    pub(super) places: Vec<Destination>,
    pub(super) source: Digest,
    pub(super) root: Digest,
    pub(super) version: Option<String>,
    /// Tags, each with whether it is immutable.
    pub(super) tags: Vec<(String, bool)>,
}

impl PlannedRelease {
    /// Appends a line for each fact. Texts from outside are quoted, so that none of them adds a line.
    fn push_lines(&self, service: Option<&Service>, text: &mut String) {
        let mut line = |name: &str, value: &str| *text += &format!("{name} {value}\n");
        line("service", service.map_or("-", Service::as_str));
        for place in &self.places {
            line("to", &quoted(&place.to_string()));
        }
        line("source", &self.source.to_string());
        line("image", &self.root.to_string());
        line(
            "version",
            &self.version.as_deref().map_or("-".to_owned(), quoted),
        );
        for (tag, is_immutable) in &self.tags {
            let kind = match is_immutable {
                true => "immutable",
                false => "moving",
            };
            line("tag", &format!("{tag} {kind}"));
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Plan of a release of one or several services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasePlan {
    text: String,
}

impl ReleasePlan {
    /// Returns the plan of services, in whatever order they are given.
    pub(super) fn new<'a>(
        terms: &PlanTerms,
        environment: Option<&EnvironmentName>,
        services: impl IntoIterator<Item = (Option<&'a Service>, PlannedRelease)>,
    ) -> Self {
        let mut text = "shipmark plan 1\n".to_owned();
        for digest in &terms.policy {
            text += &format!("policy {digest}\n");
        }
        let environment = environment.map_or("-", EnvironmentName::as_str);
        text += &format!("environment {environment}\n");
        let mut services: Vec<_> = services.into_iter().collect();
        services.sort_by_key(|(service, _)| service.map(Service::as_str));
        for (service, planned) in services {
            planned.push_lines(service, &mut text);
        }
        Self { text }
    }

    /// Returns the canonical text: a line for each fact.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the digest of the text.
    pub fn digest(&self) -> Digest {
        Digest::from_bytes(self.text.as_bytes())
    }

    /// Requires that the plan is the one that is expected; logs its text where it is not.
    ///
    /// # Errors
    /// A refusal of another plan.
    pub(super) fn require(&self, terms: &PlanTerms, notices: &Notices) -> Result<(), Failure> {
        let Some(expected) = terms.expected.filter(|expected| *expected != self.digest()) else {
            return Ok(());
        };
        notices.info(format!(
            "the plan of this run is:\n{}",
            self.text.trim_end()
        ));
        let mut reason = "policy, images, versions or tags differ from those that were approved: the log has the plan of this run, and the report of check the other one".to_owned();
        if !terms.names_images {
            reason += "; sources is not given, so that the images were looked up again";
        }
        let failure = Failure::refused(format!(
            "the plan of this release is {}, expected {expected}",
            self.digest()
        ));
        Err(failure.with_reason(reason).with_hint(match terms.names_images {
            true => "run check again, and approve its plan",
            false => "give the outputs sources and plan of the same check, or run check again and approve its plan",
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(place: &str, version: &str) -> PlannedRelease {
        PlannedRelease {
            places: vec![place.parse().unwrap()],
            source: Digest::from_bytes(b"source"),
            root: Digest::from_bytes(b"root"),
            version: Some(version.to_owned()),
            tags: vec![("1.4.0".to_owned(), true), ("prod".to_owned(), false)],
        }
    }

    fn plan(services: &[(&str, PlannedRelease)]) -> ReleasePlan {
        let terms = PlanTerms {
            policy: vec![Digest::from_bytes(b"policy")],
            ..PlanTerms::default()
        };
        let names: Vec<Service> = services.iter().map(|(it, _)| it.parse().unwrap()).collect();
        let services = names.iter().zip(services);
        let services = services.map(|(name, (_, planned))| (Some(name), planned.clone()));
        ReleasePlan::new(&terms, "prod".parse().ok().as_ref(), services)
    }

    #[test]
    fn the_text_has_a_line_for_each_fact() {
        let plan = plan(&[("web", planned("prod.example.com/web", "1.4.0\ntag x"))]);
        let [policy, source, root] = ["policy", "source", "root"]
            .map(|text| Digest::from_bytes(text.as_bytes()).to_string());
        let text = plan.text().replace(&policy, "POLICY");
        let text = text.replace(&source, "SOURCE").replace(&root, "ROOT");
        insta::assert_snapshot!(text, @r#"
        shipmark plan 1
        policy POLICY
        environment prod
        service web
        to "prod.example.com/web"
        source SOURCE
        image ROOT
        version "1.4.0\ntag x"
        tag 1.4.0 immutable
        tag prod moving
        "#);
    }

    #[test]
    fn the_plan_is_the_same_in_any_order_of_services_and_differs_with_each_fact() {
        let [web, api] = ["web", "api"].map(|name| planned(&format!("oci:{name}"), "1.4.0"));
        let one = plan(&[("web", web.clone()), ("api", api.clone())]);
        assert_eq!(one, plan(&[("api", api.clone()), ("web", web.clone())]));
        let swapped = plan(&[("web", api.clone()), ("api", web.clone())]);
        assert_ne!(one.digest(), swapped.digest());
        let changes: [fn(&mut PlannedRelease); 6] = [
            |it| it.version = None,
            |it| it.source = Digest::from_bytes(b"other"),
            |it| it.root = Digest::from_bytes(b"other"),
            |it| it.tags[1].1 = true,
            |it| drop(it.tags.pop()),
            |it| it.places.push("oci:other".parse().unwrap()),
        ];
        for change in changes {
            let mut changed = web.clone();
            change(&mut changed);
            let other = plan(&[("web", changed), ("api", api.clone())]);
            assert_ne!(one.digest(), other.digest(), "{}", other.text());
        }
    }
}
