//! Fine-tuning on labeled tables.

use std::collections::HashMap;
use std::path::PathBuf;

use albertine::model::{Checkpoint, Kernels, ProblemType};
use albertine::text::{UnigramTrainer, UnigramVocabulary};
use albertine::{CancellationToken, Error, MAX_THREADS, Precision};
use albertine_train::{
    BaseModel, BestMetric, Checkpoints, Corpus, Datasets, Event, Execution, LabeledTexts, LrScheduler, PlainTexts,
    Provenance, SoftLabels, Teacher, TrainError, TrainSettings, Validation, check_output, create_output, fine_tune,
    pretrain,
};
use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_arrow::input::AnyRecordBatch;

use crate::error::Failure;
use crate::hub;
use crate::input::InputColumns;
use crate::warnings::{warn_of_checkpoint, warn_of_training};
use crate::work::{abandonable, interruptible, stoppable};

/// The keyword arguments of `albertine.train`, of the same names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Arguments {
    model: String,
    output: PathBuf,
    config: Option<PathBuf>,
    vocabulary_size: Option<usize>,
    text_columns: Vec<String>,
    text_pair_column: Option<String>,
    label_column: String,
    problem_type: String,
    label_separator: String,
    validation_split: f64,
    max_sentence_length: Option<usize>,
    threads: usize,
    add_labels: bool,
    freeze_encoder: bool,
    teacher_temperature: f64,
    teacher_weight: f64,
    mlm_probability: Option<f32>,
    epochs: u32,
    batch_size: usize,
    gradient_accumulation_steps: usize,
    learning_rate: f64,
    lr_scheduler: String,
    warmup: f64,
    weight_decay: f64,
    clip: f64,
    label_smoothing: f32,
    class_weights: String,
    dropout: Option<f32>,
    metric_for_best_model: String,
    patience: Option<u32>,
    ema_decay: Option<f64>,
    precision: String,
    seed: u64,
    checkpoint: Option<PathBuf>,
    save_steps: Option<u64>,
    save_total_limit: usize,
    resume: bool,
}

/// The one of `all` with this name, for the argument `argument`.
fn named<T: Copy>(
    all: &[T],
    name: impl Fn(T) -> &'static str,
    given: &str,
    argument: &'static str,
    expected: &'static str,
) -> Result<T, TrainError> {
    let found = all.iter().copied().find(|value| name(*value) == given);
    found.ok_or_else(|| TrainError::Setting { name: argument, value: given.to_owned(), expected })
}

impl Arguments {
    fn settings(&self) -> Result<TrainSettings, Failure> {
        let (schedule, metric) = (&self.lr_scheduler, &self.metric_for_best_model);
        let settings = TrainSettings {
            epochs: self.epochs,
            batch_size: self.batch_size,
            gradient_accumulation_steps: self.gradient_accumulation_steps,
            learning_rate: self.learning_rate,
            lr_scheduler: named(
                &LrScheduler::ALL,
                LrScheduler::name,
                schedule,
                "lr_scheduler",
                "linear, cosine or constant",
            )?,
            warmup: self.warmup,
            weight_decay: self.weight_decay,
            clip: self.clip,
            label_smoothing: self.label_smoothing,
            class_weights: self.class_weights.parse()?,
            dropout: self.dropout,
            teacher_temperature: self.teacher_temperature,
            teacher_weight: self.teacher_weight,
            add_labels: self.add_labels,
            freeze_encoder: self.freeze_encoder,
            best_metric: named(
                &BestMetric::ALL,
                BestMetric::name,
                metric,
                "metric_for_best_model",
                "loss, accuracy, macro_f1, f1, mae, r2 or pearson",
            )?,
            patience: self.patience,
            ema_decay: self.ema_decay,
            precision: named(
                &[Precision::F32, Precision::Bf16],
                Precision::name,
                &self.precision,
                "precision",
                "f32 or bf16",
            )?,
            seed: self.seed,
        };
        settings.check()?;
        Ok(settings)
    }

    fn kernels(&self) -> Result<Kernels, Failure> {
        if self.threads > MAX_THREADS {
            return Err(Error::TooManyThreads { asked: self.threads, most: MAX_THREADS }.into());
        }
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.threads == 0 { cores() } else { self.threads };
        Ok(Kernels::detect().map_err(Error::from)?.with_threads(threads))
    }

    fn execution(&self) -> Result<Execution, Failure> {
        let checkpoints = self.checkpoint.as_ref().map(|folder| Checkpoints {
            folder: folder.clone(),
            save_steps: self.save_steps,
            save_total_limit: self.save_total_limit,
            resume: self.resume,
        });
        Ok(Execution { checkpoints, ..Execution::new(self.kernels()?) })
    }

