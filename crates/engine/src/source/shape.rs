//! The columns of JSON Lines: the shape of every value seen, in the order in which keys first appear.
//!
//! Arrow's own inference goes through `serde_json::Value`, which sorts keys; a table's columns must keep their order.

use std::collections::HashMap;
use std::fmt;

use arrow::datatypes::{DataType, Field, Fields};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What is known of a value from the texts of it seen so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Shape {
    /// Nothing but nulls.
    #[default]
    Null,
    Bool,
    /// Whole numbers: whether one was below zero, and whether one was above `i64::MAX`.
    Int {
        negative: bool,
        large: bool,
    },
    Float,
    Text,
    List(Box<Shape>),
    Object(Keys),
}

/// The keys of an object in the order of their first appearance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Keys {
    places: HashMap<String, usize>,
    shapes: Vec<(String, Shape)>,
}

/// Two values that no one column can hold.
#[derive(Debug, PartialEq)]
pub(super) struct Conflict {
    /// The key, with a dot before each inner one.
    pub(super) key: String,
    pub(super) before: &'static str,
    pub(super) here: &'static str,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.shapes.len()
    }

    /// The Arrow fields, all of them nullable.
    pub(super) fn fields(&self) -> Fields {
        self.shapes.iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect()
    }

    /// Why `other` does not fit, if it does not.
    pub(super) fn conflict(&self, other: &Self) -> Option<Conflict> {
        other.shapes.iter().find_map(|(name, here)| {
            let mut conflict = self.shapes[*self.places.get(name)?].1.conflict(here)?;
            conflict.key = if conflict.key.is_empty() { name.clone() } else { format!("{name}.{}", conflict.key) };
            Some(conflict)
        })
    }

    /// Widens this shape so that it holds `other` too, which must not [conflict](Self::conflict).
    pub(super) fn widen(&mut self, other: Self) {
        for (name, shape) in other.shapes {
            self.add(name, shape);
        }
    }

    fn add(&mut self, name: String, shape: Shape) {
        if let Some(place) = self.places.get(&name) {
            self.shapes[*place].1.widen(shape);
        } else {
            self.places.insert(name.clone(), self.shapes.len());
            self.shapes.push((name, shape));
        }
    }
}

impl Shape {
    /// Columns never seen with a value are text, so that what reads texts can read them.
    fn data_type(&self) -> DataType {
        match self {
            Self::Null | Self::Text => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int { large: false, .. } => DataType::Int64,
            Self::Int { negative: false, large: true } => DataType::UInt64,
            // No integer type holds both, and a float would change digits.
            Self::Int { negative: true, large: true } => DataType::Utf8,
            Self::Float => DataType::Float64,
            Self::List(item) => DataType::new_list(item.data_type(), true),
            Self::Object(keys) => DataType::Struct(keys.fields()),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int { .. } | Self::Float => "a number",
            Self::Text => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }

    fn conflict(&self, other: &Self) -> Option<Conflict> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::List(before), Self::List(here)) => before.conflict(here),
            (Self::Object(before), Self::Object(here)) => before.conflict(here),
            (before, here) if before.is_scalar() && here.is_scalar() => None,
            (before, here) => Some(Conflict { key: String::new(), before: before.kind(), here: here.kind() }),
        }
    }

    /// Scalars of different kinds meet in text, which keeps each as it is written.
    fn widen(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Null) => {}
            (Self::Null, other) => *self = other,
            (Self::Int { negative, large }, Self::Int { negative: below, large: above }) => {
                *negative |= below;
                *large |= above;
            }
            (Self::Int { large: false, .. }, Self::Float) => *self = Self::Float,
            (Self::Float, Self::Int { large: false, .. } | Self::Float) => {}
            (Self::List(before), Self::List(here)) => before.widen(*here),
            (Self::Object(before), Self::Object(here)) => before.widen(here),
            (Self::Bool, Self::Bool) => {}
            _ => *self = Self::Text,
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

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
        Ok(Shape::Int { negative: value < 0, large: false })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Int { negative: false, large: i64::try_from(value).is_err() })
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut all = Shape::Null;
        while let Some(item) = items.next_element::<Shape>()? {
            if let Some(conflict) = all.conflict(&item) {
                return Err(A::Error::custom(format!("a list of {} and {}", conflict.before, conflict.here)));
            }
            all.widen(item);
        }
        Ok(Shape::List(Box::new(all)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut keys = Keys::default();
        while let Some(name) = entries.next_key::<String>()? {
            if keys.places.contains_key(&name) {
                return Err(A::Error::custom(format!("the key {name:?} twice in one object")));
            }
            let shape = entries.next_value_seed(ShapeSeed)?;
            keys.add(name, shape);
        }
        Ok(Shape::Object(keys))
    }
}

struct ShapeSeed;

impl<'de> DeserializeSeed<'de> for ShapeSeed {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        Shape::deserialize(deserializer)
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
            assert_eq!(all.conflict(&keys), None);
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
    }

    #[test]
    fn conflicts_name_the_inner_key() {
        let (before, here) = (keys(&[r#"{"a":{"b":[1]}}"#]), keys(&[r#"{"a":{"b":[{}]}}"#]));
        let conflict = before.conflict(&here).unwrap();
        assert_eq!(conflict, Conflict { key: "a.b".into(), before: "a number", here: "an object" });
    }

    #[test]
    fn a_list_holds_one_kind() {
        assert!(serde_json::from_str::<Shape>("[1,[2]]").is_err());
        assert_eq!(serde_json::from_str::<Shape>("[1,null,2.5]").unwrap(), Shape::List(Box::new(Shape::Float)));
        assert!(serde_json::from_str::<Shape>(r#"{"a":1,"a":2}"#).is_err());
    }
}
