//! `albertine calibrate`: a model whose scores mean what they say, from a labeled table.

use albertine::hub::Hub;
use albertine::model::ModelError;
use albertine_train::{HeldOutLogits, Loss, TrainError, check_output, create_output};

use crate::args::CalibrateArgs;
use crate::exit::Outcome;
use crate::facts::Facts;
use crate::interrupt::set_unfinished_folder;
use crate::labeled::{LabeledTable, Measured};
use crate::printer::Printer;
use crate::report::count;

/// The accuracies whose abstention is told.
const ACCURACIES: [f64; 3] = [0.95, 0.98, 0.99];

/// Calibrates the model on the table that `args` name, and writes it.
pub(crate) fn calibrate(args: &CalibrateArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    check_output(&args.output)?;
    let table = LabeledTable::open(&args.labeled, &args.model, hub, printer)?;
    let (found, classifier) = (table.found().clone(), table.classifier());
    if let Some(path) = found.path().filter(|_| classifier.is_of_pipeline()) {
        return Err(TrainError::Pipeline { path: path.to_owned() }.into());
    }
    let loss = Loss::of(classifier.activation().problem_type())?;
    let mut held_out = HeldOutLogits::new(classifier.labels().to_vec(), loss)?;
    let output = create_output(&args.output)?;
    set_unfinished_folder(Some(output.path().to_owned()));
    let Measured { evaluation, .. } = table.measure(printer, |class, logits| Ok(held_out.add(class, logits)?))?;

    let scaling = held_out.fit_temperature()?;
    let (before, after, scores) = (scaling.before(), scaling.after(), scaling.held_out());
    let mut facts = Facts::default();
    let place = args.output.display().to_string();
    facts.add("model", place.clone(), place);
    let mut number = |name, value: f64| facts.add(name, value, format!("{value:.4}"));
    number("temperature", scaling.temperature());
    number("eval_accuracy", scaling.accuracy());
    number("eval_loss_before", before.loss);
    number("eval_loss", after.loss);
    number("eval_calibration_error_before", before.calibration_error);
    number("eval_calibration_error", after.calibration_error);
    facts.add("eval_samples", scores.len(), scores.len().to_string());
    facts.add("eval_left_out", evaluation.skipped(), evaluation.skipped().to_string());
    printer.note(format_args!(
        "a temperature of {:.3}, fitted on {}, takes the calibration error from {:.4} to {:.4}",
        scaling.temperature(),
        count(scores.len() as u64, "text"),
        before.calibration_error,
        after.calibration_error
    ));
    for accuracy in ACCURACIES {
        match scores.abstention_threshold(accuracy) {
            Ok(threshold) => printer.note(format_args!(
                "`classify --abstain {accuracy}` answers {:.1} % of such texts",
                scores.answered(threshold) * 100.0
            )),
            Err(error) => {
                printer.note(format_args!("`classify --abstain {accuracy}`: {error}"));
                break;
            }
        }
    }
    scaling.apply(found.checkpoint()?)?.save(output.path())?;
    output.finish_or_keep().map_err(ModelError::from)?;
    set_unfinished_folder(None);
    printer.note(format_args!("the calibrated model is in {}", args.output.display()));
    facts.print(printer)?;
    Ok(Outcome::Done)
}