    fn problem(&self) -> Result<ProblemType, Failure> {
        let unknown = || TrainError::Setting {
            name: "problem_type",
            value: self.problem_type.clone(),
            expected: "single_label_classification, multi_label_classification or regression",
        };
        Ok(ProblemType::from_name(&self.problem_type).ok_or_else(unknown)?)
    }

    /// The columns of texts, that of the second text of a pair included.
    fn all_text_columns(&self) -> Vec<String> {
        self.text_columns.iter().chain(&self.text_pair_column).cloned().collect()
    }

    /// The base model and what it is called; its vocabulary is trained on `texts` where one is asked for.
    fn base(&self, texts: Option<Table>) -> Result<(String, BaseModel), Failure> {
        let (model, limit) = (self.model.clone(), self.max_sentence_length);
        let Some(path) = &self.config else {
            return abandonable(move || {
                let (name, checkpoint) = resolved(&model)?;
                Ok::<_, Failure>((name, BaseModel::new(checkpoint, limit)?))
            });
        };
        let mut checkpoint = Checkpoint::from_config(path).map_err(TrainError::from)?;
        if let (Some(size), Some(table)) = (self.vocabulary_size, texts) {
            let table = LabeledTable::open(table, self)?;
            let mut trainer = UnigramTrainer::new();
            let columns = self.all_text_columns();
            table.each(|batch| {
                albertine::texts::read(batch, &columns)?.iter().flatten().for_each(|text| trainer.add(text));
                Ok(())
            })?;
            let vocabulary = trainer.train(size).map_err(TrainError::from)?;
            let config = checkpoint.config().with_vocab_size(size).map_err(TrainError::from)?;
            let longest = config.architecture().max_tokens();
            let files = [
                ("tokenizer.json", vocabulary.tokenizer_json()),
                ("tokenizer_config.json", UnigramVocabulary::tokenizer_config_json(longest)),
            ];
            let files = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
            checkpoint = checkpoint.with_vocabulary(config, files);
        }
        Ok((format!("{} (new weights)", path.display()), BaseModel::new(checkpoint, limit)?))
    }
}

/// A model by its name, and what it was found as.
fn resolved(model: &str) -> Result<(String, Checkpoint), Failure> {
    let source = hub::resolve(model, None, None)?;
    let checkpoint = source.checkpoint().map_err(Error::from)?;
    Ok((source.to_string(), checkpoint))
}

/// A table, and what it is called.
#[derive(FromPyObject)]
pub(crate) struct Table(String, AnyRecordBatch);

/// A model by name, or a table of scores.
#[derive(FromPyObject)]
pub(crate) enum TeacherArgument {
    Model(String),
    Scores(Table),
}

impl TeacherArgument {
    fn name(&self) -> &str {
        match self {
            Self::Model(name) | Self::Scores(Table(name, _)) => name,
        }
    }

    fn open(self) -> Result<Teacher, Failure> {
        match self {
            Self::Model(name) => abandonable(move || {
                let (name, checkpoint) = resolved(&name)?;
                Ok::<_, Failure>(Teacher::Model { name, model: Box::new(BaseModel::new(checkpoint, None)?) })
            }),
            Self::Scores(Table(name, stream)) => {
                let mut soft = SoftLabels::new(name);
                for batch in stream.into_reader()? {
                    let scores = albertine::labels::scores(&batch.map_err(Error::from)?)?;
                    for row in &scores.rows {
                        soft.push(&scores.labels, row.as_deref())?;
                    }
                }
                Ok(Teacher::Scores(soft))
            }
        }
    }
}

/// A table whose columns have been checked.
struct LabeledTable {
    name: String,
    reader: Box<dyn RecordBatchReader + Send>,
    columns: InputColumns,
}

impl LabeledTable {
    fn open(Table(name, stream): Table, arguments: &Arguments) -> Result<Self, Failure> {
        let reader = stream.into_reader()?;
        let columns = InputColumns::new(&reader.schema(), &HashMap::new());
        if arguments.mlm_probability.is_none() {
            albertine::labels::require_several(columns.schema(), &arguments.label_column)?;
        }
        albertine::texts::require(columns.schema(), &arguments.all_text_columns())?;
        Ok(Self { name, reader, columns })
    }

    fn each(self, mut each: impl FnMut(&RecordBatch) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut rows = 0;
        for batch in self.reader {
            Python::attach(|py| py.check_signals())?;
            let batch = self.columns.convert(&batch.map_err(Error::from)?, rows)?;
            rows += batch.num_rows();
            each(&batch)?;
        }
        Ok(())
    }

