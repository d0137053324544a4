//! Functions of one row at a time. A row's result depends on that row alone.

mod convert;
mod embed;
mod layer_norm;
mod layer_norm_gradient;
mod softmax;
mod transpose;

#[cfg(test)]
mod tests;

pub use layer_norm::LayerNorm;
pub(crate) use softmax::Softmax;
