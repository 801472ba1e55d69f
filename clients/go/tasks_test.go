package workerpool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
	"workerpool.invalid/client/internal/pooltest"
)

type watchStream = grpc.ServerStreamingServer[corev1.WatchTaskResponse]

const (
	received  = corev1.TaskStatus_TASK_STATUS_RECEIVED
	running   = corev1.TaskStatus_TASK_STATUS_RUNNING
	completed = corev1.TaskStatus_TASK_STATUS_COMPLETED
)

// scripted returns a WatchTask that plays one part of the script per stream, and then repeats its last part.
func scripted(parts ...func(watchStream) error) *tasks {
	played := 0
	return &tasks{watch: func(_ *corev1.WatchTaskRequest, stream watchStream) error {
		part := parts[min(played, len(parts)-1)]
		played++
		return part(stream)
	}}
}

// sends returns a part that sends these statuses, then ends with err.
func sends(err error, statuses ...corev1.TaskStatus) func(watchStream) error {
	return func(stream watchStream) error {
		for _, each := range statuses {
			answer := &corev1.WatchTaskResponse{Task: &corev1.Task{TaskId: pooltest.TaskID, Status: each}}
			if err := stream.Send(answer); err != nil {
				return err
			}
		}
		return err
	}
}

var unavailableNow = pooltest.Refusal(codes.Unavailable, "STOPPING", "the server stops; connect again", nil)

// watched collects what a watch yields.
func watched(t *testing.T, server *tasks, options ...Option) (seen []corev1.TaskStatus, failed error) {
	t.Helper()
	client := connect(t, pooltest.Serve(t, server, &pool{}), options...)
	for task, err := range client.WatchTask(t.Context(), pooltest.TaskID) {
		if failed != nil {
			t.Fatalf("the sequence continues after %v", failed)
		}
		if failed = err; err == nil {
			seen = append(seen, task.GetStatus())
		}
	}
	return seen, failed
}

func TestAWatchYieldsEachStateUntilTheServerEndsIt(t *testing.T) {
	seen, err := watched(t, scripted(sends(nil, received, running, completed)))
	if err != nil || !slices.Equal(seen, []corev1.TaskStatus{received, running, completed}) {
		t.Errorf("%v, %v", seen, err)
	}
}

func TestAWatchConnectsAgainWhileTheServerIsUnavailable(t *testing.T) {
	t.Parallel()
	lost := sends(unavailableNow)
	seen, err := watched(t, scripted(
		lost, lost, lost, lost, lost, sends(unavailableNow, received, running), lost, lost,
		sends(unavailableNow, running), lost, lost, sends(nil, running, completed),
	))
	if err != nil || !slices.Equal(seen, []corev1.TaskStatus{received, running, completed}) {
		t.Errorf("%v, %v", seen, err)
	}
}

func TestAWatchTellsHowLongItWaited(t *testing.T) {
	t.Parallel()
	opened := 0
	server := &tasks{watch: func(_ *corev1.WatchTaskRequest, stream watchStream) error {
		opened++
		return unavailableNow
	}}
	seen, err := watched(t, server, WithWatchPatience(time.Second/2))
	failed := typed(t, err)
	if len(seen) != 0 || failed.Reason != "STOPPING" || opened < 2 || !strings.Contains(failed.Cause, "(waited 0.") {
		t.Errorf("%v, %v after %d streams", seen, err, opened)
	}
}

func TestAWatchOfAServerThatStaysAwayIsUnreachable(t *testing.T) {
	t.Parallel()
	listener := pooltest.Listen(t, "127.0.0.1:0")
	server := pooltest.ServeOn(t, listener, scripted(sends(nil, received)), &pool{})
	server.Stop()
	client := connect(t, listener.Addr().String(), WithWatchPatience(time.Second/2))
	for _, err := range client.WatchTask(t.Context(), pooltest.TaskID) {
		if got := typed(t, err); got.Reason != "UNREACHABLE" || !strings.Contains(got.Cause, " (waited ") {
			t.Errorf("%+v", got)
		}
	}
}

func TestATimeOfSilenceIsNoPartOfThePatience(t *testing.T) {
	t.Parallel()
	quiet := func(stream watchStream) error {
		if err := sends(nil, received)(stream); err != nil {
			return err
		}
		time.Sleep(time.Second) // Longer than the patience.
		return unavailableNow
	}
	seen, err := watched(t, scripted(quiet, sends(nil, completed)), WithWatchPatience(time.Second/2))
	if err != nil || !slices.Equal(seen, []corev1.TaskStatus{received, completed}) {
		t.Errorf("%v, %v", seen, err)
	}
}

func TestAWatchEndsWithEveryOtherError(t *testing.T) {
	for _, code := range []codes.Code{codes.NotFound, codes.Internal, codes.ResourceExhausted, codes.Unauthenticated} {
		refusal := pooltest.Refusal(code, "REFUSED", "no", nil)
		seen, err := watched(t, scripted(sends(refusal, received), sends(nil, completed)))
		if typed(t, err).Reason != "REFUSED" || !slices.Equal(seen, []corev1.TaskStatus{received}) {
			t.Errorf("%v: %v, %v", code, seen, err)
		}
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := &tasks{watch: func(_ *corev1.WatchTaskRequest, stream watchStream) error {
		if err := sends(nil, received)(stream); err != nil {
			return err
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}}
	client := connect(t, pooltest.Serve(t, server, &pool{}))
	var last error
	for _, err := range client.WatchTask(ctx, pooltest.TaskID) {
		last = err
		cancel()
	}
	if got := typed(t, last); got.Reason != "CANCELLED" || !errors.Is(last, context.Canceled) {
		t.Errorf("%+v", got)
	}
}

func TestLeavingTheLoopEndsTheStream(t *testing.T) {
	ended := make(chan struct{})
	server := &tasks{watch: func(_ *corev1.WatchTaskRequest, stream watchStream) error {
		if err := sends(nil, received)(stream); err != nil {
			return err
		}
		<-stream.Context().Done()
		close(ended)
		return nil
	}}
	client := connect(t, pooltest.Serve(t, server, &pool{}))
	for range client.WatchTask(t.Context(), pooltest.TaskID) {
		break
	}
	<-ended
}

func TestAWatchOutlivesTheDeadlineOfCalls(t *testing.T) {
	has := true
	server := &tasks{watch: func(_ *corev1.WatchTaskRequest, stream watchStream) error {
		_, has = stream.Context().Deadline()
		return nil
	}}
	if _, err := watched(t, server); err != nil || has {
		t.Errorf("deadline %t, %v", has, err)
	}
}

func TestAWatchSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	listener := pooltest.Listen(t, "127.0.0.1:0")
	address := listener.Addr().String()
	hangs := &tasks{watch: func(_ *corev1.WatchTaskRequest, stream watchStream) error {
		if err := sends(nil, received)(stream); err != nil {
			return err
		}
		<-stream.Context().Done()
		return nil
	}}
	first := pooltest.ServeOn(t, listener, hangs, &pool{})
	client := connect(t, address)
	var seen []corev1.TaskStatus
	for task, err := range client.WatchTask(t.Context(), pooltest.TaskID) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, task.GetStatus())
		if task.GetStatus() == received {
			first.Stop()
			time.Sleep(time.Second) // Longer than the retries of a read take.
			pooltest.ServeOn(t, pooltest.Listen(t, address), scripted(sends(nil, received, completed)), &pool{})
		}
	}
	if !slices.Equal(seen, []corev1.TaskStatus{received, completed}) {
		t.Error(seen)
	}
}
