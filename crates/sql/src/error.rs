//! What can go wrong with a query: one variant per fault, in the one sentence that says what to change.

use albertine_engine::{EngineError, clause, remote};
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

/// A fault in planning or running a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// A table that cannot be read, or a model that failed.
    #[error(transparent)]
    Engine(#[from] EngineError),

    /// A query that cannot be planned or run.
    #[error("{reason}")]
    Query {
        /// What is wrong with it.
        reason: String,
    },

    /// A cell of a CSV or TSV table that is not of the type that the first rows gave its column.
    #[error("{path}, row {row}: column {column:?} has {cell:?}, but the first rows have {expected}")]
    CellType {
        /// The file.
        path: String,
        /// The row, counted from 1 without the header.
        row: usize,
        /// The column.
        column: String,
        /// The start of the cell.
        cell: String,
        /// What the cells of the first rows are.
        expected: &'static str,
    },

    /// A statement that is not a query.
    #[error("only queries (SELECT, WITH, EXPLAIN) can be run, not {found}")]
    NotAQuery {
        /// The statement.
        found: String,
    },

    /// A table name of a query that is no file.
    #[error("there is no table {name}; a table is a file, written in single quotes: FROM 'news.parquet'")]
    UnknownTable {
        /// The name.
        name: String,
    },

    /// Two columns of the result with one name.
    #[error("the result has two columns named {name:?}; name them apart with AS, as in `SELECT a.id AS a, b.id AS b`")]
    DuplicateName {
        /// The name.
        name: String,
    },

    /// A column of a query that no table has.
    #[error("there is no column {column}; the columns are {columns}")]
    UnknownColumn {
        /// The name.
        column: String,
        /// The columns there are, separated by commas.
        columns: String,
    },
}

impl SqlError {
    /// The reason of a query's fault, in another library's words.
    pub(crate) fn query(message: &str) -> Self {
        Self::Query { reason: clause(message) }
    }
}

impl From<albertine::Error> for SqlError {
    fn from(error: albertine::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// Finds the reason under DataFusion's wrappings.
impl From<DataFusionError> for SqlError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::from(*inner),
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(inner) => match inner.downcast::<albertine::Error>() {
                    Ok(model) => Self::from(*model),
                    Err(inner) => Self::query(&inner.to_string()),
                },
            },
            DataFusionError::Collection(errors) => match errors.into_iter().next() {
                Some(first) => Self::from(first),
                None => Self::query("the query failed"),
            },
            DataFusionError::SchemaError(schema, _) => match *schema {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    let columns: Vec<&str> = valid_fields.iter().map(|field| field.name.as_str()).collect();
                    Self::UnknownColumn { column: field.name.clone(), columns: columns.join(", ") }
                }
                other => Self::query(&other.to_string()),
            },
            DataFusionError::SQL(parser, _) => {
                Self::Query { reason: format!("the query is not SQL: {}", clause(&message(&parser))) }
            }
            DataFusionError::ObjectStore(store) => remote::fault("a table", &store).into(),
            DataFusionError::ResourcesExhausted(reason) => {
                Self::Query { reason: format!("the query needs more memory than it may use: {}", clause(&reason)) }
            }
            other => Self::Query { reason: with_suggestion(&other.find_root().message()) },
        }
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
