//! Curves that are told apart, and LayerNorms in all their forms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::approx_constant)]

use std::borrow::Cow;
use std::path::Path;

use super::*;

/// A graph that is put together by hand.
#[derive(Default)]
struct Builder {
    graph: Graph,
    contents: Contents<'static>,
}

impl Builder {
    fn constant(&mut self, numbers: &[f32], shape: &[usize]) -> Value {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let range = 0..bytes.len();
        let buffer = self.contents.add_buffer(Path::new("graph"), Cow::Owned(bytes));
        let tensor =
            StoredTensor { buffer, element: Element::F32, shape: shape.to_owned(), bytes: range, strides: None };
        self.graph.add_constant(tensor)
    }

    fn number(&mut self, number: f32) -> Value {
        self.constant(&[number], &[])
    }

    fn input(&mut self) -> Value {
        self.graph.add(Op::Input("x".to_owned()), Vec::new())
    }

    fn op(&mut self, op: Op, inputs: &[Value]) -> Value {
        self.graph.add(op, inputs.to_vec())
    }

    fn view(&self) -> View<'_> {
        View { graph: &self.graph, contents: &self.contents }
    }
}

#[test]
fn curves_are_known_by_their_values() {
    let mut b = Builder::default();
    let x = b.input();
    let (half, one, root, cubic) = (b.number(0.5), b.number(1.0), b.number(1.414_062_5), b.number(0.044_715));
    let relu = b.op(Op::Relu, &[x]);
    let tanh = b.op(Op::Tanh, &[x]);
    let sigmoid = b.op(Op::Sigmoid, &[x]);
    let silu = b.op(Op::Mul, &[x, sigmoid]);
    let whole = b.op(Op::Gelu { tanh: false }, &[x]);
    // x / 2 · (1 + erf(x / √2)), with a cast in between, and the root as near as f16 has it
    let scaled = b.op(Op::Div, &[x, root]);
    let cast = b.op(Op::Pass, &[scaled]);
    let erf = b.op(Op::Erf, &[cast]);
    let sum = b.op(Op::Add, &[one, erf]);
    let product = b.op(Op::Mul, &[x, sum]);
    let gelu = b.op(Op::Mul, &[product, half]);
    // x / 2 · erfc(-x / √2)
    let negative = b.op(Op::Neg, &[scaled]);
    let rest = b.op(Op::Erfc, &[negative]);
    let product = b.op(Op::Mul, &[x, rest]);
    let gelu_by_rest = b.op(Op::Mul, &[half, product]);
    // x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
    let square = b.op(Op::Square, &[x]);
    let cube = b.op(Op::Mul, &[square, x]);
    let cube = b.op(Op::Mul, &[cubic, cube]);
    let inner = b.op(Op::Add, &[x, cube]);
    let factor = b.number(0.797_884_6);
    let inner = b.op(Op::Mul, &[inner, factor]);
    let inner = b.op(Op::Tanh, &[inner]);
    let sum = b.op(Op::Add, &[inner, one]);
    let product = b.op(Op::Mul, &[half, sum]);
    let gelu_new = b.op(Op::Mul, &[product, x]);
    // x · σ(1.702 x), and the same with a factor that no model has
    let [quick, own] = [1.702, 1.5].map(|factor| {
        let factor = b.number(factor);
        let scaled = b.op(Op::Mul, &[x, factor]);
        let sigmoid = b.op(Op::Sigmoid, &[scaled]);
        b.op(Op::Mul, &[x, sigmoid])
    });
    // x · tanh(ln(1 + eˣ))
    let softplus = b.op(Op::Softplus, &[x]);
    let softplus = b.op(Op::Tanh, &[softplus]);
    let mish = b.op(Op::Mul, &[x, softplus]);
    // GELU and ReLU between two numbers
    let (low, high, zero, six) = (b.number(-10.0), b.number(10.0), b.number(0.0), b.number(6.0));
    let clipped = b.op(Op::Clip, &[gelu, low, high]);
    let clipped_otherwise = b.op(Op::Min, &[gelu, high]);
    let relu6 = b.op(Op::Relu6, &[x]);
    let relu6_otherwise = b.op(Op::Max, &[x, zero]);
    let relu6_otherwise = b.op(Op::Min, &[six, relu6_otherwise]);
    let squared = b.op(Op::Mul, &[relu, relu]);
    let leaky = b.op(Op::LeakyRelu { slope: 0.01 }, &[x]);
    let steep = b.op(Op::LeakyRelu { slope: 0.2 }, &[x]);
    // (1 + erf((x - μ) / (σ √2))) / 2
    let (mean, deviation) = (b.number(0.707_107), b.number(0.398_942_6));
    let laplace = b.op(Op::Sub, &[x, mean]);
    let laplace = b.op(Op::Div, &[laplace, deviation]);
    let laplace = b.op(Op::Erf, &[laplace]);
    let laplace = b.op(Op::Add, &[laplace, one]);
    let laplace = b.op(Op::Mul, &[laplace, half]);
    let other = b.op(Op::Other("Elu".to_owned()), &[x]);

    let view = b.view();
    for (value, curve) in [
        (relu, Curve::Relu),
        (tanh, Curve::Tanh),
        (silu, Curve::Silu),
        (whole, Curve::Gelu),
        (gelu, Curve::Gelu),
        (gelu_by_rest, Curve::Gelu),
        (gelu_new, Curve::GeluTanh),
        (quick, Curve::QuickGelu),
        (mish, Curve::Mish),
        (clipped, Curve::GeluClipped),
        (clipped_otherwise, Curve::GeluClipped),
        (relu6, Curve::Relu6),
        (relu6_otherwise, Curve::Relu6),
        (squared, Curve::ReluSquared),
        (leaky, Curve::LeakyRelu),
        (laplace, Curve::Laplace),
        (sigmoid, Curve::Sigmoid),
        (x, Curve::Linear),
    ] {
        assert_eq!(view.curve(value, x), Ok(curve));
        assert_eq!(view.leaves(value, |leaf| leaf == x), [x]);
    }
    assert_eq!(view.curve(own, x), Err("it has a curve of its own".to_owned()));
    assert_eq!(view.curve(steep, x), Err("it has a curve of its own".to_owned()));
    assert_eq!(view.curve(other, x), Err("it depends on Other(\"Elu\")".to_owned()));
}

