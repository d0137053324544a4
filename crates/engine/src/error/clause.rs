//! Messages of other libraries as the end of our sentences.

/// The first line of another library's message as the end of one of our sentences: no capital, no full stop, no prefix
/// of its own.
#[must_use]
pub fn clause(message: &str) -> String {
    let mut text = message.trim();
    while let Some((_, rest)) =
        PREFIXES.iter().find_map(|prefix| text.split_once(prefix).filter(|(before, _)| before.is_empty()))
    {
        text = rest.trim_start();
    }
    let line = text.lines().next().unwrap_or_default().trim_end().trim_end_matches('.');
    // Two sentences become two clauses.
    let line = &joined(line);
    let mut letters = line.chars();
    match (letters.next(), line.chars().nth(1)) {
        // A word in capitals is a name (JSON, UTF-8) and keeps them.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => line.to_owned(),
    }
}

/// The sentences of a line, each after the first with a small letter, with semicolons between them.
fn joined(line: &str) -> String {
    let mut sentences = line.split(". ");
    let mut joined = sentences.next().unwrap_or_default().to_owned();
    for sentence in sentences {
        let mut letters = sentence.chars();
        match letters.next() {
            Some(first) if first.is_uppercase() && letters.clone().next().is_some_and(char::is_lowercase) => {
                joined.push_str("; ");
                joined.extend(first.to_lowercase());
                joined.push_str(letters.as_str());
            }
            // A full stop that ends no sentence.
            _ => {
                joined.push_str(". ");
                joined.push_str(sentence);
            }
        }
    }
    joined
}

/// What Arrow, Parquet, object stores and DataFusion put before their messages.
const PREFIXES: [&str; 16] = [
    "External: ",
    "External error: ",
    "Arrow: ",
    "Arrow error: ",
    "Parquet error: ",
    "Json error: ",
    "Csv error: ",
    "Parser error: ",
    "Parquet argument error: ",
    "Invalid argument error: ",
    "Schema error: ",
    "Compute error: ",
    "EOF: ",
    "Error during planning: ",
    "Execution error: ",
    "Generic HTTP client error: ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_messages_become_clauses() {
        assert_eq!(clause("Parquet error: EOF: Invalid footer.\nbacktrace"), "invalid footer");
        assert_eq!(clause("JSON is hard."), "JSON is hard");
        assert_eq!(clause("Invalid Parquet file. Corrupt footer"), "invalid Parquet file; corrupt footer");
        assert_eq!(clause("no. 5 of e.g. 7"), "no. 5 of e.g. 7");
        assert_eq!(clause(""), "");
    }
}
