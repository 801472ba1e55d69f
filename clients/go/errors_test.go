package workerpool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"workerpool.invalid/client/internal/pooltest"
)

var core = endpoint{host: "pool.example", port: "23000", tls: true}

func typed(t *testing.T, err error) *Error {
	t.Helper()
	var found *Error
	if !errors.As(err, &found) {
		t.Fatalf("%v is no *Error", err)
	}
	return found
}

func TestAnAnswerOfTheServerKeepsItsReasonCauseAndNextStep(t *testing.T) {
	err := errorOf(pooltest.Refusal(
		codes.NotFound, "UNKNOWN_TASK", "no such task; look for it; on chain",
		map[string]string{"next_step": "look for it; on chain", "task_id": "0x55"},
	), core)
	got := typed(t, err)
	if got.Reason != "UNKNOWN_TASK" || got.Cause != "no such task" || got.NextStep != "look for it; on chain" {
		t.Errorf("%+v", got)
	}
	if got.Code != codes.NotFound || len(got.Details) != 1 || got.Details["task_id"] != "0x55" {
		t.Errorf("%+v", got)
	}
	if want := "UNKNOWN_TASK: no such task; look for it; on chain"; err.Error() != want {
		t.Errorf("%q", err.Error())
	}
}

func TestAnAnswerWithoutNextStepKeepsItsMessage(t *testing.T) {
	err := errorOf(pooltest.Refusal(codes.Internal, "INTERNAL", "a defect; search\nthe log", nil), core)
	if got := typed(t, err); got.Cause != "a defect; search\nthe log" || got.NextStep != "" {
		t.Errorf("%+v", got)
	}
	if want := "INTERNAL: a defect; search the log"; err.Error() != want {
		t.Errorf("the text is not one line: %q", err.Error())
	}
}

func TestTheErrorInfoOfAnotherDomainIsNotThePools(t *testing.T) {
	foreign, err := status.New(codes.PermissionDenied, "no").WithDetails(
		&errdetails.ErrorInfo{Reason: "QUOTA", Domain: "proxy.example"},
	)
	if err != nil {
		t.Fatal(err)
	}
	if got := typed(t, errorOf(foreign.Err(), core)); got.Reason != "PERMISSION_DENIED" {
		t.Errorf("%+v", got)
	}
}

func TestPackageStatusReadsATypedError(t *testing.T) {
	answered := errorOf(pooltest.Refusal(codes.NotFound, "UNKNOWN_TASK", "no such task", nil), core)
	refused := checkCleartext(endpoint{host: "192.0.2.1", port: "1"}, settings{authorization: "Basic"})
	for err, want := range map[error]codes.Code{
		answered: codes.NotFound, refused: codes.InvalidArgument, fmt.Errorf("list: %w", answered): codes.NotFound,
	} {
		if got := status.Code(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
	if details := status.Convert(answered).Details(); len(details) != 1 {
		t.Errorf("the details are lost: %v", details)
	}
}

func TestATypedErrorIsTheErrorOfItsContext(t *testing.T) {
	for want, code := range map[error]codes.Code{
		context.Canceled: codes.Canceled, context.DeadlineExceeded: codes.DeadlineExceeded,
	} {
		err := errorOf(status.Error(code, "over"), core)
		if !errors.Is(err, want) || errors.Is(err, io.EOF) {
			t.Errorf("%v is not %v", err, want)
		}
	}
}

func TestATypedErrorStaysAsItIs(t *testing.T) {
	err := errorOf(status.Error(codes.NotFound, "gone"), core)
	if errorOf(err, core) != err {
		t.Error("it was wrapped again")
	}
	if errorOf(nil, core) != nil {
		t.Error("no error became one")
	}
}

func TestEveryErrorOfTheTransportNamesANextStep(t *testing.T) {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		got := typed(t, errorOf(status.Error(code, "what gRPC says"), core))
		if got.Cause != "what gRPC says" || got.NextStep == "" || got.Code != code {
			t.Errorf("%v: %+v", code, got)
		}
		if want := statusName(code); code != codes.Unavailable && got.Reason != want {
			t.Errorf("%v: %s", code, got.Reason)
		}
	}
}

func TestTheTextOfTheTransportTellsWhatIsWrong(t *testing.T) {
	clear := endpoint{host: "pool.example", port: "13000"}
	for message, want := range map[string]struct {
		to     endpoint
		reason string
	}{
		"connect: connection refused":                                           {core, "UNREACHABLE"},
		"name resolver error: produced zero addresses":                          {core, "UNREACHABLE"},
		"tls: first record does not look like a TLS handshake":                  {core, "TLS_FAILED"},
		"x509: certificate signed by unknown authority":                         {core, "TLS_FAILED"},
		"error reading server preface: remote error: tls: certificate required": {core, "TLS_FAILED"},
		"error reading server preface: EOF":                                     {clear, "TLS_REQUIRED"},
		"error reading server preface: http2: frame too large, note that the frame header looked like an HTTP/1.1 header": {
			clear, "UNREACHABLE",
		},
	} {
		if got := typed(t, errorOf(status.Error(codes.Unavailable, message), want.to)); got.Reason != want.reason {
			t.Errorf("%s: %v", message, got)
		}
	}
}
