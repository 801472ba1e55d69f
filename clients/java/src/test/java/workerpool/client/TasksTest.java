package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureServerCredentials;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import workerpool.core.v1.ComputeLogs;
import workerpool.core.v1.GetTaskLogsRequest;
import workerpool.core.v1.Reason;
import workerpool.core.v1.ReasonCode;
import workerpool.core.v1.ReplicateStatus;
import workerpool.core.v1.Task;
import workerpool.core.v1.TaskStatus;
import workerpool.core.v1.Worker;

@Timeout(60)
final class TasksTest {
    private static final Task RECEIVED = state(TaskStatus.TASK_STATUS_RECEIVED);
    private static final Task RUNNING = state(TaskStatus.TASK_STATUS_RUNNING);
    private static final Task COMPLETED = state(TaskStatus.TASK_STATUS_COMPLETED);

    private FakePool server;
    private Workerpool pool;

    private static Task state(TaskStatus status) {
        return Task.newBuilder().setTaskId(FakePool.TASK_ID).setStatus(status).build();
    }

    @BeforeEach
    void start() throws Exception {
        server = new FakePool();
        pool = Workerpool.connect(server.target());
    }

    @AfterEach
    void stop() throws Exception {
        pool.close();
        server.close();
    }

    private List<Task> watched() {
        try (Stream<Task> states = pool.watchTask(FakePool.TASK_ID)) {
            return states.toList();
        }
    }

    @Test
    void watchYieldsEachStateUntilTheEnd() {
        server.watches.add(FakePool.states(RECEIVED, RUNNING, COMPLETED));
        assertEquals(List.of(RECEIVED, RUNNING, COMPLETED), watched());
        assertEquals(List.of("WatchTask"), server.calls());
    }

    @Test
    void watchConnectsAgainAndTellsNoStateTwice() {
        server.watches.add(FakePool.failing(FakePool.unavailable(), RECEIVED, RUNNING));
        server.watches.add(FakePool.failing(FakePool.unavailable()));
        server.watches.add(FakePool.states(RUNNING, COMPLETED));
        assertEquals(List.of(RECEIVED, RUNNING, COMPLETED), watched());
        assertEquals(3, server.calls().size());
    }

    @Test
    void watchConnectsAgainWhenTheServerEndsItEarly() {
        server.watches.add(FakePool.states(RECEIVED));
        server.watches.add(FakePool.states(RECEIVED, COMPLETED));
        assertEquals(List.of(RECEIVED, COMPLETED), watched());
    }

    @Test
    void watchSurvivesARestartOfTheServer() throws Exception {
        server.watches.add(FakePool.failing(FakePool.unavailable(), RECEIVED));
        try (Stream<Task> states = pool.watchTask(FakePool.TASK_ID)) {
            Iterator<Task> each = states.iterator();
            assertEquals(RECEIVED, each.next());
            int port = server.port();
            server.close();
            Thread.sleep(1_000); // Longer than the retries of a read take.
            server = new FakePool(InsecureServerCredentials.create(), port);
            server.watches.add(FakePool.states(COMPLETED));
            assertEquals(COMPLETED, each.next());
        }
    }

    @Test
    void watchConnectsAgainMoreOftenThanARead() {
        for (int failure = 0; failure < 5; failure++) {
            server.watches.add(FakePool.failing(FakePool.unavailable()));
        }
        server.watches.add(FakePool.states(COMPLETED));
        assertEquals(List.of(COMPLETED), watched());
    }

    @Test
    void watchGivesUpAfterItsPatienceAndTellsHowLongItWaited() {
        server.watches.add(FakePool.failing(FakePool.unavailable(), RECEIVED));
        server.watches.add(FakePool.failing(FakePool.unavailable()));
        List<Task> seen = new ArrayList<>();
        WorkerpoolException failed = watchedImpatiently(server.target(), seen);
        assertEquals("UNREACHABLE", failed.reason());
        assertTrue(failed.cause().matches("restarting \\(waited 0\\.\\d s\\)"), failed.cause());
        assertEquals(List.of(RECEIVED), seen);
        assertTrue(server.calls().size() > 2);
    }

    @Test
    void watchOfAServerThatStaysAwayGivesUp() throws Exception {
        String target = server.target();
        server.close();
        WorkerpoolException failed = watchedImpatiently(target, new ArrayList<>());
        assertEquals("UNREACHABLE", failed.reason());
        assertTrue(failed.cause().contains(" (waited "), failed.cause());
    }

