package workerpool.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A call failed. {@link #getMessage} returns {@code REASON: cause; next step} in one line. {@link #getCause} returns the
 * exception of gRPC or of the operating system, if there is one.
 */
public final class WorkerpoolException extends RuntimeException {
    /** The domain of every ErrorInfo that a server of this project sends. */
    public static final String DOMAIN = "workerpool";

    private static final long serialVersionUID = 1L;
    private static final String NEXT_STEP = "next_step";

    /** The stable reason. */
    private final String reason;
    /** What happened. */
    private final String cause;
    /** What to do. */
    private final String nextStep;
    /** The gRPC status. */
    private final Status.Code code;
    /** The server's facts. */
    private final Map<String, String> details;

    private WorkerpoolException(
            String reason,
            String cause,
            String nextStep,
            Status.Code code,
            Map<String, String> details,
            Throwable wrapped) {
        super(oneLine(reason + ": " + cause + (nextStep.isEmpty() ? "" : "; " + nextStep)), wrapped);
        this.reason = reason;
        this.cause = cause;
        this.nextStep = nextStep;
        this.code = code;
        this.details = Map.copyOf(details);
    }

    /** Describes what this client refused itself. */
    WorkerpoolException(String reason, String cause, String nextStep, Status.Code code) {
        this(reason, cause, nextStep, code, Map.of(), null);
    }

    /** Describes what this client could not do, because of another exception. */
    WorkerpoolException(String reason, String cause, String nextStep, Status.Code code, Throwable wrapped) {
        this(reason, cause, nextStep, code, Map.of(), wrapped);
    }

    /**
     * Returns the exception that tells what a failed call of a generated stub means.
     *
     * @param failed the exception that the stub threw
     * @return the reason, cause and next step of it
     */
    public static WorkerpoolException of(StatusRuntimeException failed) {
        Optional<ErrorInfo> info = errorInfo(failed);
        if (info.isPresent()) {
            return ofServer(failed, info.get());
        }
        TransportFailure told = TransportFailure.of(failed);
        return new WorkerpoolException(
                told.reason(), told.cause(), told.nextStep(), failed.getStatus().getCode(), Map.of(), failed);
    }

    /** Returns this exception with the time that the server was awaited in its cause. */
    WorkerpoolException afterWaiting(Duration waited) {
        String told = String.format(Locale.ROOT, "%s (waited %.1f s)", cause, waited.toMillis() / 1_000.0);
        return new WorkerpoolException(reason, told, nextStep, code, details, getCause());
    }

    /**
     * Returns the stable reason for programs, in upper case: the server's, such as {@code UNKNOWN_TASK}; {@code
     * UNREACHABLE}, {@code TLS_REQUIRED} or {@code TLS_FAILED} when no server answered; else the name of the gRPC status.
     *
     * @return the reason
     */
    public String reason() {
        return reason;
    }

    /**
     * Returns what happened, in words.
     *
     * @return the cause; {@link #getCause} is the exception behind it
     */
    public String cause() {
        return cause;
    }

    /**
     * Returns what to do, in words.
     *
     * @return the next step; empty when the server names none
     */
    public String nextStep() {
        return nextStep;
    }

    /**
     * Returns the gRPC status of the call.
     *
     * @return the status code
     */
    public Status.Code code() {
        return code;
    }

    /**
     * Returns the server's facts for programs, such as the id of a record in its log.
     *
     * @return the facts by name
     */
    public Map<String, String> details() {
        return details;
    }

    /** Returns the ErrorInfo that a server of this project attached. */
    private static Optional<ErrorInfo> errorInfo(StatusRuntimeException failed) {
        com.google.rpc.Status status;
        try {
            status = StatusProto.fromThrowable(failed);
        } catch (IllegalArgumentException contradictory) {
            // The details name another code than the call: a proxy replaced the status.
            return Optional.empty();
        }
        for (Any detail : status.getDetailsList()) {
            try {
                if (detail.is(ErrorInfo.class) && detail.unpack(ErrorInfo.class).getDomain().equals(DOMAIN)) {
                    return Optional.of(detail.unpack(ErrorInfo.class));
                }
            } catch (InvalidProtocolBufferException malformed) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    /** Translates the answer of a server: its message is {@code cause; next step}, its metadata names the next step. */
    private static WorkerpoolException ofServer(StatusRuntimeException failed, ErrorInfo info) {
        Map<String, String> details = new TreeMap<>(info.getMetadataMap());
        String told = details.remove(NEXT_STEP);
        String nextStep = told == null ? "" : told;
        String description = failed.getStatus().getDescription();
        String cause = description == null ? "" : description;
        if (!nextStep.isEmpty() && cause.endsWith("; " + nextStep)) {
            cause = cause.substring(0, cause.length() - nextStep.length() - 2);
        }
        return new WorkerpoolException(
                info.getReason(), cause, nextStep, failed.getStatus().getCode(), details, failed);
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }
}
