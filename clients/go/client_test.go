package workerpool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
	"workerpool.invalid/client/internal/pooltest"
)

// tasks and pool answer with their functions; a call without one is UNIMPLEMENTED.
type tasks struct {
	corev1.UnimplementedTaskServiceServer

	getTask   func(context.Context, *corev1.GetTaskRequest) (*corev1.GetTaskResponse, error)
	explain   func(context.Context, *corev1.ExplainTaskRequest) (*corev1.ExplainTaskResponse, error)
	watch     func(*corev1.WatchTaskRequest, grpc.ServerStreamingServer[corev1.WatchTaskResponse]) error
	challenge func(*corev1.CreateLogChallengeRequest) (*corev1.CreateLogChallengeResponse, error)
	logs      func(*corev1.GetTaskLogsRequest) (*corev1.GetTaskLogsResponse, error)
}

func (s *tasks) GetTask(ctx context.Context, request *corev1.GetTaskRequest) (*corev1.GetTaskResponse, error) {
	return s.getTask(ctx, request)
}

func (s *tasks) ExplainTask(
	ctx context.Context, request *corev1.ExplainTaskRequest,
) (*corev1.ExplainTaskResponse, error) {
	return s.explain(ctx, request)
}

func (s *tasks) WatchTask(
	request *corev1.WatchTaskRequest, stream grpc.ServerStreamingServer[corev1.WatchTaskResponse],
) error {
	return s.watch(request, stream)
}

func (s *tasks) CreateLogChallenge(
	_ context.Context, request *corev1.CreateLogChallengeRequest,
) (*corev1.CreateLogChallengeResponse, error) {
	return s.challenge(request)
}

func (s *tasks) GetTaskLogs(
	_ context.Context, request *corev1.GetTaskLogsRequest,
) (*corev1.GetTaskLogsResponse, error) {
	return s.logs(request)
}

type pool struct {
	corev1.UnimplementedPoolServiceServer

	listWorkers func(*corev1.ListWorkersRequest) (*corev1.ListWorkersResponse, error)
}

func (s *pool) ListWorkers(
	_ context.Context, request *corev1.ListWorkersRequest,
) (*corev1.ListWorkersResponse, error) {
	return s.listWorkers(request)
}

