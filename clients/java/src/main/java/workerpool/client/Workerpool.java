package workerpool.client;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.ManagedChannelProvider;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import workerpool.core.v1.ComputeLogs;
import workerpool.core.v1.CreateLogChallengeRequest;
import workerpool.core.v1.DealServiceGrpc;
import workerpool.core.v1.DealServiceGrpc.DealServiceBlockingStub;
import workerpool.core.v1.ExplainTaskRequest;
import workerpool.core.v1.ExplainTaskResponse;
import workerpool.core.v1.GetTaskLogsRequest;
import workerpool.core.v1.GetTaskLogsResponse;
import workerpool.core.v1.GetTaskRequest;
import workerpool.core.v1.ListWorkersRequest;
import workerpool.core.v1.ListWorkersResponse;
import workerpool.core.v1.PoolServiceGrpc;
import workerpool.core.v1.PoolServiceGrpc.PoolServiceBlockingStub;
import workerpool.core.v1.Reason;
import workerpool.core.v1.Task;
import workerpool.core.v1.TaskServiceGrpc;
import workerpool.core.v1.TaskServiceGrpc.TaskServiceBlockingStub;
import workerpool.core.v1.Worker;

/** Calls one pool. It is safe for use by many threads; its methods throw {@link WorkerpoolException}. */
public final class Workerpool implements AutoCloseable {
    // The server closes connections that ping more often than every 10 s.
    private static final long KEEPALIVE_S = 60;
    private static final long KEEPALIVE_LIMIT_S = 15;
    private static final long CLOSE_LIMIT_S = 5;

    private final ManagedChannel channel;
    private final Duration watchPatience;
    private final TaskServiceBlockingStub tasks;
    private final PoolServiceBlockingStub pool;
    private final DealServiceBlockingStub deals;

    private Workerpool(ManagedChannel channel, Duration watchPatience) {
        this.channel = channel;
        this.watchPatience = watchPatience;
        tasks = TaskServiceGrpc.newBlockingStub(channel);
        pool = PoolServiceGrpc.newBlockingStub(channel);
        deals = DealServiceGrpc.newBlockingStub(channel);
    }

    /**
     * Returns a client of the pool at an address, without credentials. It connects at the first call.
     *
     * @param target see {@link #connect(String, Credentials, Options)}
     * @return the client
     * @throws WorkerpoolException for an address that is none (INVALID_TARGET)
     */
    public static Workerpool connect(String target) {
        return open(target, null, Options.defaults());
    }

    /**
     * Returns a client of the pool at an address that sends credentials with every call. It connects at the first call.
     *
     * @param target see {@link #connect(String, Credentials, Options)}
     * @param credentials the credentials
     * @return the client
     * @throws WorkerpoolException for an address that is none (INVALID_TARGET), and for credentials that would leave this
     *     host without TLS (CLEARTEXT_REFUSED)
     */
    public static Workerpool connect(String target, Credentials credentials) {
        return open(target, Objects.requireNonNull(credentials, "credentials"), Options.defaults());
    }

    /**
     * Returns a client of the pool at an address, without credentials. It connects at the first call.
     *
     * @param target see {@link #connect(String, Credentials, Options)}
     * @param options how to reach it
     * @return the client
     * @throws WorkerpoolException for an address that is none (INVALID_TARGET), for certificates without TLS
     *     (TLS_REQUIRED), and for certificates that cannot be read (TLS_FAILED)
     */
    public static Workerpool connect(String target, Options options) {
        return open(target, null, options);
    }

    /**
     * Returns a client of the pool at an address that sends credentials with every call. It connects at the first call.
     *
     * @param target {@code host:port}, {@code http://host:port} (cleartext), {@code https://host[:port]} (TLS, port 443 by
     *     default) or {@code dns:///host:port}, with core's gRPC port. Without http or https it uses TLS, except on this
     *     host
     * @param credentials the credentials
     * @param options how to reach it
     * @return the client
     * @throws WorkerpoolException for an address that is none (INVALID_TARGET), for credentials that would leave this host
     *     without TLS (CLEARTEXT_REFUSED), for certificates without TLS (TLS_REQUIRED), and for certificates that cannot
     *     be read (TLS_FAILED)
     */
    public static Workerpool connect(String target, Credentials credentials, Options options) {
        return open(target, Objects.requireNonNull(credentials, "credentials"), options);
    }

    private static Workerpool open(String text, Credentials credentials, Options options) {
        Target target = withCertificates(Target.parse(text), options);
        if (credentials != null && !target.tls() && !target.isLoopback() && !options.allowCleartext()) {
            throw new WorkerpoolException(
                    "CLEARTEXT_REFUSED",
                    "the credentials would travel to " + target.host() + " without TLS",
                    "give an https:// address, or allow cleartext if the network between the two is private",
                    Status.Code.INVALID_ARGUMENT);
        }
        ManagedChannelBuilder<?> channel = builder(target, Certificates.of(target, options))
                .defaultServiceConfig(Retries.serviceConfig())
                .disableServiceConfigLookUp()
                .enableRetry()
                .keepAliveTime(KEEPALIVE_S, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEPALIVE_LIMIT_S, TimeUnit.SECONDS)
                .userAgent("workerpool-java/" + version())
                .intercept(new Deadlines(options.deadline()));
        if (credentials != null) {
            channel.intercept(new Authorization(credentials.perCall()));
        }
        return new Workerpool(channel.build(), options.watchPatience());
    }

