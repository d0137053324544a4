//! The label column as flags name it, and the meaning of its values.

use albertine::model::ProblemType;
use albertine_train::LabelNames;
use arrow_schema::Schema;

use crate::exit::Misuse;

/// Checks that the column of true labels is there and that its values are labels.
pub(crate) fn require(schema: &Schema, name: &str) -> Result<(), Misuse> {
    albertine::labels::require(schema, name)
        .map_err(|error| Misuse::new(error.to_string(), "name the column of true labels with `--label-column`"))
}

/// The same for labels of this problem: where a text may have several, the column may hold lists.
pub(crate) fn require_for(problem: ProblemType, schema: &Schema, name: &str) -> Result<(), Misuse> {
    if problem == ProblemType::MultiLabel && albertine::labels::require_several(schema, name).is_ok() {
        return Ok(());
    }
    require(schema, name)
}

/// The table's names for the classes of the model: `given` is a line of CSV, `class_names` are the table's own.
pub(crate) fn names(
    labels: &[String],
    given: Option<&str>,
    class_names: Option<&[String]>,
) -> anyhow::Result<LabelNames> {
    let given = given.map(|given| line("--labels", given)).transpose()?;
    Ok(LabelNames::of_table(labels, given.as_deref(), class_names)?)
}

/// The cells of a line of CSV, which is the value of `flag`.
pub(crate) fn line(flag: &str, given: &str) -> Result<Vec<String>, Misuse> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(given.as_bytes());
    let mut records = reader.records();
    match (records.next(), records.next()) {
        (Some(Ok(record)), None) => Ok(record.iter().map(str::to_owned).collect()),
        _ => Err(Misuse::new(
            format!("`{flag}` is not a line of CSV"),
            "separate the names with commas, and quote a name that contains a comma with double quotes",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn names_are_a_line_of_csv() {
        let labels = ["a", "b"].map(str::to_owned);
        let of = |given: &str| names(&labels, Some(given), None).map(|names| names.names().to_vec());
        assert_eq!(of("no, yes").expect("names"), ["no", "yes"]);
        assert_eq!(of("\"no, never\",yes").expect("names"), ["no, never", "yes"]);
        for wrong in ["", "no", "no,yes,", "no,\nyes", "b,a"] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
