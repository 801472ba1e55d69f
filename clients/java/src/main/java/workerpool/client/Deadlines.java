package workerpool.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Limits each unary call that has no deadline of its own.
 *
 * @param limit the time for the call and its retries; zero means no limit
 */
record Deadlines(Duration limit) implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        boolean limited = method.getType() == MethodDescriptor.MethodType.UNARY
                && options.getDeadline() == null
                && !limit.isZero();
        return next.newCall(
                method, limited ? options.withDeadlineAfter(limit.toNanos(), TimeUnit.NANOSECONDS) : options);
    }
}
