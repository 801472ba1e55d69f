package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TlsTest {
    @TempDir
    static Path folder;

    private static TestCertificates certificates;
    private static Path server;
    private static Path elsewhere;
    private static Path client;

    @BeforeAll
    static void makeCertificates() throws Exception {
        certificates = new TestCertificates(folder);
        server = certificates.certificate("server", "localhost");
        elsewhere = certificates.certificate("elsewhere", "pool.example");
        client = certificates.certificate("client", "client");
    }

    private static ServerCredentials credentials(Path certificate, String name) throws Exception {
        return TlsServerCredentials.create(certificate.toFile(), certificates.key(name).toFile());
    }

    private static Options trusting() {
        return Options.defaults().withCa(certificates.ca());
    }

    private static WorkerpoolException failure(String target, Options options) {
        try (Workerpool pool = Workerpool.connect(target, options)) {
            return assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
        }
    }

    @Test
    void trustsTheGivenCa() throws Exception {
        try (FakePool running = new FakePool(credentials(server, "server"));
                Workerpool stated = Workerpool.connect("https://" + running.target(), trusting());
                Workerpool implied = Workerpool.connect(
                        running.target(), Credentials.basic("admin", "secret"), trusting())) {
            stated.task(FakePool.TASK_ID);
            implied.task(FakePool.TASK_ID);
            assertEquals(2, running.calls().size());
        }
    }

    @Test
    void showsTheClientsCertificate() throws Exception {
        ServerCredentials mutual = TlsServerCredentials.newBuilder()
                .keyManager(server.toFile(), certificates.key("server").toFile())
                .trustManager(certificates.ca().toFile())
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
        Options shown = trusting().withClientCertificate(client, certificates.key("client"));
        try (FakePool running = new FakePool(mutual);
                Workerpool pool = Workerpool.connect("https://" + running.target(), shown)) {
            pool.task(FakePool.TASK_ID);
            WorkerpoolException refused = failure("https://" + running.target(), trusting());
            assertTrue(refused.reason().matches("TLS_FAILED|UNREACHABLE"), refused.getMessage());
        }
    }

    @Test
    void refusesAnotherCa() throws Exception {
        try (FakePool running = new FakePool(credentials(server, "server"))) {
            WorkerpoolException failed = failure("https://" + running.target(), Options.defaults());
            assertEquals("TLS_FAILED", failed.reason());
            assertTrue(failed.cause().startsWith("io exception: "), failed.cause());
            assertTrue(failed.nextStep().contains("CA file"), failed.getMessage());
        }
    }

    @Test
    void refusesTheCertificateOfAnotherHost() throws Exception {
        try (FakePool running = new FakePool(credentials(elsewhere, "elsewhere"))) {
            WorkerpoolException failed = failure("https://" + running.target(), trusting());
            assertEquals("TLS_FAILED", failed.reason());
            assertTrue(failed.nextStep().contains("host name"), failed.getMessage());
        }
    }

    @Test
    void tellsThatTheServerRequiresIt() throws Exception {
        try (FakePool running = new FakePool(credentials(server, "server"))) {
            WorkerpoolException failed = failure("http://" + running.target(), Options.defaults());
            assertTrue(failed.reason().matches("TLS_REQUIRED|UNREACHABLE"), failed.getMessage());
            assertTrue(failed.nextStep().contains("https://"), failed.getMessage());
        }
    }

    @Test
    void tellsThatTheServerHasNone() throws Exception {
        try (FakePool running = new FakePool()) {
            WorkerpoolException failed = failure("https://" + running.target(), trusting());
            assertEquals("TLS_FAILED", failed.reason());
            assertTrue(failed.nextStep().contains("http://"), failed.getMessage());
        }
    }

    @Test
    void refusesFilesThatHoldNoCertificate() throws Exception {
        Path empty = Files.createFile(folder.resolve("empty.pem"));
        Path text = Files.writeString(folder.resolve("text.pem"), "no certificate");
        Path none = folder.resolve("none.pem");
        for (Path wrong : new Path[] {empty, text, none, folder}) {
            Options options = Options.defaults().withCa(wrong);
            WorkerpoolException refused =
                    assertThrows(WorkerpoolException.class, () -> Workerpool.connect("https://localhost:1", options));
            assertEquals("TLS_FAILED", refused.reason());
            assertTrue(refused.cause().contains(wrong.toString()), refused.getMessage());
        }
    }

    @Test
    void refusesFilesThatHoldNoKey() throws Exception {
        Path text = Files.writeString(folder.resolve("key.pem"), "no key");
        for (Path wrong : new Path[] {text, folder.resolve("no key"), client}) {
            Options options = trusting().withClientCertificate(client, wrong);
            WorkerpoolException refused =
                    assertThrows(WorkerpoolException.class, () -> Workerpool.connect("https://localhost:1", options));
            assertEquals("TLS_FAILED", refused.reason());
            assertTrue(refused.nextStep().contains("PKCS #8"), refused.getMessage());
        }
    }

    @Test
    void refusesCertificatesWithoutIt() {
        WorkerpoolException refused = assertThrows(
                WorkerpoolException.class, () -> Workerpool.connect("http://localhost:1", trusting()));
        assertEquals("TLS_REQUIRED", refused.reason());
    }
}
