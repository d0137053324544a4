//! A checkpoint written as a Hugging Face model directory.

use std::fs;
use std::path::Path;

use albertine_formats::{Folder, FormatError, WholeFolder};
use albertine_kernels::Precision;
use half::bf16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use serde_json::{Map, Value, json};

use super::vocabulary::{SPIECE, VOCAB};
use super::{CONFIG, Checkpoint, SavedHead};
use crate::config::MAX_CONFIG;
use crate::weights::SCALE;
use crate::{HeldOutScores, ModelError};

/// Where `config.json` keeps the parameters that a Spark NLP annotator was saved with.
const PARAMS: &str = "spark_nlp_params";

/// The parameters that [`Checkpoint::save`] has kept in a folder's `config.json`.
pub(super) fn params_in(folder: &Folder) -> Result<Map<String, Value>, ModelError> {
    let Some(bytes) = folder.read(CONFIG, MAX_CONFIG)? else { return Ok(Map::new()) };
    match serde_json::from_slice::<Map<String, Value>>(&bytes) {
        Ok(mut json) => match json.remove(PARAMS) {
            Some(Value::Object(params)) => Ok(params),
            _ => Ok(Map::new()),
        },
        Err(source) => Err(FormatError::Json { path: folder.path_of(CONFIG), source }.into()),
    }
}

impl Checkpoint {
    /// Writes the model as a Hugging Face directory that transformers loads: `config.json`, `model.safetensors` in f32,
    /// the files of the vocabulary, `calibration.json` if it is calibrated, and a model card that says where it came from. It is written beside its place and
    /// moved there when it is complete.
    ///
    /// # Errors
    /// [`FormatError::Exists`] when the directory is there and not empty, what [`crate::Weights::get`] says of a tensor
    /// that is missing or wrong, and [`FormatError::Io`].
    pub fn save(&self, directory: &Path) -> Result<(), ModelError> {
        self.save_with(directory, Precision::F32)
    }

    /// The same with matrices of another precision: in bfloat16, which transformers loads too, or in 8-bit integers with a
    /// scale for each row, which take a quarter of the space. Vectors stay f32. [`Checkpoint::open`] reads them all, so that
    /// [`Checkpoint::save`] makes f32 of them again.
    ///
    /// # Errors
    /// As [`Checkpoint::save`].
    pub fn save_with(&self, directory: &Path, weights: Precision) -> Result<(), ModelError> {
        let folder = WholeFolder::create(directory)?;
        self.save_into(&folder, weights)?;
        Ok(folder.finish()?)
    }

    /// The same into a folder that gets other files as well before it is complete.
    ///
    /// # Errors
    /// As [`Checkpoint::save`], but for [`FormatError::Exists`].
    pub fn save_into(&self, folder: &WholeFolder, weights: Precision) -> Result<(), ModelError> {
        let directory = folder.path();
        let write = |name: &str, bytes: &[u8]| {
            let path = directory.join(name);
            fs::write(&path, bytes).map_err(|source| io(&path, source))
        };
        write(CONFIG, &pretty(&self.config_json()))?;
        for (name, bytes) in &self.files {
            write(name, bytes)?;
        }
        if self.file("tokenizer_config.json").is_none() && self.file("tokenizer.json").is_none() {
            write("tokenizer_config.json", &pretty(&self.tokenizer_config()))?;
        }
        write("README.md", &self.model_card())?;
        if let Some(held_out) = &self.held_out {
            let path = directory.join(HeldOutScores::FILE);
            let json = held_out.to_json().map_err(|source| FormatError::Json { path, source })?;
            write(HeldOutScores::FILE, &json)?;
        }
        self.write_weights(&directory.join("model.safetensors"), weights)
    }

