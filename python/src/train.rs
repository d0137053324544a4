//! Fine-tuning on labeled tables.

use std::collections::HashMap;
use std::path::PathBuf;

use albertine::model::Kernels;
use albertine::{CancellationToken, Error, MAX_THREADS};
use albertine_train::{
    BaseModel, BestMetric, Checkpoints, ClassWeights, Datasets, Event, Execution, LabeledTexts, LrScheduler,
    Provenance, TrainError, TrainSettings, Validation, check_output, create_output, fine_tune,
};
use arrow_array::RecordBatchReader;
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
    text_columns: Vec<String>,
    label_column: String,
    validation_split: f64,
    max_sentence_length: Option<usize>,
    threads: usize,
    freeze_encoder: bool,
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
    dropout: f32,
    metric_for_best_model: String,
    patience: Option<u32>,
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
        let class_weights = [ClassWeights::Equal, ClassWeights::Balanced];
        let (weights, schedule, metric) = (&self.class_weights, &self.lr_scheduler, &self.metric_for_best_model);
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
            class_weights: named(&class_weights, ClassWeights::name, weights, "class_weights", "equal or balanced")?,
            dropout: self.dropout,
            freeze_encoder: self.freeze_encoder,
            best_metric: named(
                &BestMetric::ALL,
                BestMetric::name,
                metric,
                "metric_for_best_model",
                "loss, accuracy or macro_f1",
            )?,
            patience: self.patience,
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

    fn base(&self) -> Result<(String, BaseModel), Failure> {
        let (model, limit) = (self.model.clone(), self.max_sentence_length);
        abandonable(move || {
            let source = hub::resolve(&model, None, None)?;
            let checkpoint = source.checkpoint().map_err(Error::from)?;
            Ok::<_, Failure>((source.to_string(), BaseModel::new(checkpoint, limit)?))
        })
    }
}

/// A table, and what it is called.
#[derive(FromPyObject)]
pub(crate) struct Table(String, AnyRecordBatch);

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
        albertine::labels::require(columns.schema(), &arguments.label_column)?;
        albertine::texts::require(columns.schema(), &arguments.text_columns)?;
        Ok(Self { name, reader, columns })
    }

    fn read(self, base: &BaseModel, arguments: &Arguments) -> Result<LabeledTexts, Failure> {
        let class_names = albertine::labels::class_names(self.columns.schema(), &arguments.label_column);
        let mut texts = LabeledTexts::new(self.name).with_class_names(class_names);
        let mut rows = 0;
        for batch in self.reader {
            Python::attach(|py| py.check_signals())?;
            let batch = self.columns.convert(&batch.map_err(Error::from)?, rows)?;
            rows += batch.num_rows();
            let labels = albertine::labels::read(&batch[arguments.label_column.as_str()])?;
            let columns = albertine::texts::read(&batch, &arguments.text_columns)?;
            for (text, label) in columns.iter().zip(&labels) {
                texts.push(base, text, label)?;
            }
        }
        Ok(texts)
    }
}

/// Fine-tunes a model and writes it to its folder. `listener` is called with the kind of each event and its values.
#[pyfunction]
pub(crate) fn train<'py>(
    py: Python<'py>,
    training: Table,
    validation: Option<Table>,
    test: Option<Table>,
    arguments: Arguments,
    listener: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let values = py.detach(|| run([Some(training), validation, test], &arguments, listener.as_ref()))?;
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

fn run(tables: [Option<Table>; 3], arguments: &Arguments, listener: Option<&Py<PyAny>>) -> Result<Values, Failure> {
    check_output(&arguments.output)?;
    let settings = arguments.settings()?;
    let execution = arguments.execution()?;
    let [training, validation, test] =
        tables.map(|table| table.map(|table| LabeledTable::open(table, arguments)).transpose());
    let (training, validation, test) = (training?, validation?, test?);
    let name =
        |table: &Option<LabeledTable>| table.as_ref().map_or_else(|| "none".to_owned(), |table| table.name.clone());
    let (base_model, base) = arguments.base()?;
    let provenance = Provenance {
        base_model,
        input: name(&training),
        text_columns: arguments.text_columns.join(", "),
        label_column: arguments.label_column.clone(),
        validation: name(&validation),
        test: name(&test),
    };
    let read = |table: Option<LabeledTable>| table.map(|table| table.read(&base, arguments)).transpose();
    let (training, validation, test) = (read(training)?, read(validation)?, read(test)?);
    let all = [&training, &validation, &test].map(Option::as_ref);
    let skipped = all.into_iter().flatten().map(LabeledTexts::skipped).sum();
    let truncated = all.into_iter().flatten().map(LabeledTexts::truncated).sum();
    warn_of_training(truncated, base.limit())?;
    let datasets = Datasets {
        training: training.ok_or(TrainError::NoRows)?,
        validation: match validation {
            Some(texts) => Validation::Texts(texts),
            None if arguments.validation_split == 0.0 => Validation::None,
            None => Validation::Split(arguments.validation_split),
        },
        test,
    };

    let output = create_output(&arguments.output)?;
    let cancellation = execution.cancellation.clone();
    let model = stoppable(&cancellation, || {
        let mut raised = None;
        let model = fine_tune(base, datasets, &settings, &execution, &mut |event| {
            if let (Event::CheckpointFailed { error, .. }, None) = (event, &raised)
                && let Err(error) = warn_of_checkpoint(&error.to_string())
            {
                raised = Some(error);
                cancellation.cancel();
            }
            if let (Some(listener), None) = (listener, &raised)
                && let Err(error) = Python::attach(|py| tell(py, listener, event))
            {
                raised = Some(error);
                cancellation.cancel();
            }
        });
        match raised {
            Some(error) => Err(Failure::Python(error)),
            None => Ok(model?),
        }
    })?;
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

/// Tells Python of an event.
fn tell(py: Python<'_>, listener: &Py<PyAny>, event: &Event<'_>) -> PyResult<()> {
    let values = PyDict::new(py);
    let kind = match event {
        Event::Head { labels, new_head, class_indices: _ } => {
            values.set_item("labels", labels.to_vec())?;
            values.set_item("new_head", new_head)?;
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
        Event::Resumed { .. } | Event::CheckpointFailed { .. } => return Ok(()),
    };
    listener.call1(py, (kind, values)).map(drop)
}
