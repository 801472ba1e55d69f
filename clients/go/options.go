package workerpool

import (
	"context"
	"encoding/base64"
	"time"
)

// DefaultDeadline is the time that a call may take when neither its context nor [WithDeadline] says otherwise.
const DefaultDeadline = 10 * time.Second

// DefaultWatchPatience is the time that a watch waits for a server that is UNAVAILABLE; a restart of core takes less.
const DefaultWatchPatience = 60 * time.Second

// Option changes how [Connect] reaches the pool.
type Option func(*settings)

type settings struct {
	authorization  string
	caFile         string
	certFile       string
	keyFile        string
	deadline       time.Duration
	watchPatience  time.Duration
	allowCleartext bool
}

// WithBasic sends a user and password with every call. The last of WithBasic and WithBearer counts.
func WithBasic(user, password string) Option {
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	return func(s *settings) { s.authorization = value }
}

// WithBearer sends a bearer token with every call. The last of WithBasic and WithBearer counts.
func WithBearer(token string) Option {
	return func(s *settings) { s.authorization = "Bearer " + token }
}

// WithCAFile trusts the certificates of a PEM file instead of the system's. It requires TLS, also on this host.
func WithCAFile(path string) Option {
	return func(s *settings) { s.caFile = path }
}

// WithClientCertificate shows a certificate to the server: two PEM files. It requires TLS, also on this host.
func WithClientCertificate(certFile, keyFile string) Option {
	return func(s *settings) { s.certFile, s.keyFile = certFile, keyFile }
}

// WithDeadline limits each unary call whose context has no deadline; 0 means no limit. A watch has none.
func WithDeadline(limit time.Duration) Option {
	return func(s *settings) { s.deadline = limit }
}

// WithWatchPatience sets how long a watch connects again while the server is UNAVAILABLE, before it ends with the error.
// Each state of the task starts the time again; 0 means that the first failure ends the watch.
func WithWatchPatience(limit time.Duration) Option {
	return func(s *settings) { s.watchPatience = limit }
}

// WithAllowCleartext lets credentials travel to another host without TLS, for a private network between the two.
func WithAllowCleartext() Option {
	return func(s *settings) { s.allowCleartext = true }
}

// authorization adds the credentials to each call. Connect has checked that they may travel.
type authorization struct {
	value string
	tls   bool
}

func (a authorization) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": a.value}, nil
}

func (a authorization) RequireTransportSecurity() bool { return a.tls }
