//! What goes wrong: when the service starts, and with a request.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::context::{Context, ErrorShape};

/// Why a service does not start, or ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is nothing to serve.
    #[error("no model is given")]
    NoModel,
    /// Two models have one name.
    #[error("two models are called `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// The model that answers when none is named cannot be loaded.
    #[error("cannot load model `{name}`: {source}")]
    Load {
        /// The model's name.
        name: String,
        /// What is wrong with it.
        source: Box<albertine::Error>,
    },
    /// A model is larger than all models may be together.
    #[error("model `{name}` takes {bytes} bytes of memory, but loaded models may take {limit}")]
    ModelTooLarge {
        /// The model's name.
        name: String,
        /// What it takes.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate or a key cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file for corrections cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Corrections {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log has no such level.
    #[error("{variable} is `{given}`, which is none of off, error, warn, info, debug and trace")]
    LogLevel {
        /// The environment variable.
        variable: &'static str,
        /// What it is set to.
        given: String,
    },
    /// A text for CORS that is not an origin.
    #[error("`{origin}` is not an origin such as https://example.org")]
    Origin {
        /// What was given.
        origin: String,
    },
    /// There is no folder for files that are sent.
    #[error("cannot create a folder for files that are sent: {0}")]
    Files(std::io::Error),
    /// Threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(std::io::Error),
}

