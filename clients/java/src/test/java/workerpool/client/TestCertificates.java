package workerpool.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A CA of its own in a folder, which the JDK's keytool makes, and the PEM files of certificates that it signs. */
final class TestCertificates {
    private static final String PASSWORD = "not secret";
    private final Path folder;

    TestCertificates(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=test CA", "-ext", "bc:c", "-keystore", store("ca"));
        keytool("-exportcert", "-rfc", "-alias", "ca", "-file", ca().toString(), "-keystore", store("ca"));
    }

    /** Returns the PEM file of the CA's certificate. */
    Path ca() {
        return folder.resolve("ca.pem");
    }

    /** Signs a certificate for a host, and returns its PEM file. */
    Path certificate(String name, String host) throws IOException, InterruptedException, GeneralSecurityException {
        keytool("-genkeypair", "-alias", name, "-dname", "CN=" + name, "-keystore", store(name));
        String request = folder.resolve(name + ".csr").toString();
        String signed = folder.resolve(name + ".pem").toString();
        keytool("-certreq", "-alias", name, "-file", request, "-keystore", store(name));
        keytool(
                "-gencert", "-rfc", "-alias", "ca", "-infile", request, "-outfile", signed, "-ext", "san=dns:" + host,
                "-keystore", store("ca"));
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream content = Files.newInputStream(Path.of(store(name)))) {
            keys.load(content, PASSWORD.toCharArray());
        }
        byte[] key = keys.getKey(name, PASSWORD.toCharArray()).getEncoded();
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key);
        Files.writeString(key(name), "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n");
        return Path.of(signed);
    }

    /** Returns the PEM file of a certificate's private key. */
    Path key(String name) {
        return folder.resolve(name + "-key.pem");
    }

    private String store(String name) {
        return folder.resolve(name + ".p12").toString();
    }

    private void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storepass", PASSWORD, "-storetype", "PKCS12"));
        if (arguments[0].equals("-genkeypair")) {
            command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        }
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (keytool.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": " + output);
        }
    }
}
