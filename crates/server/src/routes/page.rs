//! The page and its files.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};

use crate::error::ApiError;
use crate::page::{ASSETS, Asset, INDEX};
use crate::path::ApiPath;

/// The page.
#[utoipa::path(get, path = "/", tag = "albertine",
    responses((status = 200, body = String, content_type = "text/html", description = "A page to try the models")))]
pub(super) async fn index() -> ([(HeaderName, &'static str); 2], &'static [u8]) {
    file(INDEX)
}

/// A file of the page.
pub(super) async fn asset(ApiPath(name): ApiPath<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => file(*asset).into_response(),
        None => ApiError::NotFound { what: "file", name: name.chars().take(100).collect() }.into_response(),
    }
}

fn file(asset: Asset) -> ([(HeaderName, &'static str); 2], &'static [u8]) {
    // another version of the program has other files under the same names
    ([(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, "no-cache")], asset.bytes)
}
