package workerpool

import (
	"context"
	"fmt"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

// Sign signs EIP-712 typed data, given as JSON, with the requester's wallet. It returns the signature, 0x-prefixed
// hexadecimal of 65 bytes.
type Sign func(typedDataJSON string) (string, error)

// RequesterLogs reads the logs of a task, ordered by wallet. The requester at address proves itself by a challenge that
// sign signs: once, and again for each worker whose logs did not fit into the first answer.
func (c *Client) RequesterLogs(ctx context.Context, taskID, address string, sign Sign) ([]*corev1.ComputeLogs, error) {
	answer, err := c.signedLogs(ctx, taskID, address, "", sign)
	if err != nil {
		return nil, err
	}
	logs := answer.GetComputeLogs()
	for _, wallet := range answer.GetLeftOut() {
		answer, err := c.signedLogs(ctx, taskID, address, wallet, sign)
		if err != nil {
			return nil, err
		}
		logs = append(logs, answer.GetComputeLogs()...)
	}
	return logs, nil
}

// signedLogs reads the logs of one worker, or of all for an empty wallet. A signature opens one answer.
func (c *Client) signedLogs(
	ctx context.Context, taskID, address, wallet string, sign Sign,
) (*corev1.GetTaskLogsResponse, error) {
	challenge, err := c.Tasks.CreateLogChallenge(ctx, &corev1.CreateLogChallengeRequest{Address: address})
	if err != nil {
		return nil, err
	}
	signature, err := sign(challenge.GetTypedDataJson())
	if err != nil {
		return nil, fmt.Errorf("sign the log challenge: %w", err)
	}
	return c.Tasks.GetTaskLogs(ctx, &corev1.GetTaskLogsRequest{
		TaskId: taskID, Address: address, Signature: signature, WalletAddress: wallet,
	})
}
