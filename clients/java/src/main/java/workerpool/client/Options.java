package workerpool.client;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** How the pool is reached. It never changes: each {@code with} method returns a copy. */
public final class Options {
    /** The time that a unary call may take unless the options say otherwise. */
    public static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(10);

    /** The time that a watch waits for a server that is UNAVAILABLE; a restart of core takes less. */
    public static final Duration DEFAULT_WATCH_PATIENCE = Duration.ofSeconds(60);

    private final Path ca;
    private final Path certificate;
    private final Path key;
    private final Duration deadline;
    private final Duration watchPatience;
    private final boolean allowCleartext;

    private Options(
            Path ca, Path certificate, Path key, Duration deadline, Duration watchPatience, boolean allowCleartext) {
        this.ca = ca;
        this.certificate = certificate;
        this.key = key;
        this.deadline = deadline;
        this.watchPatience = watchPatience;
        this.allowCleartext = allowCleartext;
    }

    /**
     * Returns the options that {@link Workerpool#connect(String)} uses: the system's certificates and 10 s for each call.
     *
     * @return the default options
     */
    public static Options defaults() {
        return new Options(null, null, null, DEFAULT_DEADLINE, DEFAULT_WATCH_PATIENCE, false);
    }

    /**
     * Returns options that trust the certificates of a PEM file instead of the system's. They require TLS, also on this
     * host.
     *
     * @param file the PEM file
     * @return the options
     */
    public Options withCa(Path file) {
        return new Options(file, certificate, key, deadline, watchPatience, allowCleartext);
    }

    /**
     * Returns options that show a certificate to the server. They require TLS, also on this host.
     *
     * @param file PEM file of the certificate, followed by those between it and the CA's
     * @param keyFile PEM file of its private key, in the form PKCS #8
     * @return the options
     */
    public Options withClientCertificate(Path file, Path keyFile) {
        return new Options(ca, file, keyFile, deadline, watchPatience, allowCleartext);
    }

    /**
     * Returns options with another limit of each unary call. A watch has none.
     *
     * @param limit the time for the call and its retries; zero means no limit
     * @return the options
     * @throws IllegalArgumentException when the limit is negative
     */
    public Options withDeadline(Duration limit) {
        if (limit.isNegative()) {
            throw new IllegalArgumentException("the deadline is negative; give a duration, or zero for no limit");
        }
        return new Options(ca, certificate, key, limit, watchPatience, allowCleartext);
    }

    /**
     * Returns options with another time that a watch connects again while the server is UNAVAILABLE, before it ends with
     * the exception. Each state of the task starts the time again.
     *
     * @param limit the time; zero means that the first failure ends the watch
     * @return the options
     * @throws IllegalArgumentException when the limit is negative
     */
    public Options withWatchPatience(Duration limit) {
        if (limit.isNegative()) {
            throw new IllegalArgumentException("the patience is negative; give a duration, or zero for none");
        }
        return new Options(ca, certificate, key, deadline, limit, allowCleartext);
    }

    /**
     * Returns options that let credentials travel to another host without TLS, for a private network between the two.
     *
     * @return the options
     */
    public Options withCleartextAllowed() {
        return new Options(ca, certificate, key, deadline, watchPatience, true);
    }

    /** Returns the PEM file of certificates to trust. */
    Optional<Path> ca() {
        return Optional.ofNullable(ca);
    }

    /** Returns the PEM file of the certificate that is shown to the server. */
    Optional<Path> certificate() {
        return Optional.ofNullable(certificate);
    }

    /** Returns the PEM file of that certificate's private key. */
    Optional<Path> key() {
        return Optional.ofNullable(key);
    }

    /** Returns the limit of each unary call; zero means none. */
    Duration deadline() {
        return deadline;
    }

    /** Returns the time that a watch waits for a server that is UNAVAILABLE. */
    Duration watchPatience() {
        return watchPatience;
    }

    /** Returns whether credentials may travel to another host without TLS. */
    boolean allowCleartext() {
        return allowCleartext;
    }

    /** Returns whether only TLS can serve these options. */
    boolean requireTls() {
        return ca != null || certificate != null || key != null;
    }
}
