//! The files that a query names, as its tables.

use std::path::Path;
use std::sync::Arc;

use albertine_engine::{EngineError, Format, InputFile, Location, Source, remote};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::prelude::SessionContext;
use url::Url;

use crate::SqlError;
use crate::scan::SourceTable;

/// The table that `name` names: a file, a pattern, a folder or a URL.
pub(super) fn open(context: &SessionContext, name: &str) -> Result<Arc<dyn TableProvider>, SqlError> {
    if !is_file_name(name) {
        return Err(SqlError::UnknownTable { name: name.to_owned() });
    }
    let files = InputFile::expand(&[name.to_owned()], None)?;
    let [first, others @ ..] = files.as_slice() else { return Err(EngineError::NoInput.into()) };
    if let Some(other) = others.iter().find(|other| other.format != first.format) {
        return Err(EngineError::ColumnsDiffer {
            first: first.location.to_string(),
            other: other.location.to_string(),
            difference: "the files of one table must be of one format".to_owned(),
        }
        .into());
    }
    // The folders of partitions are columns for our own reader alone.
    let partitioned = files.iter().any(|file| !file.partitions.is_empty());
    if first.format == Format::Parquet && !partitioned {
        parquet(context, &files)
    } else {
        Ok(Arc::new(SourceTable::open(files)?))
    }
}

/// Parquet files, of which only the columns and row groups that a query needs are read.
fn parquet(context: &SessionContext, files: &[InputFile]) -> Result<Arc<dyn TableProvider>, SqlError> {
    // Our own reader looks at every footer: the columns must be the same in all files.
    let schema = Arc::clone(Source::of_files(files.to_vec())?.schema());
    let urls = files.iter().map(|file| url_of(context, file)).collect::<Result<_, _>>()?;
    // as our own reader does
    let format = ParquetFormat::default().with_coerce_int96(Some("us".to_owned()));
    let options = ListingOptions::new(Arc::new(format)).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// Whether a table's name was meant as a file's.
fn is_file_name(name: &str) -> bool {
    name.contains(['.', '/', '\\', '*', '?']) || Path::new(name).exists()
}

fn url_of(context: &SessionContext, file: &InputFile) -> Result<ListingTableUrl, SqlError> {
    let bad = |reason: &str| EngineError::BadUrl { url: file.location.to_string(), reason: reason.to_owned() };
    let url = match &file.location {
        Location::Stdin => return Err(bad("standard input cannot be a table").into()),
        Location::File(path) => {
            // `..` and links resolved, since object stores know neither.
            let absolute =
                std::fs::canonicalize(path).map_err(|source| EngineError::reading(&path.to_string_lossy(), source))?;
            Url::from_file_path(absolute).map_err(|()| bad("it has no URL"))?
        }
        Location::Url(url) => {
            let (store, _) = remote::store(url)?;
            context.register_object_store(url, store);
            url.clone()
        }
    };
    // Not `parse`, which would read characters of the name as a pattern.
    Ok(ListingTableUrl::try_new(url, None)?)
}
