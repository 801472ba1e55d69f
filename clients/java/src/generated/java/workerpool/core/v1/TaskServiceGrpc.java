package workerpool.core.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Tasks, for requesters and operators. Reads are public, as they are on chain; logs require the requester's signature or
 * the operator's credentials.
 * </pre>
 */
@javax.annotation.Generated(
    value = "by gRPC proto compiler",
    comments = "Source: workerpool/core/v1/task_service.proto")
@io.grpc.stub.annotations.GrpcGenerated
public final class TaskServiceGrpc {

  private TaskServiceGrpc() {}

  public static final String SERVICE_NAME = "workerpool.core.v1.TaskService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetTaskRequest,
      workerpool.core.v1.GetTaskResponse> getGetTaskMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetTask",
      requestType = workerpool.core.v1.GetTaskRequest.class,
      responseType = workerpool.core.v1.GetTaskResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetTaskRequest,
      workerpool.core.v1.GetTaskResponse> getGetTaskMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetTaskRequest, workerpool.core.v1.GetTaskResponse> getGetTaskMethod;
    if ((getGetTaskMethod = TaskServiceGrpc.getGetTaskMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetTaskMethod = TaskServiceGrpc.getGetTaskMethod) == null) {
          TaskServiceGrpc.getGetTaskMethod = getGetTaskMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetTaskRequest, workerpool.core.v1.GetTaskResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetTask"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetTaskRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetTaskResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetTask"))
              .build();
        }
      }
    }
    return getGetTaskMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ListTasksRequest,
      workerpool.core.v1.ListTasksResponse> getListTasksMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListTasks",
      requestType = workerpool.core.v1.ListTasksRequest.class,
      responseType = workerpool.core.v1.ListTasksResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ListTasksRequest,
      workerpool.core.v1.ListTasksResponse> getListTasksMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ListTasksRequest, workerpool.core.v1.ListTasksResponse> getListTasksMethod;
    if ((getListTasksMethod = TaskServiceGrpc.getListTasksMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getListTasksMethod = TaskServiceGrpc.getListTasksMethod) == null) {
          TaskServiceGrpc.getListTasksMethod = getListTasksMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ListTasksRequest, workerpool.core.v1.ListTasksResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListTasks"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListTasksRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ListTasksResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ListTasks"))
              .build();
        }
      }
    }
    return getListTasksMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.WatchTaskRequest,
      workerpool.core.v1.WatchTaskResponse> getWatchTaskMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchTask",
      requestType = workerpool.core.v1.WatchTaskRequest.class,
      responseType = workerpool.core.v1.WatchTaskResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.WatchTaskRequest,
      workerpool.core.v1.WatchTaskResponse> getWatchTaskMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.WatchTaskRequest, workerpool.core.v1.WatchTaskResponse> getWatchTaskMethod;
    if ((getWatchTaskMethod = TaskServiceGrpc.getWatchTaskMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getWatchTaskMethod = TaskServiceGrpc.getWatchTaskMethod) == null) {
          TaskServiceGrpc.getWatchTaskMethod = getWatchTaskMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.WatchTaskRequest, workerpool.core.v1.WatchTaskResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchTask"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.WatchTaskRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.WatchTaskResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("WatchTask"))
              .build();
        }
      }
    }
    return getWatchTaskMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.ExplainTaskRequest,
      workerpool.core.v1.ExplainTaskResponse> getExplainTaskMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ExplainTask",
      requestType = workerpool.core.v1.ExplainTaskRequest.class,
      responseType = workerpool.core.v1.ExplainTaskResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.ExplainTaskRequest,
      workerpool.core.v1.ExplainTaskResponse> getExplainTaskMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.ExplainTaskRequest, workerpool.core.v1.ExplainTaskResponse> getExplainTaskMethod;
    if ((getExplainTaskMethod = TaskServiceGrpc.getExplainTaskMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getExplainTaskMethod = TaskServiceGrpc.getExplainTaskMethod) == null) {
          TaskServiceGrpc.getExplainTaskMethod = getExplainTaskMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.ExplainTaskRequest, workerpool.core.v1.ExplainTaskResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ExplainTask"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ExplainTaskRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.ExplainTaskResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("ExplainTask"))
              .build();
        }
      }
    }
    return getExplainTaskMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetReplicateRequest,
      workerpool.core.v1.GetReplicateResponse> getGetReplicateMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetReplicate",
      requestType = workerpool.core.v1.GetReplicateRequest.class,
      responseType = workerpool.core.v1.GetReplicateResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetReplicateRequest,
      workerpool.core.v1.GetReplicateResponse> getGetReplicateMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetReplicateRequest, workerpool.core.v1.GetReplicateResponse> getGetReplicateMethod;
    if ((getGetReplicateMethod = TaskServiceGrpc.getGetReplicateMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetReplicateMethod = TaskServiceGrpc.getGetReplicateMethod) == null) {
          TaskServiceGrpc.getGetReplicateMethod = getGetReplicateMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetReplicateRequest, workerpool.core.v1.GetReplicateResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetReplicate"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetReplicateRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetReplicateResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetReplicate"))
              .build();
        }
      }
    }
    return getGetReplicateMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.CreateLogChallengeRequest,
      workerpool.core.v1.CreateLogChallengeResponse> getCreateLogChallengeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateLogChallenge",
      requestType = workerpool.core.v1.CreateLogChallengeRequest.class,
      responseType = workerpool.core.v1.CreateLogChallengeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.CreateLogChallengeRequest,
      workerpool.core.v1.CreateLogChallengeResponse> getCreateLogChallengeMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.CreateLogChallengeRequest, workerpool.core.v1.CreateLogChallengeResponse> getCreateLogChallengeMethod;
    if ((getCreateLogChallengeMethod = TaskServiceGrpc.getCreateLogChallengeMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getCreateLogChallengeMethod = TaskServiceGrpc.getCreateLogChallengeMethod) == null) {
          TaskServiceGrpc.getCreateLogChallengeMethod = getCreateLogChallengeMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.CreateLogChallengeRequest, workerpool.core.v1.CreateLogChallengeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateLogChallenge"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.CreateLogChallengeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.CreateLogChallengeResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("CreateLogChallenge"))
              .build();
        }
      }
    }
    return getCreateLogChallengeMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.GetTaskLogsRequest,
      workerpool.core.v1.GetTaskLogsResponse> getGetTaskLogsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetTaskLogs",
      requestType = workerpool.core.v1.GetTaskLogsRequest.class,
      responseType = workerpool.core.v1.GetTaskLogsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.GetTaskLogsRequest,
      workerpool.core.v1.GetTaskLogsResponse> getGetTaskLogsMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.GetTaskLogsRequest, workerpool.core.v1.GetTaskLogsResponse> getGetTaskLogsMethod;
    if ((getGetTaskLogsMethod = TaskServiceGrpc.getGetTaskLogsMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getGetTaskLogsMethod = TaskServiceGrpc.getGetTaskLogsMethod) == null) {
          TaskServiceGrpc.getGetTaskLogsMethod = getGetTaskLogsMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.GetTaskLogsRequest, workerpool.core.v1.GetTaskLogsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetTaskLogs"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetTaskLogsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.GetTaskLogsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("GetTaskLogs"))
              .build();
        }
      }
    }
    return getGetTaskLogsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<workerpool.core.v1.WatchTaskLogsRequest,
      workerpool.core.v1.WatchTaskLogsResponse> getWatchTaskLogsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchTaskLogs",
      requestType = workerpool.core.v1.WatchTaskLogsRequest.class,
      responseType = workerpool.core.v1.WatchTaskLogsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<workerpool.core.v1.WatchTaskLogsRequest,
      workerpool.core.v1.WatchTaskLogsResponse> getWatchTaskLogsMethod() {
    io.grpc.MethodDescriptor<workerpool.core.v1.WatchTaskLogsRequest, workerpool.core.v1.WatchTaskLogsResponse> getWatchTaskLogsMethod;
    if ((getWatchTaskLogsMethod = TaskServiceGrpc.getWatchTaskLogsMethod) == null) {
      synchronized (TaskServiceGrpc.class) {
        if ((getWatchTaskLogsMethod = TaskServiceGrpc.getWatchTaskLogsMethod) == null) {
          TaskServiceGrpc.getWatchTaskLogsMethod = getWatchTaskLogsMethod =
              io.grpc.MethodDescriptor.<workerpool.core.v1.WatchTaskLogsRequest, workerpool.core.v1.WatchTaskLogsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchTaskLogs"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.WatchTaskLogsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  workerpool.core.v1.WatchTaskLogsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new TaskServiceMethodDescriptorSupplier("WatchTaskLogs"))
              .build();
        }
      }
    }
    return getWatchTaskLogsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static TaskServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceStub>() {
        @java.lang.Override
        public TaskServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceStub(channel, callOptions);
        }
      };
    return TaskServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static TaskServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceBlockingStub>() {
        @java.lang.Override
        public TaskServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceBlockingStub(channel, callOptions);
        }
      };
    return TaskServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static TaskServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<TaskServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<TaskServiceFutureStub>() {
        @java.lang.Override
        public TaskServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new TaskServiceFutureStub(channel, callOptions);
        }
      };
    return TaskServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Tasks, for requesters and operators. Reads are public, as they are on chain; logs require the requester's signature or
   * the operator's credentials.
   * </pre>
   */
  public static abstract class TaskServiceImplBase implements io.grpc.BindableService {

    /**
     * <pre>
     * GetTask reads one task with its replicates.
     * </pre>
     */
    public void getTask(workerpool.core.v1.GetTaskRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetTaskResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetTaskMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListTasks pages through tasks, newest deal first.
     * </pre>
     */
    public void listTasks(workerpool.core.v1.ListTasksRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListTasksResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListTasksMethod(), responseObserver);
    }

    /**
     * <pre>
     * WatchTask sends a task immediately and after every change until it is COMPLETED or FAILED, which replaces polling.
     * </pre>
     */
    public void watchTask(workerpool.core.v1.WatchTaskRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.WatchTaskResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchTaskMethod(), responseObserver);
    }

    /**
     * <pre>
     * ExplainTask returns in one step why a task waits or failed, without its history.
     * </pre>
     */
    public void explainTask(workerpool.core.v1.ExplainTaskRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ExplainTaskResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getExplainTaskMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetReplicate reads one worker's execution of one task.
     * </pre>
     */
    public void getReplicate(workerpool.core.v1.GetReplicateRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetReplicateResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetReplicateMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateLogChallenge returns the EIP-712 message that a requester signs to read the logs of their tasks.
     * </pre>
     */
    public void createLogChallenge(workerpool.core.v1.CreateLogChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.CreateLogChallengeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateLogChallengeMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetTaskLogs reads the compute logs of a task; only its requester has access.
     * </pre>
     */
    public void getTaskLogs(workerpool.core.v1.GetTaskLogsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetTaskLogsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetTaskLogsMethod(), responseObserver);
    }

    /**
     * <pre>
     * WatchTaskLogs sends the compute logs of a task, and with `follow` also what running apps write, until the task has
     * ended. It requires the operator's credentials.
     * </pre>
     */
    public void watchTaskLogs(workerpool.core.v1.WatchTaskLogsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.WatchTaskLogsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchTaskLogsMethod(), responseObserver);
    }

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
          .addMethod(
            getGetTaskMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetTaskRequest,
                workerpool.core.v1.GetTaskResponse>(
                  this, METHODID_GET_TASK)))
          .addMethod(
            getListTasksMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ListTasksRequest,
                workerpool.core.v1.ListTasksResponse>(
                  this, METHODID_LIST_TASKS)))
          .addMethod(
            getWatchTaskMethod(),
            io.grpc.stub.ServerCalls.asyncServerStreamingCall(
              new MethodHandlers<
                workerpool.core.v1.WatchTaskRequest,
                workerpool.core.v1.WatchTaskResponse>(
                  this, METHODID_WATCH_TASK)))
          .addMethod(
            getExplainTaskMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.ExplainTaskRequest,
                workerpool.core.v1.ExplainTaskResponse>(
                  this, METHODID_EXPLAIN_TASK)))
          .addMethod(
            getGetReplicateMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetReplicateRequest,
                workerpool.core.v1.GetReplicateResponse>(
                  this, METHODID_GET_REPLICATE)))
          .addMethod(
            getCreateLogChallengeMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.CreateLogChallengeRequest,
                workerpool.core.v1.CreateLogChallengeResponse>(
                  this, METHODID_CREATE_LOG_CHALLENGE)))
          .addMethod(
            getGetTaskLogsMethod(),
            io.grpc.stub.ServerCalls.asyncUnaryCall(
              new MethodHandlers<
                workerpool.core.v1.GetTaskLogsRequest,
                workerpool.core.v1.GetTaskLogsResponse>(
                  this, METHODID_GET_TASK_LOGS)))
          .addMethod(
            getWatchTaskLogsMethod(),
            io.grpc.stub.ServerCalls.asyncServerStreamingCall(
              new MethodHandlers<
                workerpool.core.v1.WatchTaskLogsRequest,
                workerpool.core.v1.WatchTaskLogsResponse>(
                  this, METHODID_WATCH_TASK_LOGS)))
          .build();
    }
  }

  /**
   * <pre>
   * Tasks, for requesters and operators. Reads are public, as they are on chain; logs require the requester's signature or
   * the operator's credentials.
   * </pre>
   */
  public static final class TaskServiceStub extends io.grpc.stub.AbstractAsyncStub<TaskServiceStub> {
    private TaskServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetTask reads one task with its replicates.
     * </pre>
     */
    public void getTask(workerpool.core.v1.GetTaskRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetTaskResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetTaskMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListTasks pages through tasks, newest deal first.
     * </pre>
     */
    public void listTasks(workerpool.core.v1.ListTasksRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ListTasksResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListTasksMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * WatchTask sends a task immediately and after every change until it is COMPLETED or FAILED, which replaces polling.
     * </pre>
     */
    public void watchTask(workerpool.core.v1.WatchTaskRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.WatchTaskResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchTaskMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ExplainTask returns in one step why a task waits or failed, without its history.
     * </pre>
     */
    public void explainTask(workerpool.core.v1.ExplainTaskRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.ExplainTaskResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getExplainTaskMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetReplicate reads one worker's execution of one task.
     * </pre>
     */
    public void getReplicate(workerpool.core.v1.GetReplicateRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetReplicateResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetReplicateMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateLogChallenge returns the EIP-712 message that a requester signs to read the logs of their tasks.
     * </pre>
     */
    public void createLogChallenge(workerpool.core.v1.CreateLogChallengeRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.CreateLogChallengeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateLogChallengeMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetTaskLogs reads the compute logs of a task; only its requester has access.
     * </pre>
     */
    public void getTaskLogs(workerpool.core.v1.GetTaskLogsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.GetTaskLogsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetTaskLogsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * WatchTaskLogs sends the compute logs of a task, and with `follow` also what running apps write, until the task has
     * ended. It requires the operator's credentials.
     * </pre>
     */
    public void watchTaskLogs(workerpool.core.v1.WatchTaskLogsRequest request,
        io.grpc.stub.StreamObserver<workerpool.core.v1.WatchTaskLogsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchTaskLogsMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * <pre>
   * Tasks, for requesters and operators. Reads are public, as they are on chain; logs require the requester's signature or
   * the operator's credentials.
   * </pre>
   */
  public static final class TaskServiceBlockingStub extends io.grpc.stub.AbstractBlockingStub<TaskServiceBlockingStub> {
    private TaskServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetTask reads one task with its replicates.
     * </pre>
     */
    public workerpool.core.v1.GetTaskResponse getTask(workerpool.core.v1.GetTaskRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetTaskMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListTasks pages through tasks, newest deal first.
     * </pre>
     */
    public workerpool.core.v1.ListTasksResponse listTasks(workerpool.core.v1.ListTasksRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListTasksMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * WatchTask sends a task immediately and after every change until it is COMPLETED or FAILED, which replaces polling.
     * </pre>
     */
    public java.util.Iterator<workerpool.core.v1.WatchTaskResponse> watchTask(
        workerpool.core.v1.WatchTaskRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchTaskMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ExplainTask returns in one step why a task waits or failed, without its history.
     * </pre>
     */
    public workerpool.core.v1.ExplainTaskResponse explainTask(workerpool.core.v1.ExplainTaskRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getExplainTaskMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetReplicate reads one worker's execution of one task.
     * </pre>
     */
    public workerpool.core.v1.GetReplicateResponse getReplicate(workerpool.core.v1.GetReplicateRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetReplicateMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateLogChallenge returns the EIP-712 message that a requester signs to read the logs of their tasks.
     * </pre>
     */
    public workerpool.core.v1.CreateLogChallengeResponse createLogChallenge(workerpool.core.v1.CreateLogChallengeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateLogChallengeMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetTaskLogs reads the compute logs of a task; only its requester has access.
     * </pre>
     */
    public workerpool.core.v1.GetTaskLogsResponse getTaskLogs(workerpool.core.v1.GetTaskLogsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetTaskLogsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * WatchTaskLogs sends the compute logs of a task, and with `follow` also what running apps write, until the task has
     * ended. It requires the operator's credentials.
     * </pre>
     */
    public java.util.Iterator<workerpool.core.v1.WatchTaskLogsResponse> watchTaskLogs(
        workerpool.core.v1.WatchTaskLogsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchTaskLogsMethod(), getCallOptions(), request);
    }
  }

  /**
   * <pre>
   * Tasks, for requesters and operators. Reads are public, as they are on chain; logs require the requester's signature or
   * the operator's credentials.
   * </pre>
   */
  public static final class TaskServiceFutureStub extends io.grpc.stub.AbstractFutureStub<TaskServiceFutureStub> {
    private TaskServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected TaskServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new TaskServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * GetTask reads one task with its replicates.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetTaskResponse> getTask(
        workerpool.core.v1.GetTaskRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetTaskMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListTasks pages through tasks, newest deal first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ListTasksResponse> listTasks(
        workerpool.core.v1.ListTasksRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListTasksMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ExplainTask returns in one step why a task waits or failed, without its history.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.ExplainTaskResponse> explainTask(
        workerpool.core.v1.ExplainTaskRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getExplainTaskMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetReplicate reads one worker's execution of one task.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetReplicateResponse> getReplicate(
        workerpool.core.v1.GetReplicateRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetReplicateMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateLogChallenge returns the EIP-712 message that a requester signs to read the logs of their tasks.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.CreateLogChallengeResponse> createLogChallenge(
        workerpool.core.v1.CreateLogChallengeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateLogChallengeMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetTaskLogs reads the compute logs of a task; only its requester has access.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<workerpool.core.v1.GetTaskLogsResponse> getTaskLogs(
        workerpool.core.v1.GetTaskLogsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetTaskLogsMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_TASK = 0;
  private static final int METHODID_LIST_TASKS = 1;
  private static final int METHODID_WATCH_TASK = 2;
  private static final int METHODID_EXPLAIN_TASK = 3;
  private static final int METHODID_GET_REPLICATE = 4;
  private static final int METHODID_CREATE_LOG_CHALLENGE = 5;
  private static final int METHODID_GET_TASK_LOGS = 6;
  private static final int METHODID_WATCH_TASK_LOGS = 7;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final TaskServiceImplBase serviceImpl;
    private final int methodId;

    MethodHandlers(TaskServiceImplBase serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_TASK:
          serviceImpl.getTask((workerpool.core.v1.GetTaskRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetTaskResponse>) responseObserver);
          break;
        case METHODID_LIST_TASKS:
          serviceImpl.listTasks((workerpool.core.v1.ListTasksRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ListTasksResponse>) responseObserver);
          break;
        case METHODID_WATCH_TASK:
          serviceImpl.watchTask((workerpool.core.v1.WatchTaskRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.WatchTaskResponse>) responseObserver);
          break;
        case METHODID_EXPLAIN_TASK:
          serviceImpl.explainTask((workerpool.core.v1.ExplainTaskRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.ExplainTaskResponse>) responseObserver);
          break;
        case METHODID_GET_REPLICATE:
          serviceImpl.getReplicate((workerpool.core.v1.GetReplicateRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetReplicateResponse>) responseObserver);
          break;
        case METHODID_CREATE_LOG_CHALLENGE:
          serviceImpl.createLogChallenge((workerpool.core.v1.CreateLogChallengeRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.CreateLogChallengeResponse>) responseObserver);
          break;
        case METHODID_GET_TASK_LOGS:
          serviceImpl.getTaskLogs((workerpool.core.v1.GetTaskLogsRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.GetTaskLogsResponse>) responseObserver);
          break;
        case METHODID_WATCH_TASK_LOGS:
          serviceImpl.watchTaskLogs((workerpool.core.v1.WatchTaskLogsRequest) request,
              (io.grpc.stub.StreamObserver<workerpool.core.v1.WatchTaskLogsResponse>) responseObserver);
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

  private static abstract class TaskServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    TaskServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return workerpool.core.v1.TaskServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("TaskService");
    }
  }

  private static final class TaskServiceFileDescriptorSupplier
      extends TaskServiceBaseDescriptorSupplier {
    TaskServiceFileDescriptorSupplier() {}
  }

  private static final class TaskServiceMethodDescriptorSupplier
      extends TaskServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final String methodName;

    TaskServiceMethodDescriptorSupplier(String methodName) {
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
      synchronized (TaskServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new TaskServiceFileDescriptorSupplier())
              .addMethod(getGetTaskMethod())
              .addMethod(getListTasksMethod())
              .addMethod(getWatchTaskMethod())
              .addMethod(getExplainTaskMethod())
              .addMethod(getGetReplicateMethod())
              .addMethod(getCreateLogChallengeMethod())
              .addMethod(getGetTaskLogsMethod())
              .addMethod(getWatchTaskLogsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
