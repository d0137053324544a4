//! The models of a service: loaded when they are first asked for, unloaded when others need their memory.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use albertine::{Classifier, ClassifierSettings, Precision};

use crate::error::{ApiError, ServerError};
use crate::settings::NamedModel;

/// A loaded model.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) classifier: Arc<Classifier>,
    /// Tokens a second, as bits of an `f64`; 0 until a batch was measured.
    speed: AtomicU64,
}

impl Served {
    pub(crate) fn new(name: &str, classifier: Classifier) -> Self {
        Self { name: name.to_owned(), classifier: Arc::new(classifier), speed: AtomicU64::new(0) }
    }

    /// Takes the speed of a batch into account; the last few count most. Blank texts, which have no tokens, tell nothing.
    pub(crate) fn measured(&self, tokens: usize, time: Duration) {
        if tokens == 0 {
            return;
        }
        let now = tokens as f64 / time.as_secs_f64().max(1e-6);
        let before = f64::from_bits(self.speed.load(Ordering::Relaxed));
        let speed = if before > 0.0 { before + (now - before) / 8.0 } else { now };
        self.speed.store(speed.to_bits(), Ordering::Relaxed);
    }

    /// How long so many tokens would take; 0 as long as it is not known.
    pub(crate) fn seconds(&self, tokens: usize) -> f64 {
        let speed = f64::from_bits(self.speed.load(Ordering::Relaxed));
        if speed > 0.0 { tokens as f64 / speed } else { 0.0 }
    }

    /// What the weights take in memory.
    fn bytes(&self) -> u64 {
        let of_each = match self.classifier.model().precision() {
            Precision::F32 => 4,
            Precision::Bf16 => 2,
            _ => 1,
        };
        self.classifier.config().parameters() as u64 * of_each
    }
}

/// A model that may be loaded.
#[derive(Debug)]
struct Slot {
    model: NamedModel,
    /// Held while the model is loaded, so that it is loaded once.
    loading: tokio::sync::Mutex<()>,
    loaded: Mutex<Option<Loaded>>,
}

#[derive(Debug, Clone)]
struct Loaded {
    served: Arc<Served>,
    used: Instant,
}

/// The models of a service, by name.
#[derive(Debug)]
pub(crate) struct Models {
    slots: Vec<Slot>,
    settings: ClassifierSettings,
    most_bytes: Option<u64>,
    /// Held while room is made for a model, so that two that are loaded side by side see each other.
    making_room: Mutex<()>,
}

impl Models {
    /// # Errors
    /// When there is none, or two have one name.
    pub(crate) fn new(
        models: Vec<NamedModel>,
        settings: ClassifierSettings,
        most_bytes: Option<u64>,
    ) -> Result<Self, ServerError> {
        if models.is_empty() {
            return Err(ServerError::NoModel);
        }
        let mut names: Vec<&str> = models.iter().map(|model| &*model.name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ServerError::SameName { name: twice[0].to_owned() });
        }
        let slot = |model| Slot { model, loading: tokio::sync::Mutex::default(), loaded: Mutex::default() };
        let slots = models.into_iter().map(slot).collect();
        Ok(Self { slots, settings, most_bytes, making_room: Mutex::default() })
    }

    /// The names, the default one first, with what is loaded.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&str, Option<Arc<Served>>)> {
        self.slots.iter().map(|slot| (&*slot.model.name, slot.current().map(|loaded| loaded.served)))
    }

    /// The name of the model that answers when none is named.
    pub(crate) fn default_name(&self) -> &str {
        self.slots.first().map_or("", |slot| &slot.model.name)
    }

    /// A model by its name, or the default one; it is loaded if it is not.
    ///
    /// # Errors
    /// When there is none of that name, or it cannot be loaded.
    pub(crate) async fn get(&self, name: Option<&str>) -> Result<Arc<Served>, ApiError> {
        let name = name.unwrap_or(self.default_name());
        let slot = self.slots.iter().find(|slot| slot.model.name == name);
        let slot = slot.ok_or_else(|| ApiError::UnknownModel { name: short(name), known: self.known() })?;
        if let Some(served) = slot.used() {
            return Ok(served);
        }
        let _loading = slot.loading.lock().await;
        if let Some(served) = slot.used() {
            return Ok(served);
        }
        let (model, settings) = (slot.model.clone(), self.settings.clone());
        let loaded = tokio::task::spawn_blocking(move || load(&model, settings)).await;
        let served = loaded.map_err(|_| ApiError::Internal)?.map_err(|source| {
            tracing::error!(model = name, "cannot load the model: {source}");
            ApiError::Load { name: name.to_owned(), reason: "see the service's log".to_owned() }
        })?;
        let served = Arc::new(served);
        self.keep(slot, &served).map_err(|error| {
            tracing::error!("{error}");
            ApiError::Load { name: name.to_owned(), reason: "it is too large".to_owned() }
        })?;
        tracing::info!(model = name, "loaded");
        Ok(served)
    }

    /// Loads the default model.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub(crate) fn load_default(&self) -> Result<(), ServerError> {
        let Some(slot) = self.slots.first() else { return Err(ServerError::NoModel) };
        let served = load(&slot.model, self.settings.clone())
            .map_err(|source| ServerError::Load { name: slot.model.name.clone(), source: Box::new(source) })?;
        self.keep(slot, &Arc::new(served))
    }

    /// Keeps a model that was loaded, and unloads those that were not used for the longest time if it is too much. Who
    /// works with one of them keeps it until the work is done.
    fn keep(&self, slot: &Slot, served: &Arc<Served>) -> Result<(), ServerError> {
        let _making_room = self.making_room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = self.most_bytes {
            let bytes = served.bytes();
            if bytes > limit {
                return Err(ServerError::ModelTooLarge { name: served.name.clone(), bytes, limit });
            }
            let mut others: Vec<(&Slot, Loaded)> = self
                .slots
                .iter()
                .filter(|other| !std::ptr::eq(*other, slot))
                .filter_map(|other| Some((other, other.current()?)))
                .collect();
            others.sort_by_key(|(_, loaded)| loaded.used);
            let mut sum = bytes + others.iter().map(|(_, loaded)| loaded.served.bytes()).sum::<u64>();
            for (other, loaded) in others {
                if sum <= limit {
                    break;
                }
                sum -= loaded.served.bytes();
                *other.lock() = None;
                tracing::info!(model = loaded.served.name, "unloaded");
            }
        }
        *slot.lock() = Some(Loaded { served: Arc::clone(served), used: Instant::now() });
        Ok(())
    }

    fn known(&self) -> String {
        let mut names = String::new();
        for slot in self.slots.iter().take(20) {
            let _ = write!(names, "{}`{}`", if names.is_empty() { "" } else { ", " }, slot.model.name);
        }
        names
    }
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Loaded>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Loaded> {
        self.lock().clone()
    }

    /// The model, if it is loaded, which has now been used.
    fn used(&self) -> Option<Arc<Served>> {
        let mut loaded = self.lock();
        let loaded = loaded.as_mut()?;
        loaded.used = Instant::now();
        Some(Arc::clone(&loaded.served))
    }
}

fn load(model: &NamedModel, settings: ClassifierSettings) -> Result<Served, albertine::Error> {
    Ok(Served::new(&model.name, Classifier::load(&model.source, settings)?))
}

/// A name from outside as an answer repeats it.
fn short(name: &str) -> String {
    if name.chars().count() > 100 { name.chars().take(100).chain("...".chars()).collect() } else { name.to_owned() }
}
