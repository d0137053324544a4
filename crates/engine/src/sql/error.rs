//! The data engine's errors as ours: the one sentence that says what to change.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use crate::EngineError;
use crate::error::clause;

/// Finds the reason under the wrappings.
pub(super) fn engine_error(error: DataFusionError) -> EngineError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => engine_error(*inner),
        DataFusionError::External(inner) => match inner.downcast::<EngineError>() {
            Ok(ours) => *ours,
            Err(inner) => match inner.downcast::<albertine::Error>() {
                Ok(model) => EngineError::Transform(*model),
                Err(inner) => EngineError::Sql { reason: clause(&inner.to_string()) },
            },
        },
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => engine_error(first),
            None => EngineError::Sql { reason: "the query failed".to_owned() },
        },
        DataFusionError::SchemaError(schema, _) => match *schema {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let columns: Vec<&str> = valid_fields.iter().map(|field| field.name.as_str()).collect();
                EngineError::UnknownColumn { column: field.name.clone(), columns: columns.join(", ") }
            }
            other => EngineError::Sql { reason: clause(&other.to_string()) },
        },
        DataFusionError::SQL(parser, _) => {
            EngineError::Sql { reason: format!("the query is not SQL: {}", clause(&message(&parser))) }
        }
        DataFusionError::ObjectStore(store) => crate::remote::fault("a table", &store),
        DataFusionError::ResourcesExhausted(reason) => {
            EngineError::Sql { reason: format!("the query needs more memory than it may use: {}", clause(&reason)) }
        }
        other => EngineError::Sql { reason: with_suggestion(&other.find_root().message()) },
    }
}

/// The message's first line, with the name that may have been meant if the second tells it.
fn with_suggestion(message: &str) -> String {
    let meant = message.lines().nth(1).and_then(|line| line.strip_prefix("Did you mean "));
    meant.map_or_else(|| clause(message), |meant| format!("{}, did you mean {meant}", clause(message)))
}

/// The parser's message without its kind.
fn message(parser: &impl ToString) -> String {
    let text = parser.to_string();
    text.strip_prefix("sql parser error: ").map(str::to_owned).unwrap_or(text)
}
