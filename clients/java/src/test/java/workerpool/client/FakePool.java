package workerpool.client;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import workerpool.core.v1.ComputeLogs;
import workerpool.core.v1.CreateLogChallengeRequest;
import workerpool.core.v1.CreateLogChallengeResponse;
import workerpool.core.v1.ExplainTaskRequest;
import workerpool.core.v1.ExplainTaskResponse;
import workerpool.core.v1.GetPoolStatusRequest;
import workerpool.core.v1.GetPoolStatusResponse;
import workerpool.core.v1.GetTaskLogsRequest;
import workerpool.core.v1.GetTaskLogsResponse;
import workerpool.core.v1.GetTaskRequest;
import workerpool.core.v1.GetTaskResponse;
import workerpool.core.v1.ListRefusalsRequest;
import workerpool.core.v1.ListRefusalsResponse;
import workerpool.core.v1.ListWorkersRequest;
import workerpool.core.v1.ListWorkersResponse;
import workerpool.core.v1.PoolServiceGrpc.PoolServiceImplBase;
import workerpool.core.v1.Task;
import workerpool.core.v1.TaskServiceGrpc.TaskServiceImplBase;
import workerpool.core.v1.WatchTaskRequest;
import workerpool.core.v1.WatchTaskResponse;
import workerpool.core.v1.Worker;

/** A gRPC server on a free port of this host that answers as a test says. */
final class FakePool implements AutoCloseable {
    static final String TASK_ID = "0x" + "ab".repeat(32);
    private static final Logger GRPC = Logger.getLogger("io.grpc");
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    static {
        // It logs each connection that a test breaks.
        GRPC.setLevel(Level.WARNING);
    }

    /** What each call of WatchTask does; the last one is repeated. */
    final Deque<Consumer<StreamObserver<WatchTaskResponse>>> watches = new ArrayDeque<>();
    /** Errors of the next unary calls, oldest first. */
    final Deque<StatusRuntimeException> failures = new ArrayDeque<>();
    /** Pages of workers by token. */
    final Map<String, ListWorkersResponse> pages = new HashMap<>();
    /** Names of the calls that arrived, oldest first. */
    final List<String> calls = new ArrayList<>();
    /** The authorization of each call; null without one. */
    final List<String> authorizations = new ArrayList<>();
    /** The requests for logs. */
    final List<GetTaskLogsRequest> logRequests = new ArrayList<>();
    /** Counted down when a client cancels a watch. */
    final CountDownLatch cancelled = new CountDownLatch(1);

    Task task = Task.getDefaultInstance();
    private final Server server;

    FakePool() throws IOException {
        this(InsecureServerCredentials.create(), 0);
    }

    FakePool(ServerCredentials credentials) throws IOException {
        this(credentials, 0);
    }

    FakePool(ServerCredentials credentials, int port) throws IOException {
        ServerBuilder<?> builder = Grpc.newServerBuilderForPort(port, credentials);
        server = builder.intercept(new Recorder()).addService(new Tasks()).addService(new Pool()).build().start();
    }

    int port() {
        return server.getPort();
    }

    String target() {
        return "localhost:" + port();
    }

    /** Returns the names of the calls so far. */
    synchronized List<String> calls() {
        return List.copyOf(calls);
    }

    @Override
    public void close() throws InterruptedException {
        server.shutdownNow();
        server.awaitTermination();
    }

    /** Returns the error of a server of this project. */
    static StatusRuntimeException refusal(Status.Code code, String reason, String message, Map<String, String> metadata) {
        return refusal(code, "workerpool", reason, message, metadata);
    }

