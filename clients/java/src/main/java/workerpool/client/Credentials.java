package workerpool.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** What proves who calls, sent with every call: a user and password, or a bearer token. */
public final class Credentials {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private static final Pattern TOKEN = Pattern.compile("[!-~]+");

    private final Supplier<String> authorization;

    private Credentials(Supplier<String> authorization) {
        this.authorization = authorization;
    }

    /**
     * Returns the credentials of a user, as an operator has them.
     *
     * @param user the name, without a colon
     * @param password the password
     * @return the credentials
     * @throws WorkerpoolException when the name holds a colon, which ends it on the wire (INVALID_CREDENTIALS)
     */
    public static Credentials basic(String user, String password) {
        if (user.indexOf(':') >= 0) {
            throw invalid("the name of the user holds a colon", "give the name and the password apart");
        }
        byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
        String value = "Basic " + Base64.getEncoder().encodeToString(pair);
        return new Credentials(() -> value);
    }

    /**
     * Returns the credentials of a bearer token.
     *
     * @param token the token
     * @return the credentials
     * @throws WorkerpoolException when it is empty or holds a blank or another character that no token may hold
     *     (INVALID_CREDENTIALS)
     */
    public static Credentials bearer(String token) {
        String value = bearerValue(token);
        return new Credentials(() -> value);
    }

    /**
     * Returns the credentials of a bearer token that changes.
     *
     * @param token returns the token; asked before each call, on a thread of the channel
     * @return the credentials
     */
    public static Credentials bearer(Supplier<String> token) {
        Objects.requireNonNull(token, "token");
        return new Credentials(() -> bearerValue(token.get()));
    }

    private static String bearerValue(String token) {
        if (!TOKEN.matcher(token).matches()) {
            throw invalid("the token is empty or holds a character that no token may hold", "give the token alone");
        }
        return "Bearer " + token;
    }

    private static WorkerpoolException invalid(String cause, String nextStep) {
        return new WorkerpoolException("INVALID_CREDENTIALS", cause, nextStep, Status.Code.INVALID_ARGUMENT);
    }

    /** Returns a text without the secret. */
    @Override
    public String toString() {
        return "Credentials[hidden]";
    }

    /** Returns these credentials as gRPC sends them. {@link Workerpool#connect} has checked that they may travel. */
    CallCredentials perCall() {
        return new CallCredentials() {
            @Override
            public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
                executor.execute(() -> {
                    try {
                        Metadata headers = new Metadata();
                        headers.put(AUTHORIZATION, authorization.get());
                        applier.apply(headers);
                    } catch (RuntimeException failed) {
                        applier.fail(Status.UNAUTHENTICATED
                                .withDescription("there is no token for the call: " + failed.getMessage())
                                .withCause(failed));
                    }
                });
            }
        };
    }
}
