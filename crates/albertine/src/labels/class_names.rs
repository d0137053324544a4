//! The names that a table itself gives for the numbers of its label column.

use arrow_schema::Schema;
use serde_json::Value;

/// The key of a schema's metadata under which the library `datasets` keeps the features of a table.
const DATASETS: &str = "huggingface";

/// The names of the classes that the numbers from 0 of `column` stand for, if the column is one of numbers and the
/// table names them: as a
/// [`ClassLabel`](https://huggingface.co/docs/datasets/package_reference/main_classes#datasets.ClassLabel) of Hugging
/// Face's `datasets`, which writes -1 for a row without a label. Metadata of any other form names nothing.
///
/// ```
/// use std::collections::HashMap;
/// use arrow_schema::{DataType, Field, Schema};
///
/// let features = r#"{"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}"#;
/// let metadata = HashMap::from([("huggingface".to_owned(), features.to_owned())]);
/// let schema = Schema::new_with_metadata(vec![Field::new("label", DataType::Int64, true)], metadata);
/// assert_eq!(albertine::labels::class_names(&schema, "label"), Some(vec!["neg".to_owned(), "pos".to_owned()]));
/// assert_eq!(albertine::labels::class_names(&schema, "text"), None);
/// ```
#[must_use]
pub fn class_names(schema: &Schema, column: &str) -> Option<Vec<String>> {
    let (_, field) = schema.column_with_name(column)?;
    if !field.data_type().is_numeric() {
        return None;
    }
    let features: Value = serde_json::from_str(schema.metadata().get(DATASETS)?).ok()?;
    let feature = features.get("info")?.get("features")?.get(column)?;
    if feature.get("_type")? != "ClassLabel" {
        return None;
    }
    let names = feature.get("names")?.as_array()?.iter();
    let names: Vec<String> = names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some(names).filter(|names| !names.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow_schema::{DataType, Field};
    use serde_json::json;

    use super::*;

    fn of(kind: DataType, metadata: &Value) -> Option<Vec<String>> {
        let metadata = HashMap::from([(DATASETS.to_owned(), metadata.to_string())]);
        class_names(&Schema::new_with_metadata(vec![Field::new("label", kind, true)], metadata), "label")
    }

    fn feature(feature: &Value) -> Value {
        json!({"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": feature}}})
    }

    #[test]
    fn a_class_label_names_numbers_of_any_type() {
        // as older versions of `datasets` wrote it
        let old =
            json!({"num_classes": 2, "names": ["no", "yes"], "names_file": null, "id": null, "_type": "ClassLabel"});
        for kind in [DataType::Int64, DataType::UInt8, DataType::Float64] {
            assert_eq!(of(kind, &feature(&old)).as_deref(), Some(&["no", "yes"].map(str::to_owned)[..]));
        }
        assert_eq!(of(DataType::Utf8, &feature(&old)), None);
    }

    #[test]
    fn metadata_of_other_forms_names_nothing() {
        for other in [
            json!({"dtype": "int64", "_type": "Value"}),
            json!({"feature": {"names": ["no", "yes"], "_type": "ClassLabel"}, "_type": "Sequence"}),
            json!([{"names": ["no", "yes"], "_type": "ClassLabel"}]),
            json!({"names": ["no", 1], "_type": "ClassLabel"}),
            json!({"names": [], "_type": "ClassLabel"}),
            json!({"names": null, "_type": "ClassLabel"}),
            json!({"_type": "ClassLabel"}),
            json!({"names": ["no", "yes"]}),
            json!(null),
        ] {
            assert_eq!(of(DataType::Int64, &feature(&other)), None, "{other}");
        }
        for other in [json!({}), json!({"info": []}), json!({"info": {"features": []}}), json!("text"), json!(null)] {
            assert_eq!(of(DataType::Int64, &other), None, "{other}");
        }
        let metadata = HashMap::from([(DATASETS.to_owned(), "{".to_owned())]);
        let schema = Schema::new_with_metadata(vec![Field::new("label", DataType::Int64, true)], metadata);
        assert_eq!(class_names(&schema, "label"), None);
    }
}