/// Why a request has no other answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    Json(String),
    #[error("{0}")]
    Invalid(String),
    #[error("the body has more than {limit} bytes")]
    BodyTooLarge { limit: u64 },
    #[error("{what} more than {limit} bytes")]
    TextsTooLarge { what: &'static str, limit: usize },
    #[error("the texts would take about {seconds} seconds, longer than the {limit} that a request has")]
    TooMuchWork { seconds: u64, limit: u64 },
    #[error("text {index} has more than the {limit} tokens that the model reads")]
    TextTooLong { index: usize, limit: usize },
    #[error("{count} texts are more than the {limit} of one request")]
    TooManyTexts { count: usize, limit: usize },
    #[error("there is no model `{name}`; there are {known}")]
    UnknownModel { name: String, known: String },
    #[error("there is no {method} {path}")]
    NoRoute { method: String, path: String },
    #[error("there is no {what} `{name}`")]
    NotFound { what: &'static str, name: String },
    #[error("{path} does not take {method}")]
    Method { method: String, path: String },
    #[error("{0}")]
    NotEnabled(&'static str),
    #[error("{reason}")]
    Conflict { reason: String, columns: Option<Vec<String>> },
    #[error("the API key is missing or wrong")]
    Unauthorized,
    #[error("the service is overloaded")]
    Overloaded { retry_after: u64 },
    #[error("the head of the request is not valid HTTP/1.1")]
    NotHttp,
    #[error("the request is not TLS")]
    NotTls,
    #[error("the request has {count} headers `Host` where there must be one")]
    Host { count: usize },
    #[error("the path and its query have more than 65534 bytes")]
    UriTooLong,
    #[error("the head of the request has more than {limit} bytes, or more than 100 headers")]
    HeadTooLarge { limit: usize },
    #[error("the head of the request did not arrive in time")]
    SlowHead,
    #[error("the request comes from a page of another origin")]
    CrossOrigin,
    #[error("the body has the content encoding `{encoding}`, which this service does not read")]
    Encoding { encoding: String },
    #[error("the body did not arrive in time")]
    SlowBody,
    #[error("the body is broken off, or its chunks are not valid")]
    BrokenBody,
    #[error("the request took more than {seconds} seconds")]
    Timeout { seconds: u64 },
    #[error("the service is shutting down")]
    Closing,
    #[error("model `{name}` cannot be loaded: {reason}")]
    Load { name: String, reason: String },
    #[error("{0}")]
    Inference(String),
    #[error("the service failed on this request")]
    Internal,
}

impl ApiError {
    /// The status and the kind of error, by TEI's names where it has one.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Json(_) => (StatusCode::BAD_REQUEST, "validation"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "validation"),
            Self::BodyTooLarge { .. }
            | Self::TextsTooLarge { .. }
            | Self::TooMuchWork { .. }
            | Self::TextTooLong { .. }
            | Self::TooManyTexts { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::UnknownModel { .. } | Self::NoRoute { .. } | Self::NotFound { .. } => {
                (StatusCode::NOT_FOUND, "not_found")
            }
            Self::NotEnabled(_) => (StatusCode::NOT_FOUND, "not_enabled"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict { .. } => (StatusCode::CONFLICT, "conflict"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Overloaded { .. } => (StatusCode::TOO_MANY_REQUESTS, "overloaded"),
            Self::NotHttp | Self::NotTls | Self::Host { .. } => (StatusCode::BAD_REQUEST, "validation"),
            Self::UriTooLong => (StatusCode::URI_TOO_LONG, "too_large"),
            Self::HeadTooLarge { .. } => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large"),
            Self::CrossOrigin => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Encoding { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "validation"),
            Self::SlowHead | Self::SlowBody => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "validation"),
            Self::Timeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
            Self::Closing => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
            Self::Load { .. } | Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Inference(_) => (StatusCode::FAILED_DEPENDENCY, "backend"),
        }
    }

    /// What the client can do.
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::BodyTooLarge { .. } => {
                "send fewer or shorter texts at a time, or start the service with a larger limit"
            }
            Self::TextsTooLarge { .. } => "send less of it",
            Self::TooMuchWork { .. } => "send fewer texts at a time, or start the service with a longer `--timeout`",
            Self::TextTooLong { .. } => "shorten it, or send `\"truncate\": true`",
            Self::TooManyTexts { .. } => "send them in several requests, or start the service with `--max-texts`",
            Self::UnknownModel { .. } => "GET /v1/models lists the models",
            Self::NoRoute { .. } => "GET /openapi.json describes what there is",
            Self::Method { .. } => "the header `Allow` says what it takes",
            Self::Unauthorized => "send the header `Authorization: Bearer KEY`",
            Self::Overloaded { .. } => "try again after the seconds in the header `Retry-After`",
            Self::Timeout { .. } => "send fewer texts at a time, or start the service with `--timeout`",
            Self::Load { .. } => "the service's log says more",
            Self::Closing => "try again",
            Self::NotHttp => {
                "send a request line, headers and an empty line as RFC 9112 has them; HTTP/2 is not spoken"
            }
            Self::NotTls => "use a URL that starts with https://",
            Self::Host { .. } => "send the header `Host` once",
            Self::UriTooLong => "send texts in the body",
            Self::HeadTooLarge { .. } => "send fewer or shorter headers",
            Self::SlowHead | Self::SlowBody => "send it faster, or start the service with a longer `--idle-timeout`",
            Self::BrokenBody => "send as many bytes as `Content-Length` says, or all chunks",
            Self::CrossOrigin => "start the service with `--cors-origin` and the origin of the page",
            Self::Encoding { .. } => {
                "send it without `Content-Encoding`; compressed files are recognized by their name"
            }
            Self::Json(_) | Self::Invalid(_) => "GET /openapi.json describes what each route takes",
            Self::NotFound { .. }
            | Self::NotEnabled(_)
            | Self::Conflict { .. }
            | Self::Inference(_)
            | Self::Internal => return None,
        })
    }
}

impl From<albertine::Error> for ApiError {
    fn from(error: albertine::Error) -> Self {
        match error {
            albertine::Error::NotFinite { .. } => Self::Inference(error.to_string()),
            albertine::Error::PairOfTokens | albertine::Error::Threshold { .. } => Self::Invalid(error.to_string()),
            albertine::Error::Cancelled => Self::Closing,
            other => Self::Inference(other.to_string()),
        }
    }
}

