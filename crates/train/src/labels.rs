//! From the names that a table uses for classes to class indices.

use std::collections::HashMap;

use crate::TrainError;
use crate::error::quoted;

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
    /// Classes by the whole number that their name is.
    whole: HashMap<i64, usize>,
    /// Whether numbers from 0 stand for classes: no name is a number itself.
    numbered: bool,
    table: Option<TableNames>,
}

/// The names that the table itself has for its numbers from 0.
#[derive(Debug, Clone)]
struct TableNames {
    names: Vec<String>,
    /// The class that each number stands for; nothing at all where no name is one of the model's.
    classes: Vec<Option<usize>>,
}

impl LabelNames {
    /// The model's own labels, and class indices from 0 if no label is itself a number.
    ///
    /// # Errors
    /// [`TrainError::SameName`].
    pub fn of_model(labels: &[String]) -> Result<Self, TrainError> {
        let whole = by_number(labels);
        let numbered = whole.is_empty();
        Ok(Self { names: labels.to_vec(), classes: classes(labels)?, whole, numbered, table: None })
    }

    /// What a table calls the classes with these `labels`: by the names that are `given`, else by the labels; and its
    /// numbers by `class_names`, its own names for them.
    ///
    /// # Errors
    /// As [`of_model`](Self::of_model), [`given`](Self::given) and [`with_table`](Self::with_table).
    pub fn of_table(
        labels: &[String],
        given: Option<&[String]>,
        class_names: Option<&[String]>,
    ) -> Result<Self, TrainError> {
        let names = given.map_or_else(|| Self::of_model(labels), |given| Self::given(labels, given))?;
        if let Some(class_names) = class_names { names.with_table(class_names) } else { Ok(names) }
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
        Ok(Self { names: names.to_vec(), classes, whole: by_number(names), numbered: false, table: None })
    }

    /// The same names for a table that itself names its numbers from 0: each number is the class of its name, whatever
    /// the order, and -1 is a row without a label, as Hugging Face's `datasets` has it. Case does not matter where it
    /// tells no two names apart. If as many names as there are classes agree with these in places, and the others have
    /// no like, all of them agree.
    ///
    /// Without any name in common, numbers mean what they mean without the table's names
    /// ([`matches_table`](Self::matches_table) is false).
    ///
    /// ```
    /// use albertine_train::LabelNames;
    ///
    /// let names = LabelNames::of_model(&["World", "Sports"].map(str::to_owned))?;
    /// let names = names.with_table(&["sports", "world"].map(str::to_owned))?;
    /// assert_eq!((names.class("0")?, names.class("World")?), (1, 0));
    /// assert!(names.is_missing("-1"));
    /// # Ok::<(), albertine_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// [`TrainError::OtherClasses`] when no name is a name of the model, and numbers cannot be class indices either,
    /// since there are not as many.
    pub fn with_table(mut self, names: &[String]) -> Result<Self, TrainError> {
        let mut classes: Vec<_> = names.iter().map(|name| self.class_called(name)).collect();
        let any = classes.iter().any(Option::is_some);
        if !any && self.numbered && names.len() != self.names.len() {
            return Err(TrainError::OtherClasses { names: names.to_vec(), labels: self.names });
        }
        let in_place = |(number, class): (usize, &Option<usize>)| class.is_none_or(|class| class == number);
        if any && names.len() == self.names.len() && classes.iter().enumerate().all(in_place) {
            classes = (0..names.len()).map(Some).collect();
        }
        self.table = Some(TableNames { names: names.to_vec(), classes: if any { classes } else { Vec::new() } });
        Ok(self)
    }

    /// The names, in the order of the logits.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The table's own names for its numbers from 0, if it has some.
    #[must_use]
    pub fn table(&self) -> Option<&[String]> {
        self.table.as_ref().map(|table| table.names.as_slice())
    }

    /// Whether numbers are read by the table's own names.
    #[must_use]
    pub fn matches_table(&self) -> bool {
        self.table.as_ref().is_some_and(|table| !table.classes.is_empty())
    }

