//! Classifiers from wherever models are: by name, built in, from a model directory, or out of a saved pipeline.

use std::sync::Arc;

use albertine_model::Folder;

use crate::hub::{self, ModelSource};
use crate::loaded_model::LoadedModel;
use crate::preparation::Stages;
use crate::session::ClassifierSettings;
use crate::{Classifier, Error, saved};

impl Classifier {
    /// Loads a model by name or path, as [`hub::resolve`] finds it.
    ///
    /// # Errors
    /// As [`hub::resolve`] and [`Classifier::load`].
    pub fn pretrained(name_or_path: &str, settings: ClassifierSettings) -> Result<Self, Error> {
        Self::load(&hub::resolve(name_or_path)?, settings)
    }

    /// Loads a model.
    ///
    /// # Errors
    /// When a file of the model is missing or wrong, when vocabulary and weights do not fit each other, when
    /// `max_sentence_length` is not one that the model can read, or for more than [`MAX_THREADS`](crate::MAX_THREADS)
    /// threads.
    pub fn load(source: &ModelSource, settings: ClassifierSettings) -> Result<Self, Error> {
        let model = match source {
            ModelSource::BuiltIn(built_in) => LoadedModel::built_in(built_in, settings.precision)?,
            ModelSource::Directory(path) => {
                let folder = Folder::open(path)?;
                if let Some(stages) = saved::stages_in(&folder, &settings)? {
                    let (stages, annotator) = Stages::before_classifier(stages)?;
                    let class = annotator.sequence_classification().ok_or(Error::ClassifiersOfPipeline)?;
                    let classifier = class.classifier().with_settings(class.settings(&settings))?;
                    return Ok(classifier.prepared_by(Arc::new(stages), class.scoring()));
                }
                if let Some(annotator) = saved::classifier_in(&folder, &settings)? {
                    let class = annotator.sequence_classification().ok_or(Error::ClassifiersOfPipeline)?;
                    return class.classifier().with_settings(class.settings(&settings));
                }
                LoadedModel::read(folder, settings.precision)?
            }
        };
        Self::of_model(Arc::new(model), &settings)
    }
}
