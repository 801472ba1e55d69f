package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import workerpool.core.v1.GetTaskRequest;
import workerpool.core.v1.TaskServiceGrpc;

final class RetriesTest {
    private FakePool server;
    private Workerpool pool;

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

    @Test
    void sendAReadAgainWhileTheServerIsUnavailable() {
        server.failures.addAll(Collections.nCopies(3, FakePool.unavailable()));
        pool.task(FakePool.TASK_ID);
        assertEquals(Collections.nCopies(4, "GetTask"), server.calls());
    }

    @Test
    void giveUpAfterFourAttempts() {
        server.failures.addAll(Collections.nCopies(9, FakePool.unavailable()));
        assertEquals(
                "UNREACHABLE",
                assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID)).reason());
        assertEquals(4, server.calls().size());
    }

    @Test
    void leaveOtherErrorsAlone() {
        server.failures.add(FakePool.refusal(Status.Code.INTERNAL, "BUG", "it broke; report it", Map.of()));
        assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
        assertEquals(List.of("GetTask"), server.calls());
    }

    @Test
    void leaveASignedRequestAlone() {
        // The challenge is answered, the request for the logs is not.
        assertThrows(WorkerpoolException.class, () -> pool.requesterLogs(FakePool.TASK_ID, "0x1", typedData -> {
            server.failures.add(FakePool.unavailable());
            return "0xsigned";
        }));
        assertEquals(List.of("CreateLogChallenge", "GetTaskLogs"), server.calls());
    }

    @Test
    void keepTheDeadlineOfTheCaller() {
        // A stub of the caller has its own deadline, which has passed.
        GetTaskRequest request = GetTaskRequest.newBuilder().setTaskId(FakePool.TASK_ID).build();
        WorkerpoolException late = assertThrows(WorkerpoolException.class, () -> pool.call(
                () -> TaskServiceGrpc.newBlockingStub(pool.channel())
                        .withDeadlineAfter(-1, TimeUnit.SECONDS)
                        .getTask(request)));
        assertEquals("DEADLINE_EXCEEDED", late.reason());
    }

    @Test
    void pauseLongerAfterEachFailure() {
        for (int failures = 1; failures < 12; failures++) {
            double expected = Math.min(100 * Math.pow(2, failures - 1), 2_000);
            long pause = Retries.backoff(failures).toMillis();
            assertTrue(pause >= 0.79 * expected && pause <= 1.21 * expected, failures + ": " + pause);
        }
    }
}
