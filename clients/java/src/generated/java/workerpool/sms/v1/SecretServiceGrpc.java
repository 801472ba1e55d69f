package workerpool.sms.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Stores secrets that only enclaves of authorised tasks can read. The owner of a secret signs each write.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/sms/v1/secret_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class SecretServiceGrpc {

  private SecretServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.sms.v1.SecretService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.SetSecretRequest,
      workerpool.sms.v1.SetSecretResponse> getSetSecretMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SetSecret",
      requestType = workerpool.sms.v1.SetSecretRequest.class,
      responseType = workerpool.sms.v1.SetSecretResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.SetSecretRequest,
      workerpool.sms.v1.SetSecretResponse> getSetSecretMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.SetSecretRequest, workerpool.sms.v1.SetSecretResponse> getSetSecretMethod;
    if ((getSetSecretMethod = SecretServiceGrpc.getSetSecretMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getSetSecretMethod = SecretServiceGrpc.getSetSecretMethod) == null) {
          SecretServiceGrpc.getSetSecretMethod = getSetSecretMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.SetSecretRequest, workerpool.sms.v1.SetSecretResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SetSecret"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.SetSecretRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.SetSecretResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("SetSecret"))
              .build();
        }
      }
    }
    return getSetSecretMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.HasSecretRequest,
      workerpool.sms.v1.HasSecretResponse> getHasSecretMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "HasSecret",
      requestType = workerpool.sms.v1.HasSecretRequest.class,
      responseType = workerpool.sms.v1.HasSecretResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.HasSecretRequest,
      workerpool.sms.v1.HasSecretResponse> getHasSecretMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.HasSecretRequest, workerpool.sms.v1.HasSecretResponse> getHasSecretMethod;
    if ((getHasSecretMethod = SecretServiceGrpc.getHasSecretMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getHasSecretMethod = SecretServiceGrpc.getHasSecretMethod) == null) {
          SecretServiceGrpc.getHasSecretMethod = getHasSecretMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.HasSecretRequest, workerpool.sms.v1.HasSecretResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "HasSecret"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.HasSecretRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.HasSecretResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("HasSecret"))
              .build();
        }
      }
    }
    return getHasSecretMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static SecretServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceStub>() {
        @java.lang.Override
        public SecretServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceStub(channel, callOptions);
        }
      };
    return SecretServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static SecretServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceBlockingStub>() {
        @java.lang.Override
        public SecretServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceBlockingStub(channel, callOptions);
        }
      };
    return SecretServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static SecretServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceFutureStub>() {
        @java.lang.Override
        public SecretServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceFutureStub(channel, callOptions);
        }
      };
    return SecretServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Stores secrets that only enclaves of authorised tasks can read. The owner of a secret signs each write.
   * </pre>
   */
  public static abstract class SecretServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * SetSecret stores a secret; most kinds can be written once only.
     * </pre>
     */
    public void setSecret(workerpool.sms.v1.SetSecretRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.SetSecretResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSetSecretMethod(), responseObserver);
    }

    /**
     * <pre>
     * HasSecret returns whether a secret exists, never its value, so that clients can check before they buy.
     * </pre>
     */
    public void hasSecret(workerpool.sms.v1.HasSecretRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.HasSecretResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getHasSecretMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getSetSecretMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.SetSecretRequest,
                workerpool.sms.v1.SetSecretResponse>(
                  this, METHODID_SET_SECRET)))
          .addMethod(
            getHasSecretMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.HasSecretRequest,
                workerpool.sms.v1.HasSecretResponse>(
                  this, METHODID_HAS_SECRET)))
          .build();
    }
  }

  /**
   * <pre>
   * Stores secrets that only enclaves of authorised tasks can read. The owner of a secret signs each write.
   * </pre>
   */
  public static final class SecretServiceStub extends io.grpc.stub.AbstractAsyncStub<SecretServiceStub> {
    private SecretServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * SetSecret stores a secret; most kinds can be written once only.
     * </pre>
     */
    public void setSecret(workerpool.sms.v1.SetSecretRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.SetSecretResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSetSecretMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * HasSecret returns whether a secret exists, never its value, so that clients can check before they buy.
     * </pre>
     */
    public void hasSecret(workerpool.sms.v1.HasSecretRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.HasSecretResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getHasSecretMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Stores secrets that only enclaves of authorised tasks can read. The owner of a secret signs each write.
   * </pre>
   */
  public static final class SecretServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<SecretServiceBlockingStub> {
    private SecretServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * SetSecret stores a secret; most kinds can be written once only.
     * </pre>
     */
    public workerpool.sms.v1.SetSecretResponse setSecret(workerpool.sms.v1.SetSecretRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSetSecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * HasSecret returns whether a secret exists, never its value, so that clients can check before they buy.
     * </pre>
     */
    public workerpool.sms.v1.HasSecretResponse hasSecret(workerpool.sms.v1.HasSecretRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getHasSecretMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Stores secrets that only enclaves of authorised tasks can read. The owner of a secret signs each write.
   * </pre>
   */
  public static final class SecretServiceFutureStub extends io.grpc.stub.AbstractFutureStub<SecretServiceFutureStub> {
    private SecretServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * SetSecret stores a secret; most kinds can be written once only.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.SetSecretResponse> setSecret(
        workerpool.sms.v1.SetSecretRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSetSecretMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * HasSecret returns whether a secret exists, never its value, so that clients can check before they buy.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.HasSecretResponse> hasSecret(
        workerpool.sms.v1.HasSecretRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getHasSecretMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_SET_SECRET = 0;
  private static final int METHODID_HAS_SECRET = 1;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final SecretServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(SecretServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_SET_SECRET:
          serviceImpl.setSecret((workerpool.sms.v1.SetSecretRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.SetSecretResponse>) responseObserver);
          break;
        case METHODID_HAS_SECRET:
          serviceImpl.hasSecret((workerpool.sms.v1.HasSecretRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.HasSecretResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  private static abstract class SecretServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    SecretServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.sms.v1.SecretServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("SecretService");
    }
  }

  private static final class SecretServiceFileDescriptorSupplier
      extends SecretServiceBaseDescriptorSupplier {
    SecretServiceFileDescriptorSupplier() {}
  }

  private static final class SecretServiceMethodDescriptorSupplier
      extends SecretServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    SecretServiceMethodDescriptorSupplier(String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (SecretServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new SecretServiceFileDescriptorSupplier())
              .addMethod(getSetSecretMethod())
              .addMethod(getHasSecretMethod())
              .build();
        }
      }
    }
    return result;
  }
}
