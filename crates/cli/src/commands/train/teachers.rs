//! The teachers of a training: models, and tables of scores.

use std::ffi::OsString;
use std::path::Path;

use albertine::hub::Hub;
use albertine_engine::Format;
use albertine_train::{BaseModel, SoftLabels, Teacher};

use crate::args::{Errors, TrainArgs};
use crate::printer::Printer;
use crate::settings;

/// Whether this names a table of scores, and not a model.
pub(super) fn is_table(teacher: &str) -> bool {
    Path::new(teacher).is_file() && Format::of_name(teacher).is_some_and(|(format, _)| format != Format::Txt)
}

/// Opens the teachers that `args` name.
pub(super) fn open(args: &TrainArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Vec<Teacher>> {
    let teacher = |name: &String| {
        if is_table(name) {
            return scores(name, args, printer).map(Teacher::Scores);
        }
        let found = hub.resolve(name)?;
        let model = Box::new(BaseModel::new(found.checkpoint()?, None)?);
        Ok(Teacher::Model { name: found.to_string(), model })
    };
    args.teacher.iter().map(teacher).collect()
}

/// The scores of a table, row by row.
fn scores(name: &str, args: &TrainArgs, printer: &Printer) -> anyhow::Result<SoftLabels> {
    let mut input = args.input.clone();
    input.input_format = None;
    let source = settings::open(settings::tables_at(&[OsString::from(name)], &input, Errors::Fail), printer)?;
    let mut soft = SoftLabels::new(name);
    for batch in source {
        let scores = albertine::labels::scores(&batch?)?;
        for row in &scores.rows {
            soft.push(&scores.labels, row.as_deref())?;
        }
    }
    Ok(soft)
}
