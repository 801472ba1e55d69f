package workerpool.client;

import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;

/**
 * Sends credentials with every call that has none of its own.
 *
 * @param credentials the credentials
 */
record Authorization(CallCredentials credentials) implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return next.newCall(
                method, options.getCredentials() == null ? options.withCallCredentials(credentials) : options);
    }
}
