//! Logins for registries' own APIs, from inputs and environment.

use secrecy::SecretString;
use url::Url;

use super::github_inputs::api_base;
use super::invocation::Invocation;
use super::service_address::is_confidential;
use crate::actions::SecretTexts;
use crate::cli::Input;
use crate::registry_api::{ApiLogins, AwsKeys};
use crate::release::Failure;

/// Variables with the address of the API of Amazon ECR, the first of which takes precedence.
const ECR_ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"];

/// Returns the logins of the run that registries do not take, and their APIs do.
///
/// # Errors
/// An address that is none, or to which no login may be sent.
pub(super) fn registry_logins(invocation: &Invocation) -> Result<ApiLogins, Failure> {
    let arguments = &invocation.arguments;
    let token = match arguments.is_accepted(Input::GithubToken) {
        true => arguments.text(Input::GithubToken),
        false => None,
    };
    Ok(ApiLogins {
        github_token: token.map(SecretString::from),
        github_api: Some(api_base(invocation)?).filter(is_confidential),
        aws: aws_keys(invocation)?,
    })
}

/// Returns the keys that Amazon's tools and actions leave in the environment. A variable that is empty is absent.
fn aws_keys(invocation: &Invocation) -> Result<Option<AwsKeys>, Failure> {
    let environment = &invocation.environment;
    let variable = |name| environment.get(name).filter(|text| !text.is_empty());
    let (Some(access_key_id), Some(secret)) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) else {
        return Ok(None);
    };
    let session_token = variable("AWS_SESSION_TOKEN");
    let mut secrets = SecretTexts::default();
    secrets.add(secret);
    secrets.add(session_token.unwrap_or_default());
    invocation.log.add_secrets(&secrets);
    let endpoint = ECR_ENDPOINTS
        .iter()
        .find_map(|name| Some((*name, variable(name)?)));
    let endpoint = endpoint.map(|(name, text)| {
        let url = Url::parse(text).ok().filter(is_confidential);
        url.ok_or_else(|| Failure::input(format!("{name} is not an https address")))
    });
    Ok(Some(AwsKeys {
        access_key_id: access_key_id.to_owned(),
        secret_access_key: secret.into(),
        session_token: session_token.map(SecretString::from),
        endpoint: endpoint.transpose()?,
    }))
}
