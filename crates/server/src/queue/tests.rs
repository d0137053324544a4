#![allow(clippy::unwrap_used)]

use albertine::{CancellationToken, Classifier, ClassifierSettings};

use super::*;

fn served(name: &str) -> Arc<Served> {
    let settings = ClassifierSettings { threads: 1, ..ClassifierSettings::default() };
    Arc::new(Served::new(name, Classifier::pretrained("ag_news", settings).unwrap()))
}

fn texts(served: &Served, texts: &[&str]) -> Vec<EncodedText> {
    texts.iter().map(|&text| served.classifier.encode(text.into(), None).unwrap()).collect()
}

const LONG: Duration = Duration::from_secs(10);

fn queue(tokens: usize) -> Queue {
    Queue::new(BatchLimits { tokens, time: LONG }, 1000, LONG)
}

/// The sizes and indices of the texts of the next batch, by the address of their job.
fn next(queue: &Queue) -> Vec<(usize, usize)> {
    match queue.next() {
        Some(Batch::Texts(batch)) => batch.iter().map(|(job, text)| (job.texts.len(), *text)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn requests_take_turns_text_by_text() {
    let (model, queue) = (served("a"), queue(12));
    let many = vec!["Oil"; 6];
    let _large = queue.push(Arc::clone(&model), texts(&model, &many)).unwrap();
    let _small = queue.push(Arc::clone(&model), texts(&model, &["Goal"])).unwrap();
    assert_eq!(queue.len(), 7);
    let first = next(&queue);
    assert_eq!(first[..2], [(6, 0), (1, 0)], "the small request does not wait for the large one: {first:?}");
    let mut rest = first.len();
    while rest < 7 {
        rest += next(&queue).len();
    }
    assert_eq!(queue.len(), 0);
}

#[test]
fn those_that_had_no_turn_go_first() {
    let (model, queue) = (served("a"), queue(1));
    // told apart by how many texts they have
    let replies: Vec<_> =
        (1..=5).map(|size| queue.push(Arc::clone(&model), texts(&model, &vec!["Oil"; size])).unwrap()).collect();
    let mut order = Vec::new();
    while queue.len() > 0 {
        order.extend(next(&queue));
    }
    let rounds = (0..5).flat_map(|text| (text + 1..=5).map(move |size| (size, text)));
    assert!(order.iter().copied().eq(rounds), "{order:?}");
    drop(replies);
}

#[test]
fn a_large_request_does_not_keep_others_out() {
    let (model, queue) = (served("a"), Queue::new(BatchLimits { tokens: 1000, time: LONG }, usize::MAX, LONG));
    let encoded = texts(&model, &["Oil"; 100]);
    // a text a second
    model.measured(encoded[0].tokens(), Duration::from_secs(1));
    let _large = queue.push(Arc::clone(&model), encoded).unwrap();
    let _lone = queue.push(Arc::clone(&model), texts(&model, &["Oil"])).unwrap();
    assert!(queue.check(9).is_ok());
    assert!(matches!(queue.check(50), Err(ApiError::Overloaded { .. })), "it would wait for fifty others");
    // what belongs to a request that was taken is taken
    assert!(queue.push_more(Arc::clone(&model), texts(&model, &["Oil"; 50])).is_ok());
}

#[test]
fn a_batch_of_a_slow_model_is_short() {
    let model = served("a");
    let queue = Queue::new(BatchLimits { tokens: 1000, time: Duration::from_millis(100) }, 1000, LONG);
    let push = || queue.push(Arc::clone(&model), texts(&model, &["Oil"; 20])).unwrap();
    let (_one, tokens) = (push(), model.classifier.encode("Oil".into(), None).unwrap().tokens());
    assert_eq!(next(&queue).len(), 20, "nothing is known of its speed");
    // the time of a text is a fortieth of a second
    model.measured(40 * tokens, Duration::from_secs(1));
    let _two = push();
    assert_eq!(next(&queue).len(), 4);
    assert_eq!(next(&queue).len(), 4);
    let slow = served("slow");
    slow.measured(tokens, Duration::from_secs(5));
    let queue = Queue::new(BatchLimits { tokens: 1000, time: Duration::from_millis(100) }, usize::MAX, Duration::MAX);
    let _three = queue.push(Arc::clone(&slow), texts(&slow, &["Oil"; 5])).unwrap();
    assert_eq!(next(&queue).len(), TEXTS_FOR_EACH_THREAD, "no thread is left alone");
}

#[test]
fn a_batch_is_of_one_model() {
    let (a, b, queue) = (served("a"), served("b"), queue(1000));
    let _one = queue.push(Arc::clone(&a), texts(&a, &["x", "y"])).unwrap();
    let _two = queue.push(Arc::clone(&b), texts(&b, &["x"])).unwrap();
    let _three = queue.push(Arc::clone(&a), texts(&a, &["x", "y", "z"])).unwrap();
    let sizes: Vec<usize> = next(&queue).iter().map(|&(size, _)| size).collect();
    assert_eq!(sizes, [2, 3, 2, 3, 3]);
    assert_eq!(next(&queue), [(1, 0)]);
}

#[test]
fn what_nobody_waits_for_is_dropped() {
    let (model, queue) = (served("a"), queue(1000));
    drop(queue.push(Arc::clone(&model), texts(&model, &["x", "y"])).unwrap());
    let _kept = queue.push(Arc::clone(&model), texts(&model, &["z"])).unwrap();
    assert_eq!(next(&queue), [(1, 0)]);
    assert_eq!(lock(&queue.state).tokens, 0);
}

#[test]
fn one_text_and_many_are_refused_alike_when_too_much_waits() {
    let (model, queue) = (served("a"), queue(1000));
    let large = vec!["Oil prices rose on Monday"; 200];
    // however large, it is taken by an empty queue
    let _large = queue.push(Arc::clone(&model), texts(&model, &large)).unwrap();
    for count in [1, 50] {
        let refused = queue.push(Arc::clone(&model), texts(&model, &large[..count]));
        assert!(matches!(refused, Err(ApiError::Overloaded { retry_after: 1.. })), "{count}");
    }
    assert!(queue.check(1).is_err());
}

#[test]
fn blank_texts_say_nothing_of_a_speed() {
    let model = served("a");
    model.measured(100, Duration::from_secs(1));
    (0..100).for_each(|_| model.measured(0, Duration::from_micros(50)));
    assert_eq!(model.seconds(100), 1.0);
}

#[test]
fn a_wait_that_would_be_too_long_is_refused() {
    let (model, queue) =
        (served("a"), Queue::new(BatchLimits { tokens: 1000, time: LONG }, usize::MAX, Duration::from_secs(2)));
    model.measured(100, Duration::from_secs(10));
    let encoded = texts(&model, &["Oil prices rose on Monday"; 10]);
    let tokens: usize = encoded.iter().map(EncodedText::tokens).sum();
    let _first = queue.push(Arc::clone(&model), encoded).unwrap();
    match queue.check(1000) {
        // the time of the tokens at ten a second, less the second that may be waited on average
        Err(ApiError::Overloaded { retry_after }) => {
            assert_eq!(retry_after, (tokens as f64 / 10.0 - 1.0).ceil() as u64);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_are_those_of_the_classifier_in_the_order_of_the_texts() {
    let (model, queue, metrics) = (served("a"), queue(8), Metrics::new().unwrap());
    let given = ["Oil prices rose", " ", "The team won the final", "Oil prices rose"];
    let reply = queue.push(Arc::clone(&model), texts(&model, &given)).unwrap();
    queue.close();
    assert!(matches!(queue.push(Arc::clone(&model), Vec::new()), Err(ApiError::Closing)));
    crate::engine::work(&queue, &metrics);
    let outputs = reply.blocking_recv().unwrap().unwrap();
    let expected = model.classifier.run(&given.map(Some), &CancellationToken::default()).unwrap().0;
    assert_eq!(outputs.iter().map(TextOutput::logits).collect::<Vec<_>>(), expected);
    assert_eq!(metrics.inference.get_sample_count(), 1);
}
