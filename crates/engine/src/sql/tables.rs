//! The files that a query names, as its tables.

use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::prelude::SessionContext;
use url::Url;

use super::error::engine_error;
use super::types;
use crate::format::{Compression, Format};
use crate::location::{self, InputFile, Location};
use crate::{EngineError, remote};

/// Rows that are looked at for the types of a CSV or JSON Lines table.
pub(super) const INFER_ROWS: usize = 100_000;

/// The table that `name` names: a file, a pattern, a folder or a URL.
pub(super) fn open(context: &SessionContext, name: &str) -> Result<Arc<dyn TableProvider>, EngineError> {
    if !is_file_name(name) {
        return Err(EngineError::UnknownTable { name: name.to_owned() });
    }
    let files = location::expand(&[name.to_owned()], None)?;
    let mut urls = Vec::with_capacity(files.len());
    for file in &files {
        urls.push(url_of(context, file)?);
    }
    let [first, others @ ..] = files.as_slice() else { return Err(EngineError::NoInput) };
    if let Some(other) =
        others.iter().find(|other| (other.format, other.compression) != (first.format, first.compression))
    {
        return Err(EngineError::ColumnsDiffer {
            first: first.location.to_string(),
            other: other.location.to_string(),
            difference: "the files of one table must be of one format and compression".to_owned(),
        });
    }
    let options = ListingOptions::new(format_of(first)?).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options);
    let named = |error| match engine_error(error) {
        EngineError::Sql { reason } => EngineError::Sql { reason: format!("{name} cannot be read: {reason}") },
        EngineError::Remote { reason, .. } => EngineError::Remote { url: name.to_owned(), reason },
        EngineError::NotFound { .. } => EngineError::NotFound { path: name.to_owned() },
        error => error,
    };
    let config = match delimiter_of(first.format) {
        Some(delimiter) => config.with_schema(Arc::new(types::infer(&files, delimiter)?)),
        None => remote::runtime()?.block_on(config.infer_schema(&context.state())).map_err(named)?,
    };
    if config.file_schema.as_ref().is_none_or(|schema| schema.fields().is_empty()) {
        return Err(EngineError::EmptyFile { path: name.to_owned() });
    }
    Ok(Arc::new(ListingTable::try_new(config).map_err(engine_error)?))
}

/// Whether a table's name was meant as a file's.
fn is_file_name(name: &str) -> bool {
    name.contains(['.', '/', '\\', '*', '?']) || Path::new(name).exists()
}

fn url_of(context: &SessionContext, file: &InputFile) -> Result<ListingTableUrl, EngineError> {
    let bad = |reason: &str| EngineError::BadUrl { url: file.location.to_string(), reason: reason.to_owned() };
    let url = match &file.location {
        Location::Stdin => return Err(bad("standard input cannot be a table")),
        Location::File(path) => {
            let absolute =
                std::path::absolute(path).map_err(|source| EngineError::reading(&path.to_string_lossy(), source))?;
            Url::from_file_path(absolute).map_err(|()| bad("it has no URL"))?
        }
        Location::Url(url) => {
            let (store, _) = remote::store(url)?;
            context.register_object_store(url, store);
            url.clone()
        }
    };
    // Not `parse`, which would read characters of the name as a pattern.
    ListingTableUrl::try_new(url, None).map_err(engine_error)
}

/// What stands between the cells of a row, in formats that have it.
fn delimiter_of(format: Format) -> Option<u8> {
    match format {
        Format::Csv => Some(b','),
        Format::Tsv => Some(b'\t'),
        Format::Jsonl | Format::Parquet | Format::Txt => None,
    }
}

fn format_of(file: &InputFile) -> Result<Arc<dyn FileFormat>, EngineError> {
    let compression = match file.compression {
        Compression::None => FileCompressionType::UNCOMPRESSED,
        Compression::Gzip => FileCompressionType::GZIP,
        Compression::Zstd => FileCompressionType::ZSTD,
    };
    if let Some(delimiter) = delimiter_of(file.format) {
        // Cells with line ends rule out that a file is read in pieces.
        let format = CsvFormat::default().with_delimiter(delimiter).with_has_header(true).with_newlines_in_values(true);
        return Ok(Arc::new(format.with_file_compression_type(compression)));
    }
    Ok(match file.format {
        Format::Jsonl => Arc::new(
            JsonFormat::default().with_schema_infer_max_rec(INFER_ROWS).with_file_compression_type(compression),
        ),
        Format::Parquet => Arc::new(ParquetFormat::default()),
        Format::Csv | Format::Tsv | Format::Txt => {
            let found = "a txt file has no columns to query".to_owned();
            return Err(EngineError::WrongFormat { path: file.location.to_string(), expected: "a table", found });
        }
    })
}
