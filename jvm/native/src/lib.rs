//! The native half of Albertine's jar: classifiers and pipelines for Java, Scala and Spark.
//!
//! Java calls one function, with a message and for a message ([`message`]); what is asked for and in which words is in
//! [`calls`]. So there is one place where a panic is caught and one way for errors to travel, no class is looked up
//! from here (which a JVM with several class loaders makes hard), and no pointer is ever handed out: Java names what it
//! holds by number ([`handles`]), and a number that is no longer valid is an error.

mod arrays;
mod batch;
mod calls;
mod failure;
mod handles;
mod hub;
mod light;
mod message;
mod pipeline;
mod schema;

use std::panic::{UnwindSafe, catch_unwind};

use jni_sys::{JNIEnv, jbyteArray, jclass};

use crate::failure::Failure;
use crate::message::Writer;

/// `albertine.internal.Native.call`: a request answered.
///
/// The answer begins with a byte: 0 before what was asked for, or the kind of an error before its message
/// ([`Failure::answer`]). It is `null` only where the JVM has no memory for it, and then an exception is pending.
#[expect(unsafe_code, reason = "the JVM finds the function by its name, which nothing else in the process has")]
#[unsafe(no_mangle)]
pub extern "system" fn Java_albertine_internal_Native_call(
    env: *mut JNIEnv,
    _: jclass,
    request: jbyteArray,
) -> jbyteArray {
    let answer = caught(|| match arrays::read(env, request) {
        Ok(request) => calls::answer(&request),
        Err(failure) => failure.answer(),
    });
    arrays::new(env, &answer)
}

/// What `answer` gives; a panic in it, which must not reach the JVM, is an answer as well.
fn caught(answer: impl FnOnce() -> Vec<u8> + UnwindSafe) -> Vec<u8> {
    catch_unwind(answer).unwrap_or_else(|panic| Failure::Panic(failure::words(&*panic)).answer())
}

/// An answer that went well.
fn answered(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.byte(0);
    write(&mut writer);
    writer.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::message::Reader;

    /// The kind and the message of an answer.
    fn told(answer: &[u8]) -> (u8, String) {
        let mut answer = Reader::new(answer);
        (answer.byte().unwrap(), answer.text().unwrap().to_owned())
    }

    #[test]
    fn a_panic_is_an_internal_error_with_its_words() {
        let message = |words: &str| (11, format!("a defect of albertine, please report it: {words}"));
        let row = std::hint::black_box(3);
        assert_eq!(told(&caught(|| panic!("all that is known"))), message("all that is known"));
        assert_eq!(told(&caught(|| panic!("row {row}"))), message("row 3"));
        assert_eq!(told(&caught(|| std::panic::panic_any(row))), message("a panic without words"));
        assert_eq!(caught(|| vec![0, 1]), [0, 1]);
    }

    #[test]
    fn requests_that_are_none_are_internal_errors() {
        let load = |name: &[u8]| [&10_i32.to_le_bytes()[..], name].concat();
        for (request, what) in [
            (Vec::new(), "a message that is too short"),
            ((-1_i32).to_le_bytes().to_vec(), "what was asked for"),
            (load(&[255; 4]), "a message without a text"),
            (load(&[1, 0, 0, 0, 255]), "a text that is not UTF-8"),
        ] {
            assert_eq!(told(&calls::answer(&request)), (11, format!("the native library did not understand {what}")));
        }
    }
}
