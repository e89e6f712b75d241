//! The input `credentials`.

use super::invocation::Invocation;
use crate::actions::SecretTexts;
use crate::cli::{Input, InputEntry, InputError, InputValues};
use crate::credentials::{EmptyLogin, ExplicitCredential, SecretString};
use crate::image::RegistryName;

/// What must appear nowhere of what the user gave, whether or not it can be understood.
pub fn collect_secrets(arguments: &InputValues) -> SecretTexts {
    let mut secrets = SecretTexts::default();
    for (input, text) in arguments.secrets() {
        if input == Input::SigningKey {
            super::pem_input::add_key_secrets(&mut secrets, text);
            continue;
        }
        let login = text.split_once('=').map_or(text, |(_, login)| login);
        // A runner that masks a colon alone hides half of the log, and drops most outputs.
        if login.trim_matches([' ', ':']).is_empty() {
            continue;
        }
        secrets.add(text);
        secrets.add(login);
        if let Some((user, password)) = login.split_once(':') {
            secrets.add_login(user, password);
        }
    }
    secrets
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
    for entry in arguments.entries(Input::Credentials) {
        let wrong = |reason| arguments.entry_error(Input::Credentials, entry, reason);
        let Login {
            registry,
            user,
            password,
        } = parse_login(entry).map_err(wrong)?;
        if user.is_empty() || password.is_empty() {
            let place = arguments.error(Input::Credentials, entry.line, "").place;
            logins.empty.push(EmptyLogin { registry, place });
            continue;
        }
        if logins
            .credentials
            .iter()
            .any(|known| known.registry == registry)
        {
            return Err(wrong(&format!("a second login for {registry}")));
        }
        logins.credentials.push(ExplicitCredential {
            registry,
            user: user.to_owned(),
            password: SecretString::from(password),
        });
    }
    let Logins { credentials, empty } = &mut logins;
    empty.retain(|empty| {
        !credentials
            .iter()
            .any(|login| login.registry == empty.registry)
    });
    Ok(logins)
}

/// An entry of the input, in its parts.
struct Login<'a> {
    registry: RegistryName,
    user: &'a str,
    password: &'a str,
}

/// Splits an entry into its parts. A secret that the job cannot read is an empty text: where logins are
/// secrets of one environment, a job of another has `REGISTRY=`, `REGISTRY=:` or `REGISTRY=USER:`.
///
/// No reason repeats what was written: where the form is wrong, any part may be the password.
fn parse_login(entry: &InputEntry) -> Result<Login<'_>, &'static str> {
    let form = "is not of the form REGISTRY=USER:PASSWORD";
    let (registry, login) = entry.text.split_once('=').ok_or(form)?;
    let registry = registry.trim().parse();
    let registry =
        registry.map_err(|_| "has something else than host or host:port before the =")?;
    let (user, password) = match login.trim().is_empty() {
        true => ("", ""),
        false => login.split_once(':').ok_or(form)?,
    };
    Ok(Login {
        registry,
        user,
        password,
    })
}
