//! The columns of JSON Lines: the shape of every value seen, in the order in which keys first appear.
//!
//! Arrow's own inference goes through `serde_json::Value`, which sorts keys; a table's columns must keep their order.

use std::collections::HashMap;
use std::fmt;

use arrow_schema::{DataType, Field, Fields};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::COLUMNS;

/// The most keys of the objects within one column. Keys that are data (a user's name, a date) would otherwise make a
/// struct of any width.
pub(super) const INNER_KEYS: usize = 1_000;

/// The largest magnitude up to which a 64-bit float holds every whole number.
const EXACT: u64 = 1 << 53;

/// The name of the Arrow extension type of text that is JSON
/// ([canonical extensions](https://arrow.apache.org/docs/format/CanonicalExtensions.html#json)), in a field's metadata.
const EXTENSION: (&str, &str) = ("ARROW:extension:name", "arrow.json");

/// What is known of a value from the texts of it seen so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Shape {
    /// Nothing but nulls.
    #[default]
    Null,
    Bool,
    /// Whole numbers: whether one was below zero, one was above `i64::MAX`, and one was too far from zero for a float.
    Int {
        negative: bool,
        large: bool,
        long: bool,
    },
    Float,
    Text,
    List(Box<Shape>),
    Object(Keys),
    /// Objects of over [`INNER_KEYS`] different keys, which stay as they are written.
    Wide,
    /// Values of different kinds, as text: each as it is written, but texts without quotes. `nested` says that lists or
    /// objects are among them.
    Mixed {
        nested: bool,
    },
}

/// The keys of an object in the order of their first appearance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Keys {
    indices: HashMap<String, usize>,
    shapes: Vec<(String, Shape)>,
    /// These keys and all within them.
    size: usize,
    /// Whether the value of one of these keys is wide.
    holds_wide: bool,
}

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The number of keys, of these and of all objects within; a wide object counts as one value.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The Arrow fields, all of them nullable. Those of wide objects are marked as text that is JSON.
    pub(super) fn fields(&self) -> Fields {
        let field = |(name, shape): &(String, Shape)| {
            let field = Field::new(name, shape.data_type(), true);
            if *shape == Shape::Wide { mark_as_json(field) } else { field }
        };
        self.shapes.iter().map(field).collect()
    }

    /// The names of the keys within whose values there are such of different kinds.
    pub(super) fn mixed_within(&self) -> impl Iterator<Item = &str> {
        let within = |shape: &Shape| !matches!(shape, Shape::Mixed { .. }) && shape.holds_mixed();
        self.shapes.iter().filter(move |(_, shape)| within(shape)).map(|(name, _)| name.as_str())
    }

    /// Whether every value is an object whose keys are the numbers of rows: a table written column by column.
    pub(super) fn are_columns_of_rows(&self) -> bool {
        let numbered = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        let is_column = |shape: &Shape| match shape {
            Shape::Object(keys) => !keys.is_empty() && keys.names().all(numbered),
            // So many keys that their names were not kept.
            Shape::Wide => true,
            _ => false,
        };
        !self.is_empty() && self.shapes.iter().all(|(_, shape)| is_column(shape))
    }

    /// The names of the keys whose values are of different kinds, and whether lists or objects are among them.
    pub(super) fn mixed(&self) -> impl Iterator<Item = (&str, bool)> {
        self.shapes.iter().filter_map(|(name, shape)| match shape {
            Shape::Mixed { nested } => Some((name.as_str(), *nested)),
            _ => None,
        })
    }

    /// Whether the object has a key of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.indices.contains_key(name)
    }

    /// The names of the keys in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.shapes.iter().map(|(name, _)| name.as_str())
    }

    /// Widens this shape so that it holds `other` too.
    pub(super) fn widen(&mut self, other: Self) {
        for (name, shape) in other.shapes {
            self.add(name, shape);
        }
    }

    fn add(&mut self, name: String, shape: Shape) {
        if let Some(index) = self.indices.get(&name) {
            let known = &mut self.shapes[*index].1;
            self.size -= known.size();
            known.widen(shape);
            self.size += known.size();
            self.holds_wide |= known.is_as_written();
        } else {
            self.holds_wide |= shape.is_as_written();
            self.size += 1 + shape.size();
            self.indices.insert(name.clone(), self.shapes.len());
            self.shapes.push((name, shape));
        }
    }
}

fn mark_as_json(field: Field) -> Field {
    field.with_metadata(HashMap::from([(EXTENSION.0.to_owned(), EXTENSION.1.to_owned())]))
}

/// Whether a column of [`Keys::fields`] holds values as they are written.
pub(super) fn is_marked_as_json(field: &Field) -> bool {
    field.metadata().get(EXTENSION.0).is_some_and(|name| name == EXTENSION.1)
}

