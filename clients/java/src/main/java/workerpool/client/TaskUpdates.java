package workerpool.client;

import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import workerpool.core.v1.Task;
import workerpool.core.v1.TaskServiceGrpc.TaskServiceBlockingStub;
import workerpool.core.v1.TaskStatus;
import workerpool.core.v1.WatchTaskRequest;
import workerpool.core.v1.WatchTaskResponse;

/** The states of a watched task, across the streams that it takes to see its end. One thread reads, any thread closes. */
final class TaskUpdates extends Spliterators.AbstractSpliterator<Task> implements AutoCloseable {
    private static final Set<TaskStatus> FINAL = Set.of(TaskStatus.TASK_STATUS_COMPLETED, TaskStatus.TASK_STATUS_FAILED);

    private final ManagedChannel channel;
    private final TaskServiceBlockingStub tasks;
    private final WatchTaskRequest request;
    private final Context.CancellableContext context = Context.current().withCancellation();
    private final Duration patience;
    private final CountDownLatch closed = new CountDownLatch(1);
    private Iterator<WatchTaskResponse> stream;
    private Task last = Task.getDefaultInstance();
    private int failures;
    private boolean answered;
    private long lost = System.nanoTime();

    TaskUpdates(ManagedChannel channel, TaskServiceBlockingStub tasks, Duration patience, String taskId) {
        super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
        this.channel = channel;
        this.tasks = tasks;
        this.patience = patience;
        this.request = WatchTaskRequest.newBuilder().setTaskId(taskId).build();
    }

    @Override
    public boolean tryAdvance(Consumer<? super Task> action) {
        Task next = next();
        if (next == null) {
            close();
            return false;
        }
        action.accept(next);
        return true;
    }

    /** Ends the stream; a thread that waits for the next state sees the end. */
    @Override
    public void close() {
        closed.countDown();
        context.cancel(null);
    }

    /** Returns the next state; null after the end of the task, or of this watch. */
    private Task next() {
        while (closed.getCount() > 0) {
            try {
                if (stream == null) {
                    stream = open();
                }
                if (stream.hasNext()) {
                    failures = 0;
                    answered = true;
                    Task state = stream.next().getTask();
                    // A new stream starts with a state that the last one may have told.
                    if (!state.equals(last)) {
                        last = state;
                        return state;
                    }
                } else if (FINAL.contains(last.getStatus())) {
                    return null;
                } else {
                    retry(Status.UNAVAILABLE
                            .withDescription("the server ended the watch before the task ended")
                            .asRuntimeException());
                }
            } catch (StatusRuntimeException failed) {
                retry(failed);
            }
        }
        return null;
    }

    private Iterator<WatchTaskResponse> open() {
        Context before = context.attach();
        try {
            return tasks.watchTask(request);
        } finally {
            context.detach(before);
        }
    }

    /** Waits before another attempt, or throws what ended the last one. */
    private void retry(StatusRuntimeException failed) {
        stream = null;
        failures++;
        if (failures == 1 && answered) {
            // A stream may be silent for hours before it breaks: the time starts when it does.
            lost = System.nanoTime();
        }
        if (closed.getCount() == 0) {
            return;
        }
        WorkerpoolException told = WorkerpoolException.of(failed);
        // Certificates that are wrong at the first attempt stay so.
        boolean wrongTls = !answered && told.reason().startsWith("TLS_");
        // A closed client is UNAVAILABLE as well, and never returns.
        if (failed.getStatus().getCode() != Status.Code.UNAVAILABLE || wrongTls || channel.isShutdown()) {
            close();
            throw told;
        }
        Duration waited = Duration.ofNanos(System.nanoTime() - lost);
        Duration left = patience.minus(waited);
        if (left.isNegative() || left.isZero()) {
            close();
            throw told.afterWaiting(waited);
        }
        try {
            Duration pause = Retries.backoff(failures);
            closed.await((pause.compareTo(left) < 0 ? pause : left).toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            close();
            throw WorkerpoolException.of(
                    Status.CANCELLED.withDescription("the thread was interrupted").asRuntimeException());
        }
        // gRPC's own backoff starts at a second, so an attempt would fail without a new connection.
        channel.resetConnectBackoff();
    }
}
