//! Files that are labeled.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use utoipa::ToSchema;

use super::any_bytes::AnyBytes;
use crate::app::App;
use crate::body::Arriving;
use crate::error::{ApiError, ErrorBody, Failures};
use crate::files::{FileName, Files, Job, Stage};
use crate::path::ApiPath;

/// A file on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileState {
    /// Where to ask for it.
    id: String,
    /// The name that it was sent under.
    name: String,
    /// The name of the labeled file.
    labeled_name: String,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// The columns that the file has; empty until it is opened.
    columns: Vec<String>,
    /// The columns that are read.
    text_columns: Vec<String>,
    /// Rows that are labeled.
    rows: u64,
    /// Rows of the file, where they are known before they are read.
    rows_total: Option<u64>,
    /// Bytes of the file that are read.
    bytes_read: u64,
    /// Its bytes.
    bytes_total: Option<u64>,
    /// Rows by label; rows without a text have none.
    labels: BTreeMap<String, u64>,
    /// Why it failed.
    error: Option<String>,
    /// Seconds since it arrived, or until it was done.
    seconds: f64,
}

impl FileState {
    fn of(job: &Job) -> Self {
        let progress = job.progress();
        let (state, error) = match progress.stage {
            Stage::Running => ("running", None),
            Stage::Done => ("done", None),
            Stage::Failed(reason) => ("failed", Some(reason)),
        };
        Self {
            id: job.id().to_owned(),
            name: job.name().given().to_owned(),
            labeled_name: job.name().labeled(),
            state,
            columns: progress.columns,
            text_columns: progress.text_columns,
            rows: progress.rows,
            rows_total: progress.rows_total,
            bytes_read: progress.bytes_read,
            bytes_total: progress.bytes_total,
            labels: job.labels(),
            error,
            seconds: progress.seconds,
        }
    }
}

/// What stands in the query of a file.
struct Query {
    name: FileName,
    text_columns: Vec<String>,
    model: Option<String>,
}

impl Query {
    fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let (mut name, mut model, mut text_columns) = (None, None, Vec::new());
        for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*key {
                "name" => name = Some(FileName::new(&value)?),
                "model" => model = Some(value.into_owned()),
                "text_column" => text_columns.push(value.into_owned()),
                other => {
                    let other: String = other.chars().take(100).collect();
                    return Err(ApiError::Invalid(format!(
                        "unknown parameter `{other}`; there are `name`, `text_column` and `model`"
                    )));
                }
            }
        }
        let name =
            name.ok_or_else(|| ApiError::Invalid("the parameter `name` is missing: the file's name".to_owned()))?;
        Ok(Self { name, text_columns, model })
    }
}

/// Send a table, as the body, to be labeled: CSV, TSV, JSON Lines, JSON, Parquet or text, also with gzip or Zstandard.
#[utoipa::path(post, path = "/v1/files", tag = "albertine",
    request_body(content = AnyBytes, content_type = "application/octet-stream", description = "The bytes of the file"),
    params(
        ("name" = String, Query, description = "The file's name, whose extension says its format",
            pattern = r"\.([cC][sS][vV]|[tT]([sS][vV]|[aA][bB]|[xX][tT])|[jJ][sS][oO][nN][lL]?|[nN][dD][jJ][sS][oO][nN]|[pP]([qQ]|[aA][rR][qQ][uU][eE][tT]))(\.([gG][zZ]|[zZ][sS][tT]))?$"),
        ("text_column" = Option<Vec<String>>, Query, description = "Columns with the text, by name or number from 1; \
            several are joined with a space"),
        ("model" = Option<String>, Query, description = "The model's name")),
    responses(
        (status = 202, body = FileState, links(
            ("state" = (operation_id = "state", parameters(("id" = "$response.body#/id")))),
            ("content" = (operation_id = "content", parameters(("id" = "$response.body#/id")))),
            ("remove" = (operation_id = "remove", parameters(("id" = "$response.body#/id")))))),
        Failures))]
