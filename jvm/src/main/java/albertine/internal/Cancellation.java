package albertine.internal;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;

/** Calls that can be stopped while the native library works. */
public final class Cancellation {
  /** How often it is looked whether a call is to stop, in milliseconds. */
  private static final long PERIOD = 50;

  private static final ScheduledThreadPoolExecutor WATCH = new ScheduledThreadPoolExecutor(1, Cancellation::thread);

  static {
    WATCH.setRemoveOnCancelPolicy(true);
    // no thread stays where nothing is to be watched
    WATCH.setKeepAliveTime(10, TimeUnit.SECONDS);
    WATCH.allowCoreThreadTimeOut(true);
  }

  private Cancellation() {}

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "albertine-cancellation");
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    return thread;
  }

  /**
   * What {@code work} gives, which is stopped soon after {@code stopped} says so.
   *
   * @param stopped asked some times a second, on another thread
   * @param work is given the number of the token of its call
   * @throws albertine.CancelledException it was stopped
   */
  public static <T> T during(BooleanSupplier stopped, LongFunction<T> work) {
    try (Token token = new Token()) {
      Runnable watch = () -> {
        if (stopped.getAsBoolean()) {
          token.cancel();
        }
      };
      ScheduledFuture<?> watching = WATCH.scheduleWithFixedDelay(watch, PERIOD, PERIOD, TimeUnit.MILLISECONDS);
      try {
        return work.apply(token.number());
      } finally {
        watching.cancel(false);
      }
    }
  }

  /** As {@link #during}, stopped by an interruption of this thread. */
  public static <T> T unlessInterrupted(LongFunction<T> work) {
    return during(Thread.currentThread()::isInterrupted, work);
  }

  private static final class Token extends Handle {
    Token() {
      super(Native.ask(new Message.Writer(Native.TOKEN)).readLong());
    }

    void cancel() {
      if (!isClosed()) {
        ask(new Message.Writer(Native.CANCEL).put(number()));
      }
    }
  }
}
