package workerpool.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TargetTest {
    @ParameterizedTest
    @CsvSource({
        "localhost:23000, localhost:23000, false",
        "127.0.0.9:1, 127.0.0.9:1, false",
        "[::1]:23000, [::1]:23000, false",
        "[::ffff:127.0.0.1]:23000, [::ffff:127.0.0.1]:23000, false",
        "ip6-localhost:1, ip6-localhost:1, false",
        "dns:///localhost:23000, localhost:23000, false",
        "pool.example:23000, pool.example:23000, true",
        "127.example:23000, 127.example:23000, true",
        "dns:///pool.example:23000, pool.example:23000, true",
        "my_pool:23000, my_pool:23000, true",
        "[2001:db8::1]:23000, [2001:db8::1]:23000, true",
        "http://pool.example:23000, pool.example:23000, false",
        "HTTPS://pool.example, pool.example:443, true",
        "https://localhost:8443/, localhost:8443, true",
    })
    void readsAddressAndTls(String text, String address, boolean tls) {
        Target target = Target.parse(text);
        assertEquals(address, target.address());
        assertEquals(tls, target.tls());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "host", "host:", ":1", "host:0", "host:65536", "host:x", "http://host", "ftp://host:1", "https://host/path",
        "https://user:secret@host", "dns://1.1.1.1/host:1", "host:1:2", "https://", "unix:/run/socket", "host:1\n"
    })
    void refusesWhatIsNoAddress(String text) {
        WorkerpoolException refused = assertThrows(WorkerpoolException.class, () -> Workerpool.connect(text));
        assertEquals("INVALID_TARGET", refused.reason());
        assertTrue(refused.getMessage().matches("INVALID_TARGET: .+; give .+"), refused.getMessage());
    }
}
