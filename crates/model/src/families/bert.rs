//! BERT ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805)): embeddings as wide as the encoder, and weights of its own
//! for every layer.

use super::{Family, Names};
use crate::HiddenActivation;
use crate::architecture::{LayerParts, Size};

pub(super) static FAMILY: Family = Family {
    model_type: "bert",
    noun: "a BERT",
    class: "BertForSequenceClassification",
    tokenizer: "BertTokenizer",
    sizes: &[
        (Size::Vocabulary, "vocab_size", 30_522),
        (Size::Hidden, "hidden_size", 768),
        (Size::Layers, "num_hidden_layers", 12),
        (Size::Heads, "num_attention_heads", 12),
        (Size::Intermediate, "intermediate_size", 3072),
        (Size::Positions, "max_position_embeddings", 512),
        (Size::TokenTypes, "type_vocab_size", 2),
    ],
    activation: HiddenActivation::Gelu,
    // A decoder's tokens do not see those behind them.
    refused: &["is_decoder"],
    dropout: [
        ("hidden_dropout_prob", Some(0.1)),
        ("attention_probs_dropout_prob", Some(0.1)),
        ("classifier_dropout", None),
    ],
    output_dropout: true,
    position_offset: 0,
    names: Names {
        encoder: "bert",
        word_embeddings: "embeddings.word_embeddings",
        position_embeddings: "embeddings.position_embeddings",
        token_type_embeddings: "embeddings.token_type_embeddings",
        embedding_norm: "embeddings.LayerNorm",
        projection: None,
        layer: "encoder.layer.{group}",
        layer_parts: LayerParts {
            query: "attention.self.query",
            key: "attention.self.key",
            value: "attention.self.value",
            attention_output: "attention.output.dense",
            attention_norm: "attention.output.LayerNorm",
            intermediate: "intermediate.dense",
            output: "output.dense",
            output_norm: "output.LayerNorm",
        },
        pooler: "pooler.dense",
        classifier: "classifier",
        masked_language: ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions"],
    },
};
