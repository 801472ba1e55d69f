package workerpool

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
	"workerpool.invalid/client/internal/pooltest"
)

// serveTLS starts a server with TLS and returns its address; with mutual it asks for the client's certificate.
func serveTLS(t *testing.T, with pooltest.Certificates, mutual bool) string {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{with.Server}}
	if mutual {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, with.CA
	}
	return pooltest.Serve(t, answersWith(&corev1.Task{}, nil), &pool{}, grpc.Creds(credentials.NewTLS(config)))
}

func TestACAFileMakesTheServerTrusted(t *testing.T) {
	certificates := pooltest.NewCertificates(t)
	address := serveTLS(t, certificates, false)
	for _, target := range []string{"https://" + address, address, "dns:///" + address} {
		client := connect(t, target, WithCAFile(certificates.CAFile), WithBasic("admin", "secret"))
		if _, err := client.Task(t.Context(), pooltest.TaskID); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestAClientCertificateIsShown(t *testing.T) {
	t.Parallel()
	certificates := pooltest.NewCertificates(t)
	target := "https://" + serveTLS(t, certificates, true)
	ca := WithCAFile(certificates.CAFile)
	with := connect(t, target, ca, WithClientCertificate(certificates.CertFile, certificates.KeyFile))
	if _, err := with.Task(t.Context(), pooltest.TaskID); err != nil {
		t.Error(err)
	}
	_, err := connect(t, target, ca).Task(t.Context(), pooltest.TaskID)
	if got := typed(t, err); got.Code != codes.Unavailable || !strings.Contains(got.NextStep, "client certificate") {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsWrongWithTLSIsTold(t *testing.T) {
	t.Parallel()
	secure := serveTLS(t, pooltest.NewCertificates(t), false)
	clear := pooltest.Serve(t, answersWith(&corev1.Task{}, nil), &pool{})
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	for target, want := range map[string]struct{ reason, nextStep string }{
		"https://" + secure: {"TLS_FAILED", "CA file"},
		"http://" + secure:  {"TLS_REQUIRED", "https://" + secure},
		"https://" + clear:  {"TLS_FAILED", "http://" + clear},
		web.URL:             {"UNREACHABLE", "core's gRPC port"},
	} {
		_, err := connect(t, target).Task(t.Context(), pooltest.TaskID)
		if got := typed(t, err); got.Reason != want.reason || !strings.Contains(got.NextStep, want.nextStep) {
			t.Errorf("%s: %+v", target, got)
		}
	}
}

func TestCertificatesThatCannotServeAreRefusedAtOnce(t *testing.T) {
	certificates := pooltest.NewCertificates(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, each := range map[string]struct {
		target string
		option Option
		reason string
	}{
		"missing CA":    {"https://localhost", WithCAFile(empty + "x"), "TLS_FAILED"},
		"empty CA":      {"https://localhost", WithCAFile(empty), "TLS_FAILED"},
		"missing key":   {"https://localhost", WithClientCertificate(certificates.CertFile, empty), "TLS_FAILED"},
		"CA without":    {"http://localhost:1", WithCAFile(certificates.CAFile), "TLS_REQUIRED"},
		"client's too":  {"http://localhost:1", WithClientCertificate(certificates.CertFile, ""), "TLS_REQUIRED"},
		"key alone":     {"https://localhost", WithClientCertificate("", certificates.KeyFile), "TLS_FAILED"},
		"key alone too": {"http://localhost:1", WithClientCertificate("", certificates.KeyFile), "TLS_REQUIRED"},
	} {
		if _, err := Connect(each.target, each.option); typed(t, err).Reason != each.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}