impl Shape {
    /// Columns never seen with a value are text, so that what reads texts can read them.
    fn data_type(&self) -> DataType {
        match self {
            Self::Null | Self::Text | Self::Wide | Self::Mixed { .. } => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int { large: false, .. } => DataType::Int64,
            Self::Int { negative: false, large: true, .. } => DataType::UInt64,
            // No integer type holds both, and a float would change digits.
            Self::Int { negative: true, large: true, .. } => DataType::Utf8,
            Self::Float => DataType::Float64,
            Self::List(item) => DataType::new_list(item.data_type(), true),
            Self::Object(keys) => DataType::Struct(keys.fields()),
        }
    }

    /// The number of keys within.
    fn size(&self) -> usize {
        match self {
            Self::List(item) => item.size(),
            Self::Object(keys) => keys.size,
            _ => 0,
        }
    }

    /// Whether values of different kinds are here or within.
    fn holds_mixed(&self) -> bool {
        match self {
            Self::Mixed { .. } => true,
            Self::List(item) => item.holds_mixed(),
            Self::Object(keys) => keys.shapes.iter().any(|(_, shape)| shape.holds_mixed()),
            _ => false,
        }
    }

    /// Whether lists or objects are among the values.
    fn is_nested(&self) -> bool {
        matches!(self, Self::List(_) | Self::Object(_) | Self::Mixed { nested: true })
    }

    /// Whether this is a value that a column of text can hold, but no part of another value: each as it is written.
    fn is_as_written(&self) -> bool {
        matches!(self, Self::Wide | Self::Mixed { nested: true })
    }

    /// Whether the value, or a part of it, is to stay as it is written: then all of it is.
    fn is_wide(&self) -> bool {
        match self {
            Self::Wide => true,
            Self::List(item) => item.is_as_written(),
            Self::Object(keys) => keys.size > INNER_KEYS || keys.holds_wide,
            _ => false,
        }
    }

    /// Values of different kinds meet in text, which keeps each as it is written.
    fn widen(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Null) => {}
            (Self::Null, other) => *self = other,
            (Self::Wide, _) | (_, Self::Wide) => *self = Self::Wide,
            (Self::Int { negative, large, long }, Self::Int { negative: below, large: above, long: beyond }) => {
                *negative |= below;
                *large |= above;
                *long |= beyond;
            }
            (Self::Int { long: false, .. }, Self::Float) => *self = Self::Float,
            (Self::Float, Self::Int { long: false, .. } | Self::Float) => {}
            (Self::List(before), Self::List(here)) => before.widen(*here),
            (Self::Object(before), Self::Object(here)) => before.widen(here),
            (Self::Bool, Self::Bool) | (Self::Text, Self::Text) => {}
            (known, other) => *self = Self::Mixed { nested: known.is_nested() || other.is_nested() },
        }
        if self.is_wide() {
            *self = Self::Wide;
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor { most_keys: COLUMNS })
    }
}

/// Finds a value's shape; an object of over `most_keys` keys is wide.
struct ShapeVisitor {
    most_keys: usize,
}

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Bool)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Int { negative: value < 0, large: false, long: value.unsigned_abs() > EXACT })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Int { negative: false, large: i64::try_from(value).is_err(), long: value > EXACT })
    }

    /// A whole number that no integer type holds arrives here too and is one of the numbers that `1e20` stands for.
    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut all = Shape::Null;
        while let Some(item) = items.next_element_seed(Inner)? {
            all.widen(item);
        }
        Ok(if all.is_as_written() { Shape::Wide } else { Shape::List(Box::new(all)) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut keys = Keys::default();
        while let Some(name) = entries.next_key::<String>()? {
            if keys.has(&name) {
                return Err(A::Error::custom(format!("the key {name:?} twice in one object")));
            }
            let shape = entries.next_value_seed(Inner)?;
            keys.add(name, shape);
            // At the top a wide value is a column like another.
            if keys.size > self.most_keys || (keys.holds_wide && self.most_keys == INNER_KEYS) {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Shape::Wide);
            }
        }
        Ok(Shape::Object(keys))
    }
}

/// A value within another.
struct Inner;

impl<'de> DeserializeSeed<'de> for Inner {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(ShapeVisitor { most_keys: INNER_KEYS })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn keys(lines: &[&str]) -> Keys {
        let mut all = Keys::default();
        for line in lines {
            let Shape::Object(keys) = serde_json::from_str(line).unwrap() else { panic!("{line} is no object") };
            all.widen(keys);
        }
        all
    }

    fn types(lines: &[&str]) -> Vec<(String, DataType)> {
        keys(lines).fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
    }

