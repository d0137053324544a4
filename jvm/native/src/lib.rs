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
    let answer = std::panic::catch_unwind(|| match arrays::read(env, request) {
        Ok(request) => calls::answer(&request),
        Err(failure) => failure.answer(),
    });
    arrays::new(env, &answer.unwrap_or_else(|panic| Failure::Panic(failure::words(&*panic)).answer()))
}

/// An answer that went well.
fn answered(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.byte(0);
    write(&mut writer);
    writer.finish()
}
