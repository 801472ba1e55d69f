"""The methods of the service and their roles."""

from workerpool_kit.access.authenticators import ANYONE
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb
from workerpool_result_proxy.api.result_service import POLICY, SERVICE
from workerpool_result_proxy.app.issue_token import WORKER_ROLE


def test_every_method_has_a_policy_and_only_uploads_need_a_token() -> None:
    methods = pb.DESCRIPTOR.services_by_name["ResultService"].methods
    assert set(POLICY) == {f"/{SERVICE}/{method.name}" for method in methods}
    needs_token = {name for name, roles in POLICY.items() if ANYONE not in roles}
    assert needs_token == {f"/{SERVICE}/Upload", f"/{SERVICE}/GetUpload"}
    assert POLICY[f"/{SERVICE}/Upload"] == frozenset({WORKER_ROLE})
