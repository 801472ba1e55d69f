package workerpool

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
	"workerpool.invalid/client/internal/pooltest"
)

const requester = "0x1111111111111111111111111111111111111111"

// logKeeper opens one answer per signed challenge, as core does, and leaves all workers but the first out of an answer for
// all.
func logKeeper() *tasks {
	issued := 0
	open := map[string]bool{}
	wallets := []string{"0xA", "0xB", "0xC"}
	return &tasks{
		challenge: func(request *corev1.CreateLogChallengeRequest) (*corev1.CreateLogChallengeResponse, error) {
			issued++
			text := fmt.Sprintf(`{"challenge": "%s %d"}`, request.GetAddress(), issued)
			open["signed "+text] = true
			return &corev1.CreateLogChallengeResponse{TypedDataJson: text}, nil
		},
		logs: func(request *corev1.GetTaskLogsRequest) (*corev1.GetTaskLogsResponse, error) {
			if !open[request.GetSignature()] {
				return nil, pooltest.Refusal(codes.Unauthenticated, "BAD_CHALLENGE", "sign a new one", nil)
			}
			delete(open, request.GetSignature())
			if wallet := request.GetWalletAddress(); wallet != "" {
				return &corev1.GetTaskLogsResponse{ComputeLogs: []*corev1.ComputeLogs{{WalletAddress: wallet}}}, nil
			}
			return &corev1.GetTaskLogsResponse{
				ComputeLogs: []*corev1.ComputeLogs{{WalletAddress: wallets[0]}}, LeftOut: wallets[1:],
			}, nil
		},
	}
}

func TestARequesterReadsTheLogsOfAllWorkers(t *testing.T) {
	client := connect(t, pooltest.Serve(t, logKeeper(), &pool{}))
	signed := 0
	logs, err := client.RequesterLogs(t.Context(), pooltest.TaskID, requester, func(text string) (string, error) {
		signed++
		return "signed " + text, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var wallets []string
	for _, each := range logs {
		wallets = append(wallets, each.GetWalletAddress())
	}
	if !slices.Equal(wallets, []string{"0xA", "0xB", "0xC"}) || signed != len(wallets) {
		t.Errorf("%v after %d signatures", wallets, signed)
	}
}

func TestALogChallengeThatIsNotSignedOpensNothing(t *testing.T) {
	client := connect(t, pooltest.Serve(t, logKeeper(), &pool{}))
	locked := errors.New("the wallet is locked")
	_, err := client.RequesterLogs(t.Context(), pooltest.TaskID, requester, func(string) (string, error) {
		return "", locked
	})
	if !errors.Is(err, locked) {
		t.Error(err)
	}
	_, err = client.RequesterLogs(t.Context(), pooltest.TaskID, requester, func(text string) (string, error) {
		return "forged " + text, nil
	})
	if typed(t, err).Reason != "BAD_CHALLENGE" {
		t.Error(err)
	}
}
