use proptest::prelude::*;

use super::*;
use crate::image::{CanonicalPlace, Destination, RealPaths};
use crate::tagging::{CompatMode, EnvironmentName};

/// The environments and services of the design's example.
const SERVICES_POLICY: &str = "\
environments:
  dev:
    repository: dev.example.com/team/{service}
    tags: |
      type=sha,prefix=sha-
      type=raw,value=latest
  stage:
    repository: stage.example.com/team/{service}
    from: dev
  prod:
    repository: prod.example.com/team/{service}
    from: stage
services: [web, api]
";

pub(super) fn read(text: &str) -> Result<ReleasePolicy, String> {
    ReleasePolicy::parse(text.as_bytes()).map_err(|errors| {
        let lines = errors.iter().map(|error| match error.hint() {
            Some(hint) => format!("{error}. {hint}"),
            None => error.to_string(),
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

pub(super) fn refused(text: &str) -> String {
    read(text).unwrap_err()
}

fn place(text: &str) -> Destination {
    text.parse().unwrap()
}

/// The environment and service of a place, where directories are at what their paths read from `here`.
fn owner(policy: &ReleasePolicy, text: &str, here: &str) -> Result<Option<String>, MatchError> {
    let mut real = RealPaths::default();
    let requested = place(text);
    for place in policy.places().chain([&requested]) {
        if let Destination::Layout(path) = place {
            let whole = std::path::Path::new(here).join(path);
            let whole = CanonicalPlace::new(&Destination::Layout(whole), &RealPaths::default());
            if let CanonicalPlace::Directory(whole) = whole {
                real.insert(path.clone(), whole);
            }
        }
    }
    let found = policy
        .repositories(&real)?
        .matching(&requested, &CanonicalPlace::new(&requested, &real))?;
    Ok(found.map(|(stage, service)| match service {
        Some(service) => format!("{} {service}", stage.name()),
        None => stage.name().to_string(),
    }))
}

#[test]
fn a_policy_says_where_the_images_of_an_environment_are() {
    let policy = read(SERVICES_POLICY).unwrap();
    let names: Vec<_> = policy
        .environments()
        .iter()
        .map(|s| s.name().as_str())
        .collect();
    assert_eq!(names, ["dev", "stage", "prod"]);
    let stage = policy.stage(&"stage".parse().unwrap()).unwrap();
    assert_eq!(stage.from()[0].as_str(), "dev");
    assert_eq!(stage.rules(CompatMode::Compatible), Ok(None));
    let places: Vec<_> = stage
        .destinations()
        .iter()
        .map(|(service, place)| format!("{}: {place}", service.as_ref().unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            "web: stage.example.com/team/web",
            "api: stage.example.com/team/api"
        ]
    );
    let dev = policy.stage(&"dev".parse().unwrap()).unwrap();
    assert!(
        dev.rules(CompatMode::Strict)
            .unwrap()
            .unwrap()
            .needs_commit()
    );
}

#[test]
fn all_of_it_is_optional() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "environments: {}\n",
        "\u{feff}environments: {}",
    ] {
        assert_eq!(read(text), Ok(ReleasePolicy::default()), "{text:?}");
    }
    let one = read("environments: {prod: {repository: 'ghcr.io/acme/prod'}}").unwrap();
    assert_eq!(
        one.environments()[0].place(None),
        Some(&place("ghcr.io/acme/prod"))
    );
    let layouts = "environments: {dev: {repository: 'oci:out/{service}/dev'}}\nservices: [a]";
    let policy = read(layouts).unwrap();
    assert_eq!(
        policy.environments()[0].destinations()[0].1,
        place("oci:out/a/dev")
    );
}

#[test]
fn errors_name_their_position() {
    insta::assert_snapshot!(refused("environment: {}"), @"line 1, column 1: the key environment is not known here; did you mean environments?");
    insta::assert_snapshot!(refused("environments:\n  dev:\n    repository: a/b\n    form: x\n"), @"line 4, column 5: the key form is not known here; did you mean from?");
    insta::assert_snapshot!(refused("environments:\n  dev: {from: a}"), @"
    line 2, column 8: the key repository is missing. add repository: the repository of the environment's images
    line 2, column 15: there is no environment a. the file has dev
    ");
    insta::assert_snapshot!(refused("environments:\n  De_v: {repository: a/b}"), @r#"line 2, column 3: "De_v" is not a valid environment name: use 1 to 32 lower-case letters, digits or dashes, the first not a dash"#);
    insta::assert_snapshot!(refused("environments:\n  dev: {repository: 'a/b:1'}"), @"line 2, column 21: the repository names a tag or digest, and an environment has many tags. write the repository alone; the key tags of the environment decides which tags a release gets");
    insta::assert_snapshot!(refused("environments:\n  dev:\n    repository: {service}\n"), @"line 3, column 17: expected text, got a mapping. put text with {service} at its beginning in quotes");
    insta::assert_snapshot!(refused("environments:\n  dev:\n    repository: a/b\n    tags: [v1]\n"), @"line 4, column 11: expected text with a rule per line, got a list. write | after the key, and each rule on a line of its own below it");
    insta::assert_snapshot!(refused("environments:\n  dev:\n    repository: a/b\n    tags: |\n\n      v1\n      type=sah\n"), @r#"line 7, column 7: the type "sah" is not known; did you mean sha? (column 6 of "type=sah")"#);
    insta::assert_snapshot!(refused("environments:\n  dev:\n    repository: a/b\n    tags: '# none'\n"), @"line 4, column 11: tags contains no rule: remove it to derive the tags from the image");
    insta::assert_snapshot!(refused("services: web"), @"line 1, column 11: expected a list, or a mapping from names to services, got text");
    insta::assert_snapshot!(refused("services: [web, a/b]"), @r#"line 1, column 17: "a/b" is not a valid service name: use 1 to 64 lower-case letters, digits, dots, dashes or underscores, the first a letter or digit"#);
    insta::assert_snapshot!(refused("services:\n- web\n- api\n- web\n"), @"line 4, column 3: web is there twice, first in line 2");
    insta::assert_snapshot!(refused("services: [web]\nservices: [api]"), @"
    line 1, column 1: services has no effect: no repository contains {service}. put {service} into the repository of each environment, or remove services
    line 2, column 1: the key services is there twice, first in line 1
    ");
    insta::assert_snapshot!(refused("environments: {dev: {repository: }}"), @"line 1, column 32: expected text, got nothing. write the value after the colon");
    insta::assert_snapshot!(refused("environments: {dev: {repository: null}}"), @"line 1, column 34: expected text, got null. null and ~ mean nothing in YAML: put the text in quotes");
    insta::assert_snapshot!(refused("environments:\n\tdev: 1"), @"line 2, column 2: invalid YAML: tabs disallowed within this context (block indentation). indent with spaces");
}

#[test]
fn placeholders_need_services() {
    insta::assert_snapshot!(refused("environments: {dev: {repository: 'a/{service}'}}"), @"line 1, column 34: {service} needs a list of services, and services is missing. add services: [NAME, NAME] to the file");
    insta::assert_snapshot!(refused("environments: {dev: {repository: a/b}}\nservices: [web]"), @"line 2, column 1: services has no effect: no repository contains {service}. put {service} into the repository of each environment, or remove services");
    insta::assert_snapshot!(refused("environments: {dev: {repository: '{service}.example.com/a'}}\nservices: [web]"), @r#"line 1, column 34: "{service}.example.com/a" may contain {service} once, in its path, and no other braces. write {service}, in one pair of braces and lower case, after the name of the registry"#);
    insta::assert_snapshot!(refused("environments: {dev: {repository: 'a/{Service}'}}\nservices: [web]"), @r#"line 1, column 34: "a/{Service}" may contain {service} once, in its path, and no other braces. write {service}, in one pair of braces and lower case, after the name of the registry"#);
    insta::assert_snapshot!(refused("environments: {dev: {repository: 'a/{service}'}}\nservices: [a-]"), @r#"line 1, column 34: the repository has a malformed repository name "a/a-""#);
}

#[test]
fn mistakes_in_repositories_and_services_are_corrected_whole() {
    insta::assert_snapshot!(refused("environments: {dev: {repository: 'ghcr.io/Acme/{service}'}}\nservices: [web]"), @"line 1, column 34: the repository has upper-case letters in its repository name: write ghcr.io/acme/{service}");
    insta::assert_snapshot!(refused("environments: {dev: {repository: ghcr.io/Acme/web}}"), @"line 1, column 34: the repository has upper-case letters in its repository name: write ghcr.io/acme/web");
    insta::assert_snapshot!(refused("environments: {dev: {repository: 'ghcr.io/acme/web:latest'}}"), @"line 1, column 34: the repository names a tag or digest, and an environment has many tags. write the repository alone; the key tags of the environment decides which tags a release gets");
    insta::assert_snapshot!(refused("services: [Web]"), @r#"line 1, column 12: "Web" is not a valid service name: use 1 to 64 lower-case letters, digits, dots, dashes or underscores, the first a letter or digit. write web"#);
}

#[test]
fn from_names_an_environment_without_a_circle() {
    let with = |from: &str| SERVICES_POLICY.replace("    from: dev", &format!("    from: {from}"));
    insta::assert_snapshot!(refused(&with("def")), @"line 9, column 11: there is no environment def; did you mean dev?");
    insta::assert_snapshot!(refused(&with("stage")), @"line 9, column 11: stage takes its images from itself: stage from stage. leave from out in the first environment, where images are pushed");
    insta::assert_snapshot!(refused(&with("prod")), @"line 9, column 11: stage takes its images from itself: stage from prod from stage. leave from out in the first environment, where images are pushed");
    let unlike = SERVICES_POLICY.replace("dev.example.com/team/{service}", "dev.example.com/team");
    insta::assert_snapshot!(refused(&unlike), @"line 9, column 11: the repositories of this environment and of dev must both have {service} in them, or neither. put {service} into both repositories, or into neither");
}

#[test]
fn yaml_that_says_more_than_it_shows_is_refused() {
    insta::assert_snapshot!(refused("services: &a [web]\n"), @"line 1, column 11: YAML anchors (&), aliases (*) and tags (!) are not supported: write the value out, or in quotes");
    insta::assert_snapshot!(refused("a: *b\n"), @"line 1, column 4: invalid YAML: while parsing node, found unknown anchor. put text that begins with * in quotes");
    insta::assert_snapshot!(refused("services: !!str [web]\n"), @"line 1, column 11: YAML anchors (&), aliases (*) and tags (!) are not supported: write the value out, or in quotes");
    insta::assert_snapshot!(refused("services: [a]\n---\nservices: [b]\n"), @"line 3, column 1: the file holds more than one document. remove the line --- in the middle of the file");
    insta::assert_snapshot!(refused("? [a]\n: b\n"), @"line 1, column 3: a key must be text");
    insta::assert_snapshot!(refused(&"[".repeat(20)), @"line 1, column 17: the value is nested too deeply. the values of a policy are texts and lists of texts");
    let long = "#".repeat(POLICY_LIMIT + 1);
    insta::assert_snapshot!(refused(&long), @"line 1, column 1: the file has more than 1 MiB");
    assert!(ReleasePolicy::parse(b"\xff").is_err());
}

/// What nobody sees in a file does not make two keys of one.
#[test]
fn promise_5_keys_that_read_alike_are_one_key_or_an_error() {
    let two = |first: &str, second: &str| {
        refused(&format!(
            "environments:\n  {first}: {{repository: 'oci:a'}}\n  {second}: {{repository: 'oci:b'}}\n"
        ))
    };
    for second in [
        "'prod '",
        "' prod'",
        "\"prod\\t\"",
        "\"prod\\n\"",
        "\"prod\\_\"",
        "\"\\u2003prod\"",
        "\"prod\\u0085\"",
        "'Prod '",
    ] {
        let error = two("prod", second);
        assert!(error.starts_with("line 3, column 3: the key "), "{error}");
        assert!(
            error.ends_with(" has blanks around it: remove them"),
            "{error}"
        );
    }
    for second in ["prod", "\"\\x70rod\""] {
        let error = two("prod", second);
        let expected = "line 3, column 3: the key prod is there twice, first in line 2";
        assert_eq!(error, expected, "{second}");
    }
    for second in [
        "\"prod\\u200b\"",
        "\"prod\\u00ad\"",
        "\"\\ufeffprod\"",
        "\"pr\\u043ed\"",
        "\"\\uff50rod\"",
        "\"prod\\u2060\"",
        "\"prod\\u202e\"",
        "\"pro\\u0501\"",
        "'pro d'",
    ] {
        let error = two("prod", second);
        assert!(error.starts_with("line 3, column 3: "), "{error}");
        assert!(error.contains("the first not a dash"), "{error}");
    }
    for second in ["Prod", "PROD", "'prOD'"] {
        let error = two("prod", second);
        assert_eq!(
            error, "line 3, column 3: prod is there twice, first in line 2",
            "{second}"
        );
    }
    let keys = "environments: {a: {repository: 'oci:a', 'repository ': 'oci:b'}}";
    insta::assert_snapshot!(refused(keys), @"line 1, column 41: the key repository has blanks around it: remove them");
    insta::assert_snapshot!(refused("services: [a]\n' services': [b]\n"), @"
    line 1, column 1: services has no effect: no repository contains {service}. put {service} into the repository of each environment, or remove services
    line 2, column 1: the key services has blanks around it: remove them
    ");
    insta::assert_snapshot!(refused("environments: {a: {repository: 'oci:{service}'}}\nservices: [web, 'web ']\n"), @"line 2, column 17: web is there twice, first in line 2");
}

/// Services and environments multiply: both are bounded, and so is what they make together.
#[test]
fn promise_5_a_policy_is_bounded() {
    let environments = |count: usize| -> String {
        let one = |at| format!("  e{at}: {{repository: 'oci:o{at}/{{service}}'}}\n");
        format!("environments:\n{}", (0..count).map(one).collect::<String>())
    };
    let services = |count: usize| -> String {
        let one = |at| format!("- a{at}\n");
        format!("services:\n{}", (0..count).map(one).collect::<String>())
    };
    let whole = |stages: usize, count: usize| environments(stages) + &services(count);
    let roads = |count: usize| -> String {
        let one = |at: usize| match at {
            0 => "  e0: {repository: 'oci:o0'}\n".to_owned(),
            at => format!("  e{at}: {{repository: 'oci:o{at}', from: e{}}}\n", at - 1),
        };
        format!("environments:\n{}", (0..count).map(one).collect::<String>())
    };
    assert_eq!(read(&whole(10, 1_000)).unwrap().places().count(), 10_010);
    assert_eq!(read(&whole(1, 10_000)).unwrap().services().len(), 10_000);
    assert_eq!(read(&roads(1_000)).unwrap().environments().len(), 1_000);
    insta::assert_snapshot!(refused(&whole(200, 20_000)), @"line 10203, column 3: expected at most 10000 services");
    insta::assert_snapshot!(refused(&whole(200, 51)), @"
    line 198, column 22: expected at most 10000 repositories in all environments together, services times environments
    ");
    insta::assert_snapshot!(refused(&whole(2, 10_000)), @"line 3, column 20: expected at most 10000 repositories in all environments together, services times environments");
    insta::assert_snapshot!(refused(&roads(1_001)), @"line 1002, column 3: expected at most 1000 environments");
    let long = format!(
        "environments: {{a: {{repository: 'oci:{}'}}}}",
        "x".repeat(1_000)
    );
    insta::assert_snapshot!(refused(&long), @"line 1, column 32: expected a repository of at most 1000 characters");
    let many = format!("services: [{}]", "a,".repeat(60_000));
    insta::assert_snapshot!(refused(&many), @"line 1, column 100006: expected at most 50000 values");
}

#[test]
fn promise_5_another_file_only_adds() {
    let own = || read(SERVICES_POLICY).unwrap();
    let added = |text: &str| own().with(read(text).unwrap());
    let more = added("environments: {test: {repository: 'oci:t'}}").unwrap();
    let names = |policy: &ReleasePolicy| -> Vec<String> {
        policy
            .environments()
            .iter()
            .map(|it| it.name().to_string())
            .collect()
    };
    assert_eq!(names(&more), ["dev", "stage", "prod", "test"]);
    assert_eq!(more.services(), own().services());
    let service = added("environments: {x: {repository: 'prod.example.com/team/db'}}").unwrap();
    assert_eq!(
        service
            .repositories(&RealPaths::default())
            .unwrap_err()
            .to_string(),
        "prod.example.com/team/db would be db in the environment prod, and services names no db"
    );
    // The same once more, wherever it stands in its file, changes nothing.
    assert_eq!(
        added(&format!("# other lines\n{SERVICES_POLICY}")),
        Ok(own())
    );
    assert_eq!(own().with(ReleasePolicy::default()), Ok(own()));
    for (from, to) in [
        ("prod.example.com/team", "other.example.com/team"),
        ("    from: stage\n", ""),
        ("from: stage", "from: dev"),
        ("    from: stage\n", "    from: stage\n    tags: v1\n"),
        ("[web, api]", "[web]"),
        ("[web, api]", "[web, api, db]"),
        ("type=sha,", "type=sha,format=long,"),
    ] {
        let text = SERVICES_POLICY.replace(from, to);
        assert_ne!(text, SERVICES_POLICY);
        assert!(added(&text).is_err(), "{to}");
    }
}

/// What stays is written in `retention`, and nobody may rely on it elsewhere.
#[test]
fn a_key_of_retention_is_refused_outside_of_it_with_its_place() {
    let text = "environments:\n  prod:\n    repository: a/b\n    keep: {released: 7y}\n";
    insta::assert_snapshot!(refused(text), @"line 4, column 5: the key keep belongs to retention, of the file or of an environment. write retention: {keep: …}");
    let text = "environments:\n  prod:\n    repository: a/b\nprune: [{tags: x, older-than: 1d}]\n";
    insta::assert_snapshot!(refused(text), @"line 4, column 1: the key prune belongs to retention, of the file or of an environment. write retention: {prune: …}");
    let text = "defaults: {keep: {released: 7y}}\nenvironments:\n  prod:\n    repository: a/b\n";
    insta::assert_snapshot!(refused(text), @"line 1, column 12: the key keep belongs to retention, of the file or of an environment. write retention: {keep: …}");
}

/// A key in a place that is not its own means nothing there, and is no key of later either.
#[test]
fn a_key_in_another_place_is_not_known_there() {
    let known = ["repository", "from", "tags"];
    let own = ["sign", "signers", "adopt-until", "trust"];
    let later = ["refs", "gates", "production", "immutable"];
    let later = own.into_iter().chain(later);
    for key in known.into_iter().chain(later) {
        let error = refused(&format!("{SERVICES_POLICY}{key}: x\n"));
        let expected = format!("line 14, column 1: the key {key} is not known here");
        assert!(error.starts_with(&expected), "{error}");
    }
    for key in [
        "services",
        "trust",
        "identity",
        "environments",
        "",
        "Repository",
        "<<",
    ] {
        let text = format!("environments:\n  dev:\n    repository: a/b\n    {key:?}: x\n");
        let error = refused(&text);
        let expected = format!("line 4, column 5: the key {key} is not known here");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn promise_5_no_repository_has_two_environments() {
    for (first, second) in [
        ("ghcr.io/acme/x", "ghcr.io/acme/x"),
        ("ghcr.io/acme/x", "GHCR.io:443/acme/x"),
        ("acme/x", "index.docker.io/acme/x"),
        ("docker.io/x", "registry-1.docker.io:443/library/x"),
        ("localhost:5000/x", "127.1:5000/x"),
        ("10.0.0.1/x", "[::ffff:a00:1]:443/x"),
        ("oci:out/a/../x", "oci:./out/x/"),
    ] {
        let text = format!(
            "environments:\n  a: {{repository: '{first}'}}\n  b: {{repository: '{second}'}}\n"
        );
        let error = refused(&text);
        assert!(
            error.contains(" belongs to the environment a already. "),
            "{error}"
        );
    }
    let crossed = "environments:\n  a: {repository: 'r.io/{service}'}\n  b: {repository: 'r.io/b-{service}'}\nservices: [x, b-x]\n";
    assert_eq!(
        refused(crossed),
        "line 3, column 19: r.io/b-x belongs to the environment a already. give each environment a repository of its own, such as one with the environment's name in its path"
    );
}

#[test]
fn promise_5_a_place_is_known_by_any_of_its_names() {
    let here = "/home/user";
    let text = "environments:
  one: {repository: acme/web}
  each: {repository: 'registry.example.com/{service}/prod'}
  six: {repository: '[::1]:5000/a'}
  disk: {repository: 'oci:out/{service}'}
services: [web, api]
";
    let policy = read(text).unwrap();
    for (name, expected) in [
        ("docker.io/acme/web", Some("one")),
        ("registry-1.docker.io/acme/web", Some("one")),
        ("registry-1.docker.io:443/acme/web", Some("one")),
        ("127.0.0.1:5000/a", Some("six")),
        ("2130706433:5000/a", Some("six")),
        ("Registry.example.com:443/api/prod", Some("each api")),
        ("registry.example.com:0080/web/prod", Some("each web")),
        ("[0:0::1]:5000/a", Some("six")),
        ("oci:/home/user/out/web", Some("disk web")),
        ("oci:./x/../out//web/", Some("disk web")),
        ("registry.example.com:5000/web/prod", None),
        ("registry.example.com/web/prod/x", None),
        ("registry.example.com/web", None),
        ("oci:/out/web", None),
        ("oci:../out/web", None),
    ] {
        let found = owner(&policy, name, here).unwrap();
        assert_eq!(found.as_deref(), expected, "{name}");
    }
    let unknown = |name: &str| owner(&policy, name, here).unwrap_err().to_string();
    insta::assert_snapshot!(unknown("registry.example.com/db/prod"), @"registry.example.com/db/prod would be db in the environment each, and services names no db");
    insta::assert_snapshot!(unknown("oci:out/db"), @"oci:out/db would be db in the environment disk, and services names no db");
}

/// Two that overlap only with a directory's other name are found where it is known.
#[test]
fn promise_5_two_matches_are_an_error() {
    let text = "environments:\n  a: {repository: 'oci:out'}\n  b: {repository: 'oci:/home/out'}\n";
    let policy = read(text).unwrap();
    let error = owner(&policy, "oci:elsewhere", "/home").unwrap_err();
    assert_eq!(
        error.to_string(),
        "oci:/home/out belongs to two environments, a and b"
    );
    assert_eq!(owner(&policy, "oci:out", "/root"), Ok(Some("a".to_owned())));
    let text = "environments: {a: {repository: 'oci:out/{service}'}}\nservices: [web, api]\n";
    let policy = read(text).unwrap();
    let mut real = RealPaths::default();
    for name in ["out/web", "out/api"] {
        real.insert(name.into(), "/home/out/web".into());
    }
    assert_eq!(
        policy.repositories(&real).unwrap_err().to_string(),
        "oci:out/api belongs to two services in the environment a, web and api"
    );
}

proptest! {
    /// Whatever is written is refused with a place in the file, or is a policy that holds what the
    /// types say.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z{}:,\\[\\]&*!|>'\" \n\t#-]{0,80}") {
        check(&text);
    }

    /// Files that are nearly right.
    #[test]
    fn any_damage_is_refused_or_harmless(at in 0..SERVICES_POLICY.len(), by in "[a-z{}:,&*|' \n-]{0,4}", cut in 0..12usize) {
        let end = (at + cut).min(SERVICES_POLICY.len());
        check(&format!("{}{by}{}", &SERVICES_POLICY[..at], &SERVICES_POLICY[end..]));
    }

    /// Every service has its repository in every environment, and is found by it.
    #[test]
    fn places_and_services_are_one_to_one(names in proptest::collection::btree_set("[a-z][a-z0-9]{0,8}", 1..20)) {
        let services: Vec<_> = names.into_iter().collect();
        let list = services.join(", ");
        let policy = read(&SERVICES_POLICY.replace("web, api", &list)).unwrap();
        let repositories = policy.repositories(&RealPaths::default()).unwrap();
        for stage in policy.environments() {
            prop_assert_eq!(stage.destinations().len(), services.len());
            for (service, place) in stage.destinations() {
                let canonical = CanonicalPlace::new(place, &RealPaths::default());
                let found = repositories.matching(place, &canonical).unwrap().unwrap();
                prop_assert_eq!((found.0.name(), found.1), (stage.name(), service.as_ref()));
            }
        }
    }
}

fn check(text: &str) {
    let lines = text.lines().count() + 1;
    match ReleasePolicy::parse(text.as_bytes()) {
        Ok(policy) => {
            for stage in policy.environments() {
                for from in stage.from() {
                    let from = policy.stage(from).unwrap();
                    assert_eq!(from.destinations().len(), stage.destinations().len());
                }
            }
        }
        Err(errors) => {
            let is_placed = |at: FilePosition| (1..=lines).contains(&at.line) && at.column > 0;
            assert!(errors.iter().all(|error| is_placed(error.at)), "{errors}");
        }
    }
}

#[test]
fn unbound_reports_are_allowed_by_the_policy_alone() {
    let with = |key: &str| format!("environments: {{dev: {{repository: a/b{key}}}}}");
    for (key, allows) in [
        ("", false),
        (", unbound: allow", true),
        (", unbound: refuse", false),
    ] {
        let policy = read(&with(key)).unwrap();
        assert_eq!(policy.environments()[0].allows_unbound(), allows, "{key}");
    }
    insta::assert_snapshot!(refused(&with(", unbound: yes")), @r#"line 1, column 48: "yes" is not one of refuse, allow"#);
}

#[test]
fn what_inputs_may_not_loosen_stands_in_the_policy() {
    let with =
        |file: &str, key: &str| format!("{file}\nenvironments: {{dev: {{repository: a/b{key}}}}}");
    let plain = read(&with("", "")).unwrap();
    assert_eq!(plain.environments()[0].existing(), None);
    assert_eq!(plain.trusted_root(), None);
    assert!(plain.logs_attestations());
    let keeps = read(&with("", ", existing: keep")).unwrap();
    assert_eq!(keeps.environments()[0].existing(), Some(ExistingTags::Keep));
    let fails = read(&with("defaults: {existing: fail}", "")).unwrap();
    assert_eq!(fails.environments()[0].existing(), Some(ExistingTags::Fail));
    let instance = "trusted-root: sigstore/root.json\ntransparency-log: attestations";
    let private = read(&with(instance, "")).unwrap();
    assert_eq!(private.trusted_root(), Some("sigstore/root.json"));
    assert!(!private.logs_attestations());
    insta::assert_snapshot!(refused(&with("trusted-root: ../root.json", ", existing: move")), @r#"
    line 1, column 15: "../root.json" is not a path in the repository: expected a relative path without . and ..
    line 2, column 49: "move" is not one of fail, keep
    "#);
    insta::assert_snapshot!(refused(&with("transparency-log: off", "")), @r#"line 1, column 19: "off" is not one of on, attestations"#);
}

#[test]
fn images_can_come_from_several_environments() {
    let environment =
        |name: &str, from: &str| format!("  {name}: {{repository: 'oci:{name}'{from}}}\n");
    let with = |from: &str| {
        let environments = [
            ("dev", ""),
            ("stage", ", from: dev"),
            ("hotfix", ""),
            ("prod", from),
        ];
        let each = environments.map(|(name, from)| environment(name, from));
        format!("environments:\n{}", each.concat())
    };
    let names = |stages: &[&EnvironmentRules]| -> Vec<String> {
        stages
            .iter()
            .map(|stage| stage.name().to_string())
            .collect()
    };
    let policy = read(&with(", from: [stage, Hotfix]")).unwrap();
    let prod = policy.environments().last().unwrap();
    let from = prod.from().iter().map(EnvironmentName::as_str);
    assert_eq!(from.collect::<Vec<_>>(), ["stage", "hotfix"]);
    assert_eq!(
        names(&policy.with_sources(prod)),
        ["prod", "stage", "hotfix", "dev"]
    );
    let one = read(&with(", from: [stage]")).unwrap();
    assert!(
        one.environments()[3]
            .says_the_same(&read(&with(", from: stage")).unwrap().environments()[3])
    );
    insta::assert_snapshot!(refused(&with(", from: []")), @"line 5, column 40: expected one or more environments, got an empty list. add an entry, or remove the key");
    insta::assert_snapshot!(refused(&with(", from: [stage, stage]")), @"line 5, column 48: stage is there twice, first in line 5");
    insta::assert_snapshot!(refused(&with(", from: [stage, hotfx]")), @"line 5, column 48: there is no environment hotfx; did you mean hotfix?");
    insta::assert_snapshot!(refused(&with(", from: {stage: x}")), @"line 5, column 40: expected text or a list, got a mapping");
    insta::assert_snapshot!(refused(&with(", from: [hotfix, prod]")), @"line 5, column 49: prod takes its images from itself: prod from prod. leave from out in the first environment, where images are pushed");
    let many: Vec<String> = (0..=20).map(|number| format!("e{number}")).collect();
    insta::assert_snapshot!(refused(&with(&format!(", from: [{}]", many.join(", ")))), @"line 5, column 131: expected at most 20 environments");
    let crossing = "environments:\n  a: {repository: x, from: [c, b]}\n  b: {repository: y}\n  c: {repository: z, from: [b, d]}\n  d: {repository: w, from: a}\n";
    insta::assert_snapshot!(refused(crossing), @"line 2, column 29: a takes its images from itself: a from c from d from a. leave from out in the first environment, where images are pushed");
}

/// Ways that come together are no cycle, however many they are.
#[test]
fn a_graph_of_many_ways_is_read_at_once() {
    let mut text =
        String::from("environments:\n  a0: {repository: 'oci:a0'}\n  b0: {repository: 'oci:b0'}\n");
    for level in 1..400 {
        for side in ["a", "b"] {
            let before = level - 1;
            text += &format!(
                "  {side}{level}: {{repository: 'oci:{side}{level}', from: [a{before}, b{before}]}}\n"
            );
        }
    }
    let policy = read(&text).unwrap();
    let last = policy.environments().last().unwrap();
    assert_eq!(policy.with_sources(last).len(), 799);
}
