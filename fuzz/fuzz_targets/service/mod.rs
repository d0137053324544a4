//! The service of the targets that send requests.

use std::sync::LazyLock;

use albertine::hub::resolve;
use albertine_server::fuzzing::Service;
use albertine_server::{NamedModel, ServerSettings};

/// A tiny model: an explanation reads a text some hundred times, which takes the built-in one half a minute with all checks.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/golden/f16");

pub static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    let model = NamedModel { name: "ag_news".to_owned(), source: resolve(MODEL).expect("a model") };
    Service::new(ServerSettings::new(vec![model])).expect("a service")
});
