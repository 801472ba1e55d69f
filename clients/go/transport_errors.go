package workerpool

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	reasonUnreachable = "UNREACHABLE"
	reasonTLSRequired = "TLS_REQUIRED"
	reasonTLSFailed   = "TLS_FAILED"
)

// transportError names what went wrong when the answer came from no server of this project: gRPC tells it in the text of
// its status only.
func transportError(err error, failed *status.Status, to endpoint) *Error {
	message := failed.Message()
	reason, nextStep := statusName(failed.Code()), ""
	switch failed.Code() {
	case codes.Unavailable:
		reason, nextStep = unavailable(message, to)
	case codes.DeadlineExceeded:
		nextStep = "give the call more time, or check that " + to.address() + " is the gRPC port of the pool"
		if strings.Contains(message, "while waiting for connections to become ready") {
			reason, nextStep = reasonUnreachable, checkAddress(to)
		}
	case codes.Canceled:
		nextStep = "call again if the program did not mean to cancel it"
	case codes.Unimplemented:
		nextStep = "check that " + to.address() + " is core's gRPC port, and that the pool is not older than this client"
	case codes.Unauthenticated, codes.PermissionDenied:
		nextStep = "check the credentials, and those of the reverse proxy before the pool"
	case codes.ResourceExhausted:
		nextStep = "ask for smaller pages, or call again later"
	default:
		nextStep = "check that " + to.address() + " is core's gRPC port, and look into the log of the pool"
	}
	return &Error{Reason: reason, Cause: message, NextStep: nextStep, Code: failed.Code(), wrapped: err}
}

// unavailable returns the reason and next step of a connection that did not come about or was lost.
func unavailable(message string, to endpoint) (reason, nextStep string) {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("first record does not look like a TLS handshake"):
		return reasonTLSFailed, "the server answers without TLS: give http://" + to.address() + " if that is intended"
	case has("remote error: tls:"):
		return reasonTLSFailed, "the server refused the handshake: give the client certificate that it asks for"
	case has("authentication handshake failed") || has("x509:"):
		return reasonTLSFailed, "give the CA file that signed the server's certificate, and the host name that it states"
	case has("looked like an HTTP/1.1 header"):
		return reasonUnreachable, to.address() + " speaks HTTP, not gRPC: give core's gRPC port, 10000 above its HTTP port"
	case !to.tls && has("error reading server preface"):
		return reasonTLSRequired, "the server most likely requires TLS: give https://" + to.address()
	case to.tls && (has("error reading server preface") || has("broken pipe") || has("connection reset")):
		// The alert of a server that misses a certificate often arrives too late to be read.
		return reasonUnreachable, "check that the pool runs, and give the client certificate if the server asks for one"
	}
	return reasonUnreachable, checkAddress(to)
}

func checkAddress(to endpoint) string {
	return "check the address and port " + to.address() + ", and that the pool runs"
}
