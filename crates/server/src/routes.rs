//! The routes, and the description of them that `/openapi.json` gives.
//!
//! Each client's shapes are one file; all of them ask [`App::classify`].

mod annotate;
mod any_bytes;
mod corrections;
mod files;
mod hugging_face;
mod inputs;
mod integer;
mod models;
mod open_inference;
mod openai;
mod page;
mod status;
mod tei;
mod usage;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::context::REQUEST_ID;
use crate::error::{ApiError, NestedErrorBody, ServerError};
use crate::request;

/// What the description says of the service as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "Albertine", description = "Text classification with ALBERT and BERT."),
    tags(
        (name = "albertine", description = "Annotations as Spark NLP has them, explanations, models, files"),
        (name = "hugging face", description = "Hugging Face inference: InferenceClient and transformers pipelines"),
        (name = "tei", description = "text-embeddings-inference"),
        (name = "openai", description = "The classification API of vLLM and SGLang"),
        (name = "open inference protocol", description = "KServe and Triton, version 2"),
        (name = "status", description = "Health and metrics"),
    ),
    components(schemas(NestedErrorBody))
)]
struct Description;

/// All routes of a service.
///
/// # Errors
/// When an origin for CORS is none.
pub(crate) fn router(app: Arc<App>) -> Result<Router, ServerError> {
    let (mut router, mut description) = described(app.settings.page);
    name_models(&mut description, app.models.list().map(|(name, _)| name));
    if app.settings.api_key.is_some() {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        description.components.get_or_insert_default().add_security_scheme("key", scheme);
        for (path, item) in &mut description.paths.paths {
            let get = item.get.as_mut().filter(|_| !request::is_open(&Method::GET, path));
            for operation in [get, item.post.as_mut(), item.delete.as_mut()].into_iter().flatten() {
                operation.security = Some(vec![utoipa::openapi::SecurityRequirement::new::<_, _, &str>("key", [])]);
            }
        }
    }
    let description = serde_json::to_string(&description).unwrap_or_default();
    let description = Arc::<str>::from(description);
    router = router.route(
        "/openapi.json",
        axum::routing::get(|| async move { ([(header::CONTENT_TYPE, "application/json")], description.to_string()) }),
    );
    let cors = cors(&app.settings.cors_origins)?;
    let router = router
        .fallback(no_route)
        .method_not_allowed_fallback(other_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), request::handle))
        .with_state(app);
    Ok(match cors {
        Some(cors) => router.layer(cors),
        None => router,
    })
}

fn described(page: bool) -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let router = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(annotate::annotate))
        .routes(routes!(annotate::explain))
        .routes(routes!(models::list))
        .routes(routes!(models::one))
        .routes(routes!(models::one_of))
        .routes(routes!(files::send))
        .routes(routes!(files::state, files::remove))
        .routes(routes!(files::content))
        .routes(routes!(corrections::add))
        .routes(routes!(hugging_face::named))
        .routes(routes!(hugging_face::named_of))
        .routes(routes!(tei::predict))
        .routes(routes!(tei::info))
        .routes(routes!(tei::tokenize))
        .routes(routes!(openai::classify))
        .routes(routes!(openai::v1_classify))
        .routes(routes!(open_inference::server))
        .routes(routes!(open_inference::live))
        .routes(routes!(open_inference::ready))
        .routes(routes!(open_inference::model))
        .routes(routes!(open_inference::model_ready))
        .routes(routes!(open_inference::infer))
        .routes(routes!(open_inference::version))
        .routes(routes!(open_inference::version_ready))
        .routes(routes!(open_inference::version_infer))
        .routes(routes!(status::health))
        .routes(routes!(status::ping))
        .routes(routes!(status::metrics));
    let router = if page {
        router.routes(routes!(page::index, hugging_face::root)).route("/page/{name}", axum::routing::get(page::asset))
    } else {
        router.routes(routes!(hugging_face::root))
    };
    router.split_for_parts()
}

/// Says in the description which models there are.
fn name_models<'m>(description: &mut utoipa::openapi::OpenApi, models: impl Iterator<Item = &'m str>) {
    let (owned, named): (Vec<&str>, Vec<&str>) = models.partition(|name| name.contains('/'));
    let (owners, names): (BTreeSet<&str>, BTreeSet<&str>) =
        owned.iter().filter_map(|name| name.split_once('/')).unzip();
    for (path, item) in &mut description.paths.paths {
        let operations = [&mut item.get, &mut item.post].into_iter().flatten();
        for parameter in operations.filter_map(|operation| operation.parameters.as_mut()).flatten() {
            let RefOr::T(parameter) = parameter else { continue };
            let known: Vec<&str> = match &*parameter.name {
                "owner" => owners.iter().copied().collect(),
                "name" if path.contains("{owner}") => names.iter().copied().collect(),
                "name" if parameter.parameter_in == ParameterIn::Path => named.clone(),
                _ => continue,
            };
            if !known.is_empty() {
                let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(known));
                parameter.schema = Some(Schema::from(schema).into());
            }
        }
    }
}

/// What lets pages of other origins call the service, if any may.
///
/// # Errors
/// When an origin is none.
pub(crate) fn cors(origins: &[String]) -> Result<Option<CorsLayer>, ServerError> {
    if origins.is_empty() {
        return Ok(None);
    }
    let origins = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let one = |origin: &String| {
            // a browser sends a scheme, a host and a port, and nothing else
            let uri = origin.parse::<http::Uri>().ok();
            let is_origin = uri.is_some_and(|uri| {
                uri.scheme().is_some()
                    && uri.host().is_some_and(|host| !host.is_empty())
                    && !origin.ends_with('/')
                    && uri.path() == "/"
                    && uri.query().is_none()
                    && !origin.contains('@')
            });
            let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin);
            value.ok_or_else(|| ServerError::Origin { origin: origin.clone() })
        };
        AllowOrigin::list(origins.iter().map(one).collect::<Result<Vec<_>, _>>()?)
    };
    Ok(Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, REQUEST_ID])
            .expose_headers([REQUEST_ID, header::RETRY_AFTER]),
    ))
}

/// A path that is none, which is repeated only as far as it is short.
async fn no_route(request: Request) -> Response {
    ApiError::NoRoute { method: request.method().to_string(), path: path(&request) }.into_response()
}

async fn other_method(request: Request) -> Response {
    ApiError::Method { method: request.method().to_string(), path: path(&request) }.into_response()
}

fn path(request: &Request) -> String {
    request.uri().path().chars().take(100).collect()
}
