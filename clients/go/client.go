package workerpool

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

const (
	// The server closes connections that ping more often than every 10 s.
	keepaliveTime    = 60 * time.Second
	keepaliveTimeout = 15 * time.Second
	connectTimeout   = 5 * time.Second
)

// Client calls one pool. It is safe for concurrent use.
type Client struct {
	// Tasks holds every call of the task service.
	Tasks corev1.TaskServiceClient
	// Pool holds every call of the pool service, for operators.
	Pool corev1.PoolServiceClient
	// Deals holds every call of the deal service.
	Deals corev1.DealServiceClient

	connection *grpc.ClientConn
	patience   time.Duration
}

// Connect returns a client of the pool at target: `host:port`, `http://host:port` (cleartext), `https://host[:port]`
// (TLS, port 443 by default) or `dns:///host:port`, with core's gRPC port. Without http or https it uses TLS, except on
// this host. It opens the connection at the first call.
//
// It fails with an [*Error] for an address that is none (INVALID_TARGET), for credentials that would leave this host
// without TLS (CLEARTEXT_REFUSED), and for certificates that cannot be read (TLS_FAILED).
func Connect(target string, options ...Option) (*Client, error) {
	chosen := settings{deadline: DefaultDeadline, watchPatience: DefaultWatchPatience}
	for _, option := range options {
		option(&chosen)
	}
	to, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	transport, to, err := transportCredentials(to, chosen)
	if err != nil {
		return nil, err
	}
	if err := checkCleartext(to, chosen); err != nil {
		return nil, err
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("workerpool-go/" + Version),
		grpc.WithDefaultServiceConfig(serviceConfig()),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			// gRPC's own backoff starts at a second, so a retry would fail without a new attempt to connect.
			Backoff: grpcbackoff.Config{
				BaseDelay: firstBackoff, Multiplier: backoffMultiplier, Jitter: jitter, MaxDelay: longestBackoff,
			},
			MinConnectTimeout: connectTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.WithChainUnaryInterceptor(unaryErrors(to), unaryDeadline(chosen.deadline)),
		grpc.WithChainStreamInterceptor(streamErrors(to)),
	}
	if chosen.authorization != "" {
		dial = append(dial, grpc.WithPerRPCCredentials(authorization{chosen.authorization, to.tls}))
	}
	connection, err := grpc.NewClient("dns:///"+to.address(), dial...)
	if err != nil {
		return nil, invalidTarget(target)
	}
	return &Client{
		Tasks:      corev1.NewTaskServiceClient(connection),
		Pool:       corev1.NewPoolServiceClient(connection),
		Deals:      corev1.NewDealServiceClient(connection),
		connection: connection,
		patience:   chosen.watchPatience,
	}, nil
}

// Close ends the connection and every call on it.
func (c *Client) Close() error { return c.connection.Close() }

// Connection returns the connection, for stubs that the client does not hold.
func (c *Client) Connection() grpc.ClientConnInterface { return c.connection }

// transportCredentials returns the credentials of the connection. Certificates require TLS, so they turn it on where the
// target left the choice.
func transportCredentials(to endpoint, chosen settings) (credentials.TransportCredentials, endpoint, error) {
	if certificates := chosen.caFile + chosen.certFile + chosen.keyFile; certificates != "" && !to.tls {
		if to.stated {
			return nil, to, &Error{
				Code:     codes.InvalidArgument,
				Reason:   reasonTLSRequired,
				Cause:    "certificates are of no use to an http:// address",
				NextStep: "give https://" + to.address(),
			}
		}
		to.tls = true
	}
	if !to.tls {
		return insecure.NewCredentials(), to, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if chosen.caFile != "" {
		trusted, err := readCertificates(chosen.caFile)
		if err != nil {
			return nil, to, unreadable(err, "give a PEM file with the certificates of a CA")
		}
		config.RootCAs = trusted
	}
	if chosen.certFile != "" || chosen.keyFile != "" {
		certificate, err := tls.LoadX509KeyPair(chosen.certFile, chosen.keyFile)
		if err != nil {
			return nil, to, unreadable(err, "give the PEM files of a certificate and its private key")
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return credentials.NewTLS(config), to, nil
}

func readCertificates(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return trusted, nil
}

func unreadable(err error, nextStep string) error {
	return &Error{
		Code: codes.InvalidArgument, Reason: reasonTLSFailed, Cause: err.Error(), NextStep: nextStep, wrapped: err,
	}
}

// Must returns value, or panics with err. It shortens programs that end at the first error.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
