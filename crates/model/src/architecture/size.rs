//! The sizes of an encoder, as a table that a family's configuration fills.

/// A size of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Size {
    /// Token ids.
    Vocabulary,
    /// The width of an embedding.
    Embedding,
    /// The width of the encoder.
    Hidden,
    /// Times that a group of layers is applied.
    Layers,
    /// Groups of layers with weights of their own.
    Groups,
    /// Attention heads.
    Heads,
    /// The width of the feed-forward part.
    Intermediate,
    /// Layers in a group.
    InnerLayers,
    /// Rows of the position embeddings.
    Positions,
    /// Rows of the token type embeddings.
    TokenTypes,
}

impl Size {
    const ALL: [Self; 10] = [
        Self::Vocabulary,
        Self::Embedding,
        Self::Hidden,
        Self::Layers,
        Self::Groups,
        Self::Heads,
        Self::Intermediate,
        Self::InnerLayers,
        Self::Positions,
        Self::TokenTypes,
    ];

    /// The largest that is read.
    pub(crate) fn limit(self) -> usize {
        match self {
            Self::Vocabulary => 1 << 24,
            Self::Embedding | Self::Hidden | Self::Heads | Self::TokenTypes => 1 << 16,
            Self::Layers | Self::Groups => 256,
            Self::InnerLayers => 16,
            Self::Intermediate | Self::Positions => 1 << 20,
        }
    }
}

/// A number for each [`Size`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes([usize; Size::ALL.len()]);

impl Sizes {
    /// The sizes that a configuration says. Those that a family has no field for follow from the others: embeddings are as
    /// wide as the encoder, and every layer has weights of its own.
    pub(crate) fn new(stated: &[(Size, usize)]) -> Self {
        let find = |wanted: Size| stated.iter().find(|(size, _)| *size == wanted).map(|(_, value)| *value);
        let of = |size: Size| {
            let other = match size {
                Size::Embedding => find(Size::Hidden),
                Size::Groups => find(Size::Layers),
                _ => None,
            };
            find(size).or(other).unwrap_or(1)
        };
        Self(Size::ALL.map(of))
    }

    pub(crate) fn with(mut self, size: Size, value: usize) -> Self {
        self.0[size as usize] = value;
        self
    }

    pub(crate) fn get(&self, size: Size) -> usize {
        self.0[size as usize]
    }
}