pub(super) async fn send(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<(StatusCode, Json<FileState>), ApiError> {
    let query = Query::parse(query.as_deref())?;
    let limits = &app.settings.limits;
    let body = Arriving::new(request, limits.file_bytes, limits.idle)?;
    app.queue.check(1)?;
    let served = app.models.get(query.model.as_deref()).await?;
    let job = app.files.add(query.name)?;
    let unfinished = Unfinished { files: &app.files, id: Some(job.id()) };
    receive(&job, body).await?;
    unfinished.complete();
    let state = FileState::of(&job);
    Files::start(job, served, Arc::clone(&app.queue), query.text_columns, limits.clone());
    Ok((StatusCode::ACCEPTED, Json(state)))
}

/// Removes a file that does not arrive whole: because of an error, or because the client hangs up.
struct Unfinished<'a> {
    files: &'a Files,
    id: Option<&'a str>,
}

impl Unfinished<'_> {
    fn complete(mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // nobody else knows its id yet
            let _ = self.files.remove(id);
        }
    }
}

/// Writes the bytes of a file to disk as they arrive.
async fn receive(job: &Job, mut body: Arriving) -> Result<(), ApiError> {
    let failed = |error: std::io::Error| {
        tracing::error!("cannot write a file that was sent: {error}");
        ApiError::Internal
    };
    let mut file = tokio::fs::File::create(job.input()).await.map_err(failed)?;
    while let Some(data) = body.next().await? {
        file.write_all(&data).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)
}

/// How far a file is.
#[utoipa::path(get, path = "/v1/files/{id}", tag = "albertine",
    params(("id" = String, Path, description = "The file's id")),
    responses((status = 200, body = FileState), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn state(
    State(app): State<Arc<App>>,
    ApiPath(id): ApiPath<String>,
) -> Result<Json<FileState>, ApiError> {
    Ok(Json(FileState::of(&*app.files.get(&id)?)))
}

/// Stop and remove a file.
#[utoipa::path(delete, path = "/v1/files/{id}", tag = "albertine",
    params(("id" = String, Path, description = "The file's id")),
    responses((status = 204, description = "It is gone"), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(super) async fn remove(State(app): State<Arc<App>>, ApiPath(id): ApiPath<String>) -> Result<StatusCode, ApiError> {
    app.files.remove(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The labeled file, when it is done.
#[utoipa::path(get, path = "/v1/files/{id}/content", tag = "albertine",
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "The file, in the format in which it was sent", content(
            (AnyBytes = "text/csv"), (AnyBytes = "text/tab-separated-values"), (AnyBytes = "application/x-ndjson"),
            (AnyBytes = "application/vnd.apache.parquet"))),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "It is not done")))]
pub(super) async fn content(State(app): State<Arc<App>>, ApiPath(id): ApiPath<String>) -> Result<Response, ApiError> {
    let job = app.files.get(&id)?;
    let progress = job.progress();
    match progress.stage {
        Stage::Running => {
            return Err(ApiError::Conflict {
                reason: "the file is not labeled yet: try again later".to_owned(),
                columns: None,
            });
        }
        Stage::Failed(reason) => {
            return Err(ApiError::Conflict { reason, columns: Some(progress.columns).filter(|it| !it.is_empty()) });
        }
        Stage::Done => {}
    }
    let failed = |error: std::io::Error| {
        tracing::error!("cannot read a labeled file: {error}");
        ApiError::Internal
    };
    let file = tokio::fs::File::open(job.output()).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    let name = job.name();
    let disposition = format!("attachment; filename=\"{}\"", name.labeled());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(name.content_type())),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(|_| ApiError::Internal)?),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
    ];
    // the file stays as long as it is read
    let bytes = tokio_util::io::ReaderStream::new(file).map_ok(move |bytes| {
        let _ = &job;
        bytes
    });
    Ok((headers, Body::from_stream(bytes)).into_response())
}
