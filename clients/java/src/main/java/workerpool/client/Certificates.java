package workerpool.client;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;

/** The certificates of a connection. */
final class Certificates {
    private static final String GIVE_CA = "give a PEM file with the certificates of a CA";
    private static final String GIVE_PAIR =
            "give the PEM files of a certificate and its private key, the key in the form PKCS #8";

    private Certificates() {}

    /** Returns the credentials of the connection, after a look into the files that the options name. */
    static ChannelCredentials of(Target target, Options options) {
        if (!target.tls()) {
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
        try {
            if (options.ca().isPresent()) {
                check(options.ca().get(), GIVE_CA);
                credentials.trustManager(options.ca().get().toFile());
            }
        } catch (IOException unreadable) {
            throw unreadable(options.ca().get(), unreadable, GIVE_CA);
        }
        try {
            if (options.certificate().isPresent() && options.key().isPresent()) {
                check(options.certificate().get(), GIVE_PAIR);
                credentials.keyManager(options.certificate().get().toFile(), options.key().get().toFile());
            }
        } catch (IOException unreadable) {
            throw unreadable(options.key().get(), unreadable, GIVE_PAIR);
        }
        return credentials.build();
    }

    /** Returns the exception for certificates that gRPC refuses. */
    static WorkerpoolException refused(RuntimeException refused) {
        return failed(String.valueOf(refused.getMessage()), GIVE_PAIR, refused);
    }

    private static void check(Path file, String nextStep) {
        try (InputStream content = Files.newInputStream(file)) {
            if (CertificateFactory.getInstance("X.509").generateCertificates(content).isEmpty()) {
                throw failed(file + " holds no certificate", nextStep, null);
            }
        } catch (CertificateException malformed) {
            throw failed(file + " holds no certificate: " + malformed.getMessage(), nextStep, malformed);
        } catch (IOException unreadable) {
            throw unreadable(file, unreadable, nextStep);
        }
    }

    private static WorkerpoolException unreadable(Path file, IOException unreadable, String nextStep) {
        return failed(
                "cannot read " + file + " (" + unreadable.getClass().getSimpleName() + ")", nextStep, unreadable);
    }

    private static WorkerpoolException failed(String cause, String nextStep, Exception wrapped) {
        return new WorkerpoolException("TLS_FAILED", cause, nextStep, Status.Code.INVALID_ARGUMENT, wrapped);
    }
}
