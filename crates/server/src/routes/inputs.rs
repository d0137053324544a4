//! Texts in requests: one or many, alone or in pairs.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};

use crate::app::Input;
use crate::error::ApiError;

/// One value or a list of them.
#[derive(Debug)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// What requests with texts say they expected.
const EXPECTED: &str = "a text or a list of texts";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(StrDeserializer::new(text)).map(OneOrMany::One)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
                let values: Vec<T> = Vec::deserialize(SeqAccessDeserializer::new(values))?;
                if values.is_empty() {
                    return Err(de::Error::invalid_length(0, &"at least one text"));
                }
                Ok(OneOrMany::Many(values))
            }
        }

        deserializer.deserialize_any(Values(PhantomData))
    }
}

/// A text, or the two texts of a pair: `"..."` or `{"text": "...", "text_pair": "..."}`.
#[derive(Debug)]
pub(super) struct Text(Input);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Pair {
            text: String,
            text_pair: Option<String>,
        }

        impl<'de> Visitor<'de> for One {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Input { text: text.to_owned(), pair: None }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                let Pair { text, text_pair } = Pair::deserialize(MapAccessDeserializer::new(map))?;
                // transformers takes an empty text for none here
                Ok(Text(Input { text, pair: text_pair.filter(|second| !second.is_empty()) }))
            }
        }

        deserializer.deserialize_any(One)
    }
}

impl From<Text> for Input {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Input { text, pair: None })
    }
}

impl<T: Into<Input>> OneOrMany<T> {
    /// The texts, and whether there is one that is not in a list.
    pub(super) fn into_inputs(self) -> (Vec<Input>, bool) {
        match self {
            Self::One(text) => (vec![text.into()], true),
            Self::Many(texts) => (texts.into_iter().map(Into::into).collect(), false),
        }
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self { text, pair: None }
    }
}

/// TEI's inputs: a text, a list of one text or of a pair, or a list of such lists.
#[derive(Debug)]
pub(super) struct TeiInputs {
    pub(super) inputs: Vec<Input>,
    /// Whether it is one text or pair, which is answered without a list around it.
    pub(super) single: bool,
}

impl<'de> Deserialize<'de> for TeiInputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pair = |texts: Vec<String>| {
            let count = texts.len();
            let mut texts = texts.into_iter();
            match (count, texts.next(), texts.next()) {
                (1..=2, Some(text), pair) => Ok(Input { text, pair }),
                _ => Err(de::Error::invalid_length(count, &"one text, or the two texts of a pair")),
            }
        };
        match OneOrMany::<OneOrMany<String>>::deserialize(deserializer)? {
            OneOrMany::One(OneOrMany::One(text)) => Ok(Self { inputs: vec![text.into()], single: true }),
            OneOrMany::One(OneOrMany::Many(texts)) => Ok(Self { inputs: vec![pair(texts)?], single: true }),
            OneOrMany::Many(values) => {
                if values.iter().all(|value| matches!(value, OneOrMany::One(_))) {
                    let texts = values.into_iter().filter_map(|value| match value {
                        OneOrMany::One(text) => Some(text),
                        OneOrMany::Many(_) => None,
                    });
                    return Ok(Self { inputs: vec![pair(texts.collect())?], single: true });
                }
                let one = |value| match value {
                    OneOrMany::Many(texts) => pair(texts),
                    OneOrMany::One(_) => Err(de::Error::custom("a text among lists of texts")),
                };
                Ok(Self { inputs: values.into_iter().map(one).collect::<Result<_, _>>()?, single: false })
            }
        }
    }
}

/// Refuses an empty list.
pub(super) fn at_least_one(texts: &[String]) -> Result<(), ApiError> {
    if texts.is_empty() { Err(ApiError::Json("texts: the list is empty".to_owned())) } else { Ok(()) }
}

fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).into()
}

