package workerpool.client;

import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import workerpool.core.v1.DealServiceGrpc;
import workerpool.core.v1.PoolServiceGrpc;
import workerpool.core.v1.TaskServiceGrpc;

/**
 * The policy of all clients: gRPC sends a read again, and a watch connects again, after UNAVAILABLE only. A watch has no
 * limit of attempts but its patience.
 */
final class Retries {
    /** Attempts in a row, the first included. */
    private static final int ATTEMPTS = 4;

    private static final Duration FIRST_BACKOFF = Duration.ofMillis(100);
    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(2);
    private static final double MULTIPLIER = 2;
    private static final double JITTER = 0.2;

    /** The calls that gRPC may send again. GetTaskLogs is none of them: a signed challenge opens one answer. */
    private static final List<MethodDescriptor<?, ?>> IDEMPOTENT = List.of(
            TaskServiceGrpc.getGetTaskMethod(),
            TaskServiceGrpc.getListTasksMethod(),
            TaskServiceGrpc.getExplainTaskMethod(),
            TaskServiceGrpc.getGetReplicateMethod(),
            TaskServiceGrpc.getCreateLogChallengeMethod(),
            PoolServiceGrpc.getGetPoolStatusMethod(),
            PoolServiceGrpc.getListWorkersMethod(),
            PoolServiceGrpc.getGetWorkerMethod(),
            PoolServiceGrpc.getExplainWorkerMethod(),
            PoolServiceGrpc.getListRefusalsMethod(),
            DealServiceGrpc.getGetDealMethod(),
            DealServiceGrpc.getListDealsMethod());

    private Retries() {}

    /** Returns gRPC's service config with the retries of the idempotent calls. */
    static Map<String, ?> serviceConfig() {
        List<Map<String, String>> names = IDEMPOTENT.stream()
                .map(method -> Map.of("service", method.getServiceName(), "method", method.getBareMethodName()))
                .toList();
        Map<String, ?> policy = Map.of(
                "maxAttempts", (double) ATTEMPTS,
                "initialBackoff", seconds(FIRST_BACKOFF),
                "maxBackoff", seconds(LONGEST_BACKOFF),
                "backoffMultiplier", MULTIPLIER,
                "retryableStatusCodes", List.of("UNAVAILABLE"));
        return Map.of("methodConfig", List.of(Map.of("name", names, "retryPolicy", policy)));
    }

    /** Returns the pause after a number of failures in a row, at least 1, with jitter as gRPC has it. */
    static Duration backoff(int failures) {
        double millis = Math.min(
                FIRST_BACKOFF.toMillis() * Math.pow(MULTIPLIER, failures - 1), LONGEST_BACKOFF.toMillis());
        return Duration.ofMillis(Math.round(millis * ThreadLocalRandom.current().nextDouble(1 - JITTER, 1 + JITTER)));
    }

    /** Formats a duration as the JSON of protobuf does. */
    private static String seconds(Duration value) {
        return value.toMillis() / 1_000.0 + "s";
    }
}
