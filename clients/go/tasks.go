package workerpool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

// Task reads one task with its replicates. The id is 0x-prefixed lower-case hexadecimal of 32 bytes.
func (c *Client) Task(ctx context.Context, taskID string) (*corev1.Task, error) {
	answer, err := c.Tasks.GetTask(ctx, &corev1.GetTaskRequest{TaskId: taskID})
	return answer.GetTask(), err
}

// Explain tells why a task waits or failed, without its history; nil when it completed with a result.
func (c *Client) Explain(ctx context.Context, taskID string) (*corev1.Reason, error) {
	answer, err := c.Tasks.ExplainTask(ctx, &corev1.ExplainTaskRequest{TaskId: taskID})
	return answer.GetReason(), err
}

// WatchTask yields the task at once and after each change, until it is COMPLETED or FAILED. It has no deadline but that of
// ctx. While the server is UNAVAILABLE it connects again, until that has lasted for its patience ([WithWatchPatience]); the
// error then tells how long it waited. Every other error is yielded once and ends the sequence.
func (c *Client) WatchTask(ctx context.Context, taskID string) iter.Seq2[*corev1.Task, error] {
	return func(yield func(*corev1.Task, error) bool) {
		var last *corev1.Task
		failures, lost := 0, time.Now()
		for {
			err := c.watch(ctx, taskID, func(task *corev1.Task) bool {
				failures = 0
				if proto.Equal(task, last) {
					return true // A new stream starts with a state that the last one may have told.
				}
				last = task
				return yield(task, nil)
			})
			if err == nil {
				return
			}
			// A stream may be silent for hours before it breaks: the time starts when it does.
			if failures++; failures == 1 && last != nil {
				lost = time.Now()
			}
			if !mayRecover(err, last != nil) {
				yield(nil, err)
				return
			}
			waited := time.Since(lost)
			if waited >= c.patience {
				yield(nil, afterWaiting(err, waited))
				return
			}
			if !pause(ctx, min(backoff(failures), c.patience-waited)) {
				yield(nil, err)
				return
			}
		}
	}
}

// mayRecover tells whether another attempt may succeed. Certificates that are wrong at the first attempt stay so.
func mayRecover(err error, answered bool) bool {
	var failed *Error
	return status.Code(err) == codes.Unavailable &&
		(answered || !errors.As(err, &failed) || failed.Reason != reasonTLSFailed)
}

// afterWaiting adds to an error how long the server was awaited.
func afterWaiting(err error, waited time.Duration) error {
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	told := *failed
	told.Cause = fmt.Sprintf("%s (waited %.1f s)", failed.Cause, waited.Seconds())
	return &told
}

// watch passes the states of one stream to each, until it returns false or the stream ends.
func (c *Client) watch(ctx context.Context, taskID string, each func(*corev1.Task) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Tasks.WatchTask(ctx, &corev1.WatchTaskRequest{TaskId: taskID})
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !each(answer.GetTask()) {
			return nil
		}
	}
}

// pause waits; it returns false when ctx ends first.
func pause(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
