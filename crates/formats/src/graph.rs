//! A computation graph in one form, whichever program wrote it: what TensorFlow and ONNX call alike is alike here.
//!
//! A graph says what its weights are for, whatever they are called: a [`View`] follows a value back through what only
//! passes it on, and knows linear layers, LayerNorms, attention and curves in all the ways that exporters write them.

mod curve;
mod linear;
mod norm;

pub use self::curve::Curve;
pub use self::linear::{Linear, Weight};
pub use self::norm::Norm;
use super::contents::{Contents, StoredTensor};
use super::element::Element;

/// The most nodes of a graph, functions written out. ALBERT-xxlarge has some six thousand.
pub const MAX_NODES: usize = 1 << 20;

/// The most elements of a constant that is read as numbers, such as the shape of a tensor.
const MAX_NUMBERS: usize = 64;

/// How many nodes that only pass a value on may follow each other.
const MAX_CHAIN: usize = 256;

/// An output of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    /// The node's index in [`Graph::nodes`].
    pub node: usize,
    /// Which of its outputs.
    pub output: usize,
}

/// What a node computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// An input of the model.
    Input(String),
    /// An index in [`Graph::constants`].
    Constant(usize),
    /// Output k is input k: identities, casts, dropout of a trained model, axes of one element.
    Pass,
    /// Output k is the given value: a call of a function.
    Call(Vec<Value>),
    /// The same numbers in another shape, which is the second input.
    Reshape,
    /// The axes' new order, where it is no input; empty for the reverse.
    Transpose(Option<Vec<i64>>),
    /// Rows of the first input, chosen by the second.
    Gather,
    /// A part of the first input.
    Slice,
    /// A product of matrices.
    MatMul {
        /// Which factors are transposed first.
        transposed: [bool; 2],
    },
    /// A product and an addition at once, the second factor perhaps transposed.
    Gemm {
        /// Whether the second factor is transposed first.
        transposed: bool,
    },
    /// Elementwise, as all of these.
    Add,
    /// `a - b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// `a ^ b`
    Pow,
    /// `-a`
    Neg,
    /// `√a`
    Sqrt,
    /// `1 / √a`
    Rsqrt,
    /// `1 / a`
    Reciprocal,
    /// `a²`
    Square,
    /// `(a - b)²`
    SquaredDifference,
    /// `e ^ a`
    Exp,
    /// Hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// `1 - erf(x)`, as newer versions of TensorFlow have it in their exact GELU.
    Erfc,
    /// `1 / (1 + e ^ -a)`
    Sigmoid,
    /// `max(a, 0)`
    Relu,
    /// `min(max(a, 0), 6)`
    Relu6,
    /// `a` above 0, else `a` times the slope, which is below 1.
    LeakyRelu {
        /// The slope below 0.
        slope: f64,
    },
    /// `ln(1 + e ^ a)`
    Softplus,
    /// The larger of two.
    Max,
    /// The smaller of two.
    Min,
    /// `min(max(a, b), c)`
    Clip,
    /// The curve of that name.
    Gelu {
        /// By its tanh approximation.
        tanh: bool,
    },
    /// The mean over some axes.
    Mean,
    /// Normalisation over the last axis.
    LayerNorm {
        /// What is added to the variance.
        eps: f64,
    },
    /// Over the last axis.
    Softmax,
    /// The second or the third input, by the first.
    Where,
    /// Vectors end to end, or numbers made a vector.
    Concat,
    /// Whatever else there is, by its name.
    Other(String),
}

/// One operation of a graph.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// What it computes that from.
    pub inputs: Vec<Value>,
}

/// A graph whose constants are tensors of a checkpoint.
#[derive(Debug, Default)]
pub struct Graph {
    /// The operations.
    pub nodes: Vec<Node>,
    /// The constants that [`Op::Constant`] names.
    pub constants: Vec<StoredTensor>,
    /// What may be the logits, with its name; the likeliest first.
    pub outputs: Vec<(String, Value)>,
}

impl Graph {
    /// Adds a node and gives its first output.
    pub fn add(&mut self, op: Op, inputs: Vec<Value>) -> Value {
        self.nodes.push(Node { op, inputs });
        Value { node: self.nodes.len() - 1, output: 0 }
    }

    /// Adds a constant and the node that gives it.
    pub fn add_constant(&mut self, tensor: StoredTensor) -> Value {
        self.constants.push(tensor);
        self.add(Op::Constant(self.constants.len() - 1), Vec::new())
    }
}

/// A graph together with the bytes of its constants.
#[derive(Debug, Clone, Copy)]
pub struct View<'g> {
    /// The graph.
    pub graph: &'g Graph,
    /// The bytes of its constants.
    pub contents: &'g Contents<'static>,
}

