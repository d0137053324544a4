//! `albertine serve`: the service, until it is asked to end.

use std::net::SocketAddr;
use std::path::Path;

use albertine::hub::Hub;
use albertine_server::{Ended, Limits, NamedModel, Server, ServerSettings, TlsFiles, start_log};

use crate::args::ServeArgs;
use crate::exit::{Misuse, Outcome};
use crate::printer::Printer;
use crate::settings;

/// The environment variable with the key that requests must carry.
const API_KEY: &str = "ALBERTINE_API_KEY";

/// Serves the models that `args` name.
pub(crate) fn serve(args: ServeArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let api_key = std::env::var_os(API_KEY).map(|key| key.into_string().map_err(|_| unusable_key())).transpose()?;
    if api_key.as_ref().is_some_and(|key| key.trim().is_empty()) {
        return Err(unusable_key().into());
    }
    let models = args.models.iter().map(|model| named(model, hub)).collect::<anyhow::Result<Vec<_>>>()?;
    start_log(args.log_format.into())?;
    let server = Server::bind(ServerSettings {
        address: SocketAddr::new(args.host, args.port),
        models,
        classifier: settings::running(&args.run),
        truncate: !args.no_truncate,
        api_key,
        cors_origins: args.cors_origins,
        tls: args.tls_certificate.zip(args.tls_key).map(|(certificate, key)| TlsFiles { certificate, key }),
        corrections: args.corrections,
        page: !args.no_page,
        limits: Limits {
            body_bytes: args.max_body.get(),
            file_bytes: args.max_file.get() as u64,
            texts: args.max_texts.get(),
            concurrent_requests: args.max_concurrent_requests.get(),
            connections: args.max_connections.get(),
            batch_tokens: args.max_batch_tokens.get(),
            batch_time: args.max_batch_time,
            queue_tokens: args.max_queue_tokens.get(),
            queue_wait: args.max_wait,
            timeout: args.timeout,
            idle: args.idle_timeout,
            shutdown: args.shutdown_timeout,
            model_bytes: args.max_model_memory.map(|megabytes| megabytes.saturating_mul(1_000_000)),
        },
    })?;
    printer.note(format_args!("listening on {}", server.url()));
    match server.run()? {
        Ended::Complete => printer.note("every accepted request was answered"),
        Ended::Cut => printer.warn("some requests were not answered within `--shutdown-timeout`"),
    }
    Ok(Outcome::Done)
}

fn unusable_key() -> Misuse {
    Misuse::new(format!("{API_KEY} is empty or not UTF-8"), "set it to a key, or unset it to serve without one")
}

/// A model with the name that requests call it by: the one that is given, the name of a folder, or what it is called.
fn named(given: &str, hub: &Hub) -> anyhow::Result<NamedModel> {
    // `=` may stand in a path or a URL
    let (name, source) = match given.split_once('=') {
        Some((name, source)) if !name.contains('/') || !Path::new(given).exists() => (Some(name), source),
        _ => (None, given),
    };
    let of_source = || match Path::new(source).file_name() {
        Some(folder) if Path::new(source).exists() => folder.to_string_lossy().into_owned(),
        _ => source.to_owned(),
    };
    let name = name.map_or_else(of_source, str::to_owned);
    if name.is_empty() || source.is_empty() {
        return Err(
            Misuse::new(format!("`{given}` is not NAME=MODEL"), "write it as in `--model news=./my-model`").into()
        );
    }
    Ok(NamedModel { name, source: hub.resolve(source)? })
}
