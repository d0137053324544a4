//! The column of prediction sets: the labels that are likely enough, so that sets contain the true one as often as asked.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_schema::{DataType, Field};

pub(super) fn field() -> Field {
    Field::new("prediction_set", DataType::List(item()), true)
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

/// The labels of each row of scores whose score is at least `threshold`, the likeliest first.
pub(super) fn column(threshold: f32, labels: &[String], scores: &[Option<Vec<f32>>]) -> ArrayRef {
    let mut sets = ListBuilder::new(StringBuilder::new()).with_field(item());
    for row in scores {
        let scores = row.as_deref().unwrap_or_default();
        let mut set: Vec<usize> = (0..scores.len()).filter(|&label| scores[label] >= threshold).collect();
        // Scores are from 0 to 1, whose bits are in the order of the numbers; of equals the first stays first.
        set.sort_by_key(|&label| Reverse(scores[label].to_bits()));
        set.into_iter().for_each(|label| sets.values().append_value(&labels[label]));
        sets.append(row.is_some());
    }
    Arc::new(sets.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn a_set_has_the_likeliest_first_and_may_be_empty() {
        let labels = ["a", "b", "c"].map(str::to_owned);
        let scores = [Some(vec![0.2, 0.2, 0.6]), None, Some(vec![0.1, 0.8, 0.1]), Some(vec![0.2, 0.15, 0.1])];
        let column = column(0.2, &labels, &scores);
        let sets = column.as_list::<i32>();
        let set = |row: usize| {
            let set = sets.value(row);
            sets.is_valid(row).then(|| set.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(" "))
        };
        assert_eq!([0, 1, 2, 3].map(set), [Some("c a b".to_owned()), None, Some("b".to_owned()), Some("a".to_owned())]);
    }
}
