//! The input `credentials`.

use super::Given;
use crate::actions::Secrets;
use crate::cli::{Arguments, Entry, InputError};
use crate::credentials::{Explicit, SecretString};

/// What must appear nowhere of what the user gave, whether or not it can be understood.
pub fn secrets(arguments: &Arguments) -> Secrets {
    let mut secrets = Secrets::default();
    for (name, text) in arguments.secrets() {
        if name == "signing-key" {
            super::signing::add_secrets(&mut secrets, text);
            continue;
        }
        secrets.add(text);
        let login = text.split_once('=').map_or(text, |(_, login)| login);
        secrets.add(login);
        if let Some((user, password)) = login.split_once(':') {
            secrets.add_login(user, password);
        }
    }
    secrets
}

pub(super) fn read(given: &Given) -> Result<Vec<Explicit>, InputError> {
    let arguments = &given.arguments;
    let mut logins: Vec<Explicit> = Vec::new();
    for entry in arguments.entries("credentials") {
        let login = login(arguments, entry)?;
        if logins.iter().any(|known| known.registry == login.registry) {
            let reason = format!("a second login for {}", login.registry);
            return Err(arguments.wrong("credentials", entry, reason));
        }
        logins.push(login);
    }
    Ok(logins)
}

/// No reason repeats what was written: where the form is wrong, any part may be the password.
fn login(arguments: &Arguments, entry: &Entry) -> Result<Explicit, InputError> {
    let wrong = |reason| arguments.wrong("credentials", entry, reason);
    let form = "is not of the form REGISTRY=USER:PASSWORD";
    let (registry, login) = entry.text.split_once('=').ok_or_else(|| wrong(form))?;
    let (user, password) = login.split_once(':').ok_or_else(|| wrong(form))?;
    if user.is_empty() || password.is_empty() {
        return Err(wrong(if user.is_empty() {
            "names no user"
        } else {
            "has no password: is the secret set?"
        }));
    }
    Ok(Explicit {
        registry: registry
            .trim()
            .parse()
            .map_err(|_| wrong("has something else than host or host:port before the ="))?,
        user: user.to_owned(),
        password: SecretString::from(password),
    })
}