fn list(of: impl Into<RefOr<Schema>>, most: Option<usize>) -> Schema {
    ArrayBuilder::new().items(of.into()).min_items(Some(1)).max_items(most).into()
}

/// A text or several.
pub(super) fn texts_schema() -> Schema {
    OneOfBuilder::new().item(text()).item(list(text(), None)).into()
}

/// A text or a pair, or several.
pub(super) fn pairs_schema() -> Schema {
    let text_or_null = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let pair: Schema = ObjectBuilder::new()
        .property("text", text())
        .property("text_pair", text_or_null)
        .required("text")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .into();
    let one: Schema = OneOfBuilder::new().item(text()).item(pair.clone()).into();
    OneOfBuilder::new().item(text()).item(pair).item(list(one, None)).into()
}

/// TEI's inputs.
pub(super) fn tei_schema() -> Schema {
    OneOfBuilder::new().item(text()).item(list(text(), Some(2))).item(list(list(text(), Some(2)), None)).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::body::parse;

    #[derive(Debug, Deserialize)]
    struct Request<T> {
        inputs: T,
    }

    type Texts = Vec<(String, Option<String>)>;

    fn inputs(json: &str) -> Result<(Texts, bool), String> {
        let request: Request<OneOrMany<Text>> = parse(json.as_bytes()).map_err(|error| error.to_string())?;
        let (inputs, one) = request.inputs.into_inputs();
        Ok((inputs.into_iter().map(|input| (input.text, input.pair)).collect(), one))
    }

    #[test]
    fn texts_come_alone_in_pairs_and_in_lists() {
        let pair = ("a".to_owned(), Some("b".to_owned()));
        assert_eq!(inputs(r#"{"inputs": "a"}"#).unwrap(), (vec![("a".to_owned(), None)], true));
        assert_eq!(inputs(r#"{"inputs": {"text": "a", "text_pair": "b"}}"#).unwrap(), (vec![pair.clone()], true));
        let several = inputs(r#"{"inputs": ["c", {"text": "a", "text_pair": "b"}]}"#).unwrap();
        assert_eq!(several, (vec![("c".to_owned(), None), pair], false));
    }

    #[test]
    fn errors_name_the_place_and_what_stands_there() {
        let error = |json: &str| inputs(json).unwrap_err();
        assert!(error(r#"{"inputs": ["a", 3]}"#).starts_with("inputs[1]: invalid type: integer `3`, expected a text"));
        assert!(error(r#"{"inputs": 3}"#).contains("expected a text or a list of texts"));
        assert!(error(r#"{"inputs": []}"#).contains("expected at least one text"));
        assert!(error(r#"{"inputs": {"txt": "a"}}"#).contains("unknown field `txt`"));
        assert!(error("{").contains("EOF"));
        assert!(error("").contains("empty"));
        assert!(error(r#"{"inputs": "a"} x"#).contains("goes on"));
    }

    #[test]
    fn teis_lists_are_pairs_or_batches() {
        let of = |json: &str| parse::<Request<TeiInputs>>(json.as_bytes()).map(|request| request.inputs);
        let shape = |json: &str| {
            let found = of(json).unwrap();
            (found.inputs.iter().map(|input| input.pair.is_some()).collect::<Vec<_>>(), found.single)
        };
        assert_eq!(shape(r#"{"inputs": "a"}"#), (vec![false], true));
        assert_eq!(shape(r#"{"inputs": ["a"]}"#), (vec![false], true));
        assert_eq!(shape(r#"{"inputs": ["a", "b"]}"#), (vec![true], true));
        assert_eq!(shape(r#"{"inputs": [["a"], ["b", "c"]]}"#), (vec![false, true], false));
        for wrong in [r#"["a", "b", "c"]"#, "[]", "[[]]", r#"[["a"], "b"]"#, r#"[["a", "b", "c"]]"#, "{}", "null"] {
            assert!(of(&format!("{{\"inputs\": {wrong}}}")).is_err(), "{wrong}");
        }
    }
}
