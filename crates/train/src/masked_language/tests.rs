//! Hiding, and the gradient of what is hidden.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use albertine_model::Checkpoint;

use super::*;
use crate::BaseModel;

fn base(name: &str) -> BaseModel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/heads").join(name);
    BaseModel::new(Checkpoint::open(&path).unwrap(), None).unwrap()
}

fn texts(count: usize, length: usize) -> RaggedBatch {
    let mut texts = RaggedBatch::new();
    for text in 0..count {
        let pieces = (0..length).map(|place| 5 + ((text * 31 + place * 7) % 400) as u32);
        texts.push(&[2].into_iter().chain(pieces).chain([3]).collect::<Vec<_>>());
    }
    texts
}

fn with<T>(base: &BaseModel, texts: &RaggedBatch, probability: f32, then: impl FnOnce(&MaskedLanguage<'_>) -> T) -> T {
    let settings = TrainSettings { dropout: Some(0.1), ..TrainSettings::default() };
    then(&MaskedLanguage {
        config: base.config(),
        settings: &settings,
        kernels: Kernels::detect().unwrap(),
        texts,
        validation: Some(texts),
        pieces: MaskedPieces { mask: 4, special: vec![2, 3, 4], count: 480 },
        workspace: Workspace::default(),
        probability,
    })
}

#[test]
fn pieces_are_hidden_as_bert_hides_them() {
    let texts = texts(400, 60);
    with(&base("albert_mlm"), &texts, 0.15, |objective| {
        let indices: Vec<usize> = (0..texts.documents()).collect();
        let hidden = objective.hide(&texts, &indices, 1);
        let share = |count: usize, of: usize| count as f64 / of as f64;
        let all = hidden.places.len();
        assert!((share(all, 400 * 60) - 0.15).abs() < 0.01, "{all}");
        let now = |place: &usize| hidden.batch.ids()[*place];
        let masked = hidden.places.iter().filter(|place| now(place) == 4).count();
        let same = hidden.places.iter().zip(&hidden.pieces).filter(|(place, piece)| now(place) == **piece).count();
        assert!(
            (share(masked, all) - 0.8).abs() < 0.03 && (share(same, all) - 0.1).abs() < 0.03,
            "{masked} {same} {all}"
        );
        let mut back = hidden.batch.ids().to_vec();
        hidden.places.iter().zip(&hidden.pieces).for_each(|(&place, &piece)| back[place] = piece);
        assert_eq!(back, texts.ids(), "what is not hidden stays");
        assert!(hidden.places != objective.hide(&texts, &indices, 2).places, "other pieces every time");
        // A text is hidden in the same way whatever is beside it.
        let alone = objective.hide(&texts, &[7], 1);
        let start = texts.starts()[7];
        assert!(alone.places.iter().all(|place| hidden.places.contains(&(start + place))));
    });
}

#[test]
fn a_gradient_is_that_of_the_loss() {
    for name in ["albert_mlm", "bert_mlm"] {
        let (base, texts) = (base(name), texts(5, 12));
        let weights = base.masked_language_weights(1).unwrap();
        with(&base, &texts, 0.5, |objective| {
            let step = |weights: &Tensors| {
                let mut gradient = weights.zeros_like();
                (objective.step(weights, &[0, 1, 2, 3, 4], 3, &mut gradient).unwrap().loss, gradient)
            };
            let (_, gradient) = step(&weights);
            for index in 0..weights.specs().len() {
                let length = gradient.at(index).iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
                let moved = |distance: f64| {
                    let mut weights = weights.clone();
                    let values = weights.at_mut(index).iter_mut().zip(gradient.at(index));
                    values.for_each(|(weight, x)| *weight += (f64::from(*x) * distance / length.max(1e-9)) as f32);
                    step(&weights).0
                };
                let (found, name) = ((moved(4e-3) - moved(-4e-3)) / 8e-3, &weights.specs()[index].name);
                assert!((found - length).abs() < 0.03 * length + 2e-3, "{name}: {found} for {length}");
            }
        });
    }
}
