package workerpool.chain_adapter.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Sends the pool owner's transactions. Each command is written to a journal before its transaction is sent.
 * Commands are idempotent: a repeated request for the same task and kind returns the same command. An order's cancellation
 * has the hash of the order instead of a task id.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/chain_adapter/v1/transaction_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class TransactionServiceGrpc {

  private TransactionServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.chain_adapter.v1.TransactionService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.InitializeRequest,
      workerpool.chain_adapter.v1.InitializeResponse> getInitializeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Initialize",
      requestType = workerpool.chain_adapter.v1.InitializeRequest.class,
      responseType = workerpool.chain_adapter.v1.InitializeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.InitializeRequest,
      workerpool.chain_adapter.v1.InitializeResponse> getInitializeMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.InitializeRequest, workerpool.chain_adapter.v1.InitializeResponse> getInitializeMethod;
    if ((getInitializeMethod = TransactionServiceGrpc.getInitializeMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getInitializeMethod = TransactionServiceGrpc.getInitializeMethod) == null) {
          TransactionServiceGrpc.getInitializeMethod = getInitializeMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.InitializeRequest, workerpool.chain_adapter.v1.InitializeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Initialize"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.InitializeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.InitializeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("Initialize"))
              .build();
        }
      }
    }
    return getInitializeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.FinalizeRequest,
      workerpool.chain_adapter.v1.FinalizeResponse> getFinalizeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Finalize",
      requestType = workerpool.chain_adapter.v1.FinalizeRequest.class,
      responseType = workerpool.chain_adapter.v1.FinalizeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.FinalizeRequest,
      workerpool.chain_adapter.v1.FinalizeResponse> getFinalizeMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.FinalizeRequest, workerpool.chain_adapter.v1.FinalizeResponse> getFinalizeMethod;
    if ((getFinalizeMethod = TransactionServiceGrpc.getFinalizeMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getFinalizeMethod = TransactionServiceGrpc.getFinalizeMethod) == null) {
          TransactionServiceGrpc.getFinalizeMethod = getFinalizeMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.FinalizeRequest, workerpool.chain_adapter.v1.FinalizeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Finalize"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.FinalizeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.FinalizeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("Finalize"))
              .build();
        }
      }
    }
    return getFinalizeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ReopenRequest,
      workerpool.chain_adapter.v1.ReopenResponse> getReopenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Reopen",
      requestType = workerpool.chain_adapter.v1.ReopenRequest.class,
      responseType = workerpool.chain_adapter.v1.ReopenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ReopenRequest,
      workerpool.chain_adapter.v1.ReopenResponse> getReopenMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ReopenRequest, workerpool.chain_adapter.v1.ReopenResponse> getReopenMethod;
    if ((getReopenMethod = TransactionServiceGrpc.getReopenMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getReopenMethod = TransactionServiceGrpc.getReopenMethod) == null) {
          TransactionServiceGrpc.getReopenMethod = getReopenMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.ReopenRequest, workerpool.chain_adapter.v1.ReopenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Reopen"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.ReopenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.ReopenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("Reopen"))
              .build();
        }
      }
    }
    return getReopenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ClaimRequest,
      workerpool.chain_adapter.v1.ClaimResponse> getClaimMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Claim",
      requestType = workerpool.chain_adapter.v1.ClaimRequest.class,
      responseType = workerpool.chain_adapter.v1.ClaimResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ClaimRequest,
      workerpool.chain_adapter.v1.ClaimResponse> getClaimMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ClaimRequest, workerpool.chain_adapter.v1.ClaimResponse> getClaimMethod;
    if ((getClaimMethod = TransactionServiceGrpc.getClaimMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getClaimMethod = TransactionServiceGrpc.getClaimMethod) == null) {
          TransactionServiceGrpc.getClaimMethod = getClaimMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.ClaimRequest, workerpool.chain_adapter.v1.ClaimResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Claim"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.ClaimRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.ClaimResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("Claim"))
              .build();
        }
      }
    }
    return getClaimMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.CancelOrderRequest,
      workerpool.chain_adapter.v1.CancelOrderResponse> getCancelOrderMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CancelOrder",
      requestType = workerpool.chain_adapter.v1.CancelOrderRequest.class,
      responseType = workerpool.chain_adapter.v1.CancelOrderResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.CancelOrderRequest,
      workerpool.chain_adapter.v1.CancelOrderResponse> getCancelOrderMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.CancelOrderRequest, workerpool.chain_adapter.v1.CancelOrderResponse> getCancelOrderMethod;
    if ((getCancelOrderMethod = TransactionServiceGrpc.getCancelOrderMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getCancelOrderMethod = TransactionServiceGrpc.getCancelOrderMethod) == null) {
          TransactionServiceGrpc.getCancelOrderMethod = getCancelOrderMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.CancelOrderRequest, workerpool.chain_adapter.v1.CancelOrderResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CancelOrder"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.CancelOrderRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.CancelOrderResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("CancelOrder"))
              .build();
        }
      }
    }
    return getCancelOrderMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.GetCommandRequest,
      workerpool.chain_adapter.v1.GetCommandResponse> getGetCommandMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetCommand",
      requestType = workerpool.chain_adapter.v1.GetCommandRequest.class,
      responseType = workerpool.chain_adapter.v1.GetCommandResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.GetCommandRequest,
      workerpool.chain_adapter.v1.GetCommandResponse> getGetCommandMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.GetCommandRequest, workerpool.chain_adapter.v1.GetCommandResponse> getGetCommandMethod;
    if ((getGetCommandMethod = TransactionServiceGrpc.getGetCommandMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getGetCommandMethod = TransactionServiceGrpc.getGetCommandMethod) == null) {
          TransactionServiceGrpc.getGetCommandMethod = getGetCommandMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.GetCommandRequest, workerpool.chain_adapter.v1.GetCommandResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetCommand"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.GetCommandRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.GetCommandResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("GetCommand"))
              .build();
        }
      }
    }
    return getGetCommandMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.WatchCommandRequest,
      workerpool.chain_adapter.v1.WatchCommandResponse> getWatchCommandMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchCommand",
      requestType = workerpool.chain_adapter.v1.WatchCommandRequest.class,
      responseType = workerpool.chain_adapter.v1.WatchCommandResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.WatchCommandRequest,
      workerpool.chain_adapter.v1.WatchCommandResponse> getWatchCommandMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.WatchCommandRequest, workerpool.chain_adapter.v1.WatchCommandResponse> getWatchCommandMethod;
    if ((getWatchCommandMethod = TransactionServiceGrpc.getWatchCommandMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getWatchCommandMethod = TransactionServiceGrpc.getWatchCommandMethod) == null) {
          TransactionServiceGrpc.getWatchCommandMethod = getWatchCommandMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.WatchCommandRequest, workerpool.chain_adapter.v1.WatchCommandResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchCommand"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.WatchCommandRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.WatchCommandResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("WatchCommand"))
              .build();
        }
      }
    }
    return getWatchCommandMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ListCommandsRequest,
      workerpool.chain_adapter.v1.ListCommandsResponse> getListCommandsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListCommands",
      requestType = workerpool.chain_adapter.v1.ListCommandsRequest.class,
      responseType = workerpool.chain_adapter.v1.ListCommandsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ListCommandsRequest,
      workerpool.chain_adapter.v1.ListCommandsResponse> getListCommandsMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.ListCommandsRequest, workerpool.chain_adapter.v1.ListCommandsResponse> getListCommandsMethod;
    if ((getListCommandsMethod = TransactionServiceGrpc.getListCommandsMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getListCommandsMethod = TransactionServiceGrpc.getListCommandsMethod) == null) {
          TransactionServiceGrpc.getListCommandsMethod = getListCommandsMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.ListCommandsRequest, workerpool.chain_adapter.v1.ListCommandsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListCommands"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.ListCommandsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.ListCommandsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("ListCommands"))
              .build();
        }
      }
    }
    return getListCommandsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.GetWalletRequest,
      workerpool.chain_adapter.v1.GetWalletResponse> getGetWalletMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetWallet",
      requestType = workerpool.chain_adapter.v1.GetWalletRequest.class,
      responseType = workerpool.chain_adapter.v1.GetWalletResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.GetWalletRequest,
      workerpool.chain_adapter.v1.GetWalletResponse> getGetWalletMethod() {
    io.grpc.MethodDescriptor<workerpool.chain_adapter.v1.GetWalletRequest, workerpool.chain_adapter.v1.GetWalletResponse> getGetWalletMethod;
    if ((getGetWalletMethod = TransactionServiceGrpc.getGetWalletMethod) == null) {
      synchronized (TransactionServiceGrpc.class) {
        if ((getGetWalletMethod = TransactionServiceGrpc.getGetWalletMethod) == null) {
          TransactionServiceGrpc.getGetWalletMethod = getGetWalletMethod =
              io.grpc.MethodDescriptor.<workerpool.chain_adapter.v1.GetWalletRequest, workerpool.chain_adapter.v1.GetWalletResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetWallet"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.GetWalletRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.chain_adapter.v1.GetWalletResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TransactionServiceMethodDescriptorSupplier("GetWallet"))
              .build();
        }
      }
    }
    return getGetWalletMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static TransactionServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TransactionServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TransactionServiceStub>() {
        @java.lang.Override
        public TransactionServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TransactionServiceStub(channel, callOptions);
        }
      };
    return TransactionServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static TransactionServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TransactionServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TransactionServiceBlockingStub>() {
        @java.lang.Override
        public TransactionServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TransactionServiceBlockingStub(channel, callOptions);
        }
      };
    return TransactionServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static TransactionServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TransactionServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TransactionServiceFutureStub>() {
        @java.lang.Override
        public TransactionServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TransactionServiceFutureStub(channel, callOptions);
        }
      };
    return TransactionServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Sends the pool owner's transactions. Each command is written to a journal before its transaction is sent.
   * Commands are idempotent: a repeated request for the same task and kind returns the same command. An order's cancellation
   * has the hash of the order instead of a task id.
   * </pre>
   */
  public static abstract class TransactionServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * Initialize requests the on-chain initialization of one task, so that workers may contribute to it.
     * </pre>
     */
    public void initialize(workerpool.chain_adapter.v1.InitializeRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.InitializeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getInitializeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Finalize requests the end of a task with the location of its result, which pays its workers.
     * </pre>
     */
    public void finalize(workerpool.chain_adapter.v1.FinalizeRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.FinalizeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getFinalizeMethod(), responseObserver);
    }

    /**
     * <pre>
     * Reopen requests that a task return to ACTIVE after its reveal deadline passed without a reveal.
     * </pre>
     */
    public void reopen(workerpool.chain_adapter.v1.ReopenRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ReopenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReopenMethod(), responseObserver);
    }

    /**
     * <pre>
     * Claim requests the refund of the requester of a task that passed its final deadline.
     * </pre>
     */
    public void claim(workerpool.chain_adapter.v1.ClaimRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ClaimResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getClaimMethod(), responseObserver);
    }

    /**
     * <pre>
     * CancelOrder requests that a workerpool order be closed on chain, so that a copy of its signature cannot be matched.
     * </pre>
     */
    public void cancelOrder(workerpool.chain_adapter.v1.CancelOrderRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.CancelOrderResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCancelOrderMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetCommand reads a command, to learn whether its effect is on chain.
     * </pre>
     */
    public void getCommand(workerpool.chain_adapter.v1.GetCommandRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.GetCommandResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetCommandMethod(), responseObserver);
    }

    /**
     * <pre>
     * WatchCommand sends a command immediately and after every change until it is final, which replaces polling.
     * </pre>
     */
    public void watchCommand(workerpool.chain_adapter.v1.WatchCommandRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.WatchCommandResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchCommandMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListCommands pages through the journal, newest first, for operators.
     * </pre>
     */
    public void listCommands(workerpool.chain_adapter.v1.ListCommandsRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ListCommandsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListCommandsMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetWallet describes the wallet that signs: its balance and the nonces in flight, for operators and alerts.
     * </pre>
     */
    public void getWallet(workerpool.chain_adapter.v1.GetWalletRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.GetWalletResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetWalletMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getInitializeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.InitializeRequest,
                workerpool.chain_adapter.v1.InitializeResponse>(
                  this, METHODID_INITIALIZE)))
          .addMethod(
            getFinalizeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.FinalizeRequest,
                workerpool.chain_adapter.v1.FinalizeResponse>(
                  this, METHODID_FINALIZE)))
          .addMethod(
            getReopenMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.ReopenRequest,
                workerpool.chain_adapter.v1.ReopenResponse>(
                  this, METHODID_REOPEN)))
          .addMethod(
            getClaimMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.ClaimRequest,
                workerpool.chain_adapter.v1.ClaimResponse>(
                  this, METHODID_CLAIM)))
          .addMethod(
            getCancelOrderMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.CancelOrderRequest,
                workerpool.chain_adapter.v1.CancelOrderResponse>(
                  this, METHODID_CANCEL_ORDER)))
          .addMethod(
            getGetCommandMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.GetCommandRequest,
                workerpool.chain_adapter.v1.GetCommandResponse>(
                  this, METHODID_GET_COMMAND)))
          .addMethod(
            getWatchCommandMethod(),
            io.grpc.stub.ServerCalls.asyncServerStreamingCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.WatchCommandRequest,
                workerpool.chain_adapter.v1.WatchCommandResponse>(
                  this, METHODID_WATCH_COMMAND)))
          .addMethod(
            getListCommandsMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.ListCommandsRequest,
                workerpool.chain_adapter.v1.ListCommandsResponse>(
                  this, METHODID_LIST_COMMANDS)))
          .addMethod(
            getGetWalletMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.chain_adapter.v1.GetWalletRequest,
                workerpool.chain_adapter.v1.GetWalletResponse>(
                  this, METHODID_GET_WALLET)))
          .build();
    }
  }

  /**
   * <pre>
   * Sends the pool owner's transactions. Each command is written to a journal before its transaction is sent.
   * Commands are idempotent: a repeated request for the same task and kind returns the same command. An order's cancellation
   * has the hash of the order instead of a task id.
   * </pre>
   */
  public static final class TransactionServiceStub extends io.grpc.stub.AbstractAsyncStub<TransactionServiceStub> {
    private TransactionServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TransactionServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TransactionServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Initialize requests the on-chain initialization of one task, so that workers may contribute to it.
     * </pre>
     */
    public void initialize(workerpool.chain_adapter.v1.InitializeRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.InitializeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getInitializeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Finalize requests the end of a task with the location of its result, which pays its workers.
     * </pre>
     */
    public void finalize(workerpool.chain_adapter.v1.FinalizeRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.FinalizeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getFinalizeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Reopen requests that a task return to ACTIVE after its reveal deadline passed without a reveal.
     * </pre>
     */
    public void reopen(workerpool.chain_adapter.v1.ReopenRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ReopenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReopenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Claim requests the refund of the requester of a task that passed its final deadline.
     * </pre>
     */
    public void claim(workerpool.chain_adapter.v1.ClaimRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ClaimResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getClaimMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CancelOrder requests that a workerpool order be closed on chain, so that a copy of its signature cannot be matched.
     * </pre>
     */
    public void cancelOrder(workerpool.chain_adapter.v1.CancelOrderRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.CancelOrderResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCancelOrderMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetCommand reads a command, to learn whether its effect is on chain.
     * </pre>
     */
    public void getCommand(workerpool.chain_adapter.v1.GetCommandRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.GetCommandResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetCommandMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * WatchCommand sends a command immediately and after every change until it is final, which replaces polling.
     * </pre>
     */
    public void watchCommand(workerpool.chain_adapter.v1.WatchCommandRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.WatchCommandResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchCommandMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListCommands pages through the journal, newest first, for operators.
     * </pre>
     */
    public void listCommands(workerpool.chain_adapter.v1.ListCommandsRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ListCommandsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListCommandsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetWallet describes the wallet that signs: its balance and the nonces in flight, for operators and alerts.
     * </pre>
     */
    public void getWallet(workerpool.chain_adapter.v1.GetWalletRequest request,
        io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.GetWalletResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetWalletMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Sends the pool owner's transactions. Each command is written to a journal before its transaction is sent.
   * Commands are idempotent: a repeated request for the same task and kind returns the same command. An order's cancellation
   * has the hash of the order instead of a task id.
   * </pre>
   */
  public static final class TransactionServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<TransactionServiceBlockingStub> {
    private TransactionServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TransactionServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TransactionServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Initialize requests the on-chain initialization of one task, so that workers may contribute to it.
     * </pre>
     */
    public workerpool.chain_adapter.v1.InitializeResponse initialize(workerpool.chain_adapter.v1.InitializeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getInitializeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Finalize requests the end of a task with the location of its result, which pays its workers.
     * </pre>
     */
    public workerpool.chain_adapter.v1.FinalizeResponse finalize(workerpool.chain_adapter.v1.FinalizeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getFinalizeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Reopen requests that a task return to ACTIVE after its reveal deadline passed without a reveal.
     * </pre>
     */
    public workerpool.chain_adapter.v1.ReopenResponse reopen(workerpool.chain_adapter.v1.ReopenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReopenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Claim requests the refund of the requester of a task that passed its final deadline.
     * </pre>
     */
    public workerpool.chain_adapter.v1.ClaimResponse claim(workerpool.chain_adapter.v1.ClaimRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getClaimMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CancelOrder requests that a workerpool order be closed on chain, so that a copy of its signature cannot be matched.
     * </pre>
     */
    public workerpool.chain_adapter.v1.CancelOrderResponse cancelOrder(workerpool.chain_adapter.v1.CancelOrderRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCancelOrderMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetCommand reads a command, to learn whether its effect is on chain.
     * </pre>
     */
    public workerpool.chain_adapter.v1.GetCommandResponse getCommand(workerpool.chain_adapter.v1.GetCommandRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetCommandMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * WatchCommand sends a command immediately and after every change until it is final, which replaces polling.
     * </pre>
     */
    public java.util.Iterator<workerpool.chain_adapter.v1.WatchCommandResponse> watchCommand(
        workerpool.chain_adapter.v1.WatchCommandRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchCommandMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListCommands pages through the journal, newest first, for operators.
     * </pre>
     */
    public workerpool.chain_adapter.v1.ListCommandsResponse listCommands(workerpool.chain_adapter.v1.ListCommandsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListCommandsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetWallet describes the wallet that signs: its balance and the nonces in flight, for operators and alerts.
     * </pre>
     */
    public workerpool.chain_adapter.v1.GetWalletResponse getWallet(workerpool.chain_adapter.v1.GetWalletRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetWalletMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Sends the pool owner's transactions. Each command is written to a journal before its transaction is sent.
   * Commands are idempotent: a repeated request for the same task and kind returns the same command. An order's cancellation
   * has the hash of the order instead of a task id.
   * </pre>
   */
  public static final class TransactionServiceFutureStub extends io.grpc.stub.AbstractFutureStub<TransactionServiceFutureStub> {
    private TransactionServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TransactionServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TransactionServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Initialize requests the on-chain initialization of one task, so that workers may contribute to it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.InitializeResponse> initialize(
        workerpool.chain_adapter.v1.InitializeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getInitializeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Finalize requests the end of a task with the location of its result, which pays its workers.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.FinalizeResponse> finalize(
        workerpool.chain_adapter.v1.FinalizeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getFinalizeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Reopen requests that a task return to ACTIVE after its reveal deadline passed without a reveal.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.ReopenResponse> reopen(
        workerpool.chain_adapter.v1.ReopenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReopenMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Claim requests the refund of the requester of a task that passed its final deadline.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.ClaimResponse> claim(
        workerpool.chain_adapter.v1.ClaimRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getClaimMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CancelOrder requests that a workerpool order be closed on chain, so that a copy of its signature cannot be matched.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.CancelOrderResponse> cancelOrder(
        workerpool.chain_adapter.v1.CancelOrderRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCancelOrderMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetCommand reads a command, to learn whether its effect is on chain.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.GetCommandResponse> getCommand(
        workerpool.chain_adapter.v1.GetCommandRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetCommandMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListCommands pages through the journal, newest first, for operators.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.ListCommandsResponse> listCommands(
        workerpool.chain_adapter.v1.ListCommandsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListCommandsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetWallet describes the wallet that signs: its balance and the nonces in flight, for operators and alerts.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.chain_adapter.v1.GetWalletResponse> getWallet(
        workerpool.chain_adapter.v1.GetWalletRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetWalletMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_INITIALIZE = 0;
  private static final int METHODID_FINALIZE = 1;
  private static final int METHODID_REOPEN = 2;
  private static final int METHODID_CLAIM = 3;
  private static final int METHODID_CANCEL_ORDER = 4;
  private static final int METHODID_GET_COMMAND = 5;
  private static final int METHODID_WATCH_COMMAND = 6;
  private static final int METHODID_LIST_COMMANDS = 7;
  private static final int METHODID_GET_WALLET = 8;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final TransactionServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(TransactionServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_INITIALIZE:
          serviceImpl.initialize((workerpool.chain_adapter.v1.InitializeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.InitializeResponse>) responseObserver);
          break;
        case METHODID_FINALIZE:
          serviceImpl.finalize((workerpool.chain_adapter.v1.FinalizeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.FinalizeResponse>) responseObserver);
          break;
        case METHODID_REOPEN:
          serviceImpl.reopen((workerpool.chain_adapter.v1.ReopenRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ReopenResponse>) responseObserver);
          break;
        case METHODID_CLAIM:
          serviceImpl.claim((workerpool.chain_adapter.v1.ClaimRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ClaimResponse>) responseObserver);
          break;
        case METHODID_CANCEL_ORDER:
          serviceImpl.cancelOrder((workerpool.chain_adapter.v1.CancelOrderRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.CancelOrderResponse>) responseObserver);
          break;
        case METHODID_GET_COMMAND:
          serviceImpl.getCommand((workerpool.chain_adapter.v1.GetCommandRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.GetCommandResponse>) responseObserver);
          break;
        case METHODID_WATCH_COMMAND:
          serviceImpl.watchCommand((workerpool.chain_adapter.v1.WatchCommandRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.WatchCommandResponse>) responseObserver);
          break;
        case METHODID_LIST_COMMANDS:
          serviceImpl.listCommands((workerpool.chain_adapter.v1.ListCommandsRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.ListCommandsResponse>) responseObserver);
          break;
        case METHODID_GET_WALLET:
          serviceImpl.getWallet((workerpool.chain_adapter.v1.GetWalletRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.chain_adapter.v1.GetWalletResponse>) responseObserver);
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

  private static abstract class TransactionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    TransactionServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.chain_adapter.v1.TransactionServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("TransactionService");
    }
  }

  private static final class TransactionServiceFileDescriptorSupplier
      extends TransactionServiceBaseDescriptorSupplier {
    TransactionServiceFileDescriptorSupplier() {}
  }

  private static final class TransactionServiceMethodDescriptorSupplier
      extends TransactionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    TransactionServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (TransactionServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new TransactionServiceFileDescriptorSupplier())
              .addMethod(getInitializeMethod())
              .addMethod(getFinalizeMethod())
              .addMethod(getReopenMethod())
              .addMethod(getClaimMethod())
              .addMethod(getCancelOrderMethod())
              .addMethod(getGetCommandMethod())
              .addMethod(getWatchCommandMethod())
              .addMethod(getListCommandsMethod())
              .addMethod(getGetWalletMethod())
              .build();
        }
      }
    }
    return result;
  }
}
