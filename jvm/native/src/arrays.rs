//! Arrays of Java's, read and made: all that this crate wants of the JVM.
#![expect(unsafe_code, reason = "the JVM's functions are C's")]

use jni_sys::{JNIEnv, JNINativeInterface__1_1, jbyteArray};

/// The functions of the JVM.
///
/// # Safety
/// `env` is what the JVM gave to the native method that is running on this thread.
unsafe fn functions<'a>(env: *mut JNIEnv) -> &'a JNINativeInterface__1_1 {
    // SAFETY: by the contract of JNI `env` points to a table of functions, whose beginning every version has.
    unsafe { &(**env).v1_1 }
}

/// The bytes of an array; none where it is null.
pub(crate) fn read(env: *mut JNIEnv, array: jbyteArray) -> Option<Vec<u8>> {
    if array.is_null() {
        return None;
    }
    // SAFETY: this is only called by the native method, with its `env` and its argument, which Java declares as `byte[]`.
    let length = unsafe { (functions(env).GetArrayLength)(env, array) };
    let mut bytes = vec![0u8; usize::try_from(length).ok()?];
    // SAFETY: as above; the buffer has room for the whole array, whose length never changes.
    unsafe { (functions(env).GetByteArrayRegion)(env, array, 0, length, bytes.as_mut_ptr().cast()) };
    Some(bytes)
}

/// A new array; null, with an exception pending, where the JVM cannot make it.
pub(crate) fn new(env: *mut JNIEnv, bytes: &[u8]) -> jbyteArray {
    // an array of Java's has room for 2^31 bytes: a negative length is an exception
    let length = i32::try_from(bytes.len()).unwrap_or(-1);
    // SAFETY: this is only called by the native method, with its `env`.
    let array = unsafe { (functions(env).NewByteArray)(env, length) };
    if !array.is_null() {
        // SAFETY: as above; the array was made for so many bytes.
        unsafe { (functions(env).SetByteArrayRegion)(env, array, 0, length, bytes.as_ptr().cast()) };
    }
    array
}
