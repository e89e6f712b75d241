use super::credential_inputs::{self, collect_secrets};
use super::invocation::Invocation;
use super::release_request::ReleaseJob;
use super::{event_inputs, promote, push};
use crate::actions::ProcessEnvironment;
use crate::cli::{self, CliAction};
use crate::release::{self, ExistingTagPolicy, Failure};
use crate::report::{LogReader, RunLog};
use crate::tagging::TagRules;

pub(super) const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

/// A push in a runner, with further variables. The tests run in this repository's own checkout, where
/// there is one, and so in that of the workflow.
pub(super) fn in_runner(variables: &[(&str, &str)]) -> Invocation {
    let given = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/tags/v1.4.0"),
        ("GITHUB_SHA", SHA),
        ("GITHUB_REPOSITORY", "acme/web"),
        ("INPUT_COMMAND", "push"),
        ("INPUT_SOURCE", "oci:dev"),
        ("INPUT_IMAGES", "oci:prod"),
    ];
    let commit = event_inputs::open_checkout().map(|checkout| checkout.commit.to_string());
    let commit = commit.unwrap_or_default();
    let workflow = ("GITHUB_WORKFLOW_SHA", commit.as_str());
    let given = given.iter().chain([&workflow]).chain(variables);
    read(&["shipmark"], given.copied().collect())
}

/// A promotion on the command line, with further flags.
pub(super) fn given(flags: &[&str]) -> Invocation {
    let line = [
        "shipmark",
        "promote",
        "--source=oci:dev",
        "--images=oci:prod",
    ];
    read(&[&line, flags].concat(), ProcessEnvironment::default())
}

fn read(line: &[&str], environment: ProcessEnvironment) -> Invocation {
    let line: Vec<_> = line.iter().map(std::ffi::OsString::from).collect();
    let arguments = match cli::parse(&line, &environment) {
        Ok(CliAction::Run(arguments)) => arguments,
        other => panic!("{other:?}"),
    };
    Invocation {
        arguments,
        environment,
        log: RunLog::new(std::io::sink(), LogReader::Job),
    }
}

/// Waits for what needs no network.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn diagnostic<T>(result: Result<T, Failure>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(Failure::Refused(diagnostic)) => format!("refused: {diagnostic}"),
        Err(Failure::Input(diagnostic)) => format!("error: {diagnostic}"),
        Err(other) => panic!("{other:?}"),
    }
}

fn one(job: impl Future<Output = Result<ReleaseJob, Failure>>) -> release::ReleaseRequest {
    match wait(job).unwrap() {
        ReleaseJob::One(request) => *request,
        ReleaseJob::Batch(batch) => panic!("{batch:?}"),
    }
}

#[test]
fn arguments_become_a_request() {
    let request = one(push::build_request(&in_runner(&[
        ("INPUT_IMAGES", "ghcr.io/acme/web\noci:prod"),
        ("INPUT_ENVIRONMENT", "prod"),
        ("INPUT_EXISTING", "keep"),
        ("INPUT_DRY-RUN", "true"),
    ])));
    assert_eq!(request.verb, release::ReleaseVerb::Push);
    assert_eq!(request.source.to_string(), "oci:dev");
    assert_eq!(request.destinations.len(), 2);
    assert_eq!(request.environment.unwrap().as_str(), "prod");
    assert_eq!(request.existing, ExistingTagPolicy::Keep);
    assert!(request.dry_run && request.facts.is_some());
    let request = one(promote::build_request(&given(&[])));
    assert_eq!(request.verb, release::ReleaseVerb::Promote);
    assert_eq!(request.existing, ExistingTagPolicy::PerTagKind);
    assert!(!request.dry_run && request.rules == TagRules::Default);
}

