package workerpool

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Name returns the name of an enum's value without the prefix of the enum: COMPLETED for TASK_STATUS_COMPLETED. It serves
// every enum of the stubs; a value that this client does not know is its number.
func Name(value protoreflect.Enum) string {
	values := value.Descriptor().Values()
	known := values.ByNumber(value.Number())
	if known == nil {
		return strconv.Itoa(int(value.Number()))
	}
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), "UNSPECIFIED")
	return strings.TrimPrefix(string(known.Name()), prefix)
}
