//! From the logits of a graph back to its embeddings: which weight stands where in the encoder.

use albertine_formats::graph::{Linear, Norm, Op, Value, View, Weight};

use crate::{Affine, HiddenActivation, LayerParts, Parts, families};

/// The most layers that are followed, those of groups counted one by one.
const MAX_LAYERS: usize = 512;

/// The most sums and tables that embeddings are made of.
const MAX_TERMS: usize = 16;

/// What a graph says of the model it computes.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// The weights by what they are fed to; layers with weights of their own in the order in which they are first used.
    pub(super) parts: Parts<Weight>,
    pub(super) hidden_layers: usize,
    pub(super) hidden_groups: usize,
    pub(super) inner_groups: usize,
    pub(super) attention_heads: usize,
    pub(super) activation: HiddenActivation,
    pub(super) layer_norm_eps: f64,
}

/// A layer of a graph.
struct Layer {
    parts: LayerParts<Affine<Weight>>,
    heads: usize,
    activation: HiddenActivation,
    /// What its two LayerNorms add to the variance.
    eps: [f64; 2],
    /// What it reads.
    hidden: Value,
}

fn of_linear(linear: Linear) -> Affine<Weight> {
    Affine { weight: linear.weight, bias: linear.bias }
}

fn of_norm(norm: Norm) -> Affine<Weight> {
    let weight = |constant| Weight { constant, transposed: false };
    Affine { weight: weight(norm.weight), bias: weight(norm.bias) }
}

/// The model whose logits one of a graph's outputs is; if none, why the likeliest is not.
pub(super) fn trace(view: View<'_>) -> Result<Trace, String> {
    Tracer(view).trace()
}

struct Tracer<'g>(View<'g>);

