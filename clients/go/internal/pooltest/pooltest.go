// Package pooltest serves the pool's services in the process of a test, on a free port of this host.
package pooltest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

// TaskID is a well-formed id of a task.
const TaskID = "0x5555555555555555555555555555555555555555555555555555555555555555"

// Serve starts a server of a pool; the test stops it at its end. It returns the address, `127.0.0.1:port`.
func Serve(t *testing.T, tasks corev1.TaskServiceServer, pool corev1.PoolServiceServer, options ...grpc.ServerOption) string {
	t.Helper()
	listener := Listen(t, "127.0.0.1:0")
	ServeOn(t, listener, tasks, pool, options...)
	return listener.Addr().String()
}

// Listen opens a port.
func Listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// ServeOn starts a server on an open port and returns it, so that a test can stop it early.
func ServeOn(t *testing.T, listener net.Listener, tasks corev1.TaskServiceServer, pool corev1.PoolServiceServer,
	options ...grpc.ServerOption) *grpc.Server {
	t.Helper()
	server := grpc.NewServer(options...)
	corev1.RegisterTaskServiceServer(server, tasks)
	corev1.RegisterPoolServiceServer(server, pool)
	go server.Serve(listener) //nolint:errcheck // It ends with the listener.
	t.Cleanup(server.Stop)
	return server
}

// Refusal returns an error as the pool's servers send it.
func Refusal(code codes.Code, reason, message string, metadata map[string]string) error {
	answer, err := status.New(code, message).WithDetails(
		&errdetails.ErrorInfo{Reason: reason, Domain: "workerpool", Metadata: metadata},
	)
	if err != nil {
		panic(err) // Only the code OK takes no details.
	}
	return answer.Err()
}

// Certificates are those of a server on 127.0.0.1 and of a client, signed by one CA.
type Certificates struct {
	// CAFile, CertFile and KeyFile are PEM files: the CA, and the client's certificate and key.
	CAFile, CertFile, KeyFile string
	// Server is the server's certificate.
	Server tls.Certificate
	// CA holds the CA alone.
	CA *x509.CertPool
}

// NewCertificates makes certificates in the test's own folder.
func NewCertificates(t *testing.T) Certificates {
	t.Helper()
	folder := t.TempDir()
	made := Certificates{
		CAFile:   filepath.Join(folder, "ca.pem"),
		CertFile: filepath.Join(folder, "client.pem"),
		KeyFile:  filepath.Join(folder, "client.key"),
		CA:       x509.NewCertPool(),
	}
	caKey := newKey(t)
	ca := template(1)
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	caDER := sign(t, ca, ca, caKey, caKey)
	parsed, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	made.CA.AddCert(parsed)
	write(t, made.CAFile, "CERTIFICATE", caDER)

	serverKey := newKey(t)
	server := template(2)
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	made.Server = tls.Certificate{Certificate: [][]byte{sign(t, server, ca, serverKey, caKey)}, PrivateKey: serverKey}

	clientKey := newKey(t)
	write(t, made.CertFile, "CERTIFICATE", sign(t, template(3), ca, clientKey, caKey))
	clientDER, err := x509.MarshalECPrivateKey(clientKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, made.KeyFile, "EC PRIVATE KEY", clientDER)
	return made
}

func template(serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: "pooltest"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		BasicConstraintsValid: true,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, certificate, ca *x509.Certificate, key, caKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, certificate, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func write(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
