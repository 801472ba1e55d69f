package workerpool.core.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * The protocol between a worker and the scheduler.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/core/v1/worker_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class WorkerServiceGrpc {

  private WorkerServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.core.v1.WorkerService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetConfigRequest,
      workerpool.core.v1.GetConfigResponse> getGetConfigMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetConfig",
      requestType = workerpool.core.v1.GetConfigRequest.class,
      responseType = workerpool.core.v1.GetConfigResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetConfigRequest,
      workerpool.core.v1.GetConfigResponse> getGetConfigMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetConfigRequest, workerpool.core.v1.GetConfigResponse> getGetConfigMethod;
    if ((getGetConfigMethod = WorkerServiceGrpc.getGetConfigMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getGetConfigMethod = WorkerServiceGrpc.getGetConfigMethod) == null) {
          WorkerServiceGrpc.getGetConfigMethod = getGetConfigMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetConfigRequest, workerpool.core.v1.GetConfigResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetConfig"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetConfigRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetConfigResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("GetConfig"))
              .build();
        }
      }
    }
    return getGetConfigMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.CreateChallengeRequest,
      workerpool.core.v1.CreateChallengeResponse> getCreateChallengeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateChallenge",
      requestType = workerpool.core.v1.CreateChallengeRequest.class,
      responseType = workerpool.core.v1.CreateChallengeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.CreateChallengeRequest,
      workerpool.core.v1.CreateChallengeResponse> getCreateChallengeMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.CreateChallengeRequest, workerpool.core.v1.CreateChallengeResponse> getCreateChallengeMethod;
    if ((getCreateChallengeMethod = WorkerServiceGrpc.getCreateChallengeMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getCreateChallengeMethod = WorkerServiceGrpc.getCreateChallengeMethod) == null) {
          WorkerServiceGrpc.getCreateChallengeMethod = getCreateChallengeMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.CreateChallengeRequest, workerpool.core.v1.CreateChallengeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateChallenge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.CreateChallengeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.CreateChallengeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("CreateChallenge"))
              .build();
        }
      }
    }
    return getCreateChallengeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.LoginRequest,
      workerpool.core.v1.LoginResponse> getLoginMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Login",
      requestType = workerpool.core.v1.LoginRequest.class,
      responseType = workerpool.core.v1.LoginResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.LoginRequest,
      workerpool.core.v1.LoginResponse> getLoginMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.LoginRequest, workerpool.core.v1.LoginResponse> getLoginMethod;
    if ((getLoginMethod = WorkerServiceGrpc.getLoginMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getLoginMethod = WorkerServiceGrpc.getLoginMethod) == null) {
          WorkerServiceGrpc.getLoginMethod = getLoginMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.LoginRequest, workerpool.core.v1.LoginResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Login"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.LoginRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.LoginResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("Login"))
              .build();
        }
      }
    }
    return getLoginMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ConnectRequest,
      workerpool.core.v1.ConnectResponse> getConnectMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Connect",
      requestType = workerpool.core.v1.ConnectRequest.class,
      responseType = workerpool.core.v1.ConnectResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ConnectRequest,
      workerpool.core.v1.ConnectResponse> getConnectMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ConnectRequest, workerpool.core.v1.ConnectResponse> getConnectMethod;
    if ((getConnectMethod = WorkerServiceGrpc.getConnectMethod) == null) {
      synchronized (WorkerServiceGrpc.class) {
        if ((getConnectMethod = WorkerServiceGrpc.getConnectMethod) == null) {
          WorkerServiceGrpc.getConnectMethod = getConnectMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ConnectRequest, workerpool.core.v1.ConnectResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Connect"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ConnectRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ConnectResponse.getDefaultInstance()))
              .setSchemaDescriptor(new WorkerServiceMethodDescriptorSupplier("Connect"))
              .build();
        }
      }
    }
    return getConnectMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static WorkerServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<WorkerServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<WorkerServiceStub>() {
        @java.lang.Override
        public WorkerServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new WorkerServiceStub(channel, callOptions);
        }
      };
    return WorkerServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static WorkerServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<WorkerServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<WorkerServiceBlockingStub>() {
        @java.lang.Override
        public WorkerServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new WorkerServiceBlockingStub(channel, callOptions);
        }
      };
    return WorkerServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static WorkerServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<WorkerServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<WorkerServiceFutureStub>() {
        @java.lang.Override
        public WorkerServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new WorkerServiceFutureStub(channel, callOptions);
        }
      };
    return WorkerServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * The protocol between a worker and the scheduler.
   * </pre>
   */
  public static abstract class WorkerServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetConfig returns the pool's public configuration. A worker reads it first, to detect a wrong pool.
     * </pre>
     */
    public void getConfig(workerpool.core.v1.GetConfigRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetConfigResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetConfigMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateChallenge returns the message that a worker signs with its wallet to log in; single use, valid for 60 s.
     * </pre>
     */
    public void createChallenge(workerpool.core.v1.CreateChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.CreateChallengeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateChallengeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Login exchanges a signed challenge for a bearer token, which Connect requires.
     * </pre>
     */
    public void login(workerpool.core.v1.LoginRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.LoginResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getLoginMethod(), responseObserver);
    }

    /**
     * <pre>
     * Connect is the worker's session: the scheduler pushes assignments and commands, the worker sends statuses and
     * heartbeats. A second stream of the same wallet replaces the first.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<workerpool.core.v1.ConnectRequest> connect(
        io.grpc.stub.StreamObserver<workerpool.core.v1.ConnectResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getConnectMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetConfigMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetConfigRequest,
                workerpool.core.v1.GetConfigResponse>(
                  this, METHODID_GET_CONFIG)))
          .addMethod(
            getCreateChallengeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.CreateChallengeRequest,
                workerpool.core.v1.CreateChallengeResponse>(
                  this, METHODID_CREATE_CHALLENGE)))
          .addMethod(
            getLoginMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.LoginRequest,
                workerpool.core.v1.LoginResponse>(
                  this, METHODID_LOGIN)))
          .addMethod(
            getConnectMethod(),
            io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
              new MethodHandlers<
                workerpool.core.v1.ConnectRequest,
                workerpool.core.v1.ConnectResponse>(
                  this, METHODID_CONNECT)))
          .build();
    }
  }

  /**
   * <pre>
   * The protocol between a worker and the scheduler.
   * </pre>
   */
  public static final class WorkerServiceStub extends io.grpc.stub.AbstractAsyncStub<WorkerServiceStub> {
    private WorkerServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected WorkerServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new WorkerServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetConfig returns the pool's public configuration. A worker reads it first, to detect a wrong pool.
     * </pre>
     */
    public void getConfig(workerpool.core.v1.GetConfigRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetConfigResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetConfigMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateChallenge returns the message that a worker signs with its wallet to log in; single use, valid for 60 s.
     * </pre>
     */
    public void createChallenge(workerpool.core.v1.CreateChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.CreateChallengeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateChallengeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Login exchanges a signed challenge for a bearer token, which Connect requires.
     * </pre>
     */
    public void login(workerpool.core.v1.LoginRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.LoginResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getLoginMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Connect is the worker's session: the scheduler pushes assignments and commands, the worker sends statuses and
     * heartbeats. A second stream of the same wallet replaces the first.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<workerpool.core.v1.ConnectRequest> connect(
        io.grpc.stub.StreamObserver<workerpool.core.v1.ConnectResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getConnectMethod(), getCallOptions()), responseObserver);
    }
  }

  /**
   * <pre>
   * The protocol between a worker and the scheduler.
   * </pre>
   */
  public static final class WorkerServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<WorkerServiceBlockingStub> {
    private WorkerServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected WorkerServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new WorkerServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetConfig returns the pool's public configuration. A worker reads it first, to detect a wrong pool.
     * </pre>
     */
    public workerpool.core.v1.GetConfigResponse getConfig(workerpool.core.v1.GetConfigRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetConfigMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateChallenge returns the message that a worker signs with its wallet to log in; single use, valid for 60 s.
     * </pre>
     */
    public workerpool.core.v1.CreateChallengeResponse createChallenge(workerpool.core.v1.CreateChallengeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateChallengeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Login exchanges a signed challenge for a bearer token, which Connect requires.
     * </pre>
     */
    public workerpool.core.v1.LoginResponse login(workerpool.core.v1.LoginRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getLoginMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * The protocol between a worker and the scheduler.
   * </pre>
   */
  public static final class WorkerServiceFutureStub extends io.grpc.stub.AbstractFutureStub<WorkerServiceFutureStub> {
    private WorkerServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected WorkerServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new WorkerServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetConfig returns the pool's public configuration. A worker reads it first, to detect a wrong pool.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetConfigResponse> getConfig(
        workerpool.core.v1.GetConfigRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetConfigMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateChallenge returns the message that a worker signs with its wallet to log in; single use, valid for 60 s.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.CreateChallengeResponse> createChallenge(
        workerpool.core.v1.CreateChallengeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateChallengeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Login exchanges a signed challenge for a bearer token, which Connect requires.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.LoginResponse> login(
        workerpool.core.v1.LoginRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getLoginMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_CONFIG = 0;
  private static final int METHODID_CREATE_CHALLENGE = 1;
  private static final int METHODID_LOGIN = 2;
  private static final int METHODID_CONNECT = 3;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final WorkerServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(WorkerServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_CONFIG:
          serviceImpl.getConfig((workerpool.core.v1.GetConfigRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetConfigResponse>) responseObserver);
          break;
        case METHODID_CREATE_CHALLENGE:
          serviceImpl.createChallenge((workerpool.core.v1.CreateChallengeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.CreateChallengeResponse>) responseObserver);
          break;
        case METHODID_LOGIN:
          serviceImpl.login((workerpool.core.v1.LoginRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.LoginResponse>) responseObserver);
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
        case METHODID_CONNECT:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.connect(
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ConnectResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  private static abstract class WorkerServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    WorkerServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.core.v1.WorkerServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("WorkerService");
    }
  }

  private static final class WorkerServiceFileDescriptorSupplier
      extends WorkerServiceBaseDescriptorSupplier {
    WorkerServiceFileDescriptorSupplier() {}
  }

  private static final class WorkerServiceMethodDescriptorSupplier
      extends WorkerServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    WorkerServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (WorkerServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new WorkerServiceFileDescriptorSupplier())
              .addMethod(getGetConfigMethod())
              .addMethod(getCreateChallengeMethod())
              .addMethod(getLoginMethod())
              .addMethod(getConnectMethod())
              .build();
        }
      }
    }
    return result;
  }
}
