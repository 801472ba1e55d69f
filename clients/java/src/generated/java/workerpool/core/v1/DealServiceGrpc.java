package workerpool.core.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Deals of the pool whose tasks core created, for requesters and operators. Reads are public, as deals are on chain.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/core/v1/deal_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class DealServiceGrpc {

  private DealServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.core.v1.DealService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetDealRequest,
      workerpool.core.v1.GetDealResponse> getGetDealMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetDeal",
      requestType = workerpool.core.v1.GetDealRequest.class,
      responseType = workerpool.core.v1.GetDealResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetDealRequest,
      workerpool.core.v1.GetDealResponse> getGetDealMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetDealRequest, workerpool.core.v1.GetDealResponse> getGetDealMethod;
    if ((getGetDealMethod = DealServiceGrpc.getGetDealMethod) == null) {
      synchronized (DealServiceGrpc.class) {
        if ((getGetDealMethod = DealServiceGrpc.getGetDealMethod) == null) {
          DealServiceGrpc.getGetDealMethod = getGetDealMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetDealRequest, workerpool.core.v1.GetDealResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetDeal"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetDealRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetDealResponse.getDefaultInstance()))
              .setSchemaDescriptor(new DealServiceMethodDescriptorSupplier("GetDeal"))
              .build();
        }
      }
    }
    return getGetDealMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ListDealsRequest,
      workerpool.core.v1.ListDealsResponse> getListDealsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListDeals",
      requestType = workerpool.core.v1.ListDealsRequest.class,
      responseType = workerpool.core.v1.ListDealsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ListDealsRequest,
      workerpool.core.v1.ListDealsResponse> getListDealsMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ListDealsRequest, workerpool.core.v1.ListDealsResponse> getListDealsMethod;
    if ((getListDealsMethod = DealServiceGrpc.getListDealsMethod) == null) {
      synchronized (DealServiceGrpc.class) {
        if ((getListDealsMethod = DealServiceGrpc.getListDealsMethod) == null) {
          DealServiceGrpc.getListDealsMethod = getListDealsMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ListDealsRequest, workerpool.core.v1.ListDealsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListDeals"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListDealsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListDealsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new DealServiceMethodDescriptorSupplier("ListDeals"))
              .build();
        }
      }
    }
    return getListDealsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static DealServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<DealServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<DealServiceStub>() {
        @java.lang.Override
        public DealServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new DealServiceStub(channel, callOptions);
        }
      };
    return DealServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static DealServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<DealServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<DealServiceBlockingStub>() {
        @java.lang.Override
        public DealServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new DealServiceBlockingStub(channel, callOptions);
        }
      };
    return DealServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static DealServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<DealServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<DealServiceFutureStub>() {
        @java.lang.Override
        public DealServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new DealServiceFutureStub(channel, callOptions);
        }
      };
    return DealServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Deals of the pool whose tasks core created, for requesters and operators. Reads are public, as deals are on chain.
   * </pre>
   */
  public static abstract class DealServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetDeal reads one deal, with the number of its tasks in each status.
     * </pre>
     */
    public void getDeal(workerpool.core.v1.GetDealRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetDealResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetDealMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListDeals pages through deals, newest first.
     * </pre>
     */
    public void listDeals(workerpool.core.v1.ListDealsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListDealsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListDealsMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetDealMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetDealRequest,
                workerpool.core.v1.GetDealResponse>(
                  this, METHODID_GET_DEAL)))
          .addMethod(
            getListDealsMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ListDealsRequest,
                workerpool.core.v1.ListDealsResponse>(
                  this, METHODID_LIST_DEALS)))
          .build();
    }
  }

  /**
   * <pre>
   * Deals of the pool whose tasks core created, for requesters and operators. Reads are public, as deals are on chain.
   * </pre>
   */
  public static final class DealServiceStub extends io.grpc.stub.AbstractAsyncStub<DealServiceStub> {
    private DealServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected DealServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new DealServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetDeal reads one deal, with the number of its tasks in each status.
     * </pre>
     */
    public void getDeal(workerpool.core.v1.GetDealRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetDealResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetDealMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListDeals pages through deals, newest first.
     * </pre>
     */
    public void listDeals(workerpool.core.v1.ListDealsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListDealsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListDealsMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Deals of the pool whose tasks core created, for requesters and operators. Reads are public, as deals are on chain.
   * </pre>
   */
  public static final class DealServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<DealServiceBlockingStub> {
    private DealServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected DealServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new DealServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetDeal reads one deal, with the number of its tasks in each status.
     * </pre>
     */
    public workerpool.core.v1.GetDealResponse getDeal(workerpool.core.v1.GetDealRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetDealMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListDeals pages through deals, newest first.
     * </pre>
     */
    public workerpool.core.v1.ListDealsResponse listDeals(workerpool.core.v1.ListDealsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListDealsMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Deals of the pool whose tasks core created, for requesters and operators. Reads are public, as deals are on chain.
   * </pre>
   */
  public static final class DealServiceFutureStub extends io.grpc.stub.AbstractFutureStub<DealServiceFutureStub> {
    private DealServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected DealServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new DealServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetDeal reads one deal, with the number of its tasks in each status.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetDealResponse> getDeal(
        workerpool.core.v1.GetDealRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetDealMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListDeals pages through deals, newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ListDealsResponse> listDeals(
        workerpool.core.v1.ListDealsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListDealsMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_DEAL = 0;
  private static final int METHODID_LIST_DEALS = 1;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final DealServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(DealServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_DEAL:
          serviceImpl.getDeal((workerpool.core.v1.GetDealRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetDealResponse>) responseObserver);
          break;
        case METHODID_LIST_DEALS:
          serviceImpl.listDeals((workerpool.core.v1.ListDealsRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ListDealsResponse>) responseObserver);
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

  private static abstract class DealServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    DealServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.core.v1.DealServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("DealService");
    }
  }

  private static final class DealServiceFileDescriptorSupplier
      extends DealServiceBaseDescriptorSupplier {
    DealServiceFileDescriptorSupplier() {}
  }

  private static final class DealServiceMethodDescriptorSupplier
      extends DealServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    DealServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (DealServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new DealServiceFileDescriptorSupplier())
              .addMethod(getGetDealMethod())
              .addMethod(getListDealsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
