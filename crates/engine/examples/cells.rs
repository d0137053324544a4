//! Prints what is read of each table whose path is a line of standard input, as a line of JSON: `columns`, `rows` of
//! texts and nulls, and `notes`; or `error`. Used to compare with other readers (`tools/parity/tables.py`).

use std::io::{BufRead, Write};

use albertine_engine::{EngineError, Source, SourceOptions};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for path in std::io::stdin().lock().lines() {
        let table = read(path?).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(output, "{table}")?;
    }
    Ok(())
}

fn read(path: String) -> Result<Value, EngineError> {
    let source = Source::open(SourceOptions { inputs: vec![path.into()], ..SourceOptions::default() })?;
    let columns: Vec<String> = source.schema().fields().iter().map(|field| field.name().clone()).collect();
    let notes = source.notes().to_vec();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for batch in source {
        let batch = batch?;
        let options = FormatOptions::default();
        let cells = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let cells = cells.collect::<Result<Vec<_>, _>>().map_err(albertine::Error::from)?;
        for row in 0..batch.num_rows() {
            let cell = |(cells, column): (&ArrayFormatter<'_>, &arrow_array::ArrayRef)| {
                if column.is_null(row) { Value::Null } else { Value::from(cells.value(row).to_string()) }
            };
            rows.push(cells.iter().zip(batch.columns()).map(cell).collect());
        }
    }
    Ok(json!({ "columns": columns, "rows": rows, "notes": notes }))
}