#[test]
fn layer_norms_are_known_in_every_form() {
    let mut b = Builder::default();
    let x = b.input();
    let (weight, bias) = (b.constant(&[1.0, 2.0], &[2]), b.constant(&[3.0, 4.0], &[2]));
    let eps = b.number(0.25);
    let whole = b.op(Op::LayerNorm { eps: 0.25 }, &[x, weight, bias]);
    let mean = b.op(Op::Mean, &[x]);
    let difference = b.op(Op::Sub, &[x, mean]);
    let square = b.op(Op::Square, &[difference]);
    let variance = b.op(Op::Mean, &[square]);
    let sum = b.op(Op::Add, &[variance, eps]);
    let root = b.op(Op::Sqrt, &[sum]);
    let inverse = b.op(Op::Rsqrt, &[sum]);
    let reciprocal = b.op(Op::Reciprocal, &[root]);
    let norms = [(Op::Div, [difference, root]), (Op::Mul, [difference, reciprocal]), (Op::Mul, [inverse, difference])]
        .map(|(op, inputs)| {
            let quotient = b.op(op, &inputs);
            let product = b.op(Op::Mul, &[weight, quotient]);
            b.op(Op::Add, &[product, bias])
        });
    let factor = b.op(Op::Mul, &[inverse, weight]);
    let left = b.op(Op::Mul, &[x, factor]);
    let shift = b.op(Op::Mul, &[mean, factor]);
    let right = b.op(Op::Sub, &[bias, shift]);
    let factored = b.op(Op::Add, &[left, right]);
    // The same but for another value whose mean is taken.
    let y = b.input();
    let other_mean = b.op(Op::Mean, &[y]);
    let shift = b.op(Op::Mul, &[other_mean, factor]);
    let right = b.op(Op::Sub, &[bias, shift]);
    let wrong = b.op(Op::Add, &[left, right]);

    let view = b.view();
    for value in norms.into_iter().chain([whole, factored]) {
        let norm = view.norm(value).unwrap();
        assert_eq!((norm.input, norm.weight, norm.bias, norm.eps), (x, 0, 1, 0.25), "{value:?}");
    }
    assert_eq!(view.norm(wrong), None);
    assert_eq!(view.norm(x), None);
}

#[test]
fn a_graph_in_circles_ends() {
    let mut b = Builder::default();
    let x = b.op(Op::Pass, &[]);
    let y = b.op(Op::Add, &[x, x]);
    b.graph.nodes[x.node].inputs = vec![y, y];
    let z = b.op(Op::Pass, &[]);
    b.graph.nodes[z.node].inputs = vec![z];
    let view = b.view();
    assert!(view.curve(y, z).is_err());
    assert!(view.leaves(y, |_| false).is_empty());
    assert_eq!(view.norm(y), None);
    assert_eq!(view.shape_end(z, 2), []);
}