impl Tracer<'_> {
    fn trace(&self) -> Result<Trace, String> {
        let mut fault = None;
        let nouns = families::listed(|family| family.noun.to_owned());
        for (name, output) in &self.0.graph.outputs {
            match self.trace_from(*output) {
                Ok(trace) => return Ok(trace),
                Err(found) => {
                    fault = fault.or(Some(format!("the output {name:?} is not computed as {nouns} does: {found}")))
                }
            }
        }
        Err(fault.unwrap_or_else(|| "its graph has no output".to_owned()))
    }

    fn trace_from(&self, output: Value) -> Result<Trace, String> {
        let classifier = self.0.linear(output).ok_or("no linear layer gives it")?;
        let tanh = self.0.strip(classifier.input);
        let pooled = matches!(self.0.op(tanh), Some(Op::Tanh)).then(|| self.0.input(tanh, 0)).flatten();
        let pooler = pooled.and_then(|pooled| self.0.linear(pooled)).ok_or("no pooler stands before the classifier")?;
        let mut hidden = self.first_token(pooler.input).ok_or("the pooler reads another token than the first")?;
        let mut layers = Vec::new();
        while let Some(norm) = self.0.norm(hidden) {
            let layer = match self.layer(norm) {
                Ok(layer) => layer,
                // The LayerNorm of the embeddings, where no projection stands between them and the layers.
                Err(_) if self.is_sum_of_tables(norm.input) => break,
                Err(fault) => return Err(format!("in layer {} from the end {fault}", layers.len())),
            };
            hidden = layer.hidden;
            layers.push(layer);
            if layers.len() == MAX_LAYERS {
                return Err(format!("it has more than {MAX_LAYERS} layers"));
            }
        }
        layers.reverse();
        let projection = self.0.linear(hidden);
        let embedded = projection.map_or(hidden, |projection| projection.input);
        let norm = self.0.norm(embedded).ok_or("no LayerNorm of the embeddings begins the layers")?;
        let [word, position, token_type] = self.embeddings(norm.input)?;

        let shared = self.shared(&layers)?;
        let eps = norm.eps;
        let all = layers.iter().flat_map(|layer| layer.eps);
        if let Some(other) = all.into_iter().find(|other| (other - eps).abs() > eps * 1e-6) {
            return Err(format!("one LayerNorm adds {eps:e} to the variance and another {other:e}"));
        }
        let first = layers.first().ok_or("it has no layers")?;
        if layers.iter().any(|layer| layer.heads != first.heads || layer.activation != first.activation) {
            return Err("layers differ in heads or activation".to_owned());
        }
        let table = |constant| Weight { constant, transposed: false };
        Ok(Trace {
            hidden_layers: layers.len() / shared.inner,
            hidden_groups: shared.layers.len() / shared.inner,
            inner_groups: shared.inner,
            attention_heads: first.heads,
            activation: first.activation,
            layer_norm_eps: eps,
            parts: Parts {
                word_embeddings: table(word),
                position_embeddings: table(position),
                token_type_embeddings: table(token_type),
                embedding_norm: of_norm(norm),
                projection: projection.map(of_linear),
                layers: shared.layers,
                pooler: of_linear(pooler),
                classifier: of_linear(classifier),
            },
        })
    }

    /// The layer that a LayerNorm ends.
    fn layer(&self, norm: Norm) -> Result<Layer, String> {
        let sum = self.0.strip(norm.input);
        let (ffn_output, attended) = self
            .0
            .either(sum, &Op::Add, |output, attended| {
                self.0.norm(attended)?;
                Some((self.0.linear(output)?, attended))
            })
            .ok_or("no feed-forward part is added to its input")?;
        let attention_norm = self.0.norm(attended).ok_or("the attention has no LayerNorm")?;
        let [ffn_value] = self.0.leaves(ffn_output.input, |value| self.0.linear(value).is_some())[..] else {
            return Err("the feed-forward part has not two linear layers".to_owned());
        };
        let ffn = self.0.linear(ffn_value).ok_or("the feed-forward part has not two linear layers")?;
        self.must_be_same(ffn.input, attended, "the feed-forward part")?;
        let activation = self
            .0
            .curve(ffn_output.input, ffn_value)
            .map(HiddenActivation::of_curve)
            .map_err(|fault| format!("the activation is not one of those known: {fault}"))?;

        let (dense, context, hidden) = self
            .0
            .either(self.0.strip(attention_norm.input), &Op::Add, |attention, hidden| {
                let dense = self.0.linear(attention)?;
                Some((dense, self.0.product(dense.input)?, hidden))
            })
            .ok_or("no attention is added to its input")?;
        let [weights, values] = context;
        let (value, _) = self.0.projection(values).ok_or("the values of the attention come from no linear layer")?;
        let softmax = self.0.softmax(weights).ok_or("the attention has no softmax")?;
        let scores = self.0.scores(softmax).ok_or("the scores of the attention are no product of queries and keys")?;
        let (query, query_shapes) = self.0.projection(scores[0]).ok_or("the queries come from no linear layer")?;
        let (key, key_shapes) = self.0.projection(scores[1]).ok_or("the keys come from no linear layer")?;
        for linear in [query, key, value] {
            self.must_be_same(linear.input, hidden, "the attention")?;
        }
        let width = self.0.outputs(&query).ok_or("the queries have no width")?;
        let heads = self.0.heads(&query_shapes, width).ok_or("the queries are not cut into heads of a known size")?;
        if self.0.heads(&key_shapes, width) != Some(heads) {
            return Err("keys and queries are cut into heads of different sizes".to_owned());
        }
        let parts = LayerParts {
            query: of_linear(query),
            key: of_linear(key),
            value: of_linear(value),
            attention_output: of_linear(dense),
            attention_norm: of_norm(attention_norm),
            intermediate: of_linear(ffn),
            output: of_linear(ffn_output),
            output_norm: of_norm(norm),
        };
        Ok(Layer { parts, heads, activation, eps: [attention_norm.eps, norm.eps], hidden })
    }

    fn must_be_same(&self, read: Value, given: Value, part: &str) -> Result<(), String> {
        if self.0.strip(read) == self.0.strip(given) {
            Ok(())
        } else {
            Err(format!("{part} reads something else than its input"))
        }
    }

    /// The hidden states that a value is the first token of. Some exporters slice once for the texts and once for the
    /// tokens; wherever they begin, it must be with the first.
    fn first_token(&self, value: Value) -> Option<Value> {
        let mut value = self.0.strip(value);
        for _ in 0..2 {
            if !matches!(self.0.op(value), Some(Op::Slice | Op::Gather)) {
                break;
            }
            let begin = self.0.numbers(self.0.input(value, 1)?)?;
            begin.iter().all(|place| *place == 0.0).then_some(())?;
            value = self.0.strip(self.0.input(value, 0)?);
        }
        Some(value)
    }

    /// Whether a value is a sum of rows of constant tables and nothing else.
    fn is_sum_of_tables(&self, value: Value) -> bool {
        let mut open = vec![value];
        for _ in 0..MAX_TERMS {
            let Some(value) = open.pop() else { return true };
            let value = self.0.strip(value);
            match self.0.op(value) {
                Some(Op::Add) => open.extend((0..2).filter_map(|index| self.0.input(value, index))),
                Some(Op::Gather) => {
                    let table = self.0.input(value, 0).and_then(|table| self.0.constant_of_rank(table, 2));
                    if table.is_none() {
                        return false;
                    }
                }
                _ => return false,
            }
        }
        false
    }

    /// The tables of words, positions and token types whose rows are added up to a value.
    fn embeddings(&self, value: Value) -> Result<[usize; 3], String> {
        let is_gather = |value: Value| matches!(self.0.op(value), Some(Op::Gather));
        let gathers = self.0.leaves(value, is_gather);
        let table = |gather: Value| {
            let table = self.0.constant_of_rank(self.0.input(gather, 0)?, 2)?;
            Some((table, *self.0.tensor(table)?.shape.first()?, self.input_name(self.0.input(gather, 1)?)))
        };
        let mut tables: Vec<_> = gathers.into_iter().filter_map(table).collect();
        if tables.len() != 3 {
            return Err(format!("its embeddings are read from {} tables, not from three", tables.len()));
        }
        // By the input that chooses the row; where the names of inputs do not tell, by the number of rows.
        tables.sort_by_key(|(_, rows, _)| std::cmp::Reverse(*rows));
        let named = |part: &str, tables: &[(usize, usize, Option<&str>)]| {
            tables.iter().position(|(.., input)| input.is_some_and(|input| input.contains(part)))
        };
        let token_type = named("token_type", &tables).or(named("segment", &tables)).unwrap_or(2);
        let (token_type, ..) = tables.remove(token_type);
        let (word, ..) = tables.remove(named("input_ids", &tables).unwrap_or(0));
        let (position, ..) = tables.remove(0);
        Ok([word, position, token_type])
    }

    /// The name of the model's input that a value is.
    fn input_name(&self, value: Value) -> Option<&str> {
        match self.0.op(self.0.strip(value))? {
            Op::Input(name) => Some(name),
            _ => None,
        }
    }

    /// How layers share their weights.
    fn shared(&self, layers: &[Layer]) -> Result<Shared, String> {
        let mut distinct: Vec<LayerParts<Affine<Weight>>> = Vec::new();
        let mut order = Vec::new();
        let same = |a: &Weight, b: &Weight| a.transposed == b.transposed && self.equal(a, b);
        for layer in layers {
            let known = distinct.iter().position(|known| {
                let mut pairs = known.iter().zip(layer.parts.iter());
                pairs.all(|(a, b)| same(&a.weight, &b.weight) && same(&a.bias, &b.bias))
            });
            order.push(known.unwrap_or(distinct.len()));
            if known.is_none() {
                distinct.push(layer.parts);
            }
        }
        // Layer i of all uses layer i mod n of group (i / n) · groups / layers, and there is but one such n, if any.
        let fits = |inner: usize| {
            let (count, all) = (distinct.len(), order.len());
            if !count.is_multiple_of(inner) || !all.is_multiple_of(inner) {
                return false;
            }
            let (groups, layers) = (count / inner, all / inner);
            let expected = |place: usize| (place / inner) * groups / layers * inner + place % inner;
            order.iter().enumerate().all(|(place, found)| *found == expected(place))
        };
        let inner = (1..=distinct.len()).find(|inner| fits(*inner));
        let inner = inner
            .ok_or_else(|| format!("its layers share weights in the order {order:?}, as no model that is read does"))?;
        Ok(Shared { inner, layers: distinct })
    }

    /// Whether two constants hold the same numbers: exporters may write one weight several times.
    fn equal(&self, a: &Weight, b: &Weight) -> bool {
        if a.constant == b.constant {
            return true;
        }
        let bytes = |weight: &Weight| {
            let tensor = self.0.tensor(weight.constant)?;
            let buffer = self.0.contents.buffers.get(tensor.buffer)?;
            Some((&tensor.shape, tensor.element, buffer.bytes.get(tensor.bytes.clone())?))
        };
        bytes(a).is_some() && bytes(a) == bytes(b)
    }
}

/// Layers with weights of their own, in the order in which they are first used.
struct Shared {
    /// Layers in a group.
    inner: usize,
    layers: Vec<LayerParts<Affine<Weight>>>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use albertine_formats::Contents;
    use albertine_formats::graph::Graph;

    use super::*;

    #[test]
    fn a_graph_in_circles_is_no_model() {
        let mut graph = Graph::default();
        let pass = graph.add(Op::Pass, Vec::new());
        let sum = graph.add(Op::Add, vec![pass, pass]);
        graph.nodes[pass.node].inputs = vec![sum, sum];
        graph.outputs = vec![("sum".to_owned(), sum)];
        let fault = trace(View { graph: &graph, contents: &Contents::default() }).unwrap_err();
        assert_eq!(fault, "the output \"sum\" is not computed as an ALBERT or a BERT does: no linear layer gives it");
    }
}
