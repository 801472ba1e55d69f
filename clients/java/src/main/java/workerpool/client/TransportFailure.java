package workerpool.client;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/**
 * What the failure of a call means that no server of this project answered. gRPC tells it in texts and in the chain of
 * causes only.
 *
 * @param reason the stable reason
 * @param cause what happened
 * @param nextStep what to check
 */
record TransportFailure(String reason, String cause, String nextStep) {
    private static final Pattern NOT_HTTP2 =
            Pattern.compile("First received frame was not SETTINGS\\. Hex dump for first 5 bytes: (\\p{XDigit}+)");
    private static final Pattern PIPELINE = Pattern.compile("\\s*Channel Pipeline: \\[[^]]*]");
    private static final String TLS_ALERT = "15";
    private static final String NEVER_CONNECTED = "waiting_for_connection";
    private static final String CHECK_ADDRESS =
            "check the address and port, and that the pool runs; a server with TLS needs an https:// address";
    private static final String CHECK_PORT = "give core's gRPC port, 10000 above its HTTP port";
    private static final String CHECK_CREDENTIALS = "check the user and password, or the token";
    private static final String CHECK_CERTIFICATE =
            "give the CA file that signed the server's certificate, and the host name that it states";
    private static final String CHECK_TLS = "check the port, or give an http:// address for a server without TLS";
    private static final String MORE_TIME = "give the call more time, or check that the address is the pool's gRPC port";
    private static final String CALL_AGAIN = "call again if the program did not mean to cancel it";
    private static final String CHECK_SERVER =
            "check that the address is core's gRPC port, and compare the pool's version with the client's";

    /** Returns the meaning of a failed call. */
    static TransportFailure of(StatusRuntimeException failed) {
        Status status = failed.getStatus();
        String cause = text(status);
        Matcher notHttp2 = NOT_HTTP2.matcher(cause);
        if (notHttp2.find()) {
            return notHttp2.group(1).startsWith(TLS_ALERT)
                    ? new TransportFailure("TLS_REQUIRED", "the server requires TLS", "give an https:// address")
                    : new TransportFailure("UNREACHABLE", "the server does not speak gRPC", CHECK_PORT);
        }
        String name = status.getCode().name();
        return switch (status.getCode()) {
            case UNAVAILABLE -> unavailable(status, cause);
            case DEADLINE_EXCEEDED -> cause.contains(NEVER_CONNECTED)
                    ? new TransportFailure("UNREACHABLE", cause, CHECK_ADDRESS)
                    : new TransportFailure(name, cause, MORE_TIME);
            case CANCELLED -> new TransportFailure(name, cause, CALL_AGAIN);
            case UNAUTHENTICATED, PERMISSION_DENIED -> new TransportFailure(name, cause, CHECK_CREDENTIALS);
            default -> new TransportFailure(name, cause, CHECK_SERVER);
        };
    }

    private static TransportFailure unavailable(Status status, String cause) {
        for (Throwable each = status.getCause(); each != null; each = each.getCause()) {
            // The class belongs to the shaded Netty, which this package does not compile against.
            if (each.getClass().getSimpleName().equals("NotSslRecordException")) {
                return new TransportFailure("TLS_FAILED", "the server does not answer with TLS", CHECK_TLS);
            }
            if (each instanceof SSLException) {
                return new TransportFailure("TLS_FAILED", cause, CHECK_CERTIFICATE);
            }
        }
        return new TransportFailure("UNREACHABLE", cause, CHECK_ADDRESS);
    }

    /** Returns the message of the status with those of its causes that say more. */
    private static String text(Status status) {
        List<String> parts = new ArrayList<>();
        if (status.getDescription() != null) {
            // The handlers of the connection tell a user nothing.
            parts.add(PIPELINE.matcher(status.getDescription()).replaceAll(""));
        }
        for (Throwable each = status.getCause(); each != null; each = each.getCause()) {
            String message = each.getMessage();
            if (message != null && parts.stream().noneMatch(part -> part.contains(message))) {
                parts.add(message);
            }
        }
        return parts.isEmpty() ? "the call ended with " + status.getCode() : String.join(": ", parts);
    }
}
