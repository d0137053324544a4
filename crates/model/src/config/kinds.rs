//! The closed lists of what a configuration may choose from.

use albertine_formats::graph::Curve;

/// The function between the two halves of the feed-forward part, `hidden_act` in `config.json`.
///
/// Names and curves are those of transformers' `ACT2FN`; of two names for one curve the usual one stands for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HiddenActivation {
    /// `x · Φ(x)`, by the error function; `gelu`, and `gelu_python`.
    Gelu,
    /// The same, but at most 10; `gelu_10`.
    Gelu10,
    /// GELU by its tanh approximation; `gelu_new`, what published ALBERT checkpoints use, `gelu_fast`, `gelu_accurate`
    /// and `gelu_python_tanh`.
    GeluNew,
    /// The same curve as [`HiddenActivation::GeluNew`], under PyTorch's name; `gelu_pytorch_tanh`.
    GeluPytorchTanh,
    /// The distribution function of a normal distribution; `laplace`.
    Laplace,
    /// `x` above 0, else `x / 100`; `leaky_relu`.
    LeakyRelu,
    /// `x`; `linear`.
    Linear,
    /// `x · tanh(ln(1 + eˣ))`; `mish`.
    Mish,
    /// `x · σ(1.702 x)`; `quick_gelu`.
    QuickGelu,
    /// `max(x, 0)`; `relu`.
    Relu,
    /// `max(x, 0)²`; `relu2`.
    Relu2,
    /// `min(max(x, 0), 6)`; `relu6`.
    Relu6,
    /// `σ(x)`; `sigmoid`.
    Sigmoid,
    /// `x · σ(x)`; `silu`, and `swish`.
    Silu,
    /// Hyperbolic tangent; `tanh`.
    Tanh,
}

impl HiddenActivation {
    /// Every name, sorted.
    const NAMES: [(&str, Self); 20] = [
        ("gelu", Self::Gelu),
        ("gelu_10", Self::Gelu10),
        ("gelu_accurate", Self::GeluNew),
        ("gelu_fast", Self::GeluNew),
        ("gelu_new", Self::GeluNew),
        ("gelu_python", Self::Gelu),
        ("gelu_python_tanh", Self::GeluNew),
        ("gelu_pytorch_tanh", Self::GeluPytorchTanh),
        ("laplace", Self::Laplace),
        ("leaky_relu", Self::LeakyRelu),
        ("linear", Self::Linear),
        ("mish", Self::Mish),
        ("quick_gelu", Self::QuickGelu),
        ("relu", Self::Relu),
        ("relu2", Self::Relu2),
        ("relu6", Self::Relu6),
        ("sigmoid", Self::Sigmoid),
        ("silu", Self::Silu),
        ("swish", Self::Silu),
        ("tanh", Self::Tanh),
    ];

    /// What transformers knows besides: curves with weights of their own in every layer.
    const TRAINED: [&str; 2] = ["prelu", "xielu"];

    /// What is expected in the place of a name that is not known, for messages.
    pub(crate) fn expected(name: &str) -> String {
        let names = Self::NAMES.map(|(name, _)| name).join(", ");
        if Self::TRAINED.contains(&name) {
            return format!("one without weights of its own, which are not read: one of {names}");
        }
        format!("one of {names}")
    }

    /// The curve that computes it; two names are one curve.
    #[must_use]
    pub fn kernel(self) -> albertine_kernels::Activation {
        use albertine_kernels::Activation as Kernel;
        match self {
            Self::Gelu => Kernel::GeluErf,
            Self::Gelu10 => Kernel::GeluClipped,
            Self::GeluNew | Self::GeluPytorchTanh => Kernel::GeluTanh,
            Self::Laplace => Kernel::Laplace,
            Self::LeakyRelu => Kernel::LeakyRelu,
            Self::Linear => Kernel::Linear,
            Self::Mish => Kernel::Mish,
            Self::QuickGelu => Kernel::QuickGelu,
            Self::Relu => Kernel::Relu,
            Self::Relu2 => Kernel::ReluSquared,
            Self::Relu6 => Kernel::Relu6,
            Self::Sigmoid => Kernel::Sigmoid,
            Self::Silu => Kernel::Silu,
            Self::Tanh => Kernel::Tanh,
        }
    }

    /// The activation of a curve that a graph computes; the tanh approximation of GELU has two names and goes by the
    /// first.
    pub(crate) fn of_curve(curve: Curve) -> Self {
        match curve {
            Curve::Gelu => Self::Gelu,
            Curve::GeluClipped => Self::Gelu10,
            Curve::GeluTanh => Self::GeluNew,
            Curve::Laplace => Self::Laplace,
            Curve::LeakyRelu => Self::LeakyRelu,
            Curve::Linear => Self::Linear,
            Curve::Mish => Self::Mish,
            Curve::QuickGelu => Self::QuickGelu,
            Curve::Relu => Self::Relu,
            Curve::Relu6 => Self::Relu6,
            Curve::ReluSquared => Self::Relu2,
            Curve::Sigmoid => Self::Sigmoid,
            Curve::Silu => Self::Silu,
            Curve::Tanh => Self::Tanh,
        }
    }

    /// The activation of a name in `config.json`, if it is known.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, activation)| activation)
    }

    /// The name in `config.json`; of two names for one curve, the usual one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gelu => "gelu",
            Self::Gelu10 => "gelu_10",
            Self::GeluNew => "gelu_new",
            Self::GeluPytorchTanh => "gelu_pytorch_tanh",
            Self::Laplace => "laplace",
            Self::LeakyRelu => "leaky_relu",
            Self::Linear => "linear",
            Self::Mish => "mish",
            Self::QuickGelu => "quick_gelu",
            Self::Relu => "relu",
            Self::Relu2 => "relu2",
            Self::Relu6 => "relu6",
            Self::Sigmoid => "sigmoid",
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
