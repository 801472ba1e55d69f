package workerpool

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

func TestANameHasNoPrefix(t *testing.T) {
	for want, value := range map[string]protoreflect.Enum{
		"COMPLETED":           corev1.TaskStatus_TASK_STATUS_COMPLETED,
		"UNSPECIFIED":         corev1.TaskStatus_TASK_STATUS_UNSPECIFIED,
		"WORKER_LOST":         corev1.ReplicateStatus_REPLICATE_STATUS_WORKER_LOST,
		"APP_COMPUTE_TIMEOUT": corev1.ReplicateStatusCause_REPLICATE_STATUS_CAUSE_APP_COMPUTE_TIMEOUT,
		"NO_FREE_SLOT":        corev1.ReasonCode_REASON_CODE_NO_FREE_SLOT,
		"REQUESTER":           corev1.Fault_FAULT_REQUESTER,
		"9999":                corev1.TaskStatus(9999),
	} {
		if got := Name(value); got != want {
			t.Errorf("%v: %s", value, got)
		}
	}
}