    fn write_weights(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        let mut tensors = Vec::new();
        let specs = match self.head {
            SavedHead::Classifier => self.config.tensors().iter().cloned().collect(),
            SavedHead::MaskedLanguage => self.config.masked_language_tensors(),
        };
        for spec in &specs {
            let values = self.weights.tensor(spec)?;
            let (name, shape) = (spec.stored_name.clone(), spec.shape.clone());
            match precision {
                Precision::Int8 if shape.len() == 2 => {
                    let (numbers, scales) = quantized(&values, shape[1]);
                    tensors.push((format!("{name}{SCALE}"), vec![shape[0], 1], Dtype::F32, scales));
                    tensors.push((name, shape, Dtype::I8, numbers));
                }
                Precision::Bf16 if shape.len() == 2 => {
                    let bytes = values.into_iter().flat_map(|value| bf16::from_f32(value).to_le_bytes()).collect();
                    tensors.push((name, shape, Dtype::BF16, bytes));
                }
                _ => tensors.push((name, shape, Dtype::F32, values.into_iter().flat_map(f32::to_le_bytes).collect())),
            }
        }
        let unsound = |source| FormatError::Safetensors { path: path.to_owned(), source };
        let views = tensors.iter().map(|(name, shape, dtype, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name, view)).map_err(unsound)
        });
        let views: Vec<_> = views.collect::<Result<_, _>>()?;
        // transformers refuses a file that does not say which framework its names are from.
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        let bytes = serialize(views, Some(metadata)).map_err(unsound)?;
        // Written as any other file: `serialize_to_file` makes one that nobody else may read.
        fs::write(path, bytes).map_err(|source| io(path, source))
    }

    fn config_json(&self) -> Value {
        let (architecture, family) = (self.config.architecture(), self.config.architecture().family());
        let class = match self.head {
            SavedHead::Classifier => family.class.to_owned(),
            SavedHead::MaskedLanguage => family.class.replace("SequenceClassification", "MaskedLM"),
        };
        let mut json = json!({"architectures": [class], "model_type": family.model_type});
        for (size, field, _) in family.sizes {
            json[*field] = json!(architecture.size(*size));
        }
        let ids = self.config.labels().iter().enumerate();
        json["hidden_act"] = json!(architecture.activation().name());
        json["layer_norm_eps"] = json!(shortest(architecture.layer_norm_eps()));
        let dropout = self.config.dropout();
        for ((field, _), rate) in family.dropout.iter().zip([dropout.hidden, dropout.attention, dropout.classifier]) {
            json[*field] = json!(shortest(rate));
        }
        json["initializer_range"] = json!(shortest(self.config.initializer_range()));
        if self.head == SavedHead::MaskedLanguage {
            return json;
        }
        json["id2label"] = ids.clone().map(|(id, label)| (id.to_string(), json!(label))).collect::<Map<_, _>>().into();
        json["label2id"] = ids.map(|(id, label)| (label.clone(), json!(id))).collect::<Map<_, _>>().into();
        if let Some(problem) = self.config.problem_type() {
            json["problem_type"] = json!(problem.name());
        }
        if !self.params.is_empty() {
            json[PARAMS] = json!(self.params);
        }
        json
    }

    /// How Spark NLP's parameters say the vocabulary is used; other models without this file have transformers'
    /// defaults.
    fn tokenizer_config(&self) -> Value {
        // An ALBERT may have BERT's kind of vocabulary, as all Chinese ones do.
        let class = match self.file(VOCAB) {
            Some(_) if self.file(SPIECE).is_none() => "BertTokenizer",
            _ => self.config.architecture().family().tokenizer,
        };
        let lower = !self.params.get("caseSensitive").and_then(Value::as_bool).unwrap_or(false);
        json!({
            "tokenizer_class": class,
            "do_lower_case": lower,
            "model_max_length": self.config.architecture().max_tokens(),
        })
    }

    /// Whether the card that came with it has this line.
    fn card_says(&self, line: &str) -> bool {
        self.card.as_deref().is_some_and(|card| String::from_utf8_lossy(card).contains(line))
    }

    fn model_card(&self) -> Vec<u8> {
        let origin = self.origin.file_name().unwrap_or(self.origin.as_os_str()).to_string_lossy();
        let line = format!("Weights and vocabulary were read from `{origin}` ({}).\n", self.kind);
        let calibration = self.held_out.as_ref().map_or_else(String::new, |held_out| {
            let (temperature, texts) = (held_out.temperature(), held_out.len());
            format!("The scores are calibrated: a temperature of {temperature:.4} was fitted on {texts} texts.\n")
        });
        if let Some(card) = &self.card {
            let mut card = card.clone();
            let mut add = |line: &str| card.extend_from_slice(format!("\n{line}").as_bytes());
            if !self.trained {
                add(&line);
            }
            if !calibration.is_empty() && !self.card_says(&calibration) {
                add(&calibration);
            }
            return card;
        }
        let labels: String = self.config.labels().iter().map(|label| format!("- {label}\n")).collect();
        let (parameters, noun) = (self.config.parameters(), self.config.architecture().family().noun);
        let noun = noun.replacen('a', "A", 1);
        format!(
            "---\npipeline_tag: text-classification\nlibrary_name: transformers\n---\n\n# {origin}\n\n{noun} text \
             classifier of {parameters} parameters. {line}{calibration}\nLabels:\n\n{labels}"
        )
        .into_bytes()
    }
}

/// Rows as whole numbers from -127 to 127 with a scale for each, which makes the largest magnitude of a row 127.
fn quantized(values: &[f32], columns: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut numbers, mut scales) = (Vec::with_capacity(values.len()), Vec::new());
    for row in values.chunks_exact(columns.max(1)) {
        let scale = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs())) / 127.0;
        scales.extend(scale.to_le_bytes());
        let number =
            |value: &f32| if scale > 0.0 { (value / scale).round_ties_even().clamp(-127.0, 127.0) as i8 } else { 0 };
        numbers.extend(row.iter().map(|value| number(value).cast_unsigned()));
    }
    (numbers, scales)
}

/// A number of `f32` as the `f64` that is written with the same digits.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

fn pretty(json: &Value) -> Vec<u8> {
    let mut text = format!("{json:#}");
    text.push('\n');
    text.into_bytes()
}

fn io(path: &Path, source: std::io::Error) -> ModelError {
    FormatError::Io { path: path.to_owned(), source }.into()
}