    /// The class that a cell of a table names. A whole number is the same with `.0` behind it, which is how a column of
    /// numbers with gaps is often written.
    ///
    /// # Errors
    /// [`TrainError::UnknownLabel`].
    pub fn class(&self, cell: &str) -> Result<usize, TrainError> {
        let unknown = |label: &str| TrainError::UnknownLabel { label: label.to_owned(), labels: self.names.clone() };
        let number = whole(cell);
        let index = number.and_then(|number| usize::try_from(number).ok());
        if let (Some(table), Some(index)) = (self.table.as_ref().filter(|_| self.matches_table()), index) {
            let class = table.classes.get(index).copied().flatten();
            return class.ok_or_else(|| unknown(table.names.get(index).map_or(cell, String::as_str)));
        }
        let by_number = || number.and_then(|number| self.whole.get(&number).copied());
        let by_index = || index.filter(|&class| self.numbered && class < self.names.len());
        self.classes.get(cell).copied().or_else(by_number).or_else(by_index).ok_or_else(|| unknown(cell))
    }

    /// The class of this name, in any case where it tells no two names apart.
    pub(crate) fn class_called(&self, name: &str) -> Option<usize> {
        let folded = |name: &str| name.trim().to_lowercase();
        let wanted = folded(name);
        let mut alike = self.names.iter().enumerate().filter(|(_, other)| folded(other) == wanted);
        self.classes.get(name).copied().or_else(|| match (alike.next(), alike.next()) {
            (Some((class, _)), None) => Some(class),
            _ => None,
        })
    }

    /// What numbers from 0 are read as, the first of them first; without those that stand for no class of the model.
    pub fn numbers(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbers = self.table.as_ref().map_or(self.names.len(), |table| table.names.len().max(self.names.len()));
        (0..numbers).filter_map(|number| {
            let class = self.class(&number.to_string()).ok()?;
            Some((number, self.names[class].as_str()))
        })
    }

    /// What is to be known of a table that has names for its numbers, of which none is one of these.
    #[must_use]
    pub fn unmatched(&self) -> Option<String> {
        let table = self.table().filter(|_| !self.matches_table())?;
        let read_as = if self.numbered { "class indices" } else { "the model's labels" };
        Some(format!(
            "the table names its classes {}, and none of them is a class of the model, whose classes are {}: numbers \
             were read as {read_as}",
            quoted(table),
            quoted(&self.names)
        ))
    }

    /// Whether a value is read as a number of the table or a class index, and not as a name.
    #[must_use]
    pub fn is_number(&self, cell: &str) -> bool {
        (self.numbered || self.matches_table()) && whole(cell).is_some_and(|number| number >= 0)
    }

    /// Whether the names themselves are numbers.
    pub(crate) fn are_numbers(&self) -> bool {
        !self.whole.is_empty()
    }

    /// Whether a value stands for no label.
    #[must_use]
    pub fn is_missing(&self, cell: &str) -> bool {
        self.table.is_some() && is_missing(cell)
    }
}

