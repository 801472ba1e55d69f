package workerpool.result_proxy.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Stores the archives. Each task has one archive, accepted from a worker whose revealed contribution it matches.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/result_proxy/v1/result_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class ResultServiceGrpc {

  private ResultServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.result_proxy.v1.ResultService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetArchiveRulesRequest,
      workerpool.result_proxy.v1.GetArchiveRulesResponse> getGetArchiveRulesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetArchiveRules",
      requestType = workerpool.result_proxy.v1.GetArchiveRulesRequest.class,
      responseType = workerpool.result_proxy.v1.GetArchiveRulesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetArchiveRulesRequest,
      workerpool.result_proxy.v1.GetArchiveRulesResponse> getGetArchiveRulesMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetArchiveRulesRequest, workerpool.result_proxy.v1.GetArchiveRulesResponse> getGetArchiveRulesMethod;
    if ((getGetArchiveRulesMethod = ResultServiceGrpc.getGetArchiveRulesMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getGetArchiveRulesMethod = ResultServiceGrpc.getGetArchiveRulesMethod) == null) {
          ResultServiceGrpc.getGetArchiveRulesMethod = getGetArchiveRulesMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.GetArchiveRulesRequest, workerpool.result_proxy.v1.GetArchiveRulesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetArchiveRules"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.GetArchiveRulesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.GetArchiveRulesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("GetArchiveRules"))
              .build();
        }
      }
    }
    return getGetArchiveRulesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.CreateChallengeRequest,
      workerpool.result_proxy.v1.CreateChallengeResponse> getCreateChallengeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateChallenge",
      requestType = workerpool.result_proxy.v1.CreateChallengeRequest.class,
      responseType = workerpool.result_proxy.v1.CreateChallengeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.CreateChallengeRequest,
      workerpool.result_proxy.v1.CreateChallengeResponse> getCreateChallengeMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.CreateChallengeRequest, workerpool.result_proxy.v1.CreateChallengeResponse> getCreateChallengeMethod;
    if ((getCreateChallengeMethod = ResultServiceGrpc.getCreateChallengeMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getCreateChallengeMethod = ResultServiceGrpc.getCreateChallengeMethod) == null) {
          ResultServiceGrpc.getCreateChallengeMethod = getCreateChallengeMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.CreateChallengeRequest, workerpool.result_proxy.v1.CreateChallengeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateChallenge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.CreateChallengeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.CreateChallengeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("CreateChallenge"))
              .build();
        }
      }
    }
    return getCreateChallengeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.IssueTokenRequest,
      workerpool.result_proxy.v1.IssueTokenResponse> getIssueTokenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "IssueToken",
      requestType = workerpool.result_proxy.v1.IssueTokenRequest.class,
      responseType = workerpool.result_proxy.v1.IssueTokenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.IssueTokenRequest,
      workerpool.result_proxy.v1.IssueTokenResponse> getIssueTokenMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.IssueTokenRequest, workerpool.result_proxy.v1.IssueTokenResponse> getIssueTokenMethod;
    if ((getIssueTokenMethod = ResultServiceGrpc.getIssueTokenMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getIssueTokenMethod = ResultServiceGrpc.getIssueTokenMethod) == null) {
          ResultServiceGrpc.getIssueTokenMethod = getIssueTokenMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.IssueTokenRequest, workerpool.result_proxy.v1.IssueTokenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "IssueToken"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.IssueTokenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.IssueTokenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("IssueToken"))
              .build();
        }
      }
    }
    return getIssueTokenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetUploadRequest,
      workerpool.result_proxy.v1.GetUploadResponse> getGetUploadMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetUpload",
      requestType = workerpool.result_proxy.v1.GetUploadRequest.class,
      responseType = workerpool.result_proxy.v1.GetUploadResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetUploadRequest,
      workerpool.result_proxy.v1.GetUploadResponse> getGetUploadMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetUploadRequest, workerpool.result_proxy.v1.GetUploadResponse> getGetUploadMethod;
    if ((getGetUploadMethod = ResultServiceGrpc.getGetUploadMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getGetUploadMethod = ResultServiceGrpc.getGetUploadMethod) == null) {
          ResultServiceGrpc.getGetUploadMethod = getGetUploadMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.GetUploadRequest, workerpool.result_proxy.v1.GetUploadResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetUpload"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.GetUploadRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.GetUploadResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("GetUpload"))
              .build();
        }
      }
    }
    return getGetUploadMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.UploadRequest,
      workerpool.result_proxy.v1.UploadResponse> getUploadMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Upload",
      requestType = workerpool.result_proxy.v1.UploadRequest.class,
      responseType = workerpool.result_proxy.v1.UploadResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.UploadRequest,
      workerpool.result_proxy.v1.UploadResponse> getUploadMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.UploadRequest, workerpool.result_proxy.v1.UploadResponse> getUploadMethod;
    if ((getUploadMethod = ResultServiceGrpc.getUploadMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getUploadMethod = ResultServiceGrpc.getUploadMethod) == null) {
          ResultServiceGrpc.getUploadMethod = getUploadMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.UploadRequest, workerpool.result_proxy.v1.UploadResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Upload"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.UploadRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.UploadResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("Upload"))
              .build();
        }
      }
    }
    return getUploadMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetResultRequest,
      workerpool.result_proxy.v1.GetResultResponse> getGetResultMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetResult",
      requestType = workerpool.result_proxy.v1.GetResultRequest.class,
      responseType = workerpool.result_proxy.v1.GetResultResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetResultRequest,
      workerpool.result_proxy.v1.GetResultResponse> getGetResultMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.GetResultRequest, workerpool.result_proxy.v1.GetResultResponse> getGetResultMethod;
    if ((getGetResultMethod = ResultServiceGrpc.getGetResultMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getGetResultMethod = ResultServiceGrpc.getGetResultMethod) == null) {
          ResultServiceGrpc.getGetResultMethod = getGetResultMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.GetResultRequest, workerpool.result_proxy.v1.GetResultResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetResult"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.GetResultRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.GetResultResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("GetResult"))
              .build();
        }
      }
    }
    return getGetResultMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.result_proxy.v1.DownloadRequest,
      workerpool.result_proxy.v1.DownloadResponse> getDownloadMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Download",
      requestType = workerpool.result_proxy.v1.DownloadRequest.class,
      responseType = workerpool.result_proxy.v1.DownloadResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.result_proxy.v1.DownloadRequest,
      workerpool.result_proxy.v1.DownloadResponse> getDownloadMethod() {
    io.grpc.MethodDescriptor<workerpool.result_proxy.v1.DownloadRequest, workerpool.result_proxy.v1.DownloadResponse> getDownloadMethod;
    if ((getDownloadMethod = ResultServiceGrpc.getDownloadMethod) == null) {
      synchronized (ResultServiceGrpc.class) {
        if ((getDownloadMethod = ResultServiceGrpc.getDownloadMethod) == null) {
          ResultServiceGrpc.getDownloadMethod = getDownloadMethod =
              io.grpc.MethodDescriptor.<workerpool.result_proxy.v1.DownloadRequest, workerpool.result_proxy.v1.DownloadResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Download"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.DownloadRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.result_proxy.v1.DownloadResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ResultServiceMethodDescriptorSupplier("Download"))
              .build();
        }
      }
    }
    return getDownloadMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ResultServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ResultServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ResultServiceStub>() {
        @java.lang.Override
        public ResultServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ResultServiceStub(channel, callOptions);
        }
      };
    return ResultServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ResultServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ResultServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ResultServiceBlockingStub>() {
        @java.lang.Override
        public ResultServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ResultServiceBlockingStub(channel, callOptions);
        }
      };
    return ResultServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ResultServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ResultServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ResultServiceFutureStub>() {
        @java.lang.Override
        public ResultServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ResultServiceFutureStub(channel, callOptions);
        }
      };
    return ResultServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Stores the archives. Each task has one archive, accepted from a worker whose revealed contribution it matches.
   * </pre>
   */
  public static abstract class ResultServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetArchiveRules returns the rules of this proxy, so that a worker refuses what the proxy would refuse before it
     * contributes.
     * </pre>
     */
    public void getArchiveRules(workerpool.result_proxy.v1.GetArchiveRulesRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetArchiveRulesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetArchiveRulesMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public void createChallenge(workerpool.result_proxy.v1.CreateChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.CreateChallengeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateChallengeMethod(), responseObserver);
    }

    /**
     * <pre>
     * IssueToken exchanges a signed authorization for a bearer token, which Upload requires.
     * </pre>
     */
    public void issueToken(workerpool.result_proxy.v1.IssueTokenRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.IssueTokenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getIssueTokenMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetUpload returns where an interrupted upload continues, so that a worker sends only the missing bytes.
     * </pre>
     */
    public void getUpload(workerpool.result_proxy.v1.GetUploadRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetUploadResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetUploadMethod(), responseObserver);
    }

    /**
     * <pre>
     * Upload stores an archive: one header, then chunks. The archive is checked against the chain before it is stored.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.UploadRequest> upload(
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.UploadResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getUploadMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetResult describes a stored archive, so that a scheduler can verify an upload.
     * </pre>
     */
    public void getResult(workerpool.result_proxy.v1.GetResultRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetResultResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetResultMethod(), responseObserver);
    }

    /**
     * <pre>
     * Download streams an archive: one header, then chunks.
     * </pre>
     */
    public void download(workerpool.result_proxy.v1.DownloadRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.DownloadResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDownloadMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetArchiveRulesMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.GetArchiveRulesRequest,
                workerpool.result_proxy.v1.GetArchiveRulesResponse>(
                  this, METHODID_GET_ARCHIVE_RULES)))
          .addMethod(
            getCreateChallengeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.CreateChallengeRequest,
                workerpool.result_proxy.v1.CreateChallengeResponse>(
                  this, METHODID_CREATE_CHALLENGE)))
          .addMethod(
            getIssueTokenMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.IssueTokenRequest,
                workerpool.result_proxy.v1.IssueTokenResponse>(
                  this, METHODID_ISSUE_TOKEN)))
          .addMethod(
            getGetUploadMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.GetUploadRequest,
                workerpool.result_proxy.v1.GetUploadResponse>(
                  this, METHODID_GET_UPLOAD)))
          .addMethod(
            getUploadMethod(),
            io.grpc.stub.ServerCalls.asyncClientStreamingCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.UploadRequest,
                workerpool.result_proxy.v1.UploadResponse>(
                  this, METHODID_UPLOAD)))
          .addMethod(
            getGetResultMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.GetResultRequest,
                workerpool.result_proxy.v1.GetResultResponse>(
                  this, METHODID_GET_RESULT)))
          .addMethod(
            getDownloadMethod(),
            io.grpc.stub.ServerCalls.asyncServerStreamingCall(
              new MethodHandlers<
                workerpool.result_proxy.v1.DownloadRequest,
                workerpool.result_proxy.v1.DownloadResponse>(
                  this, METHODID_DOWNLOAD)))
          .build();
    }
  }

  /**
   * <pre>
   * Stores the archives. Each task has one archive, accepted from a worker whose revealed contribution it matches.
   * </pre>
   */
  public static final class ResultServiceStub extends io.grpc.stub.AbstractAsyncStub<ResultServiceStub> {
    private ResultServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ResultServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ResultServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetArchiveRules returns the rules of this proxy, so that a worker refuses what the proxy would refuse before it
     * contributes.
     * </pre>
     */
    public void getArchiveRules(workerpool.result_proxy.v1.GetArchiveRulesRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetArchiveRulesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetArchiveRulesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public void createChallenge(workerpool.result_proxy.v1.CreateChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.CreateChallengeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateChallengeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * IssueToken exchanges a signed authorization for a bearer token, which Upload requires.
     * </pre>
     */
    public void issueToken(workerpool.result_proxy.v1.IssueTokenRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.IssueTokenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getIssueTokenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetUpload returns where an interrupted upload continues, so that a worker sends only the missing bytes.
     * </pre>
     */
    public void getUpload(workerpool.result_proxy.v1.GetUploadRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetUploadResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetUploadMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Upload stores an archive: one header, then chunks. The archive is checked against the chain before it is stored.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.UploadRequest> upload(
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.UploadResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncClientStreamingCall(
          getChannel().newCall(getUploadMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * GetResult describes a stored archive, so that a scheduler can verify an upload.
     * </pre>
     */
    public void getResult(workerpool.result_proxy.v1.GetResultRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetResultResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetResultMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Download streams an archive: one header, then chunks.
     * </pre>
     */
    public void download(workerpool.result_proxy.v1.DownloadRequest request,
        io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.DownloadResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getDownloadMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Stores the archives. Each task has one archive, accepted from a worker whose revealed contribution it matches.
   * </pre>
   */
  public static final class ResultServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<ResultServiceBlockingStub> {
    private ResultServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ResultServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ResultServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetArchiveRules returns the rules of this proxy, so that a worker refuses what the proxy would refuse before it
     * contributes.
     * </pre>
     */
    public workerpool.result_proxy.v1.GetArchiveRulesResponse getArchiveRules(workerpool.result_proxy.v1.GetArchiveRulesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetArchiveRulesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public workerpool.result_proxy.v1.CreateChallengeResponse createChallenge(workerpool.result_proxy.v1.CreateChallengeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateChallengeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * IssueToken exchanges a signed authorization for a bearer token, which Upload requires.
     * </pre>
     */
    public workerpool.result_proxy.v1.IssueTokenResponse issueToken(workerpool.result_proxy.v1.IssueTokenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getIssueTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetUpload returns where an interrupted upload continues, so that a worker sends only the missing bytes.
     * </pre>
     */
    public workerpool.result_proxy.v1.GetUploadResponse getUpload(workerpool.result_proxy.v1.GetUploadRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetUploadMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetResult describes a stored archive, so that a scheduler can verify an upload.
     * </pre>
     */
    public workerpool.result_proxy.v1.GetResultResponse getResult(workerpool.result_proxy.v1.GetResultRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetResultMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Download streams an archive: one header, then chunks.
     * </pre>
     */
    public java.util.Iterator<workerpool.result_proxy.v1.DownloadResponse> download(
        workerpool.result_proxy.v1.DownloadRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getDownloadMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Stores the archives. Each task has one archive, accepted from a worker whose revealed contribution it matches.
   * </pre>
   */
  public static final class ResultServiceFutureStub extends io.grpc.stub.AbstractFutureStub<ResultServiceFutureStub> {
    private ResultServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ResultServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ResultServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetArchiveRules returns the rules of this proxy, so that a worker refuses what the proxy would refuse before it
     * contributes.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.result_proxy.v1.GetArchiveRulesResponse> getArchiveRules(
        workerpool.result_proxy.v1.GetArchiveRulesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetArchiveRulesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateChallenge returns a nonce and the audience that a worker signs with its authorization; valid for 60 s.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.result_proxy.v1.CreateChallengeResponse> createChallenge(
        workerpool.result_proxy.v1.CreateChallengeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateChallengeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * IssueToken exchanges a signed authorization for a bearer token, which Upload requires.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.result_proxy.v1.IssueTokenResponse> issueToken(
        workerpool.result_proxy.v1.IssueTokenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getIssueTokenMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetUpload returns where an interrupted upload continues, so that a worker sends only the missing bytes.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.result_proxy.v1.GetUploadResponse> getUpload(
        workerpool.result_proxy.v1.GetUploadRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetUploadMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetResult describes a stored archive, so that a scheduler can verify an upload.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.result_proxy.v1.GetResultResponse> getResult(
        workerpool.result_proxy.v1.GetResultRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetResultMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_ARCHIVE_RULES = 0;
  private static final int METHODID_CREATE_CHALLENGE = 1;
  private static final int METHODID_ISSUE_TOKEN = 2;
  private static final int METHODID_GET_UPLOAD = 3;
  private static final int METHODID_GET_RESULT = 4;
  private static final int METHODID_DOWNLOAD = 5;
  private static final int METHODID_UPLOAD = 6;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final ResultServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(ResultServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_ARCHIVE_RULES:
          serviceImpl.getArchiveRules((workerpool.result_proxy.v1.GetArchiveRulesRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetArchiveRulesResponse>) responseObserver);
          break;
        case METHODID_CREATE_CHALLENGE:
          serviceImpl.createChallenge((workerpool.result_proxy.v1.CreateChallengeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.CreateChallengeResponse>) responseObserver);
          break;
        case METHODID_ISSUE_TOKEN:
          serviceImpl.issueToken((workerpool.result_proxy.v1.IssueTokenRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.IssueTokenResponse>) responseObserver);
          break;
        case METHODID_GET_UPLOAD:
          serviceImpl.getUpload((workerpool.result_proxy.v1.GetUploadRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetUploadResponse>) responseObserver);
          break;
        case METHODID_GET_RESULT:
          serviceImpl.getResult((workerpool.result_proxy.v1.GetResultRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.GetResultResponse>) responseObserver);
          break;
        case METHODID_DOWNLOAD:
          serviceImpl.download((workerpool.result_proxy.v1.DownloadRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.DownloadResponse>) responseObserver);
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
        case METHODID_UPLOAD:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.upload(
              (io.grpc.stub.StreamObserver<workerpool.result_proxy.v1.UploadResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  private static abstract class ResultServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ResultServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.result_proxy.v1.ResultServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ResultService");
    }
  }

  private static final class ResultServiceFileDescriptorSupplier
      extends ResultServiceBaseDescriptorSupplier {
    ResultServiceFileDescriptorSupplier() {}
  }

  private static final class ResultServiceMethodDescriptorSupplier
      extends ResultServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    ResultServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (ResultServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ResultServiceFileDescriptorSupplier())
              .addMethod(getGetArchiveRulesMethod())
              .addMethod(getCreateChallengeMethod())
              .addMethod(getIssueTokenMethod())
              .addMethod(getGetUploadMethod())
              .addMethod(getUploadMethod())
              .addMethod(getGetResultMethod())
              .addMethod(getDownloadMethod())
              .build();
        }
      }
    }
    return result;
  }
}
