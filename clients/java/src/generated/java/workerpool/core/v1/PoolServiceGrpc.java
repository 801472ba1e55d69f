package workerpool.core.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Workers of the pool, for operators. Reads are public; changes require the operator's credentials.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/core/v1/pool_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class PoolServiceGrpc {

  private PoolServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.core.v1.PoolService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetPoolStatusRequest,
      workerpool.core.v1.GetPoolStatusResponse> getGetPoolStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetPoolStatus",
      requestType = workerpool.core.v1.GetPoolStatusRequest.class,
      responseType = workerpool.core.v1.GetPoolStatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetPoolStatusRequest,
      workerpool.core.v1.GetPoolStatusResponse> getGetPoolStatusMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetPoolStatusRequest, workerpool.core.v1.GetPoolStatusResponse> getGetPoolStatusMethod;
    if ((getGetPoolStatusMethod = PoolServiceGrpc.getGetPoolStatusMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getGetPoolStatusMethod = PoolServiceGrpc.getGetPoolStatusMethod) == null) {
          PoolServiceGrpc.getGetPoolStatusMethod = getGetPoolStatusMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetPoolStatusRequest, workerpool.core.v1.GetPoolStatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetPoolStatus"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetPoolStatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetPoolStatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("GetPoolStatus"))
              .build();
        }
      }
    }
    return getGetPoolStatusMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ListWorkersRequest,
      workerpool.core.v1.ListWorkersResponse> getListWorkersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListWorkers",
      requestType = workerpool.core.v1.ListWorkersRequest.class,
      responseType = workerpool.core.v1.ListWorkersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ListWorkersRequest,
      workerpool.core.v1.ListWorkersResponse> getListWorkersMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ListWorkersRequest, workerpool.core.v1.ListWorkersResponse> getListWorkersMethod;
    if ((getListWorkersMethod = PoolServiceGrpc.getListWorkersMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getListWorkersMethod = PoolServiceGrpc.getListWorkersMethod) == null) {
          PoolServiceGrpc.getListWorkersMethod = getListWorkersMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ListWorkersRequest, workerpool.core.v1.ListWorkersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListWorkers"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListWorkersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListWorkersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("ListWorkers"))
              .build();
        }
      }
    }
    return getListWorkersMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetWorkerRequest,
      workerpool.core.v1.GetWorkerResponse> getGetWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetWorker",
      requestType = workerpool.core.v1.GetWorkerRequest.class,
      responseType = workerpool.core.v1.GetWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetWorkerRequest,
      workerpool.core.v1.GetWorkerResponse> getGetWorkerMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetWorkerRequest, workerpool.core.v1.GetWorkerResponse> getGetWorkerMethod;
    if ((getGetWorkerMethod = PoolServiceGrpc.getGetWorkerMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getGetWorkerMethod = PoolServiceGrpc.getGetWorkerMethod) == null) {
          PoolServiceGrpc.getGetWorkerMethod = getGetWorkerMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetWorkerRequest, workerpool.core.v1.GetWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("GetWorker"))
              .build();
        }
      }
    }
    return getGetWorkerMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ExplainWorkerRequest,
      workerpool.core.v1.ExplainWorkerResponse> getExplainWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ExplainWorker",
      requestType = workerpool.core.v1.ExplainWorkerRequest.class,
      responseType = workerpool.core.v1.ExplainWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ExplainWorkerRequest,
      workerpool.core.v1.ExplainWorkerResponse> getExplainWorkerMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ExplainWorkerRequest, workerpool.core.v1.ExplainWorkerResponse> getExplainWorkerMethod;
    if ((getExplainWorkerMethod = PoolServiceGrpc.getExplainWorkerMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getExplainWorkerMethod = PoolServiceGrpc.getExplainWorkerMethod) == null) {
          PoolServiceGrpc.getExplainWorkerMethod = getExplainWorkerMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ExplainWorkerRequest, workerpool.core.v1.ExplainWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ExplainWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ExplainWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ExplainWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("ExplainWorker"))
              .build();
        }
      }
    }
    return getExplainWorkerMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ListRefusalsRequest,
      workerpool.core.v1.ListRefusalsResponse> getListRefusalsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListRefusals",
      requestType = workerpool.core.v1.ListRefusalsRequest.class,
      responseType = workerpool.core.v1.ListRefusalsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ListRefusalsRequest,
      workerpool.core.v1.ListRefusalsResponse> getListRefusalsMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ListRefusalsRequest, workerpool.core.v1.ListRefusalsResponse> getListRefusalsMethod;
    if ((getListRefusalsMethod = PoolServiceGrpc.getListRefusalsMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getListRefusalsMethod = PoolServiceGrpc.getListRefusalsMethod) == null) {
          PoolServiceGrpc.getListRefusalsMethod = getListRefusalsMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ListRefusalsRequest, workerpool.core.v1.ListRefusalsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListRefusals"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListRefusalsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListRefusalsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("ListRefusals"))
              .build();
        }
      }
    }
    return getListRefusalsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.WatchSupplyRequest,
      workerpool.core.v1.WatchSupplyResponse> getWatchSupplyMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchSupply",
      requestType = workerpool.core.v1.WatchSupplyRequest.class,
      responseType = workerpool.core.v1.WatchSupplyResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.WatchSupplyRequest,
      workerpool.core.v1.WatchSupplyResponse> getWatchSupplyMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.WatchSupplyRequest, workerpool.core.v1.WatchSupplyResponse> getWatchSupplyMethod;
    if ((getWatchSupplyMethod = PoolServiceGrpc.getWatchSupplyMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getWatchSupplyMethod = PoolServiceGrpc.getWatchSupplyMethod) == null) {
          PoolServiceGrpc.getWatchSupplyMethod = getWatchSupplyMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.WatchSupplyRequest, workerpool.core.v1.WatchSupplyResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchSupply"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.WatchSupplyRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.WatchSupplyResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("WatchSupply"))
              .build();
        }
      }
    }
    return getWatchSupplyMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.DrainWorkerRequest,
      workerpool.core.v1.DrainWorkerResponse> getDrainWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DrainWorker",
      requestType = workerpool.core.v1.DrainWorkerRequest.class,
      responseType = workerpool.core.v1.DrainWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.DrainWorkerRequest,
      workerpool.core.v1.DrainWorkerResponse> getDrainWorkerMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.DrainWorkerRequest, workerpool.core.v1.DrainWorkerResponse> getDrainWorkerMethod;
    if ((getDrainWorkerMethod = PoolServiceGrpc.getDrainWorkerMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getDrainWorkerMethod = PoolServiceGrpc.getDrainWorkerMethod) == null) {
          PoolServiceGrpc.getDrainWorkerMethod = getDrainWorkerMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.DrainWorkerRequest, workerpool.core.v1.DrainWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DrainWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.DrainWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.DrainWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("DrainWorker"))
              .build();
        }
      }
    }
    return getDrainWorkerMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.UndrainWorkerRequest,
      workerpool.core.v1.UndrainWorkerResponse> getUndrainWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UndrainWorker",
      requestType = workerpool.core.v1.UndrainWorkerRequest.class,
      responseType = workerpool.core.v1.UndrainWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.UndrainWorkerRequest,
      workerpool.core.v1.UndrainWorkerResponse> getUndrainWorkerMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.UndrainWorkerRequest, workerpool.core.v1.UndrainWorkerResponse> getUndrainWorkerMethod;
    if ((getUndrainWorkerMethod = PoolServiceGrpc.getUndrainWorkerMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getUndrainWorkerMethod = PoolServiceGrpc.getUndrainWorkerMethod) == null) {
          PoolServiceGrpc.getUndrainWorkerMethod = getUndrainWorkerMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.UndrainWorkerRequest, workerpool.core.v1.UndrainWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UndrainWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.UndrainWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.UndrainWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("UndrainWorker"))
              .build();
        }
      }
    }
    return getUndrainWorkerMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.QuarantineWorkerRequest,
      workerpool.core.v1.QuarantineWorkerResponse> getQuarantineWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "QuarantineWorker",
      requestType = workerpool.core.v1.QuarantineWorkerRequest.class,
      responseType = workerpool.core.v1.QuarantineWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.QuarantineWorkerRequest,
      workerpool.core.v1.QuarantineWorkerResponse> getQuarantineWorkerMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.QuarantineWorkerRequest, workerpool.core.v1.QuarantineWorkerResponse> getQuarantineWorkerMethod;
    if ((getQuarantineWorkerMethod = PoolServiceGrpc.getQuarantineWorkerMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getQuarantineWorkerMethod = PoolServiceGrpc.getQuarantineWorkerMethod) == null) {
          PoolServiceGrpc.getQuarantineWorkerMethod = getQuarantineWorkerMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.QuarantineWorkerRequest, workerpool.core.v1.QuarantineWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "QuarantineWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.QuarantineWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.QuarantineWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("QuarantineWorker"))
              .build();
        }
      }
    }
    return getQuarantineWorkerMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ReleaseWorkerRequest,
      workerpool.core.v1.ReleaseWorkerResponse> getReleaseWorkerMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReleaseWorker",
      requestType = workerpool.core.v1.ReleaseWorkerRequest.class,
      responseType = workerpool.core.v1.ReleaseWorkerResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ReleaseWorkerRequest,
      workerpool.core.v1.ReleaseWorkerResponse> getReleaseWorkerMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ReleaseWorkerRequest, workerpool.core.v1.ReleaseWorkerResponse> getReleaseWorkerMethod;
    if ((getReleaseWorkerMethod = PoolServiceGrpc.getReleaseWorkerMethod) == null) {
      synchronized (PoolServiceGrpc.class) {
        if ((getReleaseWorkerMethod = PoolServiceGrpc.getReleaseWorkerMethod) == null) {
          PoolServiceGrpc.getReleaseWorkerMethod = getReleaseWorkerMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ReleaseWorkerRequest, workerpool.core.v1.ReleaseWorkerResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReleaseWorker"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ReleaseWorkerRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ReleaseWorkerResponse.getDefaultInstance()))
              .setSchemaDescriptor(new PoolServiceMethodDescriptorSupplier("ReleaseWorker"))
              .build();
        }
      }
    }
    return getReleaseWorkerMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static PoolServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PoolServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PoolServiceStub>() {
        @java.lang.Override
        public PoolServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PoolServiceStub(channel, callOptions);
        }
      };
    return PoolServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static PoolServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PoolServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PoolServiceBlockingStub>() {
        @java.lang.Override
        public PoolServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PoolServiceBlockingStub(channel, callOptions);
        }
      };
    return PoolServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static PoolServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PoolServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PoolServiceFutureStub>() {
        @java.lang.Override
        public PoolServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PoolServiceFutureStub(channel, callOptions);
        }
      };
    return PoolServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Workers of the pool, for operators. Reads are public; changes require the operator's credentials.
   * </pre>
   */
  public static abstract class PoolServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetPoolStatus summarises workers, tasks and chain, as the documented `GET /metrics` does.
     * </pre>
     */
    public void getPoolStatus(workerpool.core.v1.GetPoolStatusRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetPoolStatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetPoolStatusMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListWorkers pages through all workers that have registered, ordered by wallet.
     * </pre>
     */
    public void listWorkers(workerpool.core.v1.ListWorkersRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListWorkersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListWorkersMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetWorker returns one worker, and why it gets no work now.
     * </pre>
     */
    public void getWorker(workerpool.core.v1.GetWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetWorkerMethod(), responseObserver);
    }

    /**
     * <pre>
     * ExplainWorker returns why a worker gets no work now, even one that never got past its login.
     * </pre>
     */
    public void explainWorker(workerpool.core.v1.ExplainWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ExplainWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getExplainWorkerMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListRefusals returns the last refusals of workers' logins and connections. It requires the operator's credentials,
     * because it returns the addresses of callers.
     * </pre>
     */
    public void listRefusals(workerpool.core.v1.ListRefusalsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListRefusalsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListRefusalsMethod(), responseObserver);
    }

    /**
     * <pre>
     * WatchSupply sends the slots that can be sold, immediately and after each change, at most once a second. It serves the
     * order publisher and requires the operator's credentials, because it reveals how busy the pool is at each moment.
     * </pre>
     */
    public void watchSupply(workerpool.core.v1.WatchSupplyRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.WatchSupplyResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchSupplyMethod(), responseObserver);
    }

    /**
     * <pre>
     * DrainWorker stops assigning work to a worker, for maintenance of its host; its replicates finish.
     * </pre>
     */
    public void drainWorker(workerpool.core.v1.DrainWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.DrainWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDrainWorkerMethod(), responseObserver);
    }

    /**
     * <pre>
     * UndrainWorker assigns work to a drained worker again.
     * </pre>
     */
    public void undrainWorker(workerpool.core.v1.UndrainWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.UndrainWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUndrainWorkerMethod(), responseObserver);
    }

    /**
     * <pre>
     * QuarantineWorker stops assigning work to a distrusted worker for some time; its replicates finish.
     * </pre>
     */
    public void quarantineWorker(workerpool.core.v1.QuarantineWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.QuarantineWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getQuarantineWorkerMethod(), responseObserver);
    }

    /**
     * <pre>
     * ReleaseWorker ends a worker's quarantine, which repeated failures or an operator caused.
     * </pre>
     */
    public void releaseWorker(workerpool.core.v1.ReleaseWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ReleaseWorkerResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReleaseWorkerMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetPoolStatusMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetPoolStatusRequest,
                workerpool.core.v1.GetPoolStatusResponse>(
                  this, METHODID_GET_POOL_STATUS)))
          .addMethod(
            getListWorkersMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ListWorkersRequest,
                workerpool.core.v1.ListWorkersResponse>(
                  this, METHODID_LIST_WORKERS)))
          .addMethod(
            getGetWorkerMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetWorkerRequest,
                workerpool.core.v1.GetWorkerResponse>(
                  this, METHODID_GET_WORKER)))
          .addMethod(
            getExplainWorkerMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ExplainWorkerRequest,
                workerpool.core.v1.ExplainWorkerResponse>(
                  this, METHODID_EXPLAIN_WORKER)))
          .addMethod(
            getListRefusalsMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ListRefusalsRequest,
                workerpool.core.v1.ListRefusalsResponse>(
                  this, METHODID_LIST_REFUSALS)))
          .addMethod(
            getWatchSupplyMethod(),
            io.grpc.stub.ServerCalls.asyncServerStreamingCall(
              new MethodHandlers<
                workerpool.core.v1.WatchSupplyRequest,
                workerpool.core.v1.WatchSupplyResponse>(
                  this, METHODID_WATCH_SUPPLY)))
          .addMethod(
            getDrainWorkerMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.DrainWorkerRequest,
                workerpool.core.v1.DrainWorkerResponse>(
                  this, METHODID_DRAIN_WORKER)))
          .addMethod(
            getUndrainWorkerMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.UndrainWorkerRequest,
                workerpool.core.v1.UndrainWorkerResponse>(
                  this, METHODID_UNDRAIN_WORKER)))
          .addMethod(
            getQuarantineWorkerMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.QuarantineWorkerRequest,
                workerpool.core.v1.QuarantineWorkerResponse>(
                  this, METHODID_QUARANTINE_WORKER)))
          .addMethod(
            getReleaseWorkerMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ReleaseWorkerRequest,
                workerpool.core.v1.ReleaseWorkerResponse>(
                  this, METHODID_RELEASE_WORKER)))
          .build();
    }
  }

  /**
   * <pre>
   * Workers of the pool, for operators. Reads are public; changes require the operator's credentials.
   * </pre>
   */
  public static final class PoolServiceStub extends io.grpc.stub.AbstractAsyncStub<PoolServiceStub> {
    private PoolServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PoolServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PoolServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetPoolStatus summarises workers, tasks and chain, as the documented `GET /metrics` does.
     * </pre>
     */
    public void getPoolStatus(workerpool.core.v1.GetPoolStatusRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetPoolStatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetPoolStatusMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListWorkers pages through all workers that have registered, ordered by wallet.
     * </pre>
     */
    public void listWorkers(workerpool.core.v1.ListWorkersRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListWorkersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListWorkersMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetWorker returns one worker, and why it gets no work now.
     * </pre>
     */
    public void getWorker(workerpool.core.v1.GetWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetWorkerMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ExplainWorker returns why a worker gets no work now, even one that never got past its login.
     * </pre>
     */
    public void explainWorker(workerpool.core.v1.ExplainWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ExplainWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getExplainWorkerMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListRefusals returns the last refusals of workers' logins and connections. It requires the operator's credentials,
     * because it returns the addresses of callers.
     * </pre>
     */
    public void listRefusals(workerpool.core.v1.ListRefusalsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListRefusalsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListRefusalsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * WatchSupply sends the slots that can be sold, immediately and after each change, at most once a second. It serves the
     * order publisher and requires the operator's credentials, because it reveals how busy the pool is at each moment.
     * </pre>
     */
    public void watchSupply(workerpool.core.v1.WatchSupplyRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.WatchSupplyResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchSupplyMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DrainWorker stops assigning work to a worker, for maintenance of its host; its replicates finish.
     * </pre>
     */
    public void drainWorker(workerpool.core.v1.DrainWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.DrainWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDrainWorkerMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * UndrainWorker assigns work to a drained worker again.
     * </pre>
     */
    public void undrainWorker(workerpool.core.v1.UndrainWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.UndrainWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUndrainWorkerMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * QuarantineWorker stops assigning work to a distrusted worker for some time; its replicates finish.
     * </pre>
     */
    public void quarantineWorker(workerpool.core.v1.QuarantineWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.QuarantineWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getQuarantineWorkerMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ReleaseWorker ends a worker's quarantine, which repeated failures or an operator caused.
     * </pre>
     */
    public void releaseWorker(workerpool.core.v1.ReleaseWorkerRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ReleaseWorkerResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReleaseWorkerMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Workers of the pool, for operators. Reads are public; changes require the operator's credentials.
   * </pre>
   */
  public static final class PoolServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<PoolServiceBlockingStub> {
    private PoolServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PoolServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PoolServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetPoolStatus summarises workers, tasks and chain, as the documented `GET /metrics` does.
     * </pre>
     */
    public workerpool.core.v1.GetPoolStatusResponse getPoolStatus(workerpool.core.v1.GetPoolStatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetPoolStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListWorkers pages through all workers that have registered, ordered by wallet.
     * </pre>
     */
    public workerpool.core.v1.ListWorkersResponse listWorkers(workerpool.core.v1.ListWorkersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListWorkersMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetWorker returns one worker, and why it gets no work now.
     * </pre>
     */
    public workerpool.core.v1.GetWorkerResponse getWorker(workerpool.core.v1.GetWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetWorkerMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ExplainWorker returns why a worker gets no work now, even one that never got past its login.
     * </pre>
     */
    public workerpool.core.v1.ExplainWorkerResponse explainWorker(workerpool.core.v1.ExplainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getExplainWorkerMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListRefusals returns the last refusals of workers' logins and connections. It requires the operator's credentials,
     * because it returns the addresses of callers.
     * </pre>
     */
    public workerpool.core.v1.ListRefusalsResponse listRefusals(workerpool.core.v1.ListRefusalsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListRefusalsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * WatchSupply sends the slots that can be sold, immediately and after each change, at most once a second. It serves the
     * order publisher and requires the operator's credentials, because it reveals how busy the pool is at each moment.
     * </pre>
     */
    public java.util.Iterator<workerpool.core.v1.WatchSupplyResponse> watchSupply(
        workerpool.core.v1.WatchSupplyRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchSupplyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DrainWorker stops assigning work to a worker, for maintenance of its host; its replicates finish.
     * </pre>
     */
    public workerpool.core.v1.DrainWorkerResponse drainWorker(workerpool.core.v1.DrainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDrainWorkerMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UndrainWorker assigns work to a drained worker again.
     * </pre>
     */
    public workerpool.core.v1.UndrainWorkerResponse undrainWorker(workerpool.core.v1.UndrainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUndrainWorkerMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * QuarantineWorker stops assigning work to a distrusted worker for some time; its replicates finish.
     * </pre>
     */
    public workerpool.core.v1.QuarantineWorkerResponse quarantineWorker(workerpool.core.v1.QuarantineWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getQuarantineWorkerMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ReleaseWorker ends a worker's quarantine, which repeated failures or an operator caused.
     * </pre>
     */
    public workerpool.core.v1.ReleaseWorkerResponse releaseWorker(workerpool.core.v1.ReleaseWorkerRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReleaseWorkerMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Workers of the pool, for operators. Reads are public; changes require the operator's credentials.
   * </pre>
   */
  public static final class PoolServiceFutureStub extends io.grpc.stub.AbstractFutureStub<PoolServiceFutureStub> {
    private PoolServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PoolServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PoolServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetPoolStatus summarises workers, tasks and chain, as the documented `GET /metrics` does.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetPoolStatusResponse> getPoolStatus(
        workerpool.core.v1.GetPoolStatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetPoolStatusMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListWorkers pages through all workers that have registered, ordered by wallet.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ListWorkersResponse> listWorkers(
        workerpool.core.v1.ListWorkersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListWorkersMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetWorker returns one worker, and why it gets no work now.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetWorkerResponse> getWorker(
        workerpool.core.v1.GetWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetWorkerMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ExplainWorker returns why a worker gets no work now, even one that never got past its login.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ExplainWorkerResponse> explainWorker(
        workerpool.core.v1.ExplainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getExplainWorkerMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListRefusals returns the last refusals of workers' logins and connections. It requires the operator's credentials,
     * because it returns the addresses of callers.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ListRefusalsResponse> listRefusals(
        workerpool.core.v1.ListRefusalsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListRefusalsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DrainWorker stops assigning work to a worker, for maintenance of its host; its replicates finish.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.DrainWorkerResponse> drainWorker(
        workerpool.core.v1.DrainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDrainWorkerMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * UndrainWorker assigns work to a drained worker again.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.UndrainWorkerResponse> undrainWorker(
        workerpool.core.v1.UndrainWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUndrainWorkerMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * QuarantineWorker stops assigning work to a distrusted worker for some time; its replicates finish.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.QuarantineWorkerResponse> quarantineWorker(
        workerpool.core.v1.QuarantineWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getQuarantineWorkerMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ReleaseWorker ends a worker's quarantine, which repeated failures or an operator caused.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ReleaseWorkerResponse> releaseWorker(
        workerpool.core.v1.ReleaseWorkerRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReleaseWorkerMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_POOL_STATUS = 0;
  private static final int METHODID_LIST_WORKERS = 1;
  private static final int METHODID_GET_WORKER = 2;
  private static final int METHODID_EXPLAIN_WORKER = 3;
  private static final int METHODID_LIST_REFUSALS = 4;
  private static final int METHODID_WATCH_SUPPLY = 5;
  private static final int METHODID_DRAIN_WORKER = 6;
  private static final int METHODID_UNDRAIN_WORKER = 7;
  private static final int METHODID_QUARANTINE_WORKER = 8;
  private static final int METHODID_RELEASE_WORKER = 9;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final PoolServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(PoolServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_POOL_STATUS:
          serviceImpl.getPoolStatus((workerpool.core.v1.GetPoolStatusRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetPoolStatusResponse>) responseObserver);
          break;
        case METHODID_LIST_WORKERS:
          serviceImpl.listWorkers((workerpool.core.v1.ListWorkersRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ListWorkersResponse>) responseObserver);
          break;
        case METHODID_GET_WORKER:
          serviceImpl.getWorker((workerpool.core.v1.GetWorkerRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetWorkerResponse>) responseObserver);
          break;
        case METHODID_EXPLAIN_WORKER:
          serviceImpl.explainWorker((workerpool.core.v1.ExplainWorkerRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ExplainWorkerResponse>) responseObserver);
          break;
        case METHODID_LIST_REFUSALS:
          serviceImpl.listRefusals((workerpool.core.v1.ListRefusalsRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ListRefusalsResponse>) responseObserver);
          break;
        case METHODID_WATCH_SUPPLY:
          serviceImpl.watchSupply((workerpool.core.v1.WatchSupplyRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.WatchSupplyResponse>) responseObserver);
          break;
        case METHODID_DRAIN_WORKER:
          serviceImpl.drainWorker((workerpool.core.v1.DrainWorkerRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.DrainWorkerResponse>) responseObserver);
          break;
        case METHODID_UNDRAIN_WORKER:
          serviceImpl.undrainWorker((workerpool.core.v1.UndrainWorkerRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.UndrainWorkerResponse>) responseObserver);
          break;
        case METHODID_QUARANTINE_WORKER:
          serviceImpl.quarantineWorker((workerpool.core.v1.QuarantineWorkerRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.QuarantineWorkerResponse>) responseObserver);
          break;
        case METHODID_RELEASE_WORKER:
          serviceImpl.releaseWorker((workerpool.core.v1.ReleaseWorkerRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ReleaseWorkerResponse>) responseObserver);
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

  private static abstract class PoolServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    PoolServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.core.v1.PoolServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("PoolService");
    }
  }

  private static final class PoolServiceFileDescriptorSupplier
      extends PoolServiceBaseDescriptorSupplier {
    PoolServiceFileDescriptorSupplier() {}
  }

  private static final class PoolServiceMethodDescriptorSupplier
      extends PoolServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    PoolServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (PoolServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new PoolServiceFileDescriptorSupplier())
              .addMethod(getGetPoolStatusMethod())
              .addMethod(getListWorkersMethod())
              .addMethod(getGetWorkerMethod())
              .addMethod(getExplainWorkerMethod())
              .addMethod(getListRefusalsMethod())
              .addMethod(getWatchSupplyMethod())
              .addMethod(getDrainWorkerMethod())
              .addMethod(getUndrainWorkerMethod())
              .addMethod(getQuarantineWorkerMethod())
              .addMethod(getReleaseWorkerMethod())
              .build();
        }
      }
    }
    return result;
  }
}
