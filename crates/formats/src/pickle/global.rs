//! The allow-list: what a checkpoint's pickle may name.

use crate::element::Element;

/// A global that rebuilding tensors needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Global {
    /// `collections.OrderedDict`, what a state dictionary is.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`, and `_rebuild_tensor` before PyTorch 0.4: a storage, an offset, sizes and strides
    /// become a tensor.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`: a tensor becomes a parameter, which holds the same numbers.
    RebuildParameter,
    /// A storage class of `torch`, which stands for its element type.
    Storage(Element),
}

impl Global {
    /// The global of a module and a name, if it is on the list.
    pub(crate) fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", storage) => Self::Storage(match storage {
                "DoubleStorage" => Element::F64,
                "FloatStorage" => Element::F32,
                "HalfStorage" => Element::F16,
                "BFloat16Storage" => Element::Bf16,
                "LongStorage" => Element::Other("I64", 8),
                "IntStorage" => Element::Other("I32", 4),
                "ShortStorage" => Element::Other("I16", 2),
                "CharStorage" => Element::Other("I8", 1),
                "ByteStorage" => Element::Other("U8", 1),
                "BoolStorage" => Element::Other("BOOL", 1),
                _ => return None,
            }),
            _ => return None,
        })
    }
}
