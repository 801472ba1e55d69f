package workerpool.registry.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * The platform registry: locations of the secret management service (SMS) of each TEE framework,
 * per stack and per label (a version of the configuration files, such as a git label).
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/registry/v1/platform_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class PlatformServiceGrpc {

  private PlatformServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.registry.v1.PlatformService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.registry.v1.GetStackRequest,
      workerpool.registry.v1.GetStackResponse> getGetStackMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetStack",
      requestType = workerpool.registry.v1.GetStackRequest.class,
      responseType = workerpool.registry.v1.GetStackResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.registry.v1.GetStackRequest,
      workerpool.registry.v1.GetStackResponse> getGetStackMethod() {
    io.grpc.MethodDescriptor<workerpool.registry.v1.GetStackRequest, workerpool.registry.v1.GetStackResponse> getGetStackMethod;
    if ((getGetStackMethod = PlatformServiceGrpc.getGetStackMethod) == null) {
      synchronized (PlatformServiceGrpc.class) {
        if ((getGetStackMethod = PlatformServiceGrpc.getGetStackMethod) == null) {
          PlatformServiceGrpc.getGetStackMethod = getGetStackMethod =
              io.grpc.MethodDescriptor.<workerpool.registry.v1.GetStackRequest, workerpool.registry.v1.GetStackResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetStack"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.registry.v1.GetStackRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.registry.v1.GetStackResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PlatformServiceMethodDescriptorSupplier("GetStack"))
              .build();
        }
      }
    }
    return getGetStackMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.registry.v1.WatchStackRequest,
      workerpool.registry.v1.WatchStackResponse> getWatchStackMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchStack",
      requestType = workerpool.registry.v1.WatchStackRequest.class,
      responseType = workerpool.registry.v1.WatchStackResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.registry.v1.WatchStackRequest,
      workerpool.registry.v1.WatchStackResponse> getWatchStackMethod() {
    io.grpc.MethodDescriptor<workerpool.registry.v1.WatchStackRequest, workerpool.registry.v1.WatchStackResponse> getWatchStackMethod;
    if ((getWatchStackMethod = PlatformServiceGrpc.getWatchStackMethod) == null) {
      synchronized (PlatformServiceGrpc.class) {
        if ((getWatchStackMethod = PlatformServiceGrpc.getWatchStackMethod) == null) {
          PlatformServiceGrpc.getWatchStackMethod = getWatchStackMethod =
              io.grpc.MethodDescriptor.<workerpool.registry.v1.WatchStackRequest, workerpool.registry.v1.WatchStackResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchStack"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.registry.v1.WatchStackRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.registry.v1.WatchStackResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PlatformServiceMethodDescriptorSupplier("WatchStack"))
              .build();
        }
      }
    }
    return getWatchStackMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static PlatformServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PlatformServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PlatformServiceStub>() {
        @java.lang.Override
        public PlatformServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PlatformServiceStub(channel, callOptions);
        }
      };
    return PlatformServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static PlatformServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PlatformServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PlatformServiceBlockingStub>() {
        @java.lang.Override
        public PlatformServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PlatformServiceBlockingStub(channel, callOptions);
        }
      };
    return PlatformServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static PlatformServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PlatformServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PlatformServiceFutureStub>() {
        @java.lang.Override
        public PlatformServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PlatformServiceFutureStub(channel, callOptions);
        }
      };
    return PlatformServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * The platform registry: locations of the secret management service (SMS) of each TEE framework,
   * per stack and per label (a version of the configuration files, such as a git label).
   * </pre>
   */
  public static abstract class PlatformServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetStack returns the locations of one stack, as `GET /application/&lt;stack&gt;` does for Spring clients.
     * </pre>
     */
    public void getStack(workerpool.registry.v1.GetStackRequest request,
        io.grpc.stub.StreamObserver<workerpool.registry.v1.GetStackResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetStackMethod(), responseObserver);
    }

    /**
     * <pre>
     * WatchStack sends the locations immediately and after every change, which replaces polling.
     * </pre>
     */
    public void watchStack(workerpool.registry.v1.WatchStackRequest request,
        io.grpc.stub.StreamObserver<workerpool.registry.v1.WatchStackResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchStackMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetStackMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.registry.v1.GetStackRequest,
                workerpool.registry.v1.GetStackResponse>(
                  this, METHODID_GET_STACK)))
          .addMethod(
            getWatchStackMethod(),
            io.grpc.stub.ServerCalls.asyncServerStreamingCall(
              new MethodHandlers<
                workerpool.registry.v1.WatchStackRequest,
                workerpool.registry.v1.WatchStackResponse>(
                  this, METHODID_WATCH_STACK)))
          .build();
    }
  }

  /**
   * <pre>
   * The platform registry: locations of the secret management service (SMS) of each TEE framework,
   * per stack and per label (a version of the configuration files, such as a git label).
   * </pre>
   */
  public static final class PlatformServiceStub extends io.grpc.stub.AbstractAsyncStub<PlatformServiceStub> {
    private PlatformServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PlatformServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PlatformServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetStack returns the locations of one stack, as `GET /application/&lt;stack&gt;` does for Spring clients.
     * </pre>
     */
    public void getStack(workerpool.registry.v1.GetStackRequest request,
        io.grpc.stub.StreamObserver<workerpool.registry.v1.GetStackResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetStackMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * WatchStack sends the locations immediately and after every change, which replaces polling.
     * </pre>
     */
    public void watchStack(workerpool.registry.v1.WatchStackRequest request,
        io.grpc.stub.StreamObserver<workerpool.registry.v1.WatchStackResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchStackMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * The platform registry: locations of the secret management service (SMS) of each TEE framework,
   * per stack and per label (a version of the configuration files, such as a git label).
   * </pre>
   */
  public static final class PlatformServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<PlatformServiceBlockingStub> {
    private PlatformServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PlatformServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PlatformServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetStack returns the locations of one stack, as `GET /application/&lt;stack&gt;` does for Spring clients.
     * </pre>
     */
    public workerpool.registry.v1.GetStackResponse getStack(workerpool.registry.v1.GetStackRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetStackMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * WatchStack sends the locations immediately and after every change, which replaces polling.
     * </pre>
     */
    public java.util.Iterator<workerpool.registry.v1.WatchStackResponse> watchStack(
        workerpool.registry.v1.WatchStackRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchStackMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * The platform registry: locations of the secret management service (SMS) of each TEE framework,
   * per stack and per label (a version of the configuration files, such as a git label).
   * </pre>
   */
  public static final class PlatformServiceFutureStub extends io.grpc.stub.AbstractFutureStub<PlatformServiceFutureStub> {
    private PlatformServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PlatformServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PlatformServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetStack returns the locations of one stack, as `GET /application/&lt;stack&gt;` does for Spring clients.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.registry.v1.GetStackResponse> getStack(
        workerpool.registry.v1.GetStackRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetStackMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_STACK = 0;
  private static final int METHODID_WATCH_STACK = 1;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final PlatformServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(PlatformServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_STACK:
          serviceImpl.getStack((workerpool.registry.v1.GetStackRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.registry.v1.GetStackResponse>) responseObserver);
          break;
        case METHODID_WATCH_STACK:
          serviceImpl.watchStack((workerpool.registry.v1.WatchStackRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.registry.v1.WatchStackResponse>) responseObserver);
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

  private static abstract class PlatformServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    PlatformServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.registry.v1.PlatformServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("PlatformService");
    }
  }

  private static final class PlatformServiceFileDescriptorSupplier
      extends PlatformServiceBaseDescriptorSupplier {
    PlatformServiceFileDescriptorSupplier() {}
  }

  private static final class PlatformServiceMethodDescriptorSupplier
      extends PlatformServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    PlatformServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (PlatformServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new PlatformServiceFileDescriptorSupplier())
              .addMethod(getGetStackMethod())
              .addMethod(getWatchStackMethod())
              .build();
        }
      }
    }
    return result;
  }
}
