package albertine.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;

/**
 * The messages between Java and Rust: numbers in little-endian order, texts as UTF-8 behind their length in bytes, -1
 * for one that is missing. {@code jvm/native/src/message.rs} is the other half.
 */
public final class Message {
  private Message() {}

  /** Writes a message. */
  public static final class Writer {
    private byte[] bytes;
    private int length;

    /** A message that begins with what is asked for. */
    public Writer(int call) {
      this(call, 256);
    }

    /** A message of about so many bytes. */
    public Writer(int call, int capacity) {
      bytes = new byte[capacity];
      put(call);
    }

    /** Bytes that are part of a message. */
    public Writer() {
      bytes = new byte[64];
    }

    private void reserve(int more) {
      int needed = length + more;
      if (needed < 0) {
        // as of any array that the heap cannot hold
        throw new OutOfMemoryError("a message of over 2 GiB");
      }
      if (needed > bytes.length) {
        long doubled = Math.min(2L * bytes.length, Integer.MAX_VALUE - 8);
        bytes = Arrays.copyOf(bytes, (int) Math.max(needed, doubled));
      }
    }

    /** How many bytes there are. */
    public int size() {
      return length;
    }

    public Writer put(byte value) {
      reserve(1);
      bytes[length++] = value;
      return this;
    }

    public Writer put(short value) {
      return put((byte) value).put((byte) (value >> 8));
    }

    public Writer put(int value) {
      reserve(4);
      for (int shift = 0; shift < 32; shift += 8) {
        bytes[length++] = (byte) (value >> shift);
      }
      return this;
    }

    public Writer put(long value) {
      return put((int) value).put((int) (value >> 32));
    }

    public Writer put(float value) {
      return put(Float.floatToRawIntBits(value));
    }

    /** A text, or {@code null}. */
    public Writer put(String value) {
      if (value == null) {
        return put(-1);
      }
      byte[] text = value.getBytes(StandardCharsets.UTF_8);
      return put(text.length).put(text, text.length);
    }

    /** The first bytes of an array, without their number. */
    public Writer put(byte[] value, int count) {
      reserve(count);
      System.arraycopy(value, 0, bytes, length, count);
      length += count;
      return this;
    }

    /** What another wrote. */
    public Writer put(Writer other) {
      return put(other.bytes, other.length);
    }

    /** Texts behind their number. */
    public Writer put(Collection<String> values) {
      put(values.size());
      for (String value : values) {
        put(value);
      }
      return this;
    }

    byte[] finish() {
      return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
    }
  }

  /** Reads an answer from its beginning. */
  public static final class Reader {
    private final byte[] bytes;
    private int at;

    Reader(byte[] bytes) {
      this.bytes = bytes;
    }

    public byte readByte() {
      return bytes[at++];
    }

    public boolean readFlag() {
      return readByte() != 0;
    }

    public int readInt() {
      int value = intAt(at);
      at += 4;
      return value;
    }

    public long readLong() {
      long low = readInt() & 0xFFFFFFFFL;
      return low | ((long) readInt() << 32);
    }

    public float readFloat() {
      return Float.intBitsToFloat(readInt());
    }

    /** A text, or {@code null}. */
    public String readText() {
      int length = readInt();
      return length < 0 ? null : textAt(skip(length), length);
    }

    /** Texts behind their number. */
    public String[] readTexts() {
      String[] texts = new String[readInt()];
      for (int index = 0; index < texts.length; index++) {
        texts[index] = readText();
      }
      return texts;
    }

    /** Skips bytes that are read by their position; where they begin. */
    public int skip(int count) {
      int start = at;
      at = Math.addExact(at, count);
      return start;
    }

    public int intAt(int position) {
      return (bytes[position] & 0xFF)
          | (bytes[position + 1] & 0xFF) << 8
          | (bytes[position + 2] & 0xFF) << 16
          | bytes[position + 3] << 24;
    }

    public byte byteAt(int position) {
      return bytes[position];
    }

    public String textAt(int position, int length) {
      return new String(bytes, position, length, StandardCharsets.UTF_8);
    }
  }
}
