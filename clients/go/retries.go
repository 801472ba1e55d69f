package workerpool

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

// The policy of all clients: gRPC sends a read again, and a watch connects again, after UNAVAILABLE only. A watch has no
// limit of attempts but its patience.
const (
	attempts          = 4
	firstBackoff      = 100 * time.Millisecond
	longestBackoff    = 2 * time.Second
	backoffMultiplier = 2
	jitter            = 0.2
)

// idempotent names the calls that gRPC may send again. GetTaskLogs is none: a signed challenge opens one answer.
var idempotent = []string{
	corev1.TaskService_GetTask_FullMethodName,
	corev1.TaskService_ListTasks_FullMethodName,
	corev1.TaskService_ExplainTask_FullMethodName,
	corev1.TaskService_GetReplicate_FullMethodName,
	corev1.TaskService_CreateLogChallenge_FullMethodName,
	corev1.PoolService_GetPoolStatus_FullMethodName,
	corev1.PoolService_ListWorkers_FullMethodName,
	corev1.PoolService_GetWorker_FullMethodName,
	corev1.PoolService_ExplainWorker_FullMethodName,
	corev1.PoolService_ListRefusals_FullMethodName,
	corev1.DealService_GetDeal_FullMethodName,
	corev1.DealService_ListDeals_FullMethodName,
}

// serviceConfig returns gRPC's service config with the retries of the idempotent calls.
func serviceConfig() string {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	names := make([]name, 0, len(idempotent))
	for _, full := range idempotent {
		service, method, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
		names = append(names, name{service, method})
	}
	config := map[string]any{"methodConfig": []any{map[string]any{
		"name": names,
		"retryPolicy": map[string]any{
			"maxAttempts":          attempts,
			"initialBackoff":       seconds(firstBackoff),
			"maxBackoff":           seconds(longestBackoff),
			"backoffMultiplier":    backoffMultiplier,
			"retryableStatusCodes": []string{"UNAVAILABLE"},
		},
	}}}
	text, err := json.Marshal(config)
	if err != nil {
		panic(err) // The value above is made of plain types only.
	}
	return string(text)
}

// seconds formats a duration as the JSON of protobuf does.
func seconds(value time.Duration) string {
	return strconv.FormatFloat(value.Seconds(), 'f', -1, 64) + "s"
}

// backoff returns the pause after a number of failures in a row, at least 1, with jitter as gRPC has it.
func backoff(failures int) time.Duration {
	pause := firstBackoff
	for range failures - 1 {
		pause = min(pause*backoffMultiplier, longestBackoff)
	}
	return time.Duration(float64(pause) * (1 - jitter + 2*jitter*rand.Float64()))
}
