package workerpool

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
)

const (
	reasonInvalidTarget    = "INVALID_TARGET"
	reasonCleartextRefused = "CLEARTEXT_REFUSED"
	httpsPort              = "443"
)

// endpoint is where the pool is, and whether it is reached with TLS.
type endpoint struct {
	host string
	port string
	tls  bool
	// stated tells that the target's scheme chose between TLS and cleartext.
	stated bool
}

// address returns `host:port`, with an IPv6 address in brackets.
func (e endpoint) address() string { return net.JoinHostPort(e.host, e.port) }

// parseTarget reads `host:port`, `dns:///host:port`, `http://host:port` or `https://host[:port]`. Without http or https,
// only this host is reached in cleartext.
func parseTarget(target string) (endpoint, error) {
	scheme, rest, found := strings.Cut(target, "://")
	if !found {
		scheme, rest = "", target
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return parseURL(target)
	case "dns":
		if rest, found = strings.CutPrefix(rest, "/"); !found {
			return endpoint{}, invalidTarget(target)
		}
	case "":
	default:
		return endpoint{}, invalidTarget(target)
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil || host == "" || !validPort(port) {
		return endpoint{}, invalidTarget(target)
	}
	return endpoint{host: host, port: port, tls: !isLoopback(host)}, nil
}

func parseURL(target string) (endpoint, error) {
	parsed, err := url.Parse(target)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || strings.Trim(parsed.Path, "/") != "" ||
		parsed.RawQuery != "" || parsed.Fragment != "" {
		return endpoint{}, invalidTarget(target)
	}
	port, secure := parsed.Port(), parsed.Scheme == "https"
	if port == "" && secure {
		port = httpsPort
	}
	if !validPort(port) {
		return endpoint{}, invalidTarget(target)
	}
	return endpoint{host: parsed.Hostname(), port: port, tls: secure, stated: true}, nil
}

func validPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0
}

// isLoopback tells whether a host name or IP address means this machine only.
func isLoopback(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	switch strings.ToLower(strings.TrimSuffix(host, ".")) {
	case "localhost", "ip6-localhost", "ip6-loopback":
		return true
	}
	return false
}

// checkCleartext refuses credentials that would leave this host without TLS.
func checkCleartext(to endpoint, chosen settings) error {
	if chosen.authorization == "" || to.tls || chosen.allowCleartext || isLoopback(to.host) {
		return nil
	}
	return &Error{
		Code:     codes.InvalidArgument,
		Reason:   reasonCleartextRefused,
		Cause:    fmt.Sprintf("the credentials would travel to %s without TLS", to.host),
		NextStep: "give an https:// address, or allow cleartext if the network between the two is private",
	}
}

func invalidTarget(target string) error {
	return &Error{
		Code:     codes.InvalidArgument,
		Reason:   reasonInvalidTarget,
		Cause:    fmt.Sprintf("%q is no address of a pool", target),
		NextStep: "give host:port, http://host:port or https://host[:port] of core's gRPC port",
	}
}
