//! Address of the API of Amazon ECR for a registry, by its host (amazon-ecr-credential-helper 0.12, SDK endpoint rules).

use url::Url;

use crate::image::Repository;

/// Account, region and address of a private registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EcrEndpoint {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) address: Url,
}

/// Suffixes of dual-stack registries, with those of their APIs.
const DUAL_STACK: [(&str, &str); 2] = [
    ("on.aws", "api.aws"),
    (
        "on.amazonwebservices.com.cn",
        "api.amazonwebservices.com.cn",
    ),
];

impl EcrEndpoint {
    /// Returns the endpoint for the host of a repository; `None` if it is no private registry of Amazon ECR.
    pub(super) fn from_repository(repository: &Repository) -> Option<Self> {
        let host = repository.registry().as_str().to_ascii_lowercase();
        let host = host.split_once(':').map_or(host.as_str(), |(host, _)| host);
        let (account, rest) = host.split_once('.')?;
        let (service, rest) = match rest.strip_prefix("dkr.") {
            Some(rest) => rest.split_once('.')?,
            None => rest.strip_prefix("dkr-")?.split_once('.')?,
        };
        let (region, suffix) = rest.split_once('.')?;
        let is_fips = match service {
            "ecr" => false,
            "ecr-fips" => true,
            _ => return None,
        };
        let fips = if is_fips { "-fips" } else { "" };
        let dual = DUAL_STACK.iter().find(|(known, _)| *known == suffix);
        let host = match dual {
            Some((_, api)) => format!("ecr{fips}.{region}.{api}"),
            None => format!("api.ecr{fips}.{region}.{suffix}"),
        };
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            address: Url::parse(&format!("https://{host}/")).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_registry_tells_that_of_its_api() {
        for (registry, api) in [
            (
                "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
                "api.ecr.eu-central-1.amazonaws.com",
            ),
            (
                "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
                "api.ecr-fips.us-east-1.amazonaws.com",
            ),
            (
                "123456789012.dkr-ecr.eu-west-1.on.aws",
                "ecr.eu-west-1.api.aws",
            ),
            (
                "123456789012.dkr-ecr-fips.us-east-1.on.aws",
                "ecr-fips.us-east-1.api.aws",
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                "api.ecr.cn-north-1.amazonaws.com.cn",
            ),
            (
                "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                "ecr.cn-north-1.api.amazonwebservices.com.cn",
            ),
            (
                "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "api.ecr.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            let repository = format!("{registry}/team/web").parse().unwrap();
            let endpoint = EcrEndpoint::from_repository(&repository).unwrap();
            assert_eq!(endpoint.address.host_str(), Some(api));
            assert_eq!(endpoint.account, "123456789012");
        }
        let other = "harbor.example.com/team/web".parse().unwrap();
        assert_eq!(EcrEndpoint::from_repository(&other), None);
    }
}