    /** Returns what ends a watch whose patience is short. */
    private WorkerpoolException watchedImpatiently(String target, List<Task> seen) {
        Options impatient = Options.defaults().withWatchPatience(Duration.ofMillis(400));
        try (Workerpool other = Workerpool.connect(target, impatient)) {
            return assertThrows(
                    WorkerpoolException.class, () -> other.watchTask(FakePool.TASK_ID).forEach(seen::add));
        }
    }

    @Test
    void watchEndsWithAnotherError() {
        server.watches.add(FakePool.failing(
                FakePool.refusal(Status.Code.NOT_FOUND, "UNKNOWN_TASK", "none; look", Map.of("next_step", "look"))));
        assertEquals("UNKNOWN_TASK", assertThrows(WorkerpoolException.class, this::watched).reason());
        assertEquals(List.of("WatchTask"), server.calls());
    }

    @Test
    void watchEndsWhenItIsClosed() throws Exception {
        server.watches.add(FakePool.silent(RECEIVED));
        Stream<Task> states = pool.watchTask(FakePool.TASK_ID);
        Iterator<Task> each = states.iterator();
        assertEquals(RECEIVED, each.next());
        Thread closing = new Thread(states::close);
        closing.start();
        assertEquals(false, each.hasNext());
        closing.join();
        assertTrue(server.cancelled.await(30, TimeUnit.SECONDS), "the server was not told");
    }

    @Test
    void watchEndsWhenTheClientIsClosed() {
        server.watches.add(FakePool.silent(RECEIVED));
        Iterator<Task> each = pool.watchTask(FakePool.TASK_ID).iterator();
        assertEquals(RECEIVED, each.next());
        new Thread(pool::close).start();
        assertThrows(WorkerpoolException.class, each::hasNext);
    }

    @Test
    void watchEndsWhenTheThreadIsInterrupted() {
        server.watches.add(FakePool.silent(RECEIVED));
        Iterator<Task> each = pool.watchTask(FakePool.TASK_ID).iterator();
        assertEquals(RECEIVED, each.next());
        Thread.currentThread().interrupt();
        assertEquals("CANCELLED", assertThrows(WorkerpoolException.class, each::hasNext).reason());
        assertTrue(Thread.interrupted(), "the flag of the thread is kept");
    }

    @Test
    void taskAndExplainReadTheTask() {
        Reason reason = Reason.newBuilder().setCode(ReasonCode.REASON_CODE_APP_FAILED).build();
        server.task = COMPLETED;
        assertEquals(COMPLETED, pool.task(FakePool.TASK_ID));
        assertEquals(Optional.empty(), pool.explain(FakePool.TASK_ID));
        server.task = RUNNING.toBuilder().setReason(reason).build();
        assertEquals(Optional.of(reason), pool.explain(FakePool.TASK_ID));
    }

    @Test
    void workersAreReadPageByPage() {
        server.pages.put("", FakePool.page("second", "0x1", "0x2"));
        server.pages.put("second", FakePool.page("third"));
        server.pages.put("third", FakePool.page("", "0x3"));
        Iterator<Worker> each = pool.workers().iterator();
        assertEquals("0x1", each.next().getWalletAddress());
        assertEquals(1, server.calls().size());
        assertEquals("0x2", each.next().getWalletAddress());
        assertEquals("0x3", each.next().getWalletAddress());
        assertEquals(false, each.hasNext());
        assertEquals(3, server.calls().size());
        assertEquals(3, pool.workers().count());
    }

    @Test
    void logsThatDidNotFitAreReadWithANewChallengeEach() {
        List<String> signed = new ArrayList<>();
        List<ComputeLogs> logs = pool.requesterLogs(FakePool.TASK_ID, "0xRequester", typedData -> {
            signed.add(typedData);
            return "0x" + signed.size();
        });
        assertEquals(List.of("0x1", "0x2", "0x3"), logs.stream().map(ComputeLogs::getWalletAddress).toList());
        assertEquals(3, signed.stream().distinct().count());
        assertEquals(
                List.of("0x1", "0x2", "0x3"),
                server.logRequests.stream().map(GetTaskLogsRequest::getSignature).toList());
        assertEquals(
                List.of("", "0x2", "0x3"),
                server.logRequests.stream().map(GetTaskLogsRequest::getWalletAddress).toList());
        assertEquals("0xRequester", server.logRequests.get(0).getAddress());
    }

    @Test
    void namesHaveNoPrefix() {
        assertEquals("COMPLETED", Names.of(TaskStatus.TASK_STATUS_COMPLETED));
        assertEquals("WORKER_LOST", Names.of(ReplicateStatus.REPLICATE_STATUS_WORKER_LOST));
        assertEquals("UNRECOGNIZED", Names.of(TaskStatus.UNRECOGNIZED));
    }
}
