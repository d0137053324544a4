//! The closed lists of what a configuration may choose from.

use albertine_formats::graph::Curve;

/// The function between the two halves of the feed-forward part, `hidden_act` in `config.json`.
///
/// Names and curves are those of transformers' `ACT2FN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HiddenActivation {
    /// `x · Φ(x)`, by the error function; `gelu`, and `gelu_python`.
    Gelu,
    /// GELU by its tanh approximation; `gelu_new`, what published ALBERT checkpoints use.
    GeluNew,
    /// The same curve as [`HiddenActivation::GeluNew`], under PyTorch's name; `gelu_pytorch_tanh`.
    GeluPytorchTanh,
    /// `max(x, 0)`; `relu`.
    Relu,
    /// `x · σ(x)`; `silu`, and `swish`.
    Silu,
    /// Hyperbolic tangent; `tanh`.
    Tanh,
}

impl HiddenActivation {
    /// The names that [`HiddenActivation::from_name`] knows, for messages.
    pub(crate) const NAMES: &str = "one of gelu, gelu_new, gelu_python, gelu_pytorch_tanh, relu, silu, swish, tanh";

    /// The curve that computes it; two names are one curve.
    #[must_use]
    pub fn kernel(self) -> albertine_kernels::Activation {
        use albertine_kernels::Activation as Kernel;
        match self {
            Self::Gelu => Kernel::GeluErf,
            Self::GeluNew | Self::GeluPytorchTanh => Kernel::GeluTanh,
            Self::Relu => Kernel::Relu,
            Self::Silu => Kernel::Silu,
            Self::Tanh => Kernel::Tanh,
        }
    }

    /// The activation of a curve that a graph computes; the tanh approximation of GELU has two names and goes by the
    /// first.
    pub(crate) fn of_curve(curve: Curve) -> Self {
        match curve {
            Curve::Gelu => Self::Gelu,
            Curve::GeluTanh => Self::GeluNew,
            Curve::Relu => Self::Relu,
            Curve::Silu => Self::Silu,
            Curve::Tanh => Self::Tanh,
        }
    }

    /// The activation of a name in `config.json`, if it is known.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "gelu" | "gelu_python" => Self::Gelu,
            "gelu_new" => Self::GeluNew,
            "gelu_pytorch_tanh" => Self::GeluPytorchTanh,
            "relu" => Self::Relu,
            "silu" | "swish" => Self::Silu,
            "tanh" => Self::Tanh,
            _ => return None,
        })
    }

    /// The name in `config.json`; of two names for one curve, the usual one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gelu => "gelu",
            Self::GeluNew => "gelu_new",
            Self::GeluPytorchTanh => "gelu_pytorch_tanh",
            Self::Relu => "relu",
            Self::Silu => "silu",
            Self::Tanh => "tanh",
        }
    }
}

/// What the logits mean, `problem_type` in `config.json`.
///
/// The field need not be there, and the number of labels has a say beside it. Scores are made of logits as
/// transformers' `TextClassificationPipeline.postprocess` makes them, by the first line that holds:
///
/// | `problem_type` | labels | scores |
/// | --- | --- | --- |
/// | regression | any | the logits as they are |
/// | multi label | any | a sigmoid of each logit |
/// | single label, or absent | one | the sigmoid of the logit |
/// | single label, or absent | several | a softmax over the logits |
///
/// A model of one label is thus no regression unless it says so, although transformers trains it with the loss of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemType {
    /// One label a text; `single_label_classification`.
    SingleLabel,
    /// Any number of labels a text; `multi_label_classification`.
    MultiLabel,
    /// The logits are the answer; `regression`.
    Regression,
}

impl ProblemType {
    /// The names that [`ProblemType::from_name`] knows, for messages.
    pub(crate) const NAMES: &str = "one of single_label_classification, multi_label_classification, regression";

    /// The kind of a name in `config.json`, if it is known.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "single_label_classification" => Self::SingleLabel,
            "multi_label_classification" => Self::MultiLabel,
            "regression" => Self::Regression,
            _ => return None,
        })
    }

    /// The name in `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabel => "single_label_classification",
            Self::MultiLabel => "multi_label_classification",
            Self::Regression => "regression",
        }
    }
}