    #[test]
    fn keys_keep_the_order_of_their_first_appearance() {
        let found = types(&[r#"{"z":1,"a":null}"#, r#"{"m":true,"a":"x","z":2.5}"#]);
        let expected = [("z", DataType::Float64), ("a", DataType::Utf8), ("m", DataType::Boolean)];
        assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let kind = |lines: &[&str]| types(lines)[0].1.clone();
        assert_eq!(kind(&[r#"{"n":9223372036854775807}"#]), DataType::Int64);
        assert_eq!(kind(&[r#"{"n":9223372036854775808}"#]), DataType::UInt64);
        assert_eq!(kind(&[r#"{"n":9223372036854775808}"#, r#"{"n":-1}"#]), DataType::Utf8);
        assert_eq!(kind(&[r#"{"n":9223372036854775808}"#, r#"{"n":0.5}"#]), DataType::Utf8);
        assert_eq!(kind(&[r#"{"n":1}"#, r#"{"n":"1"}"#]), DataType::Utf8);
        assert_eq!(kind(&[r#"{"n":0.1}"#, r#"{"n":9007199254740992}"#]), DataType::Float64);
        for long in ["9007199254740993", "-9007199254740993", "12345678901234567", "9223372036854775808"] {
            let long = format!(r#"{{"n":{long}}}"#);
            assert_eq!(kind(&[r#"{"n":0.1}"#, &long]), DataType::Utf8, "{long}");
            assert_eq!(kind(&[&long, r#"{"n":0.1}"#]), DataType::Utf8, "{long}");
        }
        for larger in ["18446744073709551616", "-9223372036854775809", "1e300"] {
            assert_eq!(kind(&[&format!(r#"{{"n":{larger}}}"#)]), DataType::Float64, "{larger}");
        }
    }

    #[test]
    fn objects_of_many_keys_are_one_value() {
        let lines = |from: usize, to: usize, around: &dyn Fn(String) -> String| {
            (from..to).map(|n| around(format!(r#"{{"user{n}":1}}"#))).collect::<Vec<_>>()
        };
        let arounds: [&dyn Fn(String) -> String; 3] = [
            &|object| format!(r#"{{"a":1,"c":{object}}}"#),
            &|object| format!(r#"{{"a":1,"c":{{"d":[{object}]}}}}"#),
            &|object| format!(r#"{{"a":1,"c":[[{object}]]}}"#),
        ];
        for around in arounds {
            let mut all = Keys::default();
            let mut take = |lines: Vec<String>| {
                for line in lines {
                    let Shape::Object(keys) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
                    all.widen(keys);
                }
                (all.size(), is_marked_as_json(&all.fields()[1]), all.fields()[1].data_type().clone())
            };
            let (size, wide, _) = take(lines(0, 900, around));
            assert!(size > 900 && !wide);
            assert_eq!(take(lines(900, 1200, around)), (2, true, DataType::Utf8));
            assert_eq!(take(vec![around("7".to_owned())]), (2, true, DataType::Utf8), "what is wide takes any value");
        }
        let one: String = (0..1200).map(|n| format!(r#","k{n}":{{}}"#)).collect();
        let one = format!(r#"{{"c":[{{"z":null{one}}}]}}"#);
        assert_eq!(types(&[&one]), [("c".to_owned(), DataType::Utf8)]);
        let many: String = (0..COLUMNS).map(|n| format!(r#","k{n}":1"#)).collect();
        assert_eq!(serde_json::from_str::<Shape>(&format!(r#"{{"z":1{many}}}"#)).unwrap(), Shape::Wide);
    }

    #[test]
    fn values_of_different_kinds_are_text() {
        let shape = |lines: &[&str]| keys(lines).shapes[0].1.clone();
        assert_eq!(shape(&[r#"{"a":1}"#, r#"{"a":"x"}"#]), Shape::Mixed { nested: false });
        assert_eq!(shape(&[r#"{"a":"x"}"#, r#"{"a":[1]}"#, r#"{"a":null}"#]), Shape::Mixed { nested: true });
        assert_eq!(shape(&[r#"{"a":{"b":1}}"#, r#"{"a":[1]}"#]), Shape::Mixed { nested: true });
        assert_eq!(shape(&[r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":[{}]}}"#]), Shape::Wide, "no part of a value can be");
        assert_eq!(shape(&[r#"{"a":[1,[2]]}"#]), Shape::Wide);
        assert_eq!(shape(&[r#"{"a":[1,"x"]}"#]), Shape::List(Box::new(Shape::Mixed { nested: false })));
        assert_eq!(shape(&[r#"{"a":"x"}"#, r#"{"a":"y"}"#]), Shape::Text);
        assert_eq!(keys(&[r#"{"a":1,"b":2}"#, r#"{"b":"x"}"#]).mixed().collect::<Vec<_>>(), [("b", false)]);
    }

    #[test]
    fn a_key_is_in_an_object_once() {
        assert_eq!(serde_json::from_str::<Shape>("[1,null,2.5]").unwrap(), Shape::List(Box::new(Shape::Float)));
        assert!(serde_json::from_str::<Shape>(r#"{"a":1,"a":2}"#).is_err());
    }
}
