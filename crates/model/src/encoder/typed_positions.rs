//! The embeddings of positions where there are several token types.

/// The sum of position and token type of each token, where there is more than one type: so that the additions have the order
/// that they have where there is one.
#[derive(Default)]
pub(super) struct TypedPositions {
    /// `[tokens, embedding]`
    pub(super) table: Vec<f32>,
    /// Each row of the table, once.
    pub(super) rows: Vec<u32>,
}

impl TypedPositions {
    pub(super) fn fill(
        &mut self,
        width: usize,
        positions: &[u32],
        token_types: &[u32],
        position: &[f32],
        token_type: &[f32],
    ) {
        self.rows.clear();
        self.rows.extend(0..positions.len() as u32);
        self.table.clear();
        for (&row, &kind) in positions.iter().zip(token_types) {
            let position = &position[row as usize * width..][..width];
            let token_type = &token_type[kind as usize * width..][..width];
            self.table.extend(position.iter().zip(token_type).map(|(position, token_type)| position + token_type));
        }
    }
}