    static StatusRuntimeException refusal(
            Status.Code code, String domain, String reason, String message, Map<String, String> metadata) {
        ErrorInfo info = ErrorInfo.newBuilder()
                .setDomain(domain)
                .setReason(reason)
                .putAllMetadata(metadata)
                .build();
        return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                .setCode(code.value())
                .setMessage(message)
                .addDetails(Any.pack(info))
                .build());
    }

    static StatusRuntimeException unavailable() {
        return Status.UNAVAILABLE.withDescription("restarting").asRuntimeException();
    }

    /** Sends the states of a task, then ends the stream without an error. */
    static Consumer<StreamObserver<WatchTaskResponse>> states(Task... states) {
        return answers -> {
            send(answers, states);
            answers.onCompleted();
        };
    }

    /** Sends the states of a task, then fails. */
    static Consumer<StreamObserver<WatchTaskResponse>> failing(StatusRuntimeException error, Task... states) {
        return answers -> {
            send(answers, states);
            answers.onError(error);
        };
    }

    /** Sends the states of a task, then nothing. */
    static Consumer<StreamObserver<WatchTaskResponse>> silent(Task... states) {
        return answers -> send(answers, states);
    }

    private static void send(StreamObserver<WatchTaskResponse> answers, Task... states) {
        for (Task state : states) {
            answers.onNext(WatchTaskResponse.newBuilder().setTask(state).build());
        }
    }

    private synchronized <A> void answer(StreamObserver<A> answers, A answer) {
        StatusRuntimeException failure = failures.poll();
        if (failure != null) {
            answers.onError(failure);
            return;
        }
        answers.onNext(answer);
        answers.onCompleted();
    }

    private final class Recorder implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            synchronized (FakePool.this) {
                calls.add(call.getMethodDescriptor().getBareMethodName());
                authorizations.add(headers.get(AUTHORIZATION));
            }
            return next.startCall(call, headers);
        }
    }

    private final class Tasks extends TaskServiceImplBase {
        @Override
        public void getTask(GetTaskRequest request, StreamObserver<GetTaskResponse> answers) {
            answer(answers, GetTaskResponse.newBuilder().setTask(task).build());
        }

        @Override
        public void explainTask(ExplainTaskRequest request, StreamObserver<ExplainTaskResponse> answers) {
            ExplainTaskResponse.Builder answer = ExplainTaskResponse.newBuilder();
            if (task.hasReason()) {
                answer.setReason(task.getReason());
            }
            answer(answers, answer.build());
        }

        @Override
        public void watchTask(WatchTaskRequest request, StreamObserver<WatchTaskResponse> answers) {
            ((ServerCallStreamObserver<WatchTaskResponse>) answers).setOnCancelHandler(cancelled::countDown);
            Consumer<StreamObserver<WatchTaskResponse>> watch;
            synchronized (FakePool.this) {
                watch = watches.size() > 1 ? watches.poll() : watches.peek();
            }
            watch.accept(answers);
        }

        @Override
        public void createLogChallenge(
                CreateLogChallengeRequest request, StreamObserver<CreateLogChallengeResponse> answers) {
            String text = "{\"challenge\":" + calls().size() + "}";
            answer(answers, CreateLogChallengeResponse.newBuilder().setTypedDataJson(text).build());
        }

        @Override
        public void getTaskLogs(GetTaskLogsRequest request, StreamObserver<GetTaskLogsResponse> answers) {
            synchronized (FakePool.this) {
                logRequests.add(request);
            }
            String wallet = request.getWalletAddress();
            GetTaskLogsResponse.Builder answer = GetTaskLogsResponse.newBuilder()
                    .addComputeLogs(ComputeLogs.newBuilder().setWalletAddress(wallet.isEmpty() ? "0x1" : wallet));
            answer(answers, wallet.isEmpty() ? answer.addLeftOut("0x2").addLeftOut("0x3").build() : answer.build());
        }
    }

    private final class Pool extends PoolServiceImplBase {
        @Override
        public void getPoolStatus(GetPoolStatusRequest request, StreamObserver<GetPoolStatusResponse> answers) {
            answer(answers, GetPoolStatusResponse.newBuilder().setWorkerpool("0xPool").setVersion("1.2.3").build());
        }

        @Override
        public void listWorkers(ListWorkersRequest request, StreamObserver<ListWorkersResponse> answers) {
            answer(answers, pages.getOrDefault(request.getPageToken(), ListWorkersResponse.getDefaultInstance()));
        }

        @Override
        public void listRefusals(ListRefusalsRequest request, StreamObserver<ListRefusalsResponse> answers) {
            answer(answers, ListRefusalsResponse.getDefaultInstance());
        }
    }

    /** Returns a page of workers with these wallets. */
    static ListWorkersResponse page(String next, String... wallets) {
        ListWorkersResponse.Builder page = ListWorkersResponse.newBuilder().setNextPageToken(next);
        for (String wallet : wallets) {
            page.addWorkers(Worker.newBuilder().setWalletAddress(wallet).setName("n" + wallet).setSlots(2));
        }
        return page.build();
    }
}
