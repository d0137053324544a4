//! Fine-tuning from labeled texts to a model directory, in one call.

pub(crate) mod model_card;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use albertine_model::{Kernels, Precision, ProblemType, WholeFolder};

use crate::classification::{Classification, evaluate_weights};
use crate::fingerprint::{Fingerprint, Hash};
use crate::metrics_log::MetricsLog;
use crate::random::{Draw, derived};
use crate::report::TaskReport;
use crate::teacher::Question;
use crate::trainer::{Trained, Trainer};
use crate::{
    BaseModel, ClassWeights, Event, Examples, Execution, Head, LabelNames, LabeledTexts, TaskMetrics, Teacher,
    TrainError, TrainSettings,
};

/// The texts of a fine-tuning.
#[derive(Debug)]
pub struct Datasets {
    /// The training set.
    pub training: LabeledTexts,
    /// What the model is evaluated on after each epoch.
    pub validation: Validation,
    /// What the trained model is evaluated on.
    pub test: Option<LabeledTexts>,
    /// Who else says something of the texts of the training set, if anybody does. Their scores are averaged.
    pub teachers: Vec<Teacher>,
}

impl Datasets {
    /// A training set and nothing else.
    #[must_use]
    pub fn new(training: LabeledTexts) -> Self {
        Self { training, validation: Validation::None, test: None, teachers: Vec::new() }
    }
}

/// What a model is evaluated on after each epoch.
#[derive(Debug)]
pub enum Validation {
    /// Nothing: the model of the last epoch is kept.
    None,
    /// These texts: the epoch that does best on them is kept.
    Texts(Box<LabeledTexts>),
    /// A random fraction of the training set, above 0 and below 1, which is held out; drawn by the seed of the
    /// settings.
    Split(f64),
}

/// Where the texts and the base model came from, for the report and the model card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The base model.
    pub base_model: String,
    /// The training set.
    pub input: String,
    /// The columns of the text.
    pub text_columns: String,
    /// The column of the label.
    pub label_column: String,
    /// The validation set; not read where a fraction of the training set is held out.
    pub validation: String,
    /// The test set.
    pub test: String,
    /// The teachers.
    pub teachers: String,
}

/// A fine-tuned model, not yet written.
#[derive(Debug)]
pub struct FineTuned {
    /// The epoch whose weights are kept, from 1.
    pub epoch: u32,
    /// The epochs that were completed.
    pub epochs: u32,
    /// The steps that were made in all.
    pub steps: u64,
    /// The metrics on the validation set after the epoch that is kept.
    pub validation: Option<TaskMetrics>,
    /// The metrics on the test set; none when the evaluation was cancelled.
    pub test: Option<TaskMetrics>,
    /// The step at which training diverged; the weights are those of an epoch before it.
    pub diverged: Option<u64>,
    /// Whether it was cancelled.
    pub interrupted: bool,
    base: BaseModel,
    head: Head,
    problem: ProblemType,
    weights: crate::Tensors,
    settings: TrainSettings,
    kernels: Kernels,
    log: MetricsLog,
    training_texts: usize,
    validation_texts: usize,
    split: Option<f64>,
}

