package workerpool

import (
	"errors"
	"testing"
)

func TestATargetIsReadAsAddressAndTLS(t *testing.T) {
	for target, want := range map[string]struct {
		address string
		tls     bool
	}{
		"localhost:23000":             {"localhost:23000", false},
		"LocalHost.:23000":            {"LocalHost.:23000", false},
		"127.0.0.1:23000":             {"127.0.0.1:23000", false},
		"127.9.9.9:23000":             {"127.9.9.9:23000", false},
		"[::1]:23000":                 {"[::1]:23000", false},
		"[::ffff:127.0.0.1]:23000":    {"[::ffff:127.0.0.1]:23000", false},
		"pool.example:23000":          {"pool.example:23000", true},
		"localhost.example:23000":     {"localhost.example:23000", true},
		"10.0.0.1:23000":              {"10.0.0.1:23000", true},
		"dns:///pool.example:23000":   {"pool.example:23000", true},
		"dns:///localhost:23000":      {"localhost:23000", false},
		"http://pool.example:23000":   {"pool.example:23000", false},
		"http://pool.example:23000/":  {"pool.example:23000", false},
		"https://pool.example":        {"pool.example:443", true},
		"HTTPS://pool.example":        {"pool.example:443", true},
		"https://localhost:8443":      {"localhost:8443", true},
		"https://[2001:db8::1]":       {"[2001:db8::1]:443", true},
		"http://[2001:db8::1]:23000/": {"[2001:db8::1]:23000", false},
	} {
		to, err := parseTarget(target)
		if err != nil {
			t.Errorf("%s: %v", target, err)
		} else if to.address() != want.address || to.tls != want.tls {
			t.Errorf("%s: %s, TLS %t; want %s, TLS %t", target, to.address(), to.tls, want.address, want.tls)
		}
	}
}

func TestATargetThatIsNoneIsRefused(t *testing.T) {
	for _, target := range []string{
		"", "pool.example", ":23000", "localhost:0", "localhost:65536", "localhost:port", "2001:db8::1", "https://",
		"http://pool.example", "https://pool.example:0", "https://user:password@pool.example", "https://pool.example/core",
		"https://pool.example?page=1", "https://pool.example#top", "grpc://localhost:23000", "unix:///run/pool.sock",
		"dns://resolver/pool.example:23000", "http://[::1", "ftp://pool.example:21",
	} {
		_, err := Connect(target)
		var refused *Error
		if !errors.As(err, &refused) || refused.Reason != "INVALID_TARGET" || refused.NextStep == "" {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestCredentialsLeaveThisHostOnlyWithTLS(t *testing.T) {
	for _, credentials := range []Option{WithBasic("admin", "secret"), WithBearer("token")} {
		for target, want := range map[string]string{
			"http://192.0.2.1:23000":    "CLEARTEXT_REFUSED",
			"http://pool.example:23000": "CLEARTEXT_REFUSED",
			"http://localhost:23000":    "",
			"127.0.0.1:23000":           "",
			"pool.example:23000":        "",
			"https://192.0.2.1":         "",
		} {
			pool, err := Connect(target, credentials)
			var refused *Error
			if errors.As(err, &refused); want != "" && (refused == nil || refused.Reason != want) {
				t.Errorf("%s: %v", target, err)
			}
			if want == "" && err != nil {
				t.Errorf("%s: %v", target, err)
			}
			if err == nil {
				pool.Close()
			}
		}
	}
	pool, err := Connect("http://192.0.2.1:23000", WithBasic("admin", "secret"), WithAllowCleartext())
	if err != nil {
		t.Fatal(err)
	}
	pool.Close()
}