    /// For a training with `teachers`, of which some are models or none is.
    fn read(self, base: &BaseModel, teachers: Option<bool>, arguments: &Arguments) -> Result<LabeledTexts, Failure> {
        let class_names = albertine::labels::class_names(self.columns.schema(), &arguments.label_column);
        let mut texts = LabeledTexts::new(self.name.clone())
            .with_class_names(class_names)
            .with_problem(arguments.problem()?, &arguments.label_separator);
        if let Some(has_models) = teachers {
            texts = texts.with_teachers(has_models);
        }
        self.each(|batch| {
            let labels = albertine::labels::read_several(&batch[arguments.label_column.as_str()])?;
            let firsts = albertine::texts::read(batch, &arguments.text_columns)?;
            match &arguments.text_pair_column {
                None => {
                    for (text, label) in firsts.iter().zip(&labels) {
                        texts.push(base, text, label)?;
                    }
                }
                Some(column) => {
                    let seconds = albertine::texts::read(batch, std::slice::from_ref(column))?;
                    for (pair, label) in firsts.iter().zip(&seconds).zip(&labels) {
                        texts.push_pair(base, pair, label)?;
                    }
                }
            }
            Ok(())
        })?;
        Ok(texts)
    }

    fn read_plain(self, base: &BaseModel, arguments: &Arguments) -> Result<PlainTexts, Failure> {
        let mut texts = PlainTexts::new(self.name.clone());
        self.each(|batch| {
            for text in &albertine::texts::read(batch, &arguments.text_columns)? {
                texts.push(base, text)?;
            }
            Ok(())
        })?;
        Ok(texts)
    }
}

/// Trains a model and writes it to its folder. `listener` is called with the kind of each event and its values;
/// `vocabulary` is the training set once more, for a vocabulary of its own.
#[pyfunction]
pub(crate) fn train<'py>(
    py: Python<'py>,
    tables: [Option<Table>; 3],
    vocabulary: Option<Table>,
    teachers: Vec<TeacherArgument>,
    arguments: Arguments,
    listener: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let listener = listener.as_ref();
    let values = py.detach(|| run(tables, vocabulary, teachers, &arguments, listener))?;
    let result = PyDict::new(py);
    result.set_item("labels", values.labels)?;
    result.set_item("epoch", values.epoch)?;
    result.set_item("epochs", values.epochs)?;
    result.set_item("steps", values.steps)?;
    result.set_item("interrupted", values.interrupted)?;
    result.set_item("diverged_at", values.diverged_at)?;
    result.set_item("skipped", values.skipped)?;
    result.set_item("truncated", values.truncated)?;
    result.set_item("metrics", values.metrics)?;
    Ok(result)
}

/// What comes back of a training.
struct Values {
    labels: Vec<String>,
    epoch: u32,
    epochs: u32,
    steps: u64,
    interrupted: bool,
    diverged_at: Option<u64>,
    skipped: u64,
    truncated: u64,
    metrics: Option<String>,
}

fn run(
    tables: [Option<Table>; 3],
    vocabulary: Option<Table>,
    teachers: Vec<TeacherArgument>,
    arguments: &Arguments,
    listener: Option<&Py<PyAny>>,
) -> Result<Values, Failure> {
    check_output(&arguments.output)?;
    let (settings, execution) = (arguments.settings()?, arguments.execution()?);
    arguments.problem()?;
    let [training, validation, test] =
        tables.map(|table| table.map(|table| LabeledTable::open(table, arguments)).transpose());
    let (training, validation, test) = (training?, validation?, test?);
    let name =
        |table: &Option<LabeledTable>| table.as_ref().map_or_else(|| "none".to_owned(), |table| table.name.clone());
    let (base_model, base) = arguments.base(vocabulary)?;
    let names: Vec<&str> = teachers.iter().map(TeacherArgument::name).collect();
    let provenance = Provenance {
        base_model,
        input: name(&training),
        text_columns: arguments.text_columns.join(", "),
        label_column: arguments.label_column.clone(),
        validation: name(&validation),
        test: name(&test),
        teachers: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
    };
    let training = training.ok_or(TrainError::NoRows)?;
    if let Some(mlm_probability) = arguments.mlm_probability {
        let corpus = Corpus {
            training: training.read_plain(&base, arguments)?,
            validation: validation.map(|table| table.read_plain(&base, arguments)).transpose()?,
            validation_split: arguments.validation_split,
            mlm_probability,
        };
        return pretrained(base, corpus, &settings, &execution, &provenance, arguments, listener);
    }
    let has_models = teachers.iter().any(|teacher| matches!(teacher, TeacherArgument::Model(_)));
    let training = training.read(&base, (!teachers.is_empty()).then_some(has_models), arguments)?;
    let read = |table: Option<LabeledTable>| table.map(|table| table.read(&base, None, arguments)).transpose();
    let (validation, test) = (read(validation)?, read(test)?);
    let all = [Some(&training), validation.as_ref(), test.as_ref()];
    let skipped = all.into_iter().flatten().map(LabeledTexts::skipped).sum();
    let truncated = all.into_iter().flatten().map(LabeledTexts::truncated).sum();
    warn_of_training(truncated, base.limit())?;
    let datasets = Datasets {
        training,
        validation: match validation {
            Some(texts) => Validation::Texts(Box::new(texts)),
            None if arguments.validation_split == 0.0 => Validation::None,
            None => Validation::Split(arguments.validation_split),
        },
        test,
        teachers: teachers.into_iter().map(TeacherArgument::open).collect::<Result<_, _>>()?,
    };

    let output = create_output(&arguments.output)?;
    let model = listening(&execution, listener, |listen| fine_tune(base, datasets, &settings, &execution, listen))?;
    let metrics = model.metrics().map(serde_json::to_string).transpose().map_err(TrainError::from)?;
    let values = Values {
        labels: model.labels().to_vec(),
        epoch: model.epoch,
        epochs: model.epochs,
        steps: model.steps,
        interrupted: model.interrupted,
        diverged_at: model.diverged,
        skipped,
        truncated,
        metrics,
    };
    interruptible(&CancellationToken::default(), || model.save(output, &provenance))?;
    Ok(values)
}

