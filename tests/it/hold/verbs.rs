//! The verbs `hold` and `unhold` as their users run them, on image layouts.

use serde_json::{Value, json};

use crate::support::made_image;
use crate::support::process::Place;

const POLICY: &str = "environments:\n  prod: {repository: 'oci:prod'}\n";
