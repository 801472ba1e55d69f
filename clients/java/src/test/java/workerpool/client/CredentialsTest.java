package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CredentialsTest {
    @Test
    void areSentWithEveryCall() throws Exception {
        try (FakePool server = new FakePool();
                Workerpool pool = Workerpool.connect(server.target(), Credentials.basic("admin", "pass:wörd"))) {
            pool.task(FakePool.TASK_ID);
            pool.explain(FakePool.TASK_ID);
            String expected = "Basic YWRtaW46cGFzczp3w7ZyZA==";
            assertEquals(List.of(expected, expected), server.authorizations);
        }
    }

    @Test
    void askForTheTokenBeforeEachCall() throws Exception {
        AtomicInteger count = new AtomicInteger();
        Credentials credentials = Credentials.bearer(() -> "token" + count.incrementAndGet());
        try (FakePool server = new FakePool(); Workerpool pool = Workerpool.connect(server.target(), credentials)) {
            pool.task(FakePool.TASK_ID);
            pool.task(FakePool.TASK_ID);
            assertEquals(List.of("Bearer token1", "Bearer token2"), server.authorizations);
        }
    }

    @Test
    void endTheCallWhenThereIsNoToken() throws Exception {
        Credentials credentials = Credentials.bearer(() -> {
            throw new IllegalStateException("the store is locked");
        });
        try (FakePool server = new FakePool(); Workerpool pool = Workerpool.connect(server.target(), credentials)) {
            WorkerpoolException failed =
                    assertThrows(WorkerpoolException.class, () -> pool.task(FakePool.TASK_ID));
            assertEquals("UNAUTHENTICATED", failed.reason());
            assertEquals("there is no token for the call: the store is locked", failed.cause());
            assertEquals(List.of(), server.calls());
        }
    }

    @Test
    void areNotNeeded() throws Exception {
        try (FakePool server = new FakePool(); Workerpool pool = Workerpool.connect(server.target())) {
            pool.task(FakePool.TASK_ID);
            assertEquals(Arrays.asList((String) null), server.authorizations);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://192.0.2.1:23000", "http://pool.example:23000"})
    void stayOnThisHostWithoutTls(String target) {
        Credentials credentials = Credentials.basic("admin", "secret");
        WorkerpoolException refused =
                assertThrows(WorkerpoolException.class, () -> Workerpool.connect(target, credentials));
        assertEquals("CLEARTEXT_REFUSED", refused.reason());
        assertFalse(refused.getMessage().contains("secret"));
        Workerpool.connect(target).close();
        Workerpool.connect(target, credentials, Options.defaults().withCleartextAllowed()).close();
    }

    @Test
    void areHiddenInTexts() {
        assertEquals("Credentials[hidden]", Credentials.bearer("secret").toString());
    }

    @Test
    void refuseWhatTheWireCannotCarry() {
        for (Runnable wrong : List.<Runnable>of(
                () -> Credentials.bearer("two words"),
                () -> Credentials.bearer("token\n"),
                () -> Credentials.bearer(""),
                () -> Credentials.basic("a:b", "c"))) {
            assertEquals(
                    "INVALID_CREDENTIALS", assertThrows(WorkerpoolException.class, wrong::run).reason());
        }
    }
}