func connect(t *testing.T, target string, options ...Option) *Client {
	t.Helper()
	client, err := Connect(target, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// answersWith returns a GetTask that answers with a task and keeps what the client sent.
func answersWith(task *corev1.Task, seen *metadata.MD) *tasks {
	return &tasks{getTask: func(ctx context.Context, _ *corev1.GetTaskRequest) (*corev1.GetTaskResponse, error) {
		if seen != nil {
			*seen, _ = metadata.FromIncomingContext(ctx)
		}
		return &corev1.GetTaskResponse{Task: task}, nil
	}}
}

func TestATaskIsRead(t *testing.T) {
	want := &corev1.Task{TaskId: pooltest.TaskID, Trust: 3}
	client := connect(t, pooltest.Serve(t, answersWith(want, nil), &pool{}))
	task, err := client.Task(t.Context(), pooltest.TaskID)
	if err != nil || task.GetTrust() != want.GetTrust() {
		t.Errorf("%v, %v", task, err)
	}
}

func TestCredentialsGoWithEveryCall(t *testing.T) {
	for want, options := range map[string][]Option{
		"Basic YWRtaW46czpw": {WithBasic("admin", "s:p")},
		"Bearer a.b.c":       {WithBasic("admin", "s:p"), WithBearer("a.b.c")},
		"":                   nil,
	} {
		var seen metadata.MD
		client := connect(t, pooltest.Serve(t, answersWith(&corev1.Task{}, &seen), &pool{}), options...)
		if _, err := client.Task(t.Context(), pooltest.TaskID); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(seen.Get("authorization"), ","); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if agent := strings.Join(seen.Get("user-agent"), ""); !strings.HasPrefix(agent, "workerpool-go/"+Version) {
			t.Errorf("user-agent %q", agent)
		}
	}
}

func TestATaskIsExplained(t *testing.T) {
	answer := &corev1.ExplainTaskResponse{Reason: &corev1.Reason{Code: corev1.ReasonCode_REASON_CODE_NO_FREE_SLOT}}
	server := &tasks{explain: func(context.Context, *corev1.ExplainTaskRequest) (*corev1.ExplainTaskResponse, error) {
		return answer, nil
	}}
	client := connect(t, pooltest.Serve(t, server, &pool{}))
	if reason, err := client.Explain(t.Context(), pooltest.TaskID); err != nil || Name(reason.GetCode()) != "NO_FREE_SLOT" {
		t.Errorf("%v, %v", reason, err)
	}
	answer = &corev1.ExplainTaskResponse{}
	if reason, err := client.Explain(t.Context(), pooltest.TaskID); err != nil || reason != nil {
		t.Errorf("%v, %v", reason, err)
	}
}

func TestWorkersOfAllPagesAreYieldedInOrder(t *testing.T) {
	pages := map[string]*corev1.ListWorkersResponse{
		"":  {Workers: []*corev1.Worker{{Name: "a"}, {Name: "b"}}, NextPageToken: "2"},
		"2": {NextPageToken: "3"},
		"3": {Workers: []*corev1.Worker{{Name: "c"}}},
	}
	var asked []string
	server := &pool{listWorkers: func(request *corev1.ListWorkersRequest) (*corev1.ListWorkersResponse, error) {
		asked = append(asked, request.GetPageToken())
		return pages[request.GetPageToken()], nil
	}}
	client := connect(t, pooltest.Serve(t, &tasks{}, server))
	var names []string
	for worker, err := range client.Workers(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, worker.GetName())
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Error(names)
	}
	asked = nil
	for range client.Workers(t.Context()) {
		break
	}
	if !slices.Equal(asked, []string{""}) {
		t.Errorf("pages that the caller does not want: %v", asked)
	}
}

func TestAnErrorEndsTheWorkers(t *testing.T) {
	server := &pool{listWorkers: func(*corev1.ListWorkersRequest) (*corev1.ListWorkersResponse, error) {
		return nil, pooltest.Refusal(codes.InvalidArgument, "BAD_PAGE_TOKEN", "not a token", nil)
	}}
	client := connect(t, pooltest.Serve(t, &tasks{}, server))
	count := 0
	for worker, err := range client.Workers(t.Context()) {
		if count++; worker != nil || typed(t, err).Reason != "BAD_PAGE_TOKEN" {
			t.Errorf("%v, %v", worker, err)
		}
	}
	if count != 1 {
		t.Errorf("%d times", count)
	}
}

// failsFirst returns a GetTask that fails a number of times, and the number of its calls.
func failsFirst(failures int32, code codes.Code) (*tasks, *atomic.Int32) {
	var calls atomic.Int32
	return &tasks{getTask: func(context.Context, *corev1.GetTaskRequest) (*corev1.GetTaskResponse, error) {
		if calls.Add(1) <= failures {
			return nil, pooltest.Refusal(
				code, "NOT_NOW", "too early; call later", map[string]string{"next_step": "call later"},
			)
		}
		return &corev1.GetTaskResponse{Task: &corev1.Task{}}, nil
	}}, &calls
}

func TestAReadIsSentAgainWhileTheServerIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, each := range []struct {
		failures int32
		code     codes.Code
		calls    int32
		succeeds bool
	}{
		{attempts - 1, codes.Unavailable, attempts, true},
		{attempts, codes.Unavailable, attempts, false},
		{1, codes.ResourceExhausted, 1, false},
		{1, codes.Internal, 1, false},
	} {
		server, calls := failsFirst(each.failures, each.code)
		client := connect(t, pooltest.Serve(t, server, &pool{}))
		_, err := client.Task(t.Context(), pooltest.TaskID)
		if (err == nil) != each.succeeds || calls.Load() != each.calls {
			t.Errorf("%+v: %d calls, %v", each, calls.Load(), err)
		}
		if err != nil && err.Error() != "NOT_NOW: too early; call later" {
			t.Errorf("gRPC's words about its retries hide the answer: %v", err)
		}
	}
}

