//! First line of a run: what goes where, before anything is asked of a registry.

use super::invocation::Invocation;
use super::release_targets::{ImageRoute, ReleaseTargets, RouteSearch, RouteSource};
use crate::cli::{Input, InputError, Verb};
use crate::image::TagOrDigest;
use crate::release::ReleaseVerb;

/// Services that are listed.
const LIST_LIMIT: usize = 20;

/// Says which images a release copies to which repositories.
///
/// # Errors
/// `dry-run` that is neither true nor false.
pub(super) fn announce_release(
    invocation: &Invocation,
    verb: ReleaseVerb,
    targets: &ReleaseTargets<'_>,
) -> Result<(), InputError> {
    let environment = targets.environment.as_ref();
    let environment = environment.map(|name| format!("environment {name}"));
    let arguments = &invocation.arguments;
    let is_dry = arguments.is_accepted(Input::DryRun) && arguments.switch(Input::DryRun)?;
    let dry_run = is_dry.then(|| "dry run".to_owned());
    let remarks: Vec<_> = environment.into_iter().chain(dry_run).collect();
    let doing = match (arguments.verb, verb) {
        (Verb::Check, _) => "checking a promotion of",
        (_, ReleaseVerb::Push) => "pushing",
        (_, ReleaseVerb::Promote) => "promoting",
    };
    let line = release_line(doing, &targets.routes, &remarks.join(", "));
    invocation.log.info(&line);
    Ok(())
}

/// Says which image or file the verb is about.
pub(super) fn announce(invocation: &Invocation, doing: &str, subject: &str) {
    invocation.log.info(&format!("{doing} {subject}"));
}

fn release_line(doing: &str, routes: &[ImageRoute<'_>], remarks: &str) -> String {
    let remarks = match remarks {
        "" => String::new(),
        remarks => format!(" ({remarks})"),
    };
    if let [route] = routes {
        return format!("{doing} {}{remarks}", route_phrase(route));
    }
    let mut text = format!("{doing} {} services{remarks}", routes.len());
    for route in routes.iter().take(LIST_LIMIT) {
        let service = route.service.as_ref().map(ToString::to_string);
        let service = service.unwrap_or_default();
        text += &format!("\n  {service}: {}", route_phrase(route));
    }
    match routes.len().saturating_sub(LIST_LIMIT) {
        0 => text,
        more => format!("{text}\n  and {more} more"),
    }
}

fn route_phrase(route: &ImageRoute<'_>) -> String {
    let places = route.destinations.iter().map(ToString::to_string);
    let places: Vec<_> = places.collect();
    let source = match &route.source {
        RouteSource::Named(source) => source.to_string(),
        RouteSource::Sought(search) => {
            let origins = route.origins.iter().map(|origin| origin.place.to_string());
            let origins = origins.collect::<Vec<_>>().join(" or ");
            match search {
                RouteSearch::OfCommit => format!("the image of the commit in {origins}"),
                RouteSearch::Target(TagOrDigest::Tag(tag)) => format!("the tag {tag} in {origins}"),
                RouteSearch::Target(TagOrDigest::Digest(digest)) => {
                    format!("{digest} in {origins}")
                }
                RouteSearch::Newest => format!("the newest release in {origins}"),
            }
        }
    };
    format!("{source} to {}", places.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::release_targets::RouteOrigin;

    fn route(service: &str, destinations: &[&str]) -> ImageRoute<'static> {
        ImageRoute {
            service: service.parse().ok(),
            source: RouteSource::Named(format!("ghcr.io/acme/{service}:1.4.0").parse().unwrap()),
            origins: Vec::new(),
            destinations: destinations.iter().map(|it| it.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn the_first_line_says_what_goes_where() {
        let one = [route("web", &["prod.example.com/web", "oci:mirror"])];
        insta::assert_snapshot!(
            release_line("promoting", &one, "environment prod, dry run"),
            @"promoting ghcr.io/acme/web:1.4.0 to prod.example.com/web and oci:mirror (environment prod, dry run)"
        );
        let found = ImageRoute {
            source: RouteSource::Sought(RouteSearch::OfCommit),
            origins: vec![RouteOrigin {
                rules: None,
                place: "ghcr.io/acme/web".parse().unwrap(),
            }],
            ..route("web", &["prod.example.com/web"])
        };
        insta::assert_snapshot!(
            release_line("promoting", &[found], ""),
            @"promoting the image of the commit in ghcr.io/acme/web to prod.example.com/web"
        );
        let two = ["web", "api"].map(|name| route(name, &["prod.example.com/x"]));
        insta::assert_snapshot!(release_line("pushing", &two, ""), @r"
        pushing 2 services
          web: ghcr.io/acme/web:1.4.0 to prod.example.com/x
          api: ghcr.io/acme/api:1.4.0 to prod.example.com/x
        ");
        let many: Vec<_> = (0..30).map(|_| route("web", &["oci:x"])).collect();
        let line = release_line("pushing", &many, "environment prod");
        assert_eq!(line.lines().count(), 22);
        assert!(line.ends_with("\n  and 10 more"), "{line}");
    }
}
