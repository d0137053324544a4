//! Whole numbers in requests.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

/// A whole number as JSON Schema has it: `3.0` is one, and there is no largest one. Those that no machine counts to are
/// the smallest or largest that one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Integer(pub(super) i64);

impl Integer {
    /// The number as a count, which is not below 0.
    pub(super) fn count(self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }
}

/// Any whole number, or null.
pub(super) fn any() -> Schema {
    schema(None)
}

/// A whole number from 1, or null.
pub(super) fn positive() -> Schema {
    schema(Some(1))
}

/// -1, or null.
pub(super) fn minus_one() -> Schema {
    let types = SchemaType::from_iter([Type::Integer, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some([serde_json::json!(-1), serde_json::Value::Null])).into()
}

/// Whole numbers from 0.
pub(super) fn counts() -> Schema {
    let count = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    ArrayBuilder::new().items(count).into()
}

/// Without the width that the types of Rust have.
fn schema(least: Option<i64>) -> Schema {
    let types = SchemaType::from_iter([Type::Integer, Type::Null]);
    ObjectBuilder::new().schema_type(types).minimum(least).into()
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Integer, E> {
                Ok(Integer(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Integer, E> {
                Ok(Integer(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Integer, E> {
                if number.fract() == 0.0 {
                    // `as` goes to the nearest end where a number is beyond it
                    Ok(Integer(number as i64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(number), &self))
                }
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_any_form_and_size() {
        let of = |json: &str| serde_json::from_str::<Integer>(json).ok().map(|number| number.0);
        assert_eq!((of("3"), of("3.0"), of("-3"), of("3e2")), (Some(3), Some(3), Some(-3), Some(300)));
        assert_eq!(
            (of("1e300"), of("-1e30"), of("18446744073709551615")),
            (Some(i64::MAX), Some(i64::MIN), Some(i64::MAX))
        );
        for odd in ["0.5", "\"3\"", "true", "null", "[]"] {
            assert_eq!(of(odd), None, "{odd}");
        }
        assert_eq!((Integer(-1).count(), Integer(0).count()), (None, Some(0)));
    }
}
