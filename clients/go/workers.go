package workerpool

import (
	"context"
	"iter"

	corev1 "workerpool.invalid/client/gen/workerpool/core/v1"
)

// Workers yields every worker that has registered, ordered by wallet. It reads page after page; an error ends the
// sequence.
func (c *Client) Workers(ctx context.Context) iter.Seq2[*corev1.Worker, error] {
	return func(yield func(*corev1.Worker, error) bool) {
		request := &corev1.ListWorkersRequest{}
		for {
			page, err := c.Pool.ListWorkers(ctx, request)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, worker := range page.GetWorkers() {
				if !yield(worker, nil) {
					return
				}
			}
			if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
				return
			}
		}
	}
}
