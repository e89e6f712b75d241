//! Logins that helper programs keep: scripts in their place, run by the client and by the process.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use shipmark::credentials::HelperEnvironment;

use super::*;
use crate::registry::Auth;
use crate::support::process::{Place, Ran};

const MAIN: &str = "refs/heads/main";

/// A folder with helper programs, a `config.json` that names them, and what they were asked.
struct Helpers(Place);

impl Helpers {
    fn new(config: &Value) -> Self {
        let place = Place::new();
        std::fs::write(place.path("config.json"), config.to_string()).unwrap();
        Self(place)
    }

    /// A program that notes what it is asked, and then runs `script`.
    fn with(self, name: &str, script: &str) -> Self {
        let program = self.0.path(&format!("docker-credential-{name}"));
        let asked = self.0.path("asked");
        let script = format!(
            "#!/bin/sh\nread -r server\necho \"$1 $server\" >> '{}'\n{script}\n",
            asked.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn asked(&self) -> Vec<String> {
        let asked = std::fs::read_to_string(self.0.path("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }

    fn settings(&self) -> RegistrySettings {
        let surroundings = HelperEnvironment {
            folders: vec![self.0.root().to_owned()],
            variables: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        };
        let config = self.0.path("config.json");
        let credentials = Credentials::load(Some(&config), Vec::new()).unwrap();
        RegistrySettings {
            credentials: credentials.with_helpers(surroundings, Said::default().notices()),
            ..settings()
        }
    }

    /// A push of the example in a step of a workflow.
    fn step(&self, registry: &Registry) -> Ran {
        self.step_with(registry, &[])
    }

    /// The same with further inputs.
    fn step_with(&self, registry: &Registry, more: &[(&str, &str)]) -> Ran {
        let (source, images) = (example(), place(registry));
        let inputs = [
            ("command", "push"),
            ("source", &*source),
            ("images", &*images),
        ];
        let path = format!("{}:/usr/bin:/bin", self.0.root().display());
        let mut command = self.0.step(MAIN, &[&inputs, more].concat());
        let command = command
            .env("PATH", path)
            .env("DOCKER_CONFIG", self.0.root());
        Ran::of(command.output().unwrap())
    }
}

fn place(registry: &Registry) -> String {
    format!("{}/team/web", registry.host())
}

/// What a helper that knows its work does.
fn gives(user: &str, secret: &str) -> String {
    let answer = json!({"ServerURL": "x", "Username": user, "Secret": secret});
    format!("echo '{answer}'")
}

fn bearer() -> Profile {
    let rules = rules().refresh_token("robot", HUNTER2);
    Profile::plain().auth(Auth::TokenHost(rules))
}

async fn pushes(registry: &Registry, helpers: &Helpers) {
    let context = context_with(helpers.settings()).0;
    done(push(&example(), &[&place(registry)], MAIN), &context).await;
}

#[tokio::test]
async fn a_helper_is_asked_once_and_its_login_used() {
    for auth in [Auth::basic("robot", HUNTER2), Auth::TokenHost(rules())] {
        let registry = Registry::start(Profile::plain().auth(auth)).await;
        let host = registry.host();
        for config in [
            json!({"credHelpers": {&host: "own"}, "credsStore": "none"}),
            json!({"credsStore": "own", "auths": {&host: {}}}),
        ] {
            let helpers = Helpers::new(&config).with("own", &gives("robot", HUNTER2));
            pushes(&registry, &helpers).await;
            assert_eq!(helpers.asked(), [format!("get {host}")]);
        }
    }
}

#[tokio::test]
async fn an_identity_token_of_a_helper_is_exchanged() {
    let registry = Registry::start(bearer()).await;
    let config = json!({"credsStore": "own"});
    let helpers = Helpers::new(&config).with("own", &gives("<token>", HUNTER2));
    pushes(&registry, &helpers).await;
    let asked = registry.token_server().requests();
    assert_eq!(asked, ["POST /token 200"]);
}

#[tokio::test]
async fn what_a_helper_does_not_keep_may_be_in_the_file_or_public() {
    let unknown = "echo 'credentials not found in native keychain'; exit 1";
    let registry = Registry::start(bearer()).await;
    let auth = base64(&format!("robot:{HUNTER2}"));
    let config = json!({"credsStore": "own", "auths": {registry.host(): {"auth": auth}}});
    for script in [unknown.to_owned(), gives("", "")] {
        let helpers = Helpers::new(&config).with("own", &script);
        pushes(&registry, &helpers).await;
    }
    let public = rules().anonymous("*/*", &["pull", "push"]);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(public))).await;
    let helpers = Helpers::new(&json!({"credsStore": "own"})).with("own", unknown);
    pushes(&registry, &helpers).await;
}

#[tokio::test]
async fn no_helper_is_asked_where_no_login_is_wanted() {
    let registry = Registry::start(Profile::plain()).await;
    let helpers = Helpers::new(&json!({"credsStore": "own"})).with("own", "exit 1");
    pushes(&registry, &helpers).await;
    assert_eq!(helpers.asked(), Vec::<String>::new());
}

/// Nothing of what a failing helper says is shown: it may hold the login.
#[tokio::test]
async fn promise_7_a_helper_that_fails_is_named_and_not_quoted() {
    let registry = Registry::start(bearer()).await;
    let endless = "while :; do printf 'hunter2-and-more%4096d' 0; done";
    for (script, part) in [
        (
            &*format!("echo {HUNTER2}; echo {HUNTER2} >&2; exit 3"),
            "failed (exit status: 3)",
        ),
        (
            &format!("echo {HUNTER2}"),
            "answered something that is not a login",
        ),
        (
            &format!(r#"echo '{{"Username": "{HUNTER2}"}}'"#),
            "answered something that is not a login",
        ),
        (endless, "answered more than 65536 bytes"),
        ("kill -9 $$", "failed (signal: 9"),
    ] {
        let helpers = Helpers::new(&json!({"credsStore": "own"})).with("own", script);
        let request = push(&example(), &[&place(&registry)], MAIN);
        let (failure, text) = refused(request, helpers.settings()).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        let named = format!(
            "docker-credential-own, which keeps the credentials of {}, {part}",
            registry.host()
        );
        assert!(text.contains(&named), "{text}");
        assert!(text.contains("input credentials"), "{text}");
        assert_eq!(helpers.asked().len(), 1, "it is not asked again");
    }
}

#[tokio::test]
async fn a_helper_is_a_program_on_the_path_and_nothing_else() {
    let registry = Registry::start(bearer()).await;
    for name in ["../own", "absent", "plain"] {
        let helpers =
            Helpers::new(&json!({"credsStore": name})).with("own", &gives("robot", HUNTER2));
        std::fs::write(helpers.0.path("docker-credential-plain"), "no program").unwrap();
        std::fs::create_dir(helpers.0.path("docker-credential-..")).unwrap();
        let request = push(&example(), &[&place(&registry)], MAIN);
        let (_, text) = refused(request, helpers.settings()).await;
        assert!(text.contains("which is not available here"), "{text}");
        assert_eq!(helpers.asked(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_how_many_requests_it_took() {
    let registry = Registry::start(bearer()).await;
    let helpers = Helpers::new(&json!({"credsStore": "own"}));
    let helpers = helpers.with("own", &gives("robot", HUNTER2));
    let host = registry.host();
    let ran = helpers.step_with(&registry, &[("insecure-registries", &host)]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    // The first one is tried by TLS, which the registry does not speak.
    let requests = 1 + registry.count() + registry.token_server().count();
    let said = format!("\n{requests} requests in ");
    assert!(ran.log.contains(&said), "no {said:?} in {}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_the_runner_masks_what_a_helper_gives() {
    let registry = Registry::start(bearer()).await;
    let prints = format!(
        "env > \"$(dirname \"$0\")/env\"\n{}",
        gives("robot", HUNTER2)
    );
    let helpers = Helpers::new(&json!({"credsStore": "own"})).with("own", &prints);
    let ran = helpers.step(&registry);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let basic = base64(&format!("robot:{HUNTER2}"));
    for secret in [HUNTER2, &basic] {
        let mask = format!("::add-mask::{secret}");
        assert_eq!(
            ran.log.lines().filter(|line| *line == mask).count(),
            1,
            "{}",
            ran.log
        );
        assert_eq!(ran.log.matches(secret).count(), 1, "{}", ran.log);
        assert!(!ran.out.contains(secret) && !helpers.0.read("summary").contains(secret));
    }
    let environment = helpers.0.read("env");
    assert!(
        environment.contains("DOCKER_CONFIG=") && !environment.contains("INPUT_"),
        "{environment}"
    );
}
