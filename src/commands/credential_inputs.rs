//! The input `credentials`.

use super::invocation::Invocation;
use crate::actions::{ProcessEnvironment, SecretTexts};
use crate::cli::{Input, InputEntry, InputError, InputValues};
use crate::credentials::{EmptyLogin, ExplicitCredential, LoginScope, SecretString};

/// What must appear nowhere of what the user gave, whether or not it can be understood.
pub fn collect_secrets(arguments: &InputValues) -> SecretTexts {
    let mut secrets = SecretTexts::default();
    let (logins, others): (Vec<_>, Vec<_>) = arguments
        .secrets()
        .partition(|(input, _)| *input == Input::Credentials);
    for (input, text) in others {
        match input {
            Input::SigningKey => super::pem_input::add_key_secrets(&mut secrets, text),
            _ => add_login_secrets(&mut secrets, text),
        }
    }
    let logins = logins.into_iter().map(|(_, text)| InputEntry {
        text: text.to_owned(),
        line: None,
    });
    for login in join_lines(&logins.collect::<Vec<_>>()) {
        add_login_secrets(&mut secrets, &login.text);
    }
    secrets
}

/// Adds what the variables of a command line hold, whether or not the verb reads them.
pub(super) fn add_variable_secrets(secrets: &mut SecretTexts, environment: &ProcessEnvironment) {
    for input in Input::ALL.iter().filter(|input| input.declaration().secret) {
        let variable = input.declaration().shell_variable();
        let text = variable.and_then(|name| environment.get(&name));
        match (input, text) {
            (_, None) => {}
            (Input::SigningKey, Some(text)) => super::pem_input::add_key_secrets(secrets, text),
            (_, Some(text)) => text
                .lines()
                .for_each(|line| add_login_secrets(secrets, line.trim())),
        }
    }
}

fn add_login_secrets(secrets: &mut SecretTexts, text: &str) {
    let login = text.split_once('=').map_or(text, |(_, login)| login);
    // A runner that masks a colon alone hides half of the log, and drops most outputs.
    if login.trim_matches([' ', ':']).is_empty() {
        return;
    }
    secrets.add(text);
    secrets.add(login);
    if let Some((user, password)) = login.split_once(':') {
        secrets.add_login(user, password);
    }
}

/// The logins of the input `credentials`.
#[derive(Debug, Default)]
pub(super) struct Logins {
    /// Those that can be used.
    pub(super) credentials: Vec<ExplicitCredential>,
    /// Those that are empty, at registries for which no other is given.
    pub(super) empty: Vec<EmptyLogin>,
}

/// Reads the input `credentials`.
pub(super) fn parse_credentials(invocation: &Invocation) -> Result<Logins, InputError> {
    let arguments = &invocation.arguments;
    let mut logins = Logins::default();
    for entry in &join_lines(arguments.entries(Input::Credentials)) {
        let wrong = |reason| arguments.entry_error(Input::Credentials, entry, reason);
        let Login {
            scope,
            user,
            password,
        } = parse_login(entry).map_err(wrong)?;
        if user.is_empty() || password.is_empty() {
            let place = arguments.error(Input::Credentials, entry.line, "").place;
            logins.empty.push(EmptyLogin { scope, place });
            continue;
        }
        if logins.credentials.iter().any(|known| known.scope == scope) {
            return Err(wrong(&format!("a second login for {scope}")));
        }
        logins.credentials.push(ExplicitCredential {
            scope,
            user: user.to_owned(),
            password: SecretString::from(password),
        });
    }
    let Logins { credentials, empty } = &mut logins;
    empty.retain(|empty| !credentials.iter().any(|login| login.scope == empty.scope));
    Ok(logins)
}

/// Users whose password is a key of Google Cloud: JSON, or its base64 form.
const JSON_KEY: &str = "_json_key";
const JSON_KEY_BASE64: &str = "_json_key_base64";

/// Returns the entries of the input, those of several lines as one: the JSON of a service account key, and its
/// base64 form as `base64` wraps it.
fn join_lines(entries: &[InputEntry]) -> Vec<InputEntry> {
    let mut joined: Vec<InputEntry> = Vec::new();
    for entry in entries {
        match joined
            .last_mut()
            .filter(|last| continues(&last.text, &entry.text))
        {
            Some(last) => {
                if password_of(&last.text, JSON_KEY).is_some() {
                    last.text.push('\n');
                }
                last.text.push_str(&entry.text);
            }
            None => joined.push(entry.clone()),
        }
    }
    joined
}

/// Returns whether a line belongs to the login before it.
fn continues(login: &str, line: &str) -> bool {
    if let Some(key) = password_of(login, JSON_KEY) {
        let ends_early = |error: serde_json::Error| error.is_eof();
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(key);
        return key.trim_start().starts_with('{') && parsed.is_err_and(ends_early);
    }
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    password_of(login, JSON_KEY_BASE64).is_some()
        && line.bytes().all(is_base64)
        && !line.trim_end_matches('=').contains('=')
}

/// Returns the password of a login of this user.
fn password_of<'a>(login: &'a str, user: &str) -> Option<&'a str> {
    let (_, login) = login.split_once('=')?;
    login.trim_start().strip_prefix(user)?.strip_prefix(':')
}

/// An entry of the input, in its parts.
struct Login<'a> {
    scope: LoginScope,
    user: &'a str,
    password: &'a str,
}

/// Splits an entry into its parts. A secret that the job cannot read is an empty text: where logins are
/// secrets of one environment, a job of another has `REGISTRY=`, `REGISTRY=:` or `REGISTRY=USER:`.
///
/// No reason repeats what was written: where the form is wrong, any part may be the password.
fn parse_login(entry: &InputEntry) -> Result<Login<'_>, &'static str> {
    let form = "is not of the form REGISTRY=USER:PASSWORD";
    let (scope, login) = entry.text.split_once('=').ok_or(form)?;
    let scope = scope.trim();
    if scope.contains("://") {
        return Err(
            "has a scheme before the =: expected host, host:port or host/path, without https://",
        );
    }
    let scope = scope
        .parse()
        .map_err(|_| "has something else than host, host:port or host/path before the =")?;
    let (user, password) = match login.trim().is_empty() {
        true => ("", ""),
        false => login.split_once(':').ok_or(form)?,
    };
    Ok(Login {
        scope,
        user,
        password,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<InputEntry> {
        let lines = text.lines().enumerate();
        lines
            .map(|(at, line)| InputEntry {
                text: line.trim().to_owned(),
                line: Some(at + 1),
            })
            .collect()
    }

    #[test]
    fn a_key_of_several_lines_is_one_login() {
        let key =
            "a.example=_json_key:{\n\"type\": \"service_account\",\n\"a\": {\"b\": \"x=y:z\"}\n}";
        let base64 = "b.example=_json_key_base64:ewogICJ0\neXBlIjog\nIng9Cn0=";
        let text = format!("{key}\n{base64}\nc.example=robot:hunter2");
        let joined = join_lines(&lines(&text));
        let texts: Vec<&str> = joined.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(
            texts,
            [key, &base64.replace('\n', ""), "c.example=robot:hunter2"]
        );
        assert_eq!(joined[1].line, Some(5));
    }

    #[test]
    fn lines_that_do_not_belong_together_stay_apart() {
        for text in [
            "a.example=robot:{\n\"a\": 1}",
            "a.example=_json_key:{}\nb.example=robot:x",
            "a.example=_json_key:x\nb.example=robot:x",
            "a.example=_json_key_base64:ewo=\nb.example=robot:x",
        ] {
            assert_eq!(join_lines(&lines(text)).len(), 2, "{text}");
        }
    }
}
