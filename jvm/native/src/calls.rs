//! What Java can ask for: a request begins with a number, which `albertine.internal.Native` has as well.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use albertine::hub::ModelSource;
use albertine::{
    CancellationToken, Classifier, ClassifierSettings, Encoding, Error, LongTexts, PipelineModel, Precision,
};

use crate::failure::Failure;
use crate::message::{Reader, Writer};
use crate::pipeline::Run;
use crate::{answered, handles, hub, light, pipeline};

/// A request answered.
pub(crate) fn answer(request: &[u8]) -> Vec<u8> {
    let mut outcome = Ok(());
    let answer = answered(|answer| outcome = dispatch(&mut Reader::new(request), answer));
    match outcome {
        Ok(()) => answer,
        Err(failure) => failure.answer(),
    }
}

fn dispatch(request: &mut Reader<'_>, answer: &mut Writer) -> Result<(), Failure> {
    match request.int()? {
        0 => answer.text(env!("CARGO_PKG_VERSION")),
        1 => handles::close(request.long()?),
        2 => answer.long(handles::put_token(CancellationToken::default())),
        3 => handles::token(request.long()?)?.cancel(),
        // models
        10 => answer.long(handles::put_classifier(Arc::new(load(request)?))),
        11 => facts(&*handles::classifier(request.long()?)?, answer)?,
        12 => {
            let (classifier, precision) = (handles::classifier(request.long()?)?, precision(request.text()?)?);
            answer.long(handles::put_classifier(Arc::new(classifier.in_precision(precision)?)));
        }
        13 => handles::classifier(request.long()?)?.save(Path::new(request.text()?))?,
        14 => light::classify(&handles::classifier(request.long()?)?, request, answer)?,
        // pipelines
        20 => answer.long(handles::put_pipeline(Arc::new(pipeline::new(request)?))),
        21 => answer.long(handles::put_pipeline(Arc::new(PipelineModel::load(request.text()?)?.into()))),
        22 => {
            let found = PipelineModel::load_if_one(request.text()?)?;
            answer.long(found.map_or(0, |model| handles::put_pipeline(Arc::new(model.into()))));
        }
        23 => answer.long(handles::put_pipeline(Arc::new(pretrained(request)?.into()))),
        24 => handles::pipeline(request.long()?)?.stages(answer),
        25 => handles::pipeline(request.long()?)?.output(request.text()?, answer)?,
        26 => {
            let pipeline = handles::pipeline(request.long()?)?;
            answer.long(handles::put_run(Arc::new(Run::new(pipeline, request.text()?, request.optional()?)?)));
        }
        27 => handles::run(request.long()?)?.transform(request, answer)?,
        28 => light::annotate(&*handles::pipeline(request.long()?)?, request, answer)?,
        29 => pipeline::defaults(request, answer)?,
        30 => answer.texts(&albertine::text::read_exceptions(Path::new(request.text()?)).map_err(Error::from)?),
        31 => {
            let (complete, place) = (Path::new(request.text()?), Path::new(request.text()?));
            let failed = |source| Error::Io { path: place.to_owned(), source };
            albertine::model::replace_folder(complete, place).map_err(failed)?;
        }
        // the hub
        40 => hub::known(answer)?,
        41 => hub::published(request, answer)?,
        42 => {
            let source = hub::resolve(request.text()?, request.optional()?, None)?;
            answer.optional(source.path().map(|path| path.display().to_string()).as_deref());
        }
        43 => hub::remove(request.text()?, answer)?,
        _ => return Err(Failure::Malformed("what was asked for")),
    }
    Ok(())
}

/// A model: its name, language and place, and its settings.
fn load(request: &mut Reader<'_>) -> Result<Classifier, Failure> {
    let (name, lang, place) = (request.text()?, request.optional()?, request.optional()?);
    let settings = ClassifierSettings {
        precision: precision(request.text()?)?,
        max_sentence_length: request.optional_count()?,
        case_sensitive: request.optional_count()?.map(|flag| flag != 0),
        encoding: request.optional()?.map(encoding).transpose()?,
        long_texts: request.optional_count()?.map_or(LongTexts::Truncate, |overlap| LongTexts::Windows { overlap }),
        threads: request.count()?,
        ..ClassifierSettings::default()
    };
    Ok(Classifier::load(&hub::resolve(name, lang, place)?, settings)?)
}

fn precision(name: &str) -> Result<Precision, Error> {
    Precision::from_str(name).map_err(|_| param("precision", name, "f32, bf16 or int8"))
}

fn encoding(name: &str) -> Result<Encoding, Error> {
    match name {
        "document" => Ok(Encoding::Document),
        "token" => Ok(Encoding::Token),
        _ => Err(param("encoding", name, "document or token")),
    }
}

fn param(name: &'static str, value: &str, expected: &'static str) -> Error {
    Error::Param { stage: "the classifier", name, value: value.to_owned(), expected }
}

/// What is to be known of a model: its annotator, precision, name, path, limit, labels, and the parameters of an
/// annotator with it.
fn facts(classifier: &Classifier, answer: &mut Writer) -> Result<(), Failure> {
    answer.text(classifier.annotator());
    answer.text(classifier.model().precision().name());
    answer.text(&classifier.source().to_string());
    answer.optional(classifier.source().path().map(|path| path.display().to_string()).as_deref());
    answer.count(classifier.max_sentence_length());
    answer.texts(classifier.labels());
    pipeline::write_params(answer, &classifier.annotator_params()?);
    Ok(())
}

/// A pipeline by its name, language and place.
fn pretrained(request: &mut Reader<'_>) -> Result<PipelineModel, Failure> {
    match hub::resolve(request.text()?, request.optional()?, request.optional()?)? {
        ModelSource::Directory(path) => Ok(PipelineModel::load(path)?),
        ModelSource::BuiltIn(model) => Err(Error::NotAPipeline {
            path: model.name.into(),
            reason: "it is a model: put it behind a DocumentAssembler and a Tokenizer",
        }
        .into()),
    }
}
