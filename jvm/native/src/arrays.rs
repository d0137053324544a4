//! Arrays of Java's, read and made: all that this crate wants of the JVM.
#![expect(unsafe_code, reason = "the JVM's functions are C's")]

use jni_sys::{JNIEnv, JNINativeInterface__1_1, jbyteArray};

use crate::failure::Failure;

/// The functions of the JVM.
///
/// # Safety
/// `env` is what the JVM gave to the native method that is running on this thread.
unsafe fn functions<'a>(env: *mut JNIEnv) -> &'a JNINativeInterface__1_1 {
    // SAFETY: by the contract of JNI `env` points to a table of functions, whose beginning every version has.
    unsafe { &(**env).v1_1 }
}

/// The bytes of an array.
pub(crate) fn read(env: *mut JNIEnv, array: jbyteArray) -> Result<Vec<u8>, Failure> {
    if array.is_null() {
        return Err(Failure::Malformed("a request that is null"));
    }
    // SAFETY: this is only called by the native method, with its `env` and its argument, which Java declares as `byte[]`.
    let length = unsafe { (functions(env).GetArrayLength)(env, array) };
    let room = usize::try_from(length).unwrap_or_default();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(room).map_err(|_| Failure::OutOfMemory { bytes: room })?;
    bytes.resize(room, 0u8);
    // SAFETY: as above; the buffer has room for the whole array, whose length never changes.
    unsafe { (functions(env).GetByteArrayRegion)(env, array, 0, length, bytes.as_mut_ptr().cast()) };
    Ok(bytes)
}

/// A new array; null, with an exception pending, where the JVM has no memory for it.
pub(crate) fn new(env: *mut JNIEnv, bytes: &[u8]) -> jbyteArray {
    // an array of Java's has room for 2^31 bytes
    let Ok(length) = i32::try_from(bytes.len()) else {
        return new(env, &Failure::OutOfMemory { bytes: bytes.len() }.answer());
    };
    // SAFETY: this is only called by the native method, with its `env`.
    let array = unsafe { (functions(env).NewByteArray)(env, length) };
    if !array.is_null() {
        // SAFETY: as above; the array was made for so many bytes.
        unsafe { (functions(env).SetByteArrayRegion)(env, array, 0, length, bytes.as_ptr().cast()) };
    }
    array
}
