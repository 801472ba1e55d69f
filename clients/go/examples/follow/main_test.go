package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
	"workerpool.invalid/client/internal/pooltest"
)

const (
	firstWallet  = "0xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	secondWallet = "0xBbBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
)

// pool has two workers and one task, whose states it sends in order.
type pool struct {
	corev1.UnimplementedTaskServiceServer
	corev1.UnimplementedPoolServiceServer

	states  []*corev1.Task
	refusal error
	asked   int
}

func (p *pool) GetPoolStatus(context.Context, *corev1.GetPoolStatusRequest) (*corev1.GetPoolStatusResponse, error) {
	return &corev1.GetPoolStatusResponse{Workerpool: "0xF00", Version: "0.1.0"}, nil
}

func (p *pool) ListWorkers(context.Context, *corev1.ListWorkersRequest) (*corev1.ListWorkersResponse, error) {
	return &corev1.ListWorkersResponse{Workers: []*corev1.Worker{
		{WalletAddress: firstWallet, Name: "one", Slots: 2, Connected: true},
		{WalletAddress: secondWallet, Name: "two words", Slots: 1},
	}}, nil
}

func (p *pool) ListRefusals(context.Context, *corev1.ListRefusalsRequest) (*corev1.ListRefusalsResponse, error) {
	p.asked++
	return &corev1.ListRefusalsResponse{}, p.refusal
}

func (p *pool) WatchTask(
	request *corev1.WatchTaskRequest, stream grpc.ServerStreamingServer[corev1.WatchTaskResponse],
) error {
	if request.GetTaskId() != pooltest.TaskID {
		return pooltest.Refusal(
			codes.NotFound, "UNKNOWN_TASK", "no such task; look", map[string]string{"next_step": "look"},
		)
	}
	for _, state := range p.states {
		if err := stream.Send(&corev1.WatchTaskResponse{Task: state}); err != nil {
			return err
		}
	}
	return nil
}

func entry(status corev1.TaskStatus, block uint64) *corev1.TaskStatusChange {
	return &corev1.TaskStatusChange{Status: status, ChainReceipt: &corev1.ChainReceipt{BlockNumber: block}}
}

func replicate(wallet string, changes ...*corev1.ReplicateStatusChange) *corev1.Replicate {
	return &corev1.Replicate{WalletAddress: wallet, History: changes}
}

// report runs the program and returns what it printed.
func report(t *testing.T, server *pool, given arguments) (out, progress string, status corev1.TaskStatus, err error) {
	t.Helper()
	given.target = pooltest.Serve(t, server, server)
	var report, steps strings.Builder
	status, err = run(t.Context(), given, &report, &steps)
	return report.String(), steps.String(), status, err
}

func TestACompletedTaskIsReportedWithItsTimeline(t *testing.T) {
	started := &corev1.Task{
		Status:  corev1.TaskStatus_TASK_STATUS_RECEIVED,
		History: []*corev1.TaskStatusChange{entry(corev1.TaskStatus_TASK_STATUS_RECEIVED, 0)},
	}
	ended := &corev1.Task{
		Status: corev1.TaskStatus_TASK_STATUS_COMPLETED,
		History: append(slices.Clone(started.History),
			entry(corev1.TaskStatus_TASK_STATUS_INITIALIZED, 12),
			&corev1.TaskStatusChange{Status: corev1.TaskStatus_TASK_STATUS_COMPLETED},
		),
		Replicates: []*corev1.Replicate{
			replicate(secondWallet, &corev1.ReplicateStatusChange{
				Status: corev1.ReplicateStatus_REPLICATE_STATUS_FAILED,
				Cause:  corev1.ReplicateStatusCause_REPLICATE_STATUS_CAUSE_CONTRIBUTION_TIMEOUT,
			}),
			replicate(firstWallet,
				&corev1.ReplicateStatusChange{Status: corev1.ReplicateStatus_REPLICATE_STATUS_CREATED},
				&corev1.ReplicateStatusChange{Status: corev1.ReplicateStatus_REPLICATE_STATUS_COMPLETED},
			),
		},
		ResultLink: "/ipfs/Qm",
	}
	server := &pool{states: []*corev1.Task{started, started, ended}}
	out, progress, status, err := report(t, server, arguments{taskID: pooltest.TaskID})
	want := `pool 0xF00 version 0.1.0
worker ` + firstWallet + ` name=one slots=2 connected
worker ` + secondWallet + ` name=two words slots=1 away
workers 2
task ` + pooltest.TaskID + `
  RECEIVED
  INITIALIZED block 12
  COMPLETED
    ` + firstWallet + ` CREATED
    ` + firstWallet + ` COMPLETED
    ` + secondWallet + ` FAILED CONTRIBUTION_TIMEOUT
COMPLETED /ipfs/Qm
`
	if err != nil || out != want || status != ended.Status {
		t.Errorf("%v %v\n%s", status, err, out)
	}
	if progress != "… RECEIVED\n… COMPLETED\n" {
		t.Errorf("progress %q", progress)
	}
}

