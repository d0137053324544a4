//! From the names that a table uses for classes to class indices.

use std::collections::HashMap;

use crate::TrainError;

/// The names that a table uses for the model's classes.
///
/// ```
/// use albertine_train::LabelNames;
///
/// let labels = ["World", "Sports"].map(str::to_owned);
/// let names = LabelNames::of_model(&labels)?;
/// assert_eq!(names.class("Sports")?, 1);
/// assert_eq!(names.class("1")?, 1);
/// assert!(names.class("Business").is_err());
///
/// let names = LabelNames::given(&labels, &["1".to_owned(), "2".to_owned()])?;
/// assert_eq!(names.class("2")?, 1);
/// # Ok::<(), albertine_train::TrainError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LabelNames {
    names: Vec<String>,
    classes: HashMap<String, usize>,
    /// Whether numbers from 0 stand for classes: no name is a number itself.
    numbered: bool,
}

impl LabelNames {
    /// The model's own labels, and class indices from 0 if no label is itself a number.
    ///
    /// # Errors
    /// [`TrainError::SameName`].
    pub fn of_model(labels: &[String]) -> Result<Self, TrainError> {
        let numbered = labels.iter().all(|label| whole(label).is_none());
        Ok(Self { names: labels.to_vec(), classes: classes(labels)?, numbered })
    }

    /// Names that a table uses instead of the model's `labels`, in the same order.
    ///
    /// # Errors
    /// [`TrainError::LabelCount`]; [`TrainError::SameName`]; [`TrainError::NoName`]; [`TrainError::OtherOrder`] when
    /// they are the model's labels in a different order, which would confuse the classes.
    pub fn given(labels: &[String], names: &[String]) -> Result<Self, TrainError> {
        if names.len() != labels.len() {
            return Err(TrainError::LabelCount { given: names.len(), labels: labels.to_vec() });
        }
        if names.iter().any(|name| name.trim().is_empty()) {
            return Err(TrainError::NoName);
        }
        let classes = classes(names)?;
        if names != labels && labels.iter().all(|label| classes.contains_key(label)) {
            return Err(TrainError::OtherOrder { labels: labels.to_vec() });
        }
        Ok(Self { names: names.to_vec(), classes, numbered: false })
    }

    /// The names, in the order of the logits.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The class that a cell of a table names. A whole number is the same with `.0` behind it, which is how a column of
    /// numbers with gaps is often written.
    ///
    /// # Errors
    /// [`TrainError::UnknownLabel`].
    pub fn class(&self, cell: &str) -> Result<usize, TrainError> {
        let without_zero = || whole(cell).and_then(|number| self.classes.get(&number.to_string()).copied());
        let by_number = || whole(cell).filter(|&class| self.numbered && class < self.names.len());
        let known = self.classes.get(cell).copied().or_else(without_zero).or_else(by_number);
        known.ok_or_else(|| TrainError::UnknownLabel { label: cell.to_owned(), labels: self.names.clone() })
    }

    /// Whether a value is read as a class index and not as a name.
    #[must_use]
    pub fn is_number(&self, cell: &str) -> bool {
        self.numbered && whole(cell).is_some()
    }
}

fn classes(names: &[String]) -> Result<HashMap<String, usize>, TrainError> {
    let mut classes = HashMap::with_capacity(names.len());
    for (class, name) in names.iter().enumerate() {
        if classes.insert(name.clone(), class).is_some() {
            return Err(TrainError::SameName { label: name.clone() });
        }
    }
    Ok(classes)
}

/// A whole number from 0 up as it is usually written.
fn whole(cell: &str) -> Option<usize> {
    let digits = cell.strip_suffix(".0").unwrap_or(cell);
    digits.parse().ok().filter(|number: &usize| number.to_string() == digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn numbers_count_from_zero_unless_labels_are_numbers() {
        let names = LabelNames::of_model(&strings(&["no", "yes"])).unwrap();
        assert_eq!(names.class("1.0").unwrap(), 1);
        for unknown in ["2", "-1", "1.5", "+1", "01", "1.00", "0x1", ""] {
            assert!(names.class(unknown).is_err(), "{unknown}");
        }
        // stars from 1 to 3: the number is the name
        let stars = LabelNames::of_model(&strings(&["1", "2", "3"])).unwrap();
        assert_eq!((stars.class("1").unwrap(), stars.class("3.0").unwrap()), (0, 2));
        assert!(stars.class("0").is_err());
    }

    #[test]
    fn case_and_spaces_are_part_of_a_name() {
        let names = LabelNames::of_model(&strings(&["no", "yes"])).unwrap();
        assert!(names.class("Yes").is_err() && names.class(" yes").is_err());
    }

    #[test]
    fn given_names_are_as_many_as_the_labels_and_each_another() {
        let labels = strings(&["LABEL_0", "LABEL_1"]);
        assert_eq!(
            LabelNames::given(&labels, &strings(&["no"])).unwrap_err().to_string(),
            "1 name was given for the 2 classes `LABEL_0`, `LABEL_1`"
        );
        assert!(matches!(LabelNames::given(&labels, &strings(&["no", "no"])), Err(TrainError::SameName { .. })));
        assert!(matches!(LabelNames::given(&labels, &strings(&["no", " "])), Err(TrainError::NoName)));
        let names = LabelNames::given(&labels, &strings(&["no", "yes"])).unwrap();
        assert_eq!(names.class("yes").unwrap(), 1);
        assert!(names.class("LABEL_1").is_err() && names.class("1").is_err());
    }

    #[test]
    fn the_models_labels_in_another_order_are_refused() {
        let labels = strings(&["World", "Sports"]);
        assert!(LabelNames::given(&labels, &labels).is_ok());
        let turned = LabelNames::given(&labels, &strings(&["Sports", "World"]));
        assert!(matches!(turned, Err(TrainError::OtherOrder { .. })));
    }
}
