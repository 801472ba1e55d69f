package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import workerpool.core.v1.ListDealsRequest;

final class ErrorsTest {
    private static final String NEXT = "list the tasks with ListTasks; the id is case-sensitive";

    private static WorkerpoolException failure(FakePool server, StatusRuntimeException error) {
        server.failures.add(error);
        try (Workerpool pool = Workerpool.connect(server.target())) {
            return assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
        }
    }

    @Test
    void tellReasonCauseAndNextStepOfTheServer() throws Exception {
        try (FakePool server = new FakePool()) {
            Map<String, String> metadata = Map.of("next_step", NEXT, "task_id", "0xab");
            WorkerpoolException failed = failure(
                    server, FakePool.refusal(Status.Code.NOT_FOUND, "UNKNOWN_TASK", "no such task; " + NEXT, metadata));
            assertEquals("UNKNOWN_TASK", failed.reason());
            assertEquals("no such task", failed.cause());
            assertEquals(NEXT, failed.nextStep());
            assertEquals(Status.Code.NOT_FOUND, failed.code());
            assertEquals(Map.of("task_id", "0xab"), failed.details());
            assertEquals("UNKNOWN_TASK: no such task; " + NEXT, failed.getMessage());
            assertInstanceOf(StatusRuntimeException.class, failed.getCause());
        }
    }

    @Test
    void keepTheWholeMessageOfAServerThatNamesNoNextStep() throws Exception {
        try (FakePool server = new FakePool()) {
            WorkerpoolException failed = failure(
                    server, FakePool.refusal(Status.Code.NOT_FOUND, "UNKNOWN_TASK", "no such task;\nlook", Map.of()));
            assertEquals("", failed.nextStep());
            assertEquals("UNKNOWN_TASK: no such task; look", failed.getMessage());
        }
    }

    @Test
    void nameTheStatusOfOtherServers() throws Exception {
        try (FakePool server = new FakePool()) {
            WorkerpoolException failed = failure(
                    server, FakePool.refusal(Status.Code.PERMISSION_DENIED, "a proxy", "OTHER", "no", Map.of()));
            assertEquals("PERMISSION_DENIED", failed.reason());
            assertTrue(failed.getMessage().matches("PERMISSION_DENIED: no; check .+"), failed.getMessage());
        }
    }

    @Test
    void tellThatNoServerListens() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        try (Workerpool pool = Workerpool.connect("127.0.0.1:" + free)) {
            WorkerpoolException failed = assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
            assertEquals("UNREACHABLE", failed.reason());
            assertTrue(failed.cause().contains("Connection refused"), failed.cause());
            assertTrue(failed.nextStep().contains("address and port"), failed.nextStep());
        }
    }

    @Test
    void tellThatTheServerSpeaksHttpOnly() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            Thread server = new Thread(() -> answerAsHttp(socket));
            server.start();
            try (Workerpool pool = Workerpool.connect("127.0.0.1:" + socket.getLocalPort())) {
                WorkerpoolException failed =
                        assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
                assertEquals("UNREACHABLE", failed.reason());
                assertTrue(failed.nextStep().contains("gRPC port"), failed.getMessage());
            }
        }
    }

    private static void answerAsHttp(ServerSocket socket) {
        try {
            while (true) {
                Socket client = socket.accept();
                client.getOutputStream()
                        .write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException closed) {
            // The test has ended.
        }
    }

    @Test
    void tellThatTheServerIsSilent() throws Exception {
        Options impatient = Options.defaults().withDeadline(Duration.ofMillis(200));
        try (ServerSocket socket = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                Workerpool pool = Workerpool.connect("127.0.0.1:" + socket.getLocalPort(), impatient)) {
            WorkerpoolException failed = assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
            assertEquals(Status.Code.DEADLINE_EXCEEDED, failed.code());
            assertTrue(failed.nextStep().contains("address"), failed.getMessage());
        }
    }

    @Test
    void translateTheErrorsOfStubs() throws Exception {
        try (FakePool server = new FakePool(); Workerpool pool = Workerpool.connect(server.target())) {
            ListDealsRequest request = ListDealsRequest.getDefaultInstance();
            WorkerpoolException failed =
                    assertThrows(WorkerpoolException.class, () -> pool.call(() -> pool.deals().listDeals(request)));
            assertEquals("UNIMPLEMENTED", failed.reason());
            assertTrue(failed.nextStep().contains("version"), failed.getMessage());
        }
    }
}
