// Command follow lists the workers of a pool, follows a task to its end, and prints its timeline and why it failed.
//
// It exits with 0 when the task COMPLETED, 3 when it FAILED, 1 after an error, and 2 after wrong arguments.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	workerpool "workerpool.invalid/client"
	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

const (
	exitError  = 1
	exitUsage  = 2
	exitFailed = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	given, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\nusage: %s\n", err, usage)
		os.Exit(exitUsage)
	}
	status, err := run(ctx, given, os.Stdout, os.Stderr)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitError)
	case status == corev1.TaskStatus_TASK_STATUS_FAILED:
		os.Exit(exitFailed)
	case status != corev1.TaskStatus_TASK_STATUS_COMPLETED:
		fmt.Fprintln(os.Stderr, "INCOMPLETE: the server ended the watch before the task ended; start this again")
		os.Exit(exitError)
	}
}

// run prints the report to out and the progress to progress; it returns the last status of the task.
func run(ctx context.Context, given arguments, out, progress io.Writer) (corev1.TaskStatus, error) {
	options, err := given.options()
	if err != nil {
		return 0, err
	}
	pool, err := workerpool.Connect(given.target, options...)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	if given.user != "" {
		// Public reads are answered whatever the credentials are; this call tells whether they are right.
		if _, err := pool.Pool.ListRefusals(ctx, &corev1.ListRefusalsRequest{}); err != nil {
			return 0, err
		}
	}
	if err := printPool(ctx, pool, out); err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "task %s\n", given.taskID)
	task, err := follow(ctx, pool, given.taskID, progress)
	if err != nil {
		return 0, err
	}
	printTask(task, out)
	return task.GetStatus(), nil
}

// printPool prints the pool and its workers.
func printPool(ctx context.Context, pool *workerpool.Client, out io.Writer) error {
	state, err := pool.Pool.GetPoolStatus(ctx, &corev1.GetPoolStatusRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "pool %s version %s\n", state.GetWorkerpool(), state.GetVersion())
	count := 0
	for worker, err := range pool.Workers(ctx) {
		if err != nil {
			return err
		}
		presence := "away"
		if worker.GetConnected() {
			presence = "connected"
		}
		fmt.Fprintf(
			out, "worker %s name=%s slots=%d %s\n",
			worker.GetWalletAddress(), worker.GetName(), worker.GetSlots(), presence,
		)
		count++
	}
	fmt.Fprintf(out, "workers %d\n", count)
	return nil
}

// follow returns the last state of a task.
func follow(ctx context.Context, pool *workerpool.Client, taskID string, progress io.Writer) (*corev1.Task, error) {
	var last *corev1.Task
	for task, err := range pool.WatchTask(ctx, taskID) {
		if err != nil {
			return nil, err
		}
		if task.GetStatus() != last.GetStatus() {
			fmt.Fprintf(progress, "… %s\n", workerpool.Name(task.GetStatus()))
		}
		last = task
	}
	return last, nil
}

// printTask prints the timeline of a task, its reason and its result.
func printTask(task *corev1.Task, out io.Writer) {
	for _, entry := range task.GetHistory() {
		fmt.Fprintf(out, "  %s", workerpool.Name(entry.GetStatus()))
		if block := entry.GetChainReceipt().GetBlockNumber(); block != 0 {
			fmt.Fprintf(out, " block %d", block)
		}
		fmt.Fprintln(out)
	}
	replicates := slices.SortedFunc(slices.Values(task.GetReplicates()), func(a, b *corev1.Replicate) int {
		return cmp.Compare(a.GetWalletAddress(), b.GetWalletAddress())
	})
	for _, replicate := range replicates {
		for _, entry := range replicate.GetHistory() {
			fmt.Fprintf(out, "    %s %s", replicate.GetWalletAddress(), workerpool.Name(entry.GetStatus()))
			if entry.GetCause() != 0 {
				fmt.Fprintf(out, " %s", workerpool.Name(entry.GetCause()))
			}
			fmt.Fprintln(out)
		}
	}
	if reason := task.GetReason(); reason != nil {
		fault := "-"
		if reason.GetFault() != 0 {
			fault = workerpool.Name(reason.GetFault())
		}
		fmt.Fprintf(out, "reason %s %s: %s\n", workerpool.Name(reason.GetCode()), fault, reason.GetSentence())
		fmt.Fprintf(out, "next %s\n", reason.GetNextStep())
	}
	fmt.Fprintf(out, "%s %s\n", workerpool.Name(task.GetStatus()), cmp.Or(task.GetResultLink(), "-"))
}

const usage = "follow TARGET TASK_ID [--ca FILE] [--user NAME --password-file FILE]"

// arguments are those of the command line.
type arguments struct {
	target, taskID, ca, user, passwordFile string
}

// parse reads the arguments; options may stand before, between and after the two others.
func parse(words []string) (arguments, error) {
	var given arguments
	var others []string
	options := map[string]*string{"--ca": &given.ca, "--user": &given.user, "--password-file": &given.passwordFile}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		value, known := options[word]
		switch {
		case known && len(words) == 0:
			return given, fmt.Errorf("%s needs a value", word)
		case known:
			*value, words = words[0], words[1:]
		case strings.HasPrefix(word, "-"):
			return given, fmt.Errorf("%s is no option", word)
		default:
			others = append(others, word)
		}
	}
	if len(others) != 2 {
		return given, errors.New("give the address of the pool and the id of a task")
	}
	if (given.user == "") != (given.passwordFile == "") {
		return given, errors.New("give --user and --password-file together")
	}
	given.target, given.taskID = others[0], others[1]
	return given, nil
}

// options returns what the arguments mean to workerpool.Connect.
func (a arguments) options() ([]workerpool.Option, error) {
	var options []workerpool.Option
	if a.ca != "" {
		options = append(options, workerpool.WithCAFile(a.ca))
	}
	if a.user != "" {
		password, err := os.ReadFile(a.passwordFile)
		if err != nil {
			return nil, fmt.Errorf("PASSWORD_UNREADABLE: %w; give a file that holds the password alone", err)
		}
		options = append(options, workerpool.WithBasic(a.user, strings.TrimRight(string(password), "\r\n")))
	}
	return options, nil
}