/// An error as Hugging Face's servers write it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// One sentence: what is wrong.
    error: String,
    /// `validation`, `too_large`, `not_found`, `unauthorized`, `overloaded`, `timeout`, `backend`, ...
    error_type: &'static str,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<&'static str>,
    /// The columns of a file whose rows could not be labeled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    columns: Option<Vec<String>>,
    /// The id of the request, which the log has too.
    request_id: String,
}

/// An error as OpenAI's clients read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NestedErrorBody {
    error: NestedError,
}

/// The inside of an error as OpenAI's clients read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NestedError {
    /// One sentence: what is wrong.
    message: String,
    /// The kind of error.
    r#type: &'static str,
    /// The status.
    code: u16,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<&'static str>,
    /// The id of the request, which the log has too.
    request_id: String,
}

/// The kind of an error that became a response, for metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure(pub(crate) &'static str);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let context = Context::current();
        let (status, kind) = self.kind();
        let (message, hint) = (self.to_string(), self.hint());
        let mut response = match context.errors {
            ErrorShape::Flat => {
                let columns = match &self {
                    Self::Conflict { columns, .. } => columns.clone(),
                    _ => None,
                };
                let body = ErrorBody { error: message, error_type: kind, hint, columns, request_id: context.id };
                (status, Json(body)).into_response()
            }
            ErrorShape::Nested => {
                let code = status.as_u16();
                let error = NestedError { message, r#type: kind, code, hint, request_id: context.id };
                (status, Json(NestedErrorBody { error })).into_response()
            }
        };
        let headers = response.headers_mut();
        match self {
            Self::Overloaded { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            }
            Self::Closing => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
            }
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // what is left of the body would be read as the next request
            Self::BodyTooLarge { .. } | Self::Encoding { .. } | Self::SlowBody | Self::BrokenBody => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response.extensions_mut().insert(Failure(kind));
        response
    }
}

/// How requests with texts fail, for the description of the service.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its shape is used")]
pub(crate) enum Failures {
    /// The body is not JSON, or not of the shape that is described here
    #[response(status = 400)]
    Json(ErrorBody),
    /// The API key is missing or wrong
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// There is no such model
    #[response(status = 404)]
    UnknownModel(ErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    SlowBody(ErrorBody),
    /// The body or a text is too large
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// A value is out of range
    #[response(status = 422)]
    Invalid(ErrorBody),
    /// The model gave no number
    #[response(status = 424)]
    Inference(ErrorBody),
    /// The service is overloaded: try again after the seconds in the header `Retry-After`
    #[response(status = 429)]
    Overloaded(ErrorBody),
    /// The service failed
    #[response(status = 500)]
    Internal(ErrorBody),
    /// The service is shutting down
    #[response(status = 503)]
    Closing(ErrorBody),
    /// The request took too long
    #[response(status = 504)]
    Timeout(ErrorBody),
}

/// The same as OpenAI's clients read it.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its shape is used")]
pub(crate) enum NestedFailures {
    /// The body is not JSON, or not of the shape that is described here
    #[response(status = 400)]
    Json(NestedErrorBody),
    /// The API key is missing or wrong
    #[response(status = 401)]
    Unauthorized(NestedErrorBody),
    /// There is no such model
    #[response(status = 404)]
    UnknownModel(NestedErrorBody),
    /// The body did not arrive in time
    #[response(status = 408)]
    SlowBody(NestedErrorBody),
    /// The body or a text is too large
    #[response(status = 413)]
    TooLarge(NestedErrorBody),
    /// A value is out of range
    #[response(status = 422)]
    Invalid(NestedErrorBody),
    /// The model gave no number
    #[response(status = 424)]
    Inference(NestedErrorBody),
    /// The service is overloaded: try again after the seconds in the header `Retry-After`
    #[response(status = 429)]
    Overloaded(NestedErrorBody),
    /// The service failed
    #[response(status = 500)]
    Internal(NestedErrorBody),
    /// The service is shutting down
    #[response(status = 503)]
    Closing(NestedErrorBody),
    /// The request took too long
    #[response(status = 504)]
    Timeout(NestedErrorBody),
}