/// Pre-trains a masked language model and writes it.
fn pretrained(
    base: BaseModel,
    corpus: Corpus,
    settings: &TrainSettings,
    execution: &Execution,
    provenance: &Provenance,
    arguments: &Arguments,
    listener: Option<&Py<PyAny>>,
) -> Result<Values, Failure> {
    let skipped = corpus.training.skipped() + corpus.validation.as_ref().map_or(0, PlainTexts::skipped);
    let output = create_output(&arguments.output)?;
    let model = listening(execution, listener, |listen| pretrain(base, corpus, settings, execution, listen))?;
    let metrics = model.validation.as_ref().map(serde_json::to_string).transpose().map_err(TrainError::from)?;
    let values = Values {
        labels: Vec::new(),
        epoch: model.epoch,
        epochs: model.epochs,
        steps: model.steps,
        interrupted: model.interrupted,
        diverged_at: model.diverged,
        skipped,
        truncated: 0,
        metrics,
    };
    interruptible(&CancellationToken::default(), || model.save(output, provenance))?;
    Ok(values)
}

/// Trains while a listener of Python's hears of it; what that raises ends the training.
fn listening<T: Send>(
    execution: &Execution,
    listener: Option<&Py<PyAny>>,
    train: impl FnOnce(&mut (dyn FnMut(&Event<'_>) + Send)) -> Result<T, TrainError> + Send,
) -> Result<T, Failure> {
    let cancellation = execution.cancellation.clone();
    stoppable(&cancellation, || {
        let mut raised = None;
        let trained = train(&mut |event| {
            if raised.is_some() {
                return;
            }
            let told = match (event, listener) {
                (Event::CheckpointFailed { error, .. }, _) => warn_of_checkpoint(&error.to_string()),
                (event, Some(listener)) => Python::attach(|py| tell(py, listener, event)),
                _ => Ok(()),
            };
            if let Err(error) = told {
                raised = Some(error);
                cancellation.cancel();
            }
        });
        match raised {
            Some(error) => Err(Failure::Python(error)),
            None => Ok(trained?),
        }
    })
}

/// Tells Python of an event.
fn tell(py: Python<'_>, listener: &Py<PyAny>, event: &Event<'_>) -> PyResult<()> {
    let values = PyDict::new(py);
    let kind = match event {
        Event::Head { labels, new, .. } => {
            values.set_item("labels", labels.to_vec())?;
            values.set_item("new_head", *new > 0)?;
            "head"
        }
        Event::Start { training, validation, steps, memory } => {
            values.set_item("training_texts", training)?;
            values.set_item("validation_texts", validation)?;
            values.set_item("steps", steps)?;
            values.set_item("memory", memory)?;
            "start"
        }
        Event::Step { step, steps, epoch, loss, learning_rate, gradient_norm } => {
            values.set_item("step", step)?;
            values.set_item("steps", steps)?;
            values.set_item("epoch", epoch)?;
            values.set_item("loss", loss)?;
            values.set_item("learning_rate", learning_rate)?;
            values.set_item("gradient_norm", gradient_norm)?;
            "step"
        }
        Event::Epoch { epoch, loss, accuracy, elapsed, validation } => {
            let validation = validation.map(serde_json::to_string).transpose();
            values.set_item("epoch", epoch)?;
            values.set_item("loss", loss)?;
            values.set_item("accuracy", accuracy)?;
            values.set_item("seconds", elapsed.as_secs_f64())?;
            values.set_item("validation", validation.map_err(|error| Failure::from(TrainError::from(error)))?)?;
            "epoch"
        }
        Event::Teacher { .. } | Event::Resumed { .. } | Event::CheckpointFailed { .. } => return Ok(()),
    };
    listener.call1(py, (kind, values)).map(drop)
}
