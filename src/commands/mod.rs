//! The verbs, one file each: from arguments to the request that the road takes.

mod context;
mod facts;
mod logins;
mod promote;
mod push;
mod request;
mod signing;
mod verify;

use std::sync::Arc;

pub use logins::secrets;

use crate::actions::Environment;
use crate::cli::{Arguments, InputError, Verb};
use crate::release::{self, Done, Failure};
use crate::report::Log;

/// What a verb has to go by.
struct Given {
    arguments: Arguments,
    environment: Environment,
    log: Arc<Log>,
}

/// Runs a verb.
pub async fn run(
    arguments: Arguments,
    environment: Environment,
    log: Arc<Log>,
) -> Result<Done, Failure> {
    let given = Given {
        arguments,
        environment,
        log,
    };
    let request = match given.arguments.verb {
        Verb::Push => push::request(&given),
        Verb::Promote => promote::request(&given),
        Verb::Verify => return verify::run(&given).await,
    }?;
    let context = context::context(&given)?;
    release::run(&request, &context).await.map(Done::Released)
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::input(error.to_string())
    }
}

#[cfg(test)]
mod tests;