/// Fine-tunes `base` on labeled texts.
///
/// The model's own classification head goes on where the labels are its own, else it gets a new one
/// ([`BaseModel::head`]). With a validation set the best epoch by [`TrainSettings::best_metric`] is kept. The same seed
/// gives the same weights, bit for bit, at any number of threads on one kind of CPU, also where training stopped in
/// between and went on from a checkpoint.
///
/// `listen` hears of every step and epoch. Once the execution is cancelled, training stops after the step at work and
/// keeps what it has: with a validation set the best epoch so far, else the weights as they are.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_model::{Checkpoint, Kernels};
/// use albertine_train::{
///     BaseModel, Datasets, Event, Execution, LabeledTexts, Provenance, TrainSettings, Validation, create_output,
///     fine_tune,
/// };
///
/// let base = BaseModel::new(Checkpoint::open(Path::new("albert-base-v2"))?, None)?;
/// let mut training = LabeledTexts::new("news");
/// training.push(&base, Some("Oil prices rose on Monday."), Some("Business"))?;
/// training.push(&base, Some("The home side won in extra time."), Some("Sports"))?;
/// let datasets = Datasets::new(training);
/// let output = create_output(Path::new("my-model"))?;
/// let settings = TrainSettings::default();
/// let mut listen = |event: &Event<'_>| println!("{event:?}");
/// let execution = Execution::new(Kernels::detect()?);
/// let model = fine_tune(base, datasets, &settings, &execution, &mut listen)?;
/// model.save(output, &Provenance::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`TrainError::Setting`], [`TrainError::TeacherLabels`], [`TrainError::TeacherRows`] and [`TrainError::SoftLabels`] for
/// teachers that do not fit, [`TrainError::Cancelled`] while a teacher reads, [`TrainError::NoRows`], [`TrainError::OneLabel`], [`TrainError::UnnamedClass`],
/// [`TrainError::Split`], [`TrainError::NoValidation`], [`TrainError::UnseenLabel`] for a label of another set that the training set lacks,
/// [`TrainError::Diverged`] when training diverges before anything is worth keeping, [`TrainError::CheckpointExists`] and
/// [`TrainError::OtherTraining`] for checkpoints that it cannot go on from, and what [`BaseModel::weights`] says.
pub fn fine_tune(
    base: BaseModel,
    datasets: Datasets,
    settings: &TrainSettings,
    execution: &Execution,
    listen: &mut (dyn FnMut(&Event<'_>) + Send),
) -> Result<FineTuned, TrainError> {
    let Execution { kernels, cancellation, .. } = execution;
    let Datasets { training, validation, test, teachers } = datasets;
    let problem = training.problem();
    settings.check()?;
    kernels.elements(settings.precision)?;
    settings.best_metric.check(problem)?;
    if settings.patience.is_some() && matches!(validation, Validation::None) {
        return Err(TrainError::NoValidation);
    }
    if problem != ProblemType::SingleLabel && settings.class_weights != ClassWeights::Equal {
        let value = settings.class_weights.to_string();
        return Err(TrainError::Setting {
            name: "class_weights",
            value,
            expected: "equal where a text has no single class",
        });
    }
    let class_names = training.class_names().map(<[String]>::to_vec);
    let found = if problem == ProblemType::Regression { BTreeSet::new() } else { training.labels()? };
    let head = match vector(problem, &teachers) {
        Some(names) => {
            let is_alone = matches!(validation, Validation::None) && test.is_none() && training.labels()?.is_empty();
            if !is_alone {
                let (value, expected) = (format!("{} numbers", names.len()), VECTORS);
                return Err(TrainError::Setting { name: "teacher", value, expected });
            }
            base.vector_head(names)
        }
        None => head(&base, problem, settings, class_names.as_deref(), &found)?,
    };
    let is_own = matches!(head, Head::Own(_));
    let class_indices = is_own && class_names.is_none() && !found.iter().all(|label| head.labels().contains(label));
    let new = match &head {
        Head::Own(_) => 0,
        Head::New(labels) => labels.len(),
        Head::Extended(labels) => labels.len() - base.config().labels().len(),
    };
    listen(&Event::Head { labels: head.labels(), new, class_indices, problem });
    let names = TrainedNames { names: LabelNames::of_model(head.labels())?, class_names, class_indices };
    let question = Question {
        texts: &training,
        labels: head.labels(),
        problem,
        temperature: settings.teacher_temperature,
        kernels: *kernels,
        cancellation,
    };
    let scores = if teachers.is_empty() { Some(Vec::new()) } else { question.asked(&teachers, listen)? };
    let Some(scores) = scores else { return Err(TrainError::Cancelled) };
    drop(teachers);
    let mut training = training.examples(&names.of_training()?)?.with_scores(scores);
    let split = if let Validation::Split(fraction) = validation { Some(fraction) } else { None };
    let validation = match validation {
        Validation::None => None,
        Validation::Texts(texts) => Some(examples(*texts, &names)?),
        Validation::Split(fraction) => Some(hold_out(&mut training, fraction, settings.seed)?),
    };
    let test = test.map(|texts| examples(texts, &names)).transpose()?;
    let (config, weights) = base.weights(&head, problem, settings.seed)?;
    let mut fingerprint = Fingerprint::default();
    settings.facts().into_iter().for_each(|(name, value)| fingerprint.setting(name, value));
    fingerprint.setting("max sentence length", base.limit().to_string());
    fingerprint.setting("problem", problem.name());
    fingerprint.setting("number of labels", head.labels().len().to_string());
    fingerprint.data("labels", head.labels().iter().fold(Hash::default(), |hash, label| hash.text(label)));
    fingerprint.data("weights of the base model", weights.hash());
    fingerprint.data("training texts", training.hash());
    fingerprint.data("validation texts", validation.as_ref().map_or_else(Hash::default, Examples::hash));
    let mut objective = Classification::new(&config, settings, *kernels, &training, validation.as_ref())?;
    let trained = Trainer::train(&mut objective, weights, settings, execution, fingerprint, listen)?;
    let validation_texts = validation.as_ref().map_or(0, Examples::len);
    let Trained { weights, epoch, steps, validation, diverged, log } = trained;
    let test = match &test {
        Some(test) => evaluate_weights(&config, &weights, *kernels, test, epoch, cancellation)?,
        None => None,
    };
    Ok(FineTuned {
        epoch,
        epochs: log.epochs(),
        steps,
        validation,
        test,
        diverged,
        interrupted: cancellation.is_cancelled(),
        base,
        head,
        problem,
        weights,
        settings: settings.clone(),
        kernels: *kernels,
        log,
        training_texts: training.len(),
        validation_texts,
        split,
    })
}

/// What is to be true of a training whose teacher says several numbers of each text.
const VECTORS: &str = "one number for each text where texts have numbers as labels, or are evaluated";

/// The names of the numbers that the teachers of a regression say of each text, if they are several: an embedding.
fn vector(problem: ProblemType, teachers: &[Teacher]) -> Option<&[String]> {
    let names = teachers.first().filter(|_| problem == ProblemType::Regression)?.labels();
    (names.len() > 1).then_some(names)
}

/// The head for these labels of the training set, which may name all classes that it could have.
fn head(
    base: &BaseModel,
    problem: ProblemType,
    settings: &TrainSettings,
    names: Option<&[String]>,
    labels: &BTreeSet<String>,
) -> Result<Head, TrainError> {
    if problem == ProblemType::Regression {
        return Ok(base.value_head());
    }
    let mut labels_of_rows = labels.iter();
    match (labels_of_rows.next(), labels_of_rows.next()) {
        (None, _) => Err(TrainError::NoRows),
        _ if settings.add_labels => base.extended_head(names, labels),
        (Some(label), None) => Err(TrainError::OneLabel { label: label.clone() }),
        _ => names.map_or_else(|| base.head(labels), |names| base.named_head(names, labels)),
    }
}

/// What the tables of a training call the classes that are trained.
struct TrainedNames {
    names: LabelNames,
    /// The training set's own names for its numbers.
    class_names: Option<Vec<String>>,
    /// Whether the numbers of the training set are the indices of the base model's classes.
    class_indices: bool,
}

impl TrainedNames {
    fn of_training(&self) -> Result<LabelNames, TrainError> {
        let names = self.names.clone();
        if let Some(own) = &self.class_names { names.with_table(own) } else { Ok(names) }
    }

    /// For a validation or test set: its numbers are the classes of their names, or, without names, those that the
    /// numbers of the training set are.
    fn of(&self, texts: &LabeledTexts) -> Result<LabelNames, TrainError> {
        let Some(own) = texts.class_names() else { return self.of_training() };
        let unseen = || TrainError::UnseenLabel {
            dataset: texts.name().to_owned(),
            label: own.first().cloned().unwrap_or_default(),
        };
        let names = self.names.clone().with_table(own).map_err(|_| unseen())?;
        let may_be_indices = self.class_indices || names.are_numbers();
        if names.matches_table() || may_be_indices { Ok(names) } else { Err(unseen()) }
    }
}

/// Checks that `output` can be the folder of a new model: it is new, or an empty folder.
///
/// # Errors
/// [`TrainError::NoFolderName`] and [`TrainError::Exists`].
pub fn check_output(output: &Path) -> Result<(), TrainError> {
    if output.file_name().is_none() {
        return Err(TrainError::NoFolderName { path: output.to_owned() });
    }
    let Ok(found) = fs::symlink_metadata(output) else { return Ok(()) };
    let is_empty_folder = found.is_dir() && fs::read_dir(output).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty_folder { Ok(()) } else { Err(TrainError::Exists { path: output.to_owned() }) }
}

/// Begins the folder of a new model, before the work that fills it.
///
/// # Errors
/// As [`check_output`], and [`TrainError::Output`] when it cannot be created.
pub fn create_output(output: &Path) -> Result<WholeFolder, TrainError> {
    check_output(output)?;
    WholeFolder::create(output).map_err(TrainError::output)
}

/// The texts of a validation or test set: of the classes that are trained.
fn examples(texts: LabeledTexts, names: &TrainedNames) -> Result<Examples, TrainError> {
    let dataset = texts.name().to_owned();
    let names = names.of(&texts)?;
    texts.examples(&names).map_err(|error| match error {
        TrainError::UnknownLabel { label, .. } => TrainError::UnseenLabel { dataset, label },
        other => other,
    })
}

/// Takes a fraction out of the training set at random.
fn hold_out(training: &mut Examples, fraction: f64, seed: u64) -> Result<Examples, TrainError> {
    let rows = training.labeled();
    let held_out = (rows as f64 * fraction).round() as usize;
    if held_out == 0 || held_out >= rows {
        return Err(TrainError::Split { fraction, rows, held_out });
    }
    Ok(training.split(held_out, derived(seed, Draw::Split, 0)))
}

impl FineTuned {
    /// The labels, in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        self.head.labels()
    }

    /// The metrics on the test set, else on the validation set.
    #[must_use]
    pub fn metrics(&self) -> Option<&TaskMetrics> {
        self.test.as_ref().or(self.validation.as_ref())
    }

    /// Writes the model directory: the model with its model card, `metrics.jsonl` (a line for each step and each epoch)
    /// and, where it was evaluated, `metrics.json` and `report.html`.
    ///
    /// # Errors
    /// [`TrainError::Model`], [`TrainError::Output`] and [`TrainError::Io`] when it cannot be written.
    pub fn save(self, output: WholeFolder, provenance: &Provenance) -> Result<(), TrainError> {
        let facts = self.facts(output.place(), provenance);
        let card =
            model_card::model_card(self.base.config().noun(), output.place(), &facts, self.labels(), self.metrics());
        let (folder, curves) = (output.path(), self.log.curves());
        let report = self
            .metrics()
            .map(|metrics| {
                let report = TaskReport { facts: &facts, metrics, curves: &curves };
                Ok::<_, TrainError>((report.json()?, report.page()))
            })
            .transpose()?;
        self.base.finish(self.head, self.problem, &self.weights, card)?.save_into(&output, Precision::F32)?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(TrainError::io("write", &path))
        };
        write("metrics.jsonl", self.log.lines())?;
        if let Some((json, page)) = report {
            write("metrics.json", &json)?;
            write("report.html", &page)?;
        }
        output.finish_or_keep().map_err(TrainError::output)
    }

    /// How the model was trained, in the order of the report.
    fn facts(&self, output: &Path, provenance: &Provenance) -> Vec<(&'static str, String)> {
        let Provenance { base_model, input, text_columns, label_column, validation, test, teachers } =
            provenance.clone();
        let mut facts = vec![
            ("model", output.display().to_string()),
            ("base model", base_model),
            ("input", input),
            ("text columns", text_columns),
            ("label column", label_column),
            ("training texts", self.training_texts.to_string()),
            ("validation set", self.split.map_or(validation, |fraction| format!("{fraction} of the input"))),
            ("validation texts", self.validation_texts.to_string()),
            ("test set", test),
            ("teachers", teachers),
            ("problem", self.problem.name().to_owned()),
            ("epoch kept", self.epoch.to_string()),
            ("steps", self.steps.to_string()),
            ("interrupted", self.interrupted.to_string()),
        ];
        facts.extend(self.settings.facts());
        facts.extend([
            ("max sentence length", self.base.limit().to_string()),
            ("cpu level", self.kernels.level().to_string()),
            ("albertine", env!("CARGO_PKG_VERSION").to_owned()),
        ]);
        facts
    }
}

#[cfg(test)]
mod tests;
