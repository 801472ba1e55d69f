"""A config server and a result proxy, as far as a worker needs them."""

import json

import grpc
from workerpool_protocol.registry.v1 import config_service_pb2, config_service_pb2_grpc
from workerpool_protocol.result_proxy.v1 import result_service_pb2, result_service_pb2_grpc


class ConfigPeer(config_service_pb2_grpc.ConfigServiceServicer):
    """A config server."""

    def __init__(self, chain):
        self.chain = chain

    async def GetChain(self, request, context):
        return config_service_pb2.GetChainResponse(chain=self.chain)


class ResultPeer(result_service_pb2_grpc.ResultServiceServicer):
    """A result proxy that keeps what it gets."""

    def __init__(self):
        self.archives = {}
        self.headers = {}
        self.failures = []

    async def IssueToken(self, request, context):
        return result_service_pb2.IssueTokenResponse(token=request.authorization.worker_wallet)

    async def Upload(self, request_iterator, context):
        if self.failures:
            code, text = self.failures.pop(0)
            await context.abort(code, text)
        header, content = None, b""
        async for message in request_iterator:
            if message.WhichOneof("part") == "header":
                header = message.header
            else:
                content += message.chunk
        if header.task_id in self.archives:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "stored already")
        self.archives[header.task_id], self.headers[header.task_id] = content, header
        return result_service_pb2.UploadResponse(result_link=link_of(header.task_id))

    async def GetResult(self, request, context):
        header = self.headers[request.task_id]
        return result_service_pb2.GetResultResponse(
            result=result_service_pb2.Result(
                task_id=header.task_id,
                result_digest=header.result_digest,
                result_link=link_of(header.task_id),
            )
        )


def link_of(task_id):
    return json.dumps({"storage": "ipfs", "location": f"/results/{task_id}"})