    /** Returns the target with TLS where its text left the choice and certificates require it. */
    private static Target withCertificates(Target target, Options options) {
        if (target.tls() || !options.requireTls()) {
            return target;
        }
        if (target.stated()) {
            throw new WorkerpoolException(
                    "TLS_REQUIRED",
                    "certificates are of no use to an http:// address",
                    "give https://" + target.address(),
                    Status.Code.INVALID_ARGUMENT);
        }
        return target.withTls();
    }

    private static ManagedChannelBuilder<?> builder(Target target, ChannelCredentials credentials) {
        try {
            return Grpc.newChannelBuilder("dns:///" + target.address(), credentials);
        } catch (ManagedChannelProvider.ProviderNotFoundException | IllegalArgumentException refused) {
            throw Certificates.refused(refused);
        }
    }

    private static String version() {
        String version = Workerpool.class.getPackage().getImplementationVersion();
        return version == null ? "unpacked" : version;
    }

    /**
     * Returns every worker that has registered, ordered by wallet. The first page is read at once, each other one when its turn
     * comes.
     *
     * @return the workers
     */
    public Stream<Worker> workers() {
        return Stream.iterate(workers(""), Objects::nonNull, this::workersAfter)
                .flatMap(page -> page.getWorkersList().stream());
    }

    private ListWorkersResponse workers(String token) {
        ListWorkersRequest request = ListWorkersRequest.newBuilder().setPageToken(token).build();
        return call(() -> pool.listWorkers(request));
    }

    private ListWorkersResponse workersAfter(ListWorkersResponse page) {
        return page.getNextPageToken().isEmpty() ? null : workers(page.getNextPageToken());
    }

    /**
     * Returns one task with its replicates.
     *
     * @param taskId the task's id, 0x-prefixed lower-case hexadecimal of 32 bytes
     * @return the task
     */
    public Task task(String taskId) {
        GetTaskRequest request = GetTaskRequest.newBuilder().setTaskId(taskId).build();
        return call(() -> tasks.getTask(request)).getTask();
    }

    /**
     * Returns why a task waits or failed, without its history.
     *
     * @param taskId the task's id
     * @return the reason; empty when the task completed with a result
     */
    public Optional<Reason> explain(String taskId) {
        ExplainTaskRequest request = ExplainTaskRequest.newBuilder().setTaskId(taskId).build();
        ExplainTaskResponse answer = call(() -> tasks.explainTask(request));
        return answer.hasReason() ? Optional.of(answer.getReason()) : Optional.empty();
    }

    /**
     * Returns the states of a task: the present one, then each change, until it is COMPLETED or FAILED. The stream has no
     * deadline. While the server is UNAVAILABLE it connects again, until that has lasted for the patience of the options;
     * the exception then tells how long it waited. Every other error ends it.
     *
     * @param taskId the task's id
     * @return the states; close the stream to end it early, from any thread
     */
    public Stream<Task> watchTask(String taskId) {
        TaskUpdates updates = new TaskUpdates(channel, tasks, watchPatience, taskId);
        return StreamSupport.stream(updates, false).onClose(updates::close);
    }

    /**
     * Returns the compute logs of a task, which only its requester may read.
     *
     * @param taskId the task's id
     * @param address the requester's address
     * @param signer signs one challenge for each call that the logs take, most often a single one
     * @return the logs of each replicate that has logs
     */
    public List<ComputeLogs> requesterLogs(String taskId, String address, Signer signer) {
        GetTaskLogsResponse first = requesterLogs(taskId, address, signer, "");
        List<ComputeLogs> logs = new ArrayList<>(first.getComputeLogsList());
        // Logs that did not fit into the first answer.
        Deque<String> wallets = new ArrayDeque<>(first.getLeftOutList());
        while (!wallets.isEmpty()) {
            logs.addAll(requesterLogs(taskId, address, signer, wallets.remove()).getComputeLogsList());
        }
        return List.copyOf(logs);
    }

    private GetTaskLogsResponse requesterLogs(String taskId, String address, Signer signer, String wallet) {
        CreateLogChallengeRequest challenge = CreateLogChallengeRequest.newBuilder().setAddress(address).build();
        String signature = signer.sign(call(() -> tasks.createLogChallenge(challenge)).getTypedDataJson());
        GetTaskLogsRequest request = GetTaskLogsRequest.newBuilder()
                .setTaskId(taskId)
                .setAddress(address)
                .setSignature(signature)
                .setWalletAddress(wallet)
                .build();
        return call(() -> tasks.getTaskLogs(request));
    }

    /**
     * Returns what a call of a generated stub returns, with its errors told as this client tells them.
     *
     * @param <T> type of the answer
     * @param call calls the stub
     * @return the answer
     * @throws WorkerpoolException when the call fails
     */
    public <T> T call(Supplier<T> call) {
        try {
            return call.get();
        } catch (StatusRuntimeException failed) {
            throw WorkerpoolException.of(failed);
        }
    }

    /**
     * Returns the generated stub of the task service.
     *
     * @return the stub; {@link #call} translates its errors
     */
    public TaskServiceBlockingStub tasks() {
        return tasks;
    }

    /**
     * Returns the generated stub of the pool service, for operators.
     *
     * @return the stub; {@link #call} translates its errors
     */
    public PoolServiceBlockingStub pool() {
        return pool;
    }

    /**
     * Returns the generated stub of the deal service.
     *
     * @return the stub; {@link #call} translates its errors
     */
    public DealServiceBlockingStub deals() {
        return deals;
    }

    /**
     * Returns the connection, for other stubs than the blocking ones above.
     *
     * @return the channel; it ends with this client
     */
    public Channel channel() {
        return channel;
    }

    /** Ends the connection and every call on it. */
    @Override
    public void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(CLOSE_LIMIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
