package workerpool.sms.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Enclave challenges and sessions of TEE tasks.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/sms/v1/tee_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class TeeServiceGrpc {

  private TeeServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.sms.v1.TeeService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.GetFrameworkRequest,
      workerpool.sms.v1.GetFrameworkResponse> getGetFrameworkMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetFramework",
      requestType = workerpool.sms.v1.GetFrameworkRequest.class,
      responseType = workerpool.sms.v1.GetFrameworkResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.GetFrameworkRequest,
      workerpool.sms.v1.GetFrameworkResponse> getGetFrameworkMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.GetFrameworkRequest, workerpool.sms.v1.GetFrameworkResponse> getGetFrameworkMethod;
    if ((getGetFrameworkMethod = TeeServiceGrpc.getGetFrameworkMethod) == null) {
      synchronized (TeeServiceGrpc.class) {
        if ((getGetFrameworkMethod = TeeServiceGrpc.getGetFrameworkMethod) == null) {
          TeeServiceGrpc.getGetFrameworkMethod = getGetFrameworkMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.GetFrameworkRequest, workerpool.sms.v1.GetFrameworkResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetFramework"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.GetFrameworkRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.GetFrameworkResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TeeServiceMethodDescriptorSupplier("GetFramework"))
              .build();
        }
      }
    }
    return getGetFrameworkMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.GetServicePropertiesRequest,
      workerpool.sms.v1.GetServicePropertiesResponse> getGetServicePropertiesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetServiceProperties",
      requestType = workerpool.sms.v1.GetServicePropertiesRequest.class,
      responseType = workerpool.sms.v1.GetServicePropertiesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.GetServicePropertiesRequest,
      workerpool.sms.v1.GetServicePropertiesResponse> getGetServicePropertiesMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.GetServicePropertiesRequest, workerpool.sms.v1.GetServicePropertiesResponse> getGetServicePropertiesMethod;
    if ((getGetServicePropertiesMethod = TeeServiceGrpc.getGetServicePropertiesMethod) == null) {
      synchronized (TeeServiceGrpc.class) {
        if ((getGetServicePropertiesMethod = TeeServiceGrpc.getGetServicePropertiesMethod) == null) {
          TeeServiceGrpc.getGetServicePropertiesMethod = getGetServicePropertiesMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.GetServicePropertiesRequest, workerpool.sms.v1.GetServicePropertiesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetServiceProperties"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.GetServicePropertiesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.GetServicePropertiesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TeeServiceMethodDescriptorSupplier("GetServiceProperties"))
              .build();
        }
      }
    }
    return getGetServicePropertiesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.CreateChallengeRequest,
      workerpool.sms.v1.CreateChallengeResponse> getCreateChallengeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateChallenge",
      requestType = workerpool.sms.v1.CreateChallengeRequest.class,
      responseType = workerpool.sms.v1.CreateChallengeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.CreateChallengeRequest,
      workerpool.sms.v1.CreateChallengeResponse> getCreateChallengeMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.CreateChallengeRequest, workerpool.sms.v1.CreateChallengeResponse> getCreateChallengeMethod;
    if ((getCreateChallengeMethod = TeeServiceGrpc.getCreateChallengeMethod) == null) {
      synchronized (TeeServiceGrpc.class) {
        if ((getCreateChallengeMethod = TeeServiceGrpc.getCreateChallengeMethod) == null) {
          TeeServiceGrpc.getCreateChallengeMethod = getCreateChallengeMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.CreateChallengeRequest, workerpool.sms.v1.CreateChallengeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateChallenge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.CreateChallengeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.CreateChallengeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TeeServiceMethodDescriptorSupplier("CreateChallenge"))
              .build();
        }
      }
    }
    return getCreateChallengeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.CreateSessionChallengeRequest,
      workerpool.sms.v1.CreateSessionChallengeResponse> getCreateSessionChallengeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateSessionChallenge",
      requestType = workerpool.sms.v1.CreateSessionChallengeRequest.class,
      responseType = workerpool.sms.v1.CreateSessionChallengeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.CreateSessionChallengeRequest,
      workerpool.sms.v1.CreateSessionChallengeResponse> getCreateSessionChallengeMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.CreateSessionChallengeRequest, workerpool.sms.v1.CreateSessionChallengeResponse> getCreateSessionChallengeMethod;
    if ((getCreateSessionChallengeMethod = TeeServiceGrpc.getCreateSessionChallengeMethod) == null) {
      synchronized (TeeServiceGrpc.class) {
        if ((getCreateSessionChallengeMethod = TeeServiceGrpc.getCreateSessionChallengeMethod) == null) {
          TeeServiceGrpc.getCreateSessionChallengeMethod = getCreateSessionChallengeMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.CreateSessionChallengeRequest, workerpool.sms.v1.CreateSessionChallengeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateSessionChallenge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.CreateSessionChallengeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.CreateSessionChallengeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TeeServiceMethodDescriptorSupplier("CreateSessionChallenge"))
              .build();
        }
      }
    }
    return getCreateSessionChallengeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.sms.v1.CreateSessionRequest,
      workerpool.sms.v1.CreateSessionResponse> getCreateSessionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateSession",
      requestType = workerpool.sms.v1.CreateSessionRequest.class,
      responseType = workerpool.sms.v1.CreateSessionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.sms.v1.CreateSessionRequest,
      workerpool.sms.v1.CreateSessionResponse> getCreateSessionMethod() {
    io.grpc.MethodDescriptor<workerpool.sms.v1.CreateSessionRequest, workerpool.sms.v1.CreateSessionResponse> getCreateSessionMethod;
    if ((getCreateSessionMethod = TeeServiceGrpc.getCreateSessionMethod) == null) {
      synchronized (TeeServiceGrpc.class) {
        if ((getCreateSessionMethod = TeeServiceGrpc.getCreateSessionMethod) == null) {
          TeeServiceGrpc.getCreateSessionMethod = getCreateSessionMethod =
              io.grpc.MethodDescriptor.<workerpool.sms.v1.CreateSessionRequest, workerpool.sms.v1.CreateSessionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateSession"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.CreateSessionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.sms.v1.CreateSessionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TeeServiceMethodDescriptorSupplier("CreateSession"))
              .build();
        }
      }
    }
    return getCreateSessionMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static TeeServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TeeServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TeeServiceStub>() {
        @java.lang.Override
        public TeeServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TeeServiceStub(channel, callOptions);
        }
      };
    return TeeServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static TeeServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TeeServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TeeServiceBlockingStub>() {
        @java.lang.Override
        public TeeServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TeeServiceBlockingStub(channel, callOptions);
        }
      };
    return TeeServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static TeeServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TeeServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TeeServiceFutureStub>() {
        @java.lang.Override
        public TeeServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TeeServiceFutureStub(channel, callOptions);
        }
      };
    return TeeServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Enclave challenges and sessions of TEE tasks.
   * </pre>
   */
  public static abstract class TeeServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetFramework names the framework that this instance serves, so that a scheduler refuses a wrong address.
     * </pre>
     */
    public void getFramework(workerpool.sms.v1.GetFrameworkRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.GetFrameworkResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetFrameworkMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetServiceProperties describes the pre- and post-compute images of a framework version.
     * </pre>
     */
    public void getServiceProperties(workerpool.sms.v1.GetServicePropertiesRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.GetServicePropertiesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetServicePropertiesMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateChallenge returns the address of the task's enclave key, which the pool owner signs into authorizations. The
     * key pair is created once per task.
     * </pre>
     */
    public void createChallenge(workerpool.sms.v1.CreateChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateChallengeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateChallengeMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateSessionChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public void createSessionChallenge(workerpool.sms.v1.CreateSessionChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateSessionChallengeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateSessionChallengeMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateSession prepares the secrets of one worker's run of one task in the framework's own service.
     * </pre>
     */
    public void createSession(workerpool.sms.v1.CreateSessionRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateSessionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateSessionMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetFrameworkMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.GetFrameworkRequest,
                workerpool.sms.v1.GetFrameworkResponse>(
                  this, METHODID_GET_FRAMEWORK)))
          .addMethod(
            getGetServicePropertiesMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.GetServicePropertiesRequest,
                workerpool.sms.v1.GetServicePropertiesResponse>(
                  this, METHODID_GET_SERVICE_PROPERTIES)))
          .addMethod(
            getCreateChallengeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.CreateChallengeRequest,
                workerpool.sms.v1.CreateChallengeResponse>(
                  this, METHODID_CREATE_CHALLENGE)))
          .addMethod(
            getCreateSessionChallengeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.CreateSessionChallengeRequest,
                workerpool.sms.v1.CreateSessionChallengeResponse>(
                  this, METHODID_CREATE_SESSION_CHALLENGE)))
          .addMethod(
            getCreateSessionMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.sms.v1.CreateSessionRequest,
                workerpool.sms.v1.CreateSessionResponse>(
                  this, METHODID_CREATE_SESSION)))
          .build();
    }
  }

  /**
   * <pre>
   * Enclave challenges and sessions of TEE tasks.
   * </pre>
   */
  public static final class TeeServiceStub extends io.grpc.stub.AbstractAsyncStub<TeeServiceStub> {
    private TeeServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TeeServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TeeServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetFramework names the framework that this instance serves, so that a scheduler refuses a wrong address.
     * </pre>
     */
    public void getFramework(workerpool.sms.v1.GetFrameworkRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.GetFrameworkResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetFrameworkMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetServiceProperties describes the pre- and post-compute images of a framework version.
     * </pre>
     */
    public void getServiceProperties(workerpool.sms.v1.GetServicePropertiesRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.GetServicePropertiesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetServicePropertiesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateChallenge returns the address of the task's enclave key, which the pool owner signs into authorizations. The
     * key pair is created once per task.
     * </pre>
     */
    public void createChallenge(workerpool.sms.v1.CreateChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateChallengeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateChallengeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateSessionChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public void createSessionChallenge(workerpool.sms.v1.CreateSessionChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateSessionChallengeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateSessionChallengeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateSession prepares the secrets of one worker's run of one task in the framework's own service.
     * </pre>
     */
    public void createSession(workerpool.sms.v1.CreateSessionRequest request,
        io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateSessionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateSessionMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Enclave challenges and sessions of TEE tasks.
   * </pre>
   */
  public static final class TeeServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<TeeServiceBlockingStub> {
    private TeeServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TeeServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TeeServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetFramework names the framework that this instance serves, so that a scheduler refuses a wrong address.
     * </pre>
     */
    public workerpool.sms.v1.GetFrameworkResponse getFramework(workerpool.sms.v1.GetFrameworkRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetFrameworkMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetServiceProperties describes the pre- and post-compute images of a framework version.
     * </pre>
     */
    public workerpool.sms.v1.GetServicePropertiesResponse getServiceProperties(workerpool.sms.v1.GetServicePropertiesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetServicePropertiesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateChallenge returns the address of the task's enclave key, which the pool owner signs into authorizations. The
     * key pair is created once per task.
     * </pre>
     */
    public workerpool.sms.v1.CreateChallengeResponse createChallenge(workerpool.sms.v1.CreateChallengeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateChallengeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateSessionChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public workerpool.sms.v1.CreateSessionChallengeResponse createSessionChallenge(workerpool.sms.v1.CreateSessionChallengeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateSessionChallengeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateSession prepares the secrets of one worker's run of one task in the framework's own service.
     * </pre>
     */
    public workerpool.sms.v1.CreateSessionResponse createSession(workerpool.sms.v1.CreateSessionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateSessionMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Enclave challenges and sessions of TEE tasks.
   * </pre>
   */
  public static final class TeeServiceFutureStub extends io.grpc.stub.AbstractFutureStub<TeeServiceFutureStub> {
    private TeeServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TeeServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TeeServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetFramework names the framework that this instance serves, so that a scheduler refuses a wrong address.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.GetFrameworkResponse> getFramework(
        workerpool.sms.v1.GetFrameworkRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetFrameworkMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetServiceProperties describes the pre- and post-compute images of a framework version.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.GetServicePropertiesResponse> getServiceProperties(
        workerpool.sms.v1.GetServicePropertiesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetServicePropertiesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateChallenge returns the address of the task's enclave key, which the pool owner signs into authorizations. The
     * key pair is created once per task.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.CreateChallengeResponse> createChallenge(
        workerpool.sms.v1.CreateChallengeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateChallengeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateSessionChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.CreateSessionChallengeResponse> createSessionChallenge(
        workerpool.sms.v1.CreateSessionChallengeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateSessionChallengeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateSession prepares the secrets of one worker's run of one task in the framework's own service.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.sms.v1.CreateSessionResponse> createSession(
        workerpool.sms.v1.CreateSessionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateSessionMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_FRAMEWORK = 0;
  private static final int METHODID_GET_SERVICE_PROPERTIES = 1;
  private static final int METHODID_CREATE_CHALLENGE = 2;
  private static final int METHODID_CREATE_SESSION_CHALLENGE = 3;
  private static final int METHODID_CREATE_SESSION = 4;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final TeeServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(TeeServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_FRAMEWORK:
          serviceImpl.getFramework((workerpool.sms.v1.GetFrameworkRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.GetFrameworkResponse>) responseObserver);
          break;
        case METHODID_GET_SERVICE_PROPERTIES:
          serviceImpl.getServiceProperties((workerpool.sms.v1.GetServicePropertiesRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.GetServicePropertiesResponse>) responseObserver);
          break;
        case METHODID_CREATE_CHALLENGE:
          serviceImpl.createChallenge((workerpool.sms.v1.CreateChallengeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateChallengeResponse>) responseObserver);
          break;
        case METHODID_CREATE_SESSION_CHALLENGE:
          serviceImpl.createSessionChallenge((workerpool.sms.v1.CreateSessionChallengeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateSessionChallengeResponse>) responseObserver);
          break;
        case METHODID_CREATE_SESSION:
          serviceImpl.createSession((workerpool.sms.v1.CreateSessionRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.sms.v1.CreateSessionResponse>) responseObserver);
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

  private static abstract class TeeServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    TeeServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.sms.v1.TeeServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("TeeService");
    }
  }

  private static final class TeeServiceFileDescriptorSupplier
      extends TeeServiceBaseDescriptorSupplier {
    TeeServiceFileDescriptorSupplier() {}
  }

  private static final class TeeServiceMethodDescriptorSupplier
      extends TeeServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    TeeServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (TeeServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new TeeServiceFileDescriptorSupplier())
              .addMethod(getGetFrameworkMethod())
              .addMethod(getGetServicePropertiesMethod())
              .addMethod(getCreateChallengeMethod())
              .addMethod(getCreateSessionChallengeMethod())
              .addMethod(getCreateSessionMethod())
              .build();
        }
      }
    }
    return result;
  }
}
