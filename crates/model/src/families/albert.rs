//! ALBERT ([Lan et al. 2019](https://arxiv.org/abs/1909.11942)): narrow embeddings with a projection behind them, and layers
//! that share the weights of their group.

use super::{Family, Names};
use crate::HiddenActivation;
use crate::architecture::{LayerParts, Size};

pub(super) static FAMILY: Family = Family {
    model_type: "albert",
    noun: "an ALBERT",
    class: "AlbertForSequenceClassification",
    tokenizer: "AlbertTokenizer",
    sizes: &[
        (Size::Vocabulary, "vocab_size", 30_000),
        (Size::Embedding, "embedding_size", 128),
        (Size::Hidden, "hidden_size", 4096),
        (Size::Layers, "num_hidden_layers", 12),
        (Size::Groups, "num_hidden_groups", 1),
        (Size::Heads, "num_attention_heads", 64),
        (Size::Intermediate, "intermediate_size", 16_384),
        (Size::InnerLayers, "inner_group_num", 1),
        (Size::Positions, "max_position_embeddings", 512),
        (Size::TokenTypes, "type_vocab_size", 2),
    ],
    activation: HiddenActivation::GeluNew,
    refused: &[],
    dropout: [
        ("hidden_dropout_prob", Some(0.0)),
        ("attention_probs_dropout_prob", Some(0.0)),
        ("classifier_dropout_prob", Some(0.1)),
    ],
    output_dropout: false,
    position_offset: 0,
    names: Names {
        encoder: "albert",
        word_embeddings: "embeddings.word_embeddings",
        position_embeddings: "embeddings.position_embeddings",
        token_type_embeddings: "embeddings.token_type_embeddings",
        embedding_norm: "embeddings.LayerNorm",
        projection: Some("encoder.embedding_hidden_mapping_in"),
        layer: "encoder.albert_layer_groups.{group}.albert_layers.{inner}",
        layer_parts: LayerParts {
            query: "attention.query",
            key: "attention.key",
            value: "attention.value",
            attention_output: "attention.dense",
            attention_norm: "attention.LayerNorm",
            intermediate: "ffn",
            output: "ffn_output",
            output_norm: "full_layer_layer_norm",
        },
        pooler: "pooler",
        classifier: "classifier",
        masked_language: ["predictions.dense", "predictions.LayerNorm", "predictions"],
    },
};
