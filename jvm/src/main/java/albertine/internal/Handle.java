package albertine.internal;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Something that the native library holds, by its number. It is let go when it is closed, or some time after nothing
 * refers to it any more.
 */
public class Handle implements AutoCloseable {
  private static final ReferenceQueue<Handle> UNREACHABLE = new ReferenceQueue<>();
  private static final Set<Reference> REFERENCES = ConcurrentHashMap.newKeySet();

  private final Reference reference;
  private volatile boolean reached;

  protected Handle(long number) {
    for (Object gone = UNREACHABLE.poll(); gone != null; gone = UNREACHABLE.poll()) {
      ((Reference) gone).close();
    }
    reference = new Reference(this, number);
    REFERENCES.add(reference);
  }

  /** The number. */
  protected final long number() {
    return reference.number;
  }

  /** The answer to a request with the number, until which this is not let go. */
  protected final Message.Reader ask(Message.Writer request) {
    try {
      return Native.ask(request);
    } finally {
      reach();
    }
  }

  /** A write after a call, so that this is reachable until then: {@code Reference.reachabilityFence} of Java 9. */
  final void reach() {
    reached = true;
  }

  /** Whether {@link #close} was called. */
  public final boolean isClosed() {
    return reference.closed.get();
  }

  @Override
  public void close() {
    reference.close();
  }

  private static final class Reference extends PhantomReference<Handle> {
    private final long number;
    private final AtomicBoolean closed = new AtomicBoolean();

    Reference(Handle handle, long number) {
      super(handle, UNREACHABLE);
      this.number = number;
    }

    void close() {
      if (closed.compareAndSet(false, true)) {
        REFERENCES.remove(this);
        Native.ask(new Message.Writer(Native.CLOSE).put(number));
      }
    }
  }
}