func TestEveryReadMayBeSentAgain(t *testing.T) {
	var reads []string
	for _, file := range []protoreflect.FileDescriptor{
		corev1.File_workerpool_core_v1_task_service_proto, corev1.File_workerpool_core_v1_pool_service_proto,
		corev1.File_workerpool_core_v1_deal_service_proto,
	} {
		service := file.Services().Get(0)
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			for _, verb := range []string{"Get", "List", "Explain", "CreateLogChallenge"} {
				if strings.HasPrefix(string(method.Name()), verb) && method.Name() != "GetTaskLogs" {
					reads = append(reads, "/"+string(service.FullName())+"/"+string(method.Name()))
				}
			}
		}
	}
	slices.Sort(reads)
	if !slices.Equal(reads, slices.Sorted(slices.Values(idempotent))) {
		t.Errorf("want %v", reads)
	}
}

func TestACallEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	server := &tasks{getTask: func(ctx context.Context, _ *corev1.GetTaskRequest) (*corev1.GetTaskResponse, error) {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}}
	address := pooltest.Serve(t, server, &pool{})
	_, err := connect(t, address, WithDeadline(50*time.Millisecond)).Task(t.Context(), pooltest.TaskID)
	if got := typed(t, err); got.Reason != "DEADLINE_EXCEEDED" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = connect(t, address, WithDeadline(0)).Task(ctx, pooltest.TaskID)
	if got := typed(t, err); got.Reason != "DEADLINE_EXCEEDED" {
		t.Errorf("%+v", got)
	}
}

func TestACallHasADeadlineUnlessItsCallerSaysOtherwise(t *testing.T) {
	var has bool
	var left time.Duration
	server := &tasks{getTask: func(ctx context.Context, _ *corev1.GetTaskRequest) (*corev1.GetTaskResponse, error) {
		end, set := ctx.Deadline()
		has, left = set, time.Until(end)
		return &corev1.GetTaskResponse{}, nil
	}}
	address := pooltest.Serve(t, server, &pool{})
	call := func(ctx context.Context, options ...Option) {
		t.Helper()
		if _, err := connect(t, address, options...).Task(ctx, pooltest.TaskID); err != nil {
			t.Fatal(err)
		}
	}
	if call(t.Context()); !has || left > DefaultDeadline {
		t.Errorf("deadline %t, %v left", has, left)
	}
	if call(t.Context(), WithDeadline(0)); has {
		t.Error("a deadline without limit")
	}
	longer, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if call(longer); !has || left < DefaultDeadline {
		t.Errorf("the caller's deadline was replaced: %v left", left)
	}
}

func TestNoServerIsUnreachable(t *testing.T) {
	t.Parallel()
	listener := pooltest.Listen(t, "127.0.0.1:0")
	address := listener.Addr().String()
	listener.Close()
	_, err := connect(t, address).Task(t.Context(), pooltest.TaskID)
	if got := typed(t, err); got.Reason != "UNREACHABLE" || !strings.Contains(got.NextStep, address) {
		t.Errorf("%+v", got)
	}
}

func TestARawStubHasTheSameErrors(t *testing.T) {
	client := connect(t, pooltest.Serve(t, &tasks{}, &pool{}))
	_, err := client.Pool.GetWorker(t.Context(), &corev1.GetWorkerRequest{})
	if got := typed(t, err); got.Reason != "UNIMPLEMENTED" || got.NextStep == "" {
		t.Errorf("%+v", got)
	}
	stream, err := client.Tasks.WatchTaskLogs(t.Context(), &corev1.WatchTaskLogsRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	if got := typed(t, err); got.Reason != "UNIMPLEMENTED" {
		t.Errorf("%+v", got)
	}
	other := corev1.NewWorkerServiceClient(client.Connection())
	if _, err = other.GetConfig(t.Context(), &corev1.GetConfigRequest{}); typed(t, err).Reason != "UNIMPLEMENTED" {
		t.Errorf("%v", err)
	}
}

func TestMustPanicsWithTheError(t *testing.T) {
	if got := Must(3, nil); got != 3 {
		t.Error(got)
	}
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	Must(Connect("nowhere"))
}
