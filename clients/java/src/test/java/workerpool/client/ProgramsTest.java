package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import workerpool.core.v1.ChainReceipt;
import workerpool.core.v1.Fault;
import workerpool.core.v1.Reason;
import workerpool.core.v1.ReasonCode;
import workerpool.core.v1.Replicate;
import workerpool.core.v1.ReplicateStatus;
import workerpool.core.v1.ReplicateStatusCause;
import workerpool.core.v1.ReplicateStatusChange;
import workerpool.core.v1.Task;
import workerpool.core.v1.TaskStatus;
import workerpool.core.v1.TaskStatusChange;

/** The example and the program of README.md, each as a process of its own. */
final class ProgramsTest {
    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path folder;

    private FakePool server;

    private record Ended(int code, List<String> output, List<String> progress) {}

    @BeforeEach
    void start() throws Exception {
        server = new FakePool();
        server.pages.put("", FakePool.page("", "0x1", "0x2"));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private Ended run(Path program, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // They halve the processor time of a short program.
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-cp", System.getProperty("java.class.path"), "--source", "17", program.toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output");
        Path progress = folder.resolve("progress");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(progress.toFile());
        builder.environment().putAll(environment);
        // The output is UTF-8 in every locale.
        builder.environment().put("LC_ALL", "C");
        int code = builder.start().waitFor();
        return new Ended(code, lines(output), lines(progress));
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.readAllLines(file, StandardCharsets.UTF_8).stream()
                .filter(line -> !line.startsWith("Picked up "))
                .toList();
    }

    private Ended follow(String... arguments) throws Exception {
        return run(Path.of("examples/FollowTask.java"), Map.of(), arguments);
    }

    private static TaskStatusChange entry(TaskStatus status, long block) {
        return TaskStatusChange.newBuilder()
                .setStatus(status)
                .setChainReceipt(ChainReceipt.newBuilder().setBlockNumber(block))
                .build();
    }

    private static Replicate replicate(String wallet, ReplicateStatusChange... history) {
        return Replicate.newBuilder().setWalletAddress(wallet).addAllHistory(List.of(history)).build();
    }

    @Test
    void exampleTellsTheTimelineOfATaskThatCompleted() throws Exception {
        Task.Builder task = Task.newBuilder()
                .setTaskId(FakePool.TASK_ID)
                .setStatus(TaskStatus.TASK_STATUS_RUNNING)
                .addHistory(entry(TaskStatus.TASK_STATUS_RECEIVED, 0))
                .addHistory(entry(TaskStatus.TASK_STATUS_INITIALIZED, 12));
        Task running = task.build();
        Task completed = task.setStatus(TaskStatus.TASK_STATUS_COMPLETED)
                .setResultLink("/ipfs/Qm")
                .addHistory(entry(TaskStatus.TASK_STATUS_COMPLETED, 0))
                .addReplicates(replicate(
                        "0xB", ReplicateStatusChange.newBuilder().setStatus(ReplicateStatus.REPLICATE_STATUS_COMPLETED).build()))
                .addReplicates(replicate(
                        "0xA",
                        ReplicateStatusChange.newBuilder()
                                .setStatus(ReplicateStatus.REPLICATE_STATUS_ABORTED)
                                .setCause(ReplicateStatusCause.REPLICATE_STATUS_CAUSE_OUT_OF_GAS)
                                .build()))
                .build();
        server.watches.add(FakePool.states(running, completed));
        Ended ended = follow(server.target(), FakePool.TASK_ID);
        assertEquals(
                List.of(
                        "pool 0xPool version 1.2.3",
                        "worker 0x1 name=n0x1 slots=2 away",
                        "worker 0x2 name=n0x2 slots=2 away",
                        "workers 2",
                        "task " + FakePool.TASK_ID,
                        "  RECEIVED",
                        "  INITIALIZED block 12",
                        "  COMPLETED",
                        "    0xA ABORTED OUT_OF_GAS",
                        "    0xB COMPLETED",
                        "COMPLETED /ipfs/Qm"),
                ended.output());
        assertEquals(List.of("… RUNNING", "… COMPLETED"), ended.progress());
        assertEquals(0, ended.code());
    }

    @Test
    void exampleTellsWhyATaskFailed() throws Exception {
        server.watches.add(FakePool.states(Task.newBuilder()
                .setStatus(TaskStatus.TASK_STATUS_FAILED)
                .setReason(Reason.newBuilder()
                        .setCode(ReasonCode.REASON_CODE_APP_FAILED)
                        .setFault(Fault.FAULT_APP)
                        .setSentence("the app ended with 1 – see its logs")
                        .setNextStep("correct the app"))
                .build()));
        Ended ended = follow(server.target(), FakePool.TASK_ID);
        assertEquals(
                List.of(
                        "task " + FakePool.TASK_ID,
                        "reason APP_FAILED APP: the app ended with 1 – see its logs",
                        "next correct the app",
                        "FAILED -"),
                ended.output().subList(4, ended.output().size()));
        assertEquals(3, ended.code());
    }

    @Test
    void exampleChecksThePassword() throws Exception {
        Path password = Files.writeString(folder.resolve("password"), "wrong\n");
        server.failures.add(FakePool.refusal(
                Status.Code.UNAUTHENTICATED, "UNAUTHENTICATED", "wrong password; give the operator's",
                Map.of("next_step", "give the operator's")));
        Ended ended =
                follow(server.target(), "--user", "admin", "--password-file", password.toString(), FakePool.TASK_ID);
        assertEquals(List.of(), ended.output());
        assertEquals(List.of("UNAUTHENTICATED: wrong password; give the operator's"), ended.progress());
        assertEquals(1, ended.code());
        assertEquals(List.of("Basic YWRtaW46d3Jvbmc="), server.authorizations);
    }

    @Test
    void exampleTellsItsUsage() throws Exception {
        Ended ended = follow("--ca");
        assertEquals("--ca needs a value", ended.progress().get(0));
        assertTrue(ended.progress().get(1).startsWith("usage: "), ended.progress().toString());
        assertEquals(2, ended.code());
    }

    @Test
    void readmeFollowsATask() throws Exception {
        server.watches.add(FakePool.states(
                Task.newBuilder().setStatus(TaskStatus.TASK_STATUS_RUNNING).build(),
                Task.newBuilder().setStatus(TaskStatus.TASK_STATUS_COMPLETED).build()));
        Matcher block = BLOCK.matcher(Files.readString(Path.of("README.md")));
        assertTrue(block.find(), "README.md has no block of Java");
        Path program = Files.writeString(folder.resolve("program"), block.group(1));
        Ended ended =
                run(program, Map.of("WORKERPOOL_TARGET", server.target(), "TASK_ID", FakePool.TASK_ID));
        assertEquals(List.of("RUNNING", "COMPLETED"), ended.output());
        assertEquals(0, ended.code());
    }
}