impl<'g> View<'g> {
    fn node(&self, value: Value) -> Option<&'g Node> {
        self.graph.nodes.get(value.node)
    }

    /// What the node of a value computes.
    #[must_use]
    pub fn op(&self, value: Value) -> Option<&'g Op> {
        self.node(value).map(|node| &node.op)
    }

    /// An input of the node of a value.
    #[must_use]
    pub fn input(&self, value: Value, index: usize) -> Option<Value> {
        self.node(value)?.inputs.get(index).copied()
    }

    /// The two inputs of a value that has the operation and at least two.
    fn pair(&self, value: Value, op: &Op) -> Option<[Value; 2]> {
        let node = self.node(value)?;
        match node.inputs.as_slice() {
            [a, b, ..] if node.op == *op => Some([*a, *b]),
            _ => None,
        }
    }

    /// Where a value comes from unchanged in its numbers and its shape, axes of one element aside.
    fn source(&self, value: Value) -> Value {
        self.back(value, |op| matches!(op, Op::Pass))
    }

    /// Where a value comes from unchanged in its numbers, in whatever shape.
    #[must_use]
    pub fn strip(&self, value: Value) -> Value {
        self.back(value, |op| matches!(op, Op::Pass | Op::Reshape | Op::Transpose(_)))
    }

    fn back(&self, mut value: Value, through: impl Fn(&Op) -> bool) -> Value {
        for _ in 0..MAX_CHAIN {
            let next = match self.node(value) {
                Some(Node { op: Op::Call(returned), .. }) => returned.get(value.output),
                Some(Node { op: Op::Pass, inputs }) => inputs.get(value.output),
                Some(Node { op, inputs }) if through(op) => inputs.first(),
                _ => None,
            };
            match next {
                Some(next) => value = *next,
                None => return value,
            }
        }
        value
    }

    /// The constant that a value is.
    fn constant(&self, value: Value) -> Option<usize> {
        match self.op(self.source(value))? {
            Op::Constant(place) => Some(*place),
            _ => None,
        }
    }

    /// A constant by its index in [`Graph::constants`].
    #[must_use]
    pub fn tensor(&self, constant: usize) -> Option<&'g StoredTensor> {
        self.graph.constants.get(constant)
    }

    /// A constant of so many axes.
    #[must_use]
    pub fn constant_of_rank(&self, value: Value, rank: usize) -> Option<usize> {
        self.constant(value).filter(|place| self.tensor(*place).is_some_and(|tensor| tensor.shape.len() == rank))
    }

    /// The numbers of a small constant.
    #[must_use]
    pub fn numbers(&self, value: Value) -> Option<Vec<f64>> {
        let tensor = self.tensor(self.constant(value)?)?;
        let elements = tensor.shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size))?;
        if elements > MAX_NUMBERS {
            return None;
        }
        let bytes = self.contents.buffers.get(tensor.buffer)?.bytes.get(tensor.bytes.clone())?;
        let whole = |signed: bool, size: usize| {
            let number = |chunk: &[u8]| match (size, signed) {
                (4, true) => chunk.first_chunk().map(|bytes| f64::from(i32::from_le_bytes(*bytes))),
                (8, true) => chunk.first_chunk().map(|bytes| i64::from_le_bytes(*bytes) as f64),
                _ => None,
            };
            bytes.chunks_exact(size).map(number).collect::<Option<Vec<f64>>>()
        };
        match tensor.element {
            Element::F64 => Some(bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect()),
            Element::Other("I64", _) => whole(true, 8),
            Element::Other("I32", _) => whole(true, 4),
            Element::Other(..) => None,
            element => Some(element.to_f32(bytes)?.into_iter().map(f64::from).collect()),
        }
    }

    /// The number that a constant of one element is.
    fn number(&self, value: Value) -> Option<f64> {
        match self.numbers(value)?.as_slice() {
            [number] => Some(*number),
            _ => None,
        }
    }

    /// The last `count` numbers of a shape that is put together from numbers; `None` for one that is not constant.
    fn shape_end(&self, value: Value, count: usize) -> Vec<Option<f64>> {
        let value = self.strip(value);
        if let Some(numbers) = self.numbers(value) {
            return numbers[numbers.len().saturating_sub(count)..].iter().copied().map(Some).collect();
        }
        match self.node(value) {
            Some(Node { op: Op::Concat, inputs }) => {
                let parts = inputs.iter().flat_map(|input| match self.numbers(self.strip(*input)) {
                    Some(numbers) => numbers.into_iter().map(Some).collect(),
                    None => vec![None],
                });
                let parts: Vec<_> = parts.collect();
                parts[parts.len().saturating_sub(count)..].to_vec()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
