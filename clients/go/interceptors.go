package workerpool

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// unaryDeadline limits calls whose context has no deadline.
func unaryDeadline(limit time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, on *grpc.ClientConn, invoke grpc.UnaryInvoker,
		options ...grpc.CallOption) error {
		if _, has := ctx.Deadline(); !has && limit > 0 {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			ctx = limited
		}
		return invoke(ctx, method, request, reply, on, options...)
	}
}

// unaryErrors turns the error of a call into an *Error.
func unaryErrors(to endpoint) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, on *grpc.ClientConn, invoke grpc.UnaryInvoker,
		options ...grpc.CallOption) error {
		return errorOf(invoke(ctx, method, request, reply, on, options...), to)
	}
}

// streamErrors turns every error of a stream into an *Error; io.EOF, which ends one, stays.
func streamErrors(to endpoint) grpc.StreamClientInterceptor {
	return func(ctx context.Context, description *grpc.StreamDesc, on *grpc.ClientConn, method string, open grpc.Streamer,
		options ...grpc.CallOption) (grpc.ClientStream, error) {
		stream, err := open(ctx, description, on, method, options...)
		if err != nil {
			return nil, errorOf(err, to)
		}
		return typedStream{stream, to}, nil
	}
}

type typedStream struct {
	grpc.ClientStream

	to endpoint
}

func (s typedStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	return header, s.typed(err)
}

func (s typedStream) CloseSend() error { return s.typed(s.ClientStream.CloseSend()) }

func (s typedStream) SendMsg(message any) error { return s.typed(s.ClientStream.SendMsg(message)) }

func (s typedStream) RecvMsg(message any) error { return s.typed(s.ClientStream.RecvMsg(message)) }

func (s typedStream) typed(err error) error {
	if errors.Is(err, io.EOF) {
		return err
	}
	return errorOf(err, s.to)
}