func TestAFailedTaskIsReportedWithItsReason(t *testing.T) {
	reason := &corev1.Reason{
		Code:     corev1.ReasonCode_REASON_CODE_APP_FAILED,
		Fault:    corev1.Fault_FAULT_APP,
		Sentence: "The app ended with exit code 3.",
		NextStep: "Read its logs.",
	}
	failed := &corev1.Task{Status: corev1.TaskStatus_TASK_STATUS_FAILED, Reason: reason}
	out, _, status, err := report(t, &pool{states: []*corev1.Task{failed}}, arguments{taskID: pooltest.TaskID})
	want := "reason APP_FAILED APP: The app ended with exit code 3.\nnext Read its logs.\nFAILED -\n"
	if err != nil || !strings.HasSuffix(out, want) || status != failed.Status {
		t.Errorf("%v %v\n%s", status, err, out)
	}
	reason.Fault = corev1.Fault_FAULT_UNSPECIFIED
	out, _, _, _ = report(t, &pool{states: []*corev1.Task{failed}}, arguments{taskID: pooltest.TaskID})
	if !strings.Contains(out, "reason APP_FAILED -: ") {
		t.Error(out)
	}
}

func TestCredentialsAreTriedBeforeAnythingIsPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := &pool{refusal: pooltest.Refusal(
		codes.Unauthenticated, "UNAUTHENTICATED", "wrong password; correct it", map[string]string{"next_step": "correct it"},
	)}
	given := arguments{taskID: pooltest.TaskID, user: "admin", passwordFile: file}
	out, progress, _, err := report(t, server, given)
	if err == nil || err.Error() != "UNAUTHENTICATED: wrong password; correct it" || out+progress != "" || server.asked != 1 {
		t.Errorf("%v %q %q", err, out, progress)
	}
	given.passwordFile += "x"
	if _, _, _, err = report(t, server, given); err == nil || !strings.HasPrefix(err.Error(), "PASSWORD_UNREADABLE: ") {
		t.Error(err)
	}
}

func TestAnUnknownTaskIsTheServersError(t *testing.T) {
	_, _, _, err := report(t, &pool{}, arguments{taskID: "0x66"})
	if err == nil || err.Error() != "UNKNOWN_TASK: no such task; look" {
		t.Error(err)
	}
}

func TestTheAddressOfNoPoolIsAnError(t *testing.T) {
	_, err := run(t.Context(), arguments{target: "nowhere", taskID: pooltest.TaskID}, os.Stdout, os.Stderr)
	if err == nil || !strings.HasPrefix(err.Error(), "INVALID_TARGET: ") {
		t.Error(err)
	}
	_, err = run(t.Context(), arguments{target: "https://localhost", ca: "missing.pem"}, os.Stdout, os.Stderr)
	if err == nil || !strings.HasPrefix(err.Error(), "TLS_FAILED: ") {
		t.Error(err)
	}
}

func TestArgumentsMayStandInAnyOrder(t *testing.T) {
	want := arguments{target: "t", taskID: "i", ca: "c", user: "u", passwordFile: "p"}
	for _, line := range []string{
		"t i --ca c --user u --password-file p", "--ca c t --password-file p --user u i",
	} {
		if got, err := parse(strings.Fields(line)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{
		"", "t", "t i more", "t i --ca", "t i --user u", "t i --password-file p", "t i --verbose", "t -h",
	} {
		if _, err := parse(strings.Fields(line)); err == nil {
			t.Errorf("%q is no usage", line)
		}
	}
}
