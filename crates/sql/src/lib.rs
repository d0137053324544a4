//! SQL over files, with the model as a function: the only crate that knows DataFusion.
//!
//! A table is a file, a pattern, a folder or a URL in single quotes. `classify(text)` gives the label of a text and
//! `classify_score(text)` its score; both are null for a null or blank text.

mod checks;
mod error;
mod functions;
mod scan;
mod tables;
mod types;

use std::num::NonZeroUsize;
use std::sync::Arc;

use albertine::{CancellationToken, Classifier, Counts};
use albertine_engine::remote;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::common::TableReference;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use futures::StreamExt;

pub use self::error::SqlError;

/// What sorts, joins and aggregations may hold in memory, in bytes; beyond it they use temporary files.
const MEMORY: usize = 1 << 30;

/// Rows of a batch, and so of what the model is given at once.
const BATCH_ROWS: usize = 8192;

/// A place to run queries with one model.
///
/// Sorts, joins and aggregations hold at most 1 GiB in memory and use temporary files beyond it.
///
/// A table of Parquet or JSON Lines has the types of its files, and plain text has one column, `text`. The columns of
/// CSV and TSV get types by the first 100,000 rows of each file, where that changes no cell: a column is of whole
/// numbers, decimals or `true` and `false` only if every cell reads back to the text that it is. In such a column an
/// empty cell is null, and a later cell that does not fit is an error. All other columns are text.
///
/// ```no_run
/// use std::sync::Arc;
/// use albertine::{Classifier, ClassifierSettings};
/// use albertine_sql::Sql;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let classifier = Arc::new(Classifier::pretrained("ag_news", ClassifierSettings::default())?);
/// let rows = Sql::new(classifier)?.query("SELECT classify(text) AS label, count(*) FROM 'news/*.csv' GROUP BY 1")?;
/// for batch in rows {
///     println!("{:?}", batch?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sql {
    classifier: Arc<Classifier>,
    environment: Arc<RuntimeEnv>,
}

impl Sql {
    /// Queries with `classifier` as `classify(text)` and `classify_score(text)`.
    ///
    /// # Errors
    /// When the folder for temporary files cannot be used.
    pub fn new(classifier: Arc<Classifier>) -> Result<Self, SqlError> {
        // The pool names who took the memory when it runs out.
        let named = NonZeroUsize::new(3).unwrap_or(NonZeroUsize::MIN);
        let pool = TrackConsumersPool::new(FairSpillPool::new(MEMORY), named);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(DiskManagerBuilder::default())
            .build_arc()?;
        Ok(Self { classifier, environment })
    }

    /// Plans `sql` and gives its rows as they are worked out.
    ///
    /// The rows of `SELECT ... FROM 'file'` come in the file's order. This blocks, and so does the iterator: neither is
    /// for use within an asynchronous runtime.
    ///
    /// # Errors
    /// When it is not one query, or names a table, column or function that there is not, or a type does not fit.
    pub fn query(&self, sql: &str) -> Result<Rows, SqlError> {
        self.query_until(sql, &CancellationToken::default())
    }

    /// As [`query`](Self::query), stopped by `cancellation`: the rows then end with [`albertine::Error::Cancelled`].
    ///
    /// # Errors
    /// As `query`.
    pub fn query_until(&self, sql: &str, cancellation: &CancellationToken) -> Result<Rows, SqlError> {
        match self.plan(sql, Names::AsWritten, cancellation) {
            // A name in other letters than the column's is no name of it as it stands, but in SQL it is.
            Err(error @ SqlError::UnknownColumn { .. }) => {
                self.plan(sql, Names::InSmallLetters, cancellation).map_err(|_| error)
            }
            rows => rows,
        }
    }

    fn plan(&self, sql: &str, names: Names, cancellation: &CancellationToken) -> Result<Rows, SqlError> {
        let model = Arc::new(functions::Model::new(&self.classifier, cancellation)?);
        let context = self.context(&model, names);
        let runtime = remote::runtime()?;
        let state = context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let mut statement = state.sql_to_statement(sql, &dialect)?;
        checks::select_all(&mut statement);
        if !is_query(&statement) {
            return Err(SqlError::NotAQuery { found: statement.to_string() });
        }
        checks::refuse_samples(&statement)?;
        for table in state.resolve_table_references(&statement)? {
            let TableReference::Bare { table: name } = &table else {
                return Err(SqlError::UnknownTable { name: table.to_string() });
            };
            let provider = tables::open(&context, name)?;
            context.register_table(table.clone(), provider)?;
        }
        let asked = statement.to_string();
        let plan = runtime.block_on(state.statement_to_plan(statement))?;
        // A query may hide what is none: SELECT .. INTO makes a table.
        let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        if only_queries.verify_plan(&plan).is_err() {
            return Err(SqlError::NotAQuery { found: asked });
        }
        checks::names_differ(plan.schema().fields())?;
        let stream = runtime.block_on(async { context.execute_logical_plan(plan).await?.execute_stream().await })?;
        Ok(Rows { schema: stream.schema(), stream, model })
    }

    /// A context of its own for each query: its tables are looked up anew, since files change.
    fn context(&self, model: &Arc<functions::Model>, names: Names) -> SessionContext {
        // The model uses all cores for each batch by itself. One partition keeps the rows in order beside, and one
        // batch in memory.
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(false)
            .set_bool("datafusion.sql_parser.enable_ident_normalization", names == Names::InSmallLetters);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::clone(&self.environment))
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        for function in functions::of(model) {
            context.register_udf(function);
        }
        context
    }
}

/// How names without quotes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    AsWritten,
    /// As the SQL standard has it, which PostgreSQL turned to small letters.
    InSmallLetters,
}

/// Whether a statement only asks.
fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(statement.as_ref(), SqlStatement::Query(_)),
        Statement::Explain(explained) => is_query(&explained.statement),
        _ => false,
    }
}

/// The rows of a query: an iterator over its batches.
pub struct Rows {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    model: Arc<functions::Model>,
}

impl Rows {
    /// What the model counted for the rows so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.model.counts()
    }

    /// The columns of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, SqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(cancelled) = self.model.check() {
            return Some(Err(cancelled.into()));
        }
        let runtime = match remote::runtime() {
            Ok(runtime) => runtime,
            Err(error) => return Some(Err(error.into())),
        };
        runtime.block_on(self.stream.next()).map(|batch| batch.map_err(SqlError::from))
    }
}
