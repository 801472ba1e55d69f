package workerpool.client;

import io.grpc.Status;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the pool is, and whether it is reached with TLS.
 *
 * @param host host name or IP address, an IPv6 address in brackets
 * @param port TCP port
 * @param tls whether TLS is used
 * @param stated whether the scheme chose between TLS and cleartext
 */
record Target(String host, int port, boolean tls, boolean stated) {
    private static final String HOST = "(?<host>\\[[0-9a-fA-F:.]+]|[A-Za-z0-9._-]+)";
    private static final Pattern URL =
            Pattern.compile("(?<scheme>https?)://" + HOST + "(:(?<port>\\d{1,5}))?/?", Pattern.CASE_INSENSITIVE);
    private static final Pattern PLAIN =
            Pattern.compile("(dns:///)?" + HOST + ":(?<port>\\d{1,5})", Pattern.CASE_INSENSITIVE);
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "ip6-localhost", "ip6-loopback");
    private static final int HTTPS_PORT = 443;
    private static final int LAST_PORT = 65_535;

    /**
     * Reads {@code host:port}, {@code dns:///host:port}, {@code http://host:port} or {@code https://host[:port]}. Without
     * http or https, only this host is reached in cleartext.
     */
    static Target parse(String text) {
        Matcher url = URL.matcher(text);
        if (url.matches()) {
            boolean tls = url.group("scheme").equalsIgnoreCase("https");
            return new Target(url.group("host"), port(text, url.group("port"), tls ? HTTPS_PORT : 0), tls, true);
        }
        Matcher plain = PLAIN.matcher(text);
        if (!plain.matches()) {
            throw invalid(text);
        }
        String host = plain.group("host");
        return new Target(host, port(text, plain.group("port"), 0), !isLoopback(host), false);
    }

    /** Returns this target with TLS. */
    Target withTls() {
        return new Target(host, port, true, stated);
    }

    /** Returns {@code host:port}. */
    String address() {
        return host + ":" + port;
    }

    /** Returns whether it means this machine only. */
    boolean isLoopback() {
        return isLoopback(host);
    }

    /** Returns the exception for a text that is no target. */
    static WorkerpoolException invalid(String text) {
        return new WorkerpoolException(
                "INVALID_TARGET",
                "\"" + text + "\" is no address of a pool",
                "give host:port, http://host:port or https://host[:port] of core's gRPC port",
                Status.Code.INVALID_ARGUMENT);
    }

    private static int port(String text, String digits, int otherwise) {
        int port = digits == null ? otherwise : Integer.parseInt(digits);
        if (port < 1 || port > LAST_PORT) {
            throw invalid(text);
        }
        return port;
    }

    private static boolean isLoopback(String host) {
        if (host.startsWith("[") || IPV4.matcher(host).matches()) {
            try {
                // An IP address is read, not looked up; an IPv4 address within IPv6 counts as itself.
                return InetAddress.getByName(host).isLoopbackAddress();
            } catch (UnknownHostException malformed) {
                return false;
            }
        }
        String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        return LOOPBACK_NAMES.contains(name.toLowerCase(Locale.ROOT));
    }
}
