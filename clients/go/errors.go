package workerpool

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Domain marks an ErrorInfo of this project's servers.
const Domain = "workerpool"

const nextStepKey = "next_step"

// Error is a failed call. errors.As finds it; [status.Code] reads its code.
type Error struct {
	// Reason is stable and UPPER_SNAKE, for programs: that of the server, such as UNKNOWN_TASK; UNREACHABLE, TLS_REQUIRED
	// or TLS_FAILED when no server answered; else the name of the gRPC status.
	Reason string
	// Cause tells in words what happened.
	Cause string
	// NextStep tells what to do; empty when the server names none.
	NextStep string
	// Code is the gRPC status.
	Code codes.Code
	// Details holds the server's facts for programs, such as the id of a record in its log.
	Details map[string]string

	wrapped error
}

// Error returns `REASON: cause; next step` in one line.
func (e *Error) Error() string {
	text := e.Reason + ": " + e.Cause
	if e.NextStep != "" {
		text += "; " + e.NextStep
	}
	return strings.Join(strings.Fields(text), " ")
}

// Unwrap returns the error that gRPC or the operating system reported, if any.
func (e *Error) Unwrap() error { return e.wrapped }

// Is lets errors.Is compare a call that was cancelled or too late with the errors of package context.
func (e *Error) Is(target error) bool {
	return (target == context.Canceled && e.Code == codes.Canceled) ||
		(target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded)
}

// GRPCStatus returns the status of the call, so that package status reads this error as gRPC's own.
func (e *Error) GRPCStatus() *status.Status {
	var original statusError
	if errors.As(e.wrapped, &original) {
		return original.GRPCStatus()
	}
	return status.New(e.Code, e.Cause)
}

// statusError is what gRPC's errors are. After the last retry gRPC wraps one, and status.Convert would put the wrapping
// into the message.
type statusError interface {
	error
	GRPCStatus() *status.Status
}

// errorOf returns nil for nil, else an *Error for the error of a call to an endpoint.
func errorOf(err error, to endpoint) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	failed := status.Convert(err)
	var original statusError
	if errors.As(err, &original) {
		failed = original.GRPCStatus()
	}
	for _, detail := range failed.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == Domain {
			return serverError(err, failed, info)
		}
	}
	return transportError(err, failed, to)
}

// serverError translates the answer of one of this project's servers. Its message is `cause; next step`; its metadata
// names the next step alone.
func serverError(err error, failed *status.Status, info *errdetails.ErrorInfo) *Error {
	details := make(map[string]string, len(info.GetMetadata()))
	for key, value := range info.GetMetadata() {
		if key != nextStepKey {
			details[key] = value
		}
	}
	nextStep := info.GetMetadata()[nextStepKey]
	cause := failed.Message()
	if nextStep != "" {
		cause = strings.TrimSuffix(cause, "; "+nextStep)
	}
	return &Error{
		Reason:   info.GetReason(),
		Cause:    cause,
		NextStep: nextStep,
		Code:     failed.Code(),
		Details:  details,
		wrapped:  err,
	}
}

// statusName returns the canonical name of a code, such as PERMISSION_DENIED.
func statusName(value codes.Code) string {
	return code.Code(value).String()
}