#[test]
fn wrong_values_are_named_with_their_place() {
    let push = |name, value| diagnostic(wait(push::build_request(&in_runner(&[(name, value)]))));
    insta::assert_snapshot!(push("INPUT_TAGS", "a\n\ntype=sah"), @r#"error: tags, line 3: the type "sah" is not known; did you mean sha? (column 6 of "type=sah")"#);
    insta::assert_snapshot!(push("INPUT_ENVIRONMENT", "pr_od"), @r#"error: environment: "pr_od" is not a valid environment name: use 1 to 32 lower-case letters, digits or dashes, the first not a dash"#);
    insta::assert_snapshot!(push("INPUT_IMAGES", "ghcr.io/a/b:1"), @r#"error: images, line 1: "ghcr.io/a/b:1" names a tag: give only the repository or directory; the tags are derived or come from the input tags"#);
    insta::assert_snapshot!(push("INPUT_SOURCE", "dir:web"), @r#"error: source: "dir:web" is of the form dir:, which is not supported: use a registry reference, oci:DIR, oci-archive:FILE, docker-archive:FILE or docker-daemon:NAME"#);
}

#[test]
fn somewhere_has_to_be_named() {
    let push = diagnostic(wait(push::build_request(&in_runner(&[(
        "INPUT_IMAGES",
        "",
    )]))));
    insta::assert_snapshot!(push, @r"
    error: images is required
     hint: name the places in images, or with environment one of the policy file's
    ");
}

#[test]
fn in_a_runner_an_environment_goes_by_the_event_alone() {
    let prod = ("INPUT_ENVIRONMENT", "prod");
    let push = |name| {
        diagnostic(wait(push::build_request(&in_runner(&[
            prod,
            (name, "refs/heads/x"),
        ]))))
    };
    insta::assert_snapshot!(push("INPUT_REF"), @r"
    refused: the input ref in a release to the environment prod
     why:  in a runner the event decides what may be released to an environment
     hint: leave ref out, or start the workflow on the ref that is meant
    ");
    assert!(push("INPUT_EVENT").starts_with("refused: the input event"));
    let flags = ["--environment=prod", "--ref=refs/heads/x"];
    assert_eq!(
        diagnostic(wait(promote::build_request(&given(&flags)))),
        "done"
    );
}

#[test]
fn logins_are_read_whatever_the_password_holds() {
    let given = in_runner(&[(
        "INPUT_CREDENTIALS",
        "ghcr.io=robot:made=up:word\nlocalhost:5000=a:b",
    )]);
    let logins = credential_inputs::parse_credentials(&given)
        .unwrap()
        .credentials;
    assert_eq!(logins[0].scope.to_string(), "ghcr.io");
    assert_eq!(logins[0].user, "robot");
    let password = secrecy::ExposeSecret::expose_secret(&logins[0].password);
    assert_eq!(password, "made=up:word");
    assert_eq!(logins[1].scope.to_string(), "localhost:5000");
}

#[test]
fn a_malformed_login_is_not_repeated() {
    for text in [
        "made-up-word",
        "ghcr.io=made-up-word",
        "robot:made-up=word",
        "ghcr.io=a:made-up-word\nghcr.io=a:made-up-word",
        "https://ghcr.io/made-up-word=a:b",
    ] {
        let given = in_runner(&[("INPUT_CREDENTIALS", text)]);
        let error = credential_inputs::parse_credentials(&given)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("credentials, line "), "{error}");
        assert!(!error.contains("made"), "{error}");
        let secrets = collect_secrets(&given.arguments);
        for line in text.lines() {
            assert!(!secrets.redact(line).contains("made-up-word"), "{line}");
        }
    }
}

/// An empty text is what a secret is that the job cannot read.
#[test]
fn an_empty_login_names_its_registry_and_its_line() {
    let one = |line: &str| format!("a.example=robot:made-up-word\n{line}");
    for line in [
        "b.example=",
        "b.example= ",
        "b.example=:",
        "b.example = :",
        "b.example=robot:",
        "b.example=:word",
        "b.example=\nb.example=:",
    ] {
        let given = in_runner(&[("INPUT_CREDENTIALS", &one(line))]);
        let logins = credential_inputs::parse_credentials(&given).unwrap();
        assert_eq!(logins.credentials.len(), 1, "{line}");
        let empty = &logins.empty[0];
        assert_eq!(empty.scope.to_string(), "b.example", "{line}");
        assert_eq!(empty.place, "credentials, line 2", "{line}");
        let secrets = collect_secrets(&given.arguments);
        assert!(!secrets.iter().any(|text| text == ":"), "{line}");
        assert!(!secrets.redact("made-up-word").contains("word"), "{line}");
    }
    for both in [
        "b.example=\nb.example=robot:word",
        "b.example=robot:word\nb.example=:",
    ] {
        let given = in_runner(&[("INPUT_CREDENTIALS", both)]);
        let logins = credential_inputs::parse_credentials(&given).unwrap();
        assert_eq!(
            (logins.credentials.len(), logins.empty.len()),
            (1, 0),
            "{both}"
        );
    }
    let given = in_runner(&[("INPUT_CREDENTIALS", "=robot:word")]);
    assert!(credential_inputs::parse_credentials(&given).is_err());
}
