package workerpool.order_publisher.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Orders of the pool on the market, for the operator.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/order_publisher/v1/offer_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class OfferServiceGrpc {

  private OfferServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.order_publisher.v1.OfferService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.order_publisher.v1.GetOffersRequest,
      workerpool.order_publisher.v1.GetOffersResponse> getGetOffersMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetOffers",
      requestType = workerpool.order_publisher.v1.GetOffersRequest.class,
      responseType = workerpool.order_publisher.v1.GetOffersResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.order_publisher.v1.GetOffersRequest,
      workerpool.order_publisher.v1.GetOffersResponse> getGetOffersMethod() {
    io.grpc.MethodDescriptor<workerpool.order_publisher.v1.GetOffersRequest, workerpool.order_publisher.v1.GetOffersResponse> getGetOffersMethod;
    if ((getGetOffersMethod = OfferServiceGrpc.getGetOffersMethod) == null) {
      synchronized (OfferServiceGrpc.class) {
        if ((getGetOffersMethod = OfferServiceGrpc.getGetOffersMethod) == null) {
          OfferServiceGrpc.getGetOffersMethod = getGetOffersMethod =
              io.grpc.MethodDescriptor.<workerpool.order_publisher.v1.GetOffersRequest, workerpool.order_publisher.v1.GetOffersResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetOffers"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.order_publisher.v1.GetOffersRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.order_publisher.v1.GetOffersResponse.getDefaultInstance()))
              .setSchemaDescriptor(new OfferServiceMethodDescriptorSupplier("GetOffers"))
              .build();
        }
      }
    }
    return getGetOffersMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static OfferServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OfferServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OfferServiceStub>() {
        @java.lang.Override
        public OfferServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OfferServiceStub(channel, callOptions);
        }
      };
    return OfferServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static OfferServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OfferServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OfferServiceBlockingStub>() {
        @java.lang.Override
        public OfferServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OfferServiceBlockingStub(channel, callOptions);
        }
      };
    return OfferServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static OfferServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<OfferServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<OfferServiceFutureStub>() {
        @java.lang.Override
        public OfferServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new OfferServiceFutureStub(channel, callOptions);
        }
      };
    return OfferServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Orders of the pool on the market, for the operator.
   * </pre>
   */
  public static abstract class OfferServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetOffers returns the orders that the publisher keeps, what it may still offer, and why it offers no more.
     * </pre>
     */
    public void getOffers(workerpool.order_publisher.v1.GetOffersRequest request,
        io.grpc.stub.StreamObserver<workerpool.order_publisher.v1.GetOffersResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetOffersMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetOffersMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.order_publisher.v1.GetOffersRequest,
                workerpool.order_publisher.v1.GetOffersResponse>(
                  this, METHODID_GET_OFFERS)))
          .build();
    }
  }

  /**
   * <pre>
   * Orders of the pool on the market, for the operator.
   * </pre>
   */
  public static final class OfferServiceStub extends io.grpc.stub.AbstractAsyncStub<OfferServiceStub> {
    private OfferServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OfferServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OfferServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetOffers returns the orders that the publisher keeps, what it may still offer, and why it offers no more.
     * </pre>
     */
    public void getOffers(workerpool.order_publisher.v1.GetOffersRequest request,
        io.grpc.stub.StreamObserver<workerpool.order_publisher.v1.GetOffersResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetOffersMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Orders of the pool on the market, for the operator.
   * </pre>
   */
  public static final class OfferServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<OfferServiceBlockingStub> {
    private OfferServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OfferServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OfferServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetOffers returns the orders that the publisher keeps, what it may still offer, and why it offers no more.
     * </pre>
     */
    public workerpool.order_publisher.v1.GetOffersResponse getOffers(workerpool.order_publisher.v1.GetOffersRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetOffersMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Orders of the pool on the market, for the operator.
   * </pre>
   */
  public static final class OfferServiceFutureStub extends io.grpc.stub.AbstractFutureStub<OfferServiceFutureStub> {
    private OfferServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected OfferServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new OfferServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetOffers returns the orders that the publisher keeps, what it may still offer, and why it offers no more.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.order_publisher.v1.GetOffersResponse> getOffers(
        workerpool.order_publisher.v1.GetOffersRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetOffersMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_OFFERS = 0;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final OfferServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(OfferServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_OFFERS:
          serviceImpl.getOffers((workerpool.order_publisher.v1.GetOffersRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.order_publisher.v1.GetOffersResponse>) responseObserver);
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

  private static abstract class OfferServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    OfferServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.order_publisher.v1.OfferServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("OfferService");
    }
  }

  private static final class OfferServiceFileDescriptorSupplier
      extends OfferServiceBaseDescriptorSupplier {
    OfferServiceFileDescriptorSupplier() {}
  }

  private static final class OfferServiceMethodDescriptorSupplier
      extends OfferServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    OfferServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (OfferServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new OfferServiceFileDescriptorSupplier())
              .addMethod(getGetOffersMethod())
              .build();
        }
      }
    }
    return result;
  }
}
