//! The base model: one that is there, or a new one of a shape, with a vocabulary of its own.

use albertine::hub::Hub;
use albertine::model::Checkpoint;
use albertine::text::UnigramVocabulary;
use albertine_train::{BaseModel, TrainError};

use super::tables;
use crate::args::TrainArgs;
use crate::exit::Misuse;
use crate::printer::Printer;
use crate::report::grouped;

/// The base model, and what it is called.
pub(super) fn base(args: &TrainArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<(String, BaseModel)> {
    let limit = args.max_sentence_length;
    let Some(path) = &args.config else {
        let found = hub.resolve(&args.model)?;
        return Ok((found.to_string(), BaseModel::new(found.checkpoint()?, limit)?));
    };
    let mut checkpoint = Checkpoint::from_config(path).map_err(TrainError::from)?;
    if let Some(size) = args.vocabulary_size {
        if args.input.inputs.iter().any(|input| input == "-") || args.input.inputs.is_empty() {
            return Err(Misuse::new(
                "a vocabulary cannot be trained on standard input, which is read once",
                "write the texts to a file, and give it with `--input`",
            )
            .into());
        }
        let vocabulary = tables::vocabulary(tables::open(args, printer)?.training, args, size.get())?;
        printer.note(format_args!("trained a vocabulary of {} pieces", grouped(vocabulary.pieces().len() as u64)));
        let config = checkpoint.config().with_vocab_size(size.get()).map_err(TrainError::from)?;
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