/// Whether a number of a table that names its numbers stands for no label.
pub(crate) fn is_missing(cell: &str) -> bool {
    whole(cell) == Some(-1)
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

/// The classes whose names are whole numbers, by these; the first of those that are the same number.
fn by_number(names: &[String]) -> HashMap<i64, usize> {
    let numbers = names.iter().enumerate().rev();
    numbers.filter_map(|(class, name)| Some((whole(name)?, class))).collect()
}

/// A whole number as it is usually written, or as columns of numbers with gaps have it: with `.0` behind it.
pub(crate) fn whole(cell: &str) -> Option<i64> {
    let digits = cell.strip_suffix(".0").unwrap_or(cell);
    digits.parse().ok().filter(|number: &i64| number.to_string() == digits)
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
        // how pandas writes them, in the table or when the model was trained
        let floats = LabelNames::of_model(&strings(&["-1.0", "0.0", "1.0"])).unwrap();
        assert_eq!(["-1", "0", "1.0"].map(|cell| floats.class(cell).unwrap()), [0, 1, 2]);
        assert!(!floats.is_missing("-1") && floats.class("2").is_err());
    }

    #[test]
    fn a_table_s_own_names_say_what_its_numbers_are() {
        let labels = strings(&["World", "Sports", "Business", "Sci/Tech"]);
        let of = |names: &[&str]| LabelNames::of_model(&labels).unwrap().with_table(&strings(names));
        let turned = of(&["Business", "Sci/Tech", "Sports", "World"]).unwrap();
        assert_eq!(["0", "1", "2.0", "3"].map(|cell| turned.class(cell).unwrap()), [2, 3, 1, 0]);
        assert_eq!(turned.class("Sports").unwrap(), 1);
        let numbers = [(0, "Business"), (1, "Sci/Tech"), (2, "Sports"), (3, "World")];
        assert_eq!((turned.numbers().collect::<Vec<_>>(), turned.unmatched()), (numbers.to_vec(), None));
        assert!(
            turned.matches_table() && turned.is_number("0") && turned.is_missing("-1") && turned.is_missing("-1.0")
        );
        assert!(!turned.is_missing("3") && !LabelNames::of_model(&labels).unwrap().is_missing("-1"));
        // a class that the model lacks is told by its name
        let more = of(&["Weather", "WORLD", "sports "]).unwrap();
        assert_eq!(more.numbers().collect::<Vec<_>>(), [(1, "World"), (2, "Sports")]);
        assert_eq!((more.class("1").unwrap(), more.class("2").unwrap()), (0, 1));
        assert!(more.class("0").unwrap_err().to_string().starts_with("`Weather` is not a class of the model"));
        assert!(more.class("3").unwrap_err().to_string().starts_with("`3` is not a class of the model"));
        // names that are spelled otherwise, in the model's order
        let spelled = of(&["World", "Sports", "Economy", "Science"]).unwrap();
        assert_eq!((spelled.class("2").unwrap(), spelled.class("3").unwrap()), (2, 3));
        let other = of(&["Sports", "World", "Economy", "Science"]).unwrap();
        assert!(other.class("2").is_err());
    }

    #[test]
    fn names_that_the_model_has_none_of_leave_numbers_as_they_are() {
        let names = LabelNames::of_model(&strings(&["LABEL_0", "LABEL_1"])).unwrap();
        let named = names.clone().with_table(&strings(&["neg", "pos"])).unwrap();
        assert!(!named.matches_table() && named.is_missing("-1"));
        assert_eq!(named.class("1").unwrap(), 1);
        assert_eq!(
            named.unmatched().unwrap(),
            "the table names its classes `neg`, `pos`, and none of them is a class of the model, whose classes are `LABEL_0`, \
             `LABEL_1`: numbers were read as class indices"
        );
        let other = names.with_table(&strings(&["neg", "neutral", "pos"])).unwrap_err();
        assert_eq!(
            other.to_string(),
            "the table names its classes `neg`, `neutral`, `pos`, and the model's are `LABEL_0`, `LABEL_1`: none is the same"
        );
        // the number is the model's label, whatever the table calls it
        let stars = LabelNames::of_model(&strings(&["1", "2"])).unwrap();
        let stars = stars.with_table(&strings(&["none", "one", "two"])).unwrap();
        assert_eq!((stars.class("1").unwrap(), stars.class("0").is_err()), (0, true));
        // unless it calls it that too
        let stars = LabelNames::of_model(&strings(&["1", "2"])).unwrap().with_table(&strings(&["1", "2"])).unwrap();
        assert_eq!((stars.class("0").unwrap(), stars.class("1").unwrap()), (0, 1));
        // what the user says the names are
        let given = LabelNames::given(&strings(&["LABEL_0", "LABEL_1"]), &strings(&["pos", "neg"])).unwrap();
        let given = given.with_table(&strings(&["neg", "pos"])).unwrap();
        assert_eq!((given.class("0").unwrap(), given.class("1").unwrap()), (1, 0));
        let numbers = LabelNames::given(&strings(&["LABEL_0", "LABEL_1"]), &strings(&["1", "0"])).unwrap();
        assert_eq!(numbers.with_table(&strings(&["neg", "pos"])).unwrap().class("0").unwrap(), 1);
    }

    #[test]
    fn case_matters_where_it_tells_names_apart() {
        let names = LabelNames::of_model(&strings(&["us", "US", "Them"])).unwrap();
        assert_eq!(["us", "US", "Us", "them"].map(|name| names.class_called(name)), [Some(0), Some(1), None, Some(2)]);
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
