"""The components in somebody else's Pulumi program, which has none of this project's settings."""

import json
import shutil

import pytest

from tests.support.program import ROOT
from tests.support.provided import write_program

PROGRAM = """
    import pulumi
    import pulumi_aws as aws

    from infra.api_route import ApiRoute
    from infra.container_function import ContainerFunction, FunctionSettings
    from infra.container_image import ContainerImage, ImageSettings
    from infra.custom_domain import CustomDomain, DomainSettings
    from infra.grants import Grant
    from infra.http_api import ApiSettings, HttpApi

    def later(value):
        return group.id.apply(lambda _: value)

    group = aws.cloudwatch.LogGroup("orders", name="orders")
    read = {"Effect": "Allow", "Action": ["logs:GetLogEvents"], "Resource": group.arn}
    orders = Grant(name="orders", statements=[read], variables={"ORDERS": group.name})
    told = Grant(name="told", variables={"TOLD": "all"})

    image = ContainerImage(
        "img",
        ImageSettings(app_dir=later("./scripts/"), architecture=later("arm64"), check_import=later(False)),
        repository_name=later("shop"),
    )
    domain = CustomDomain("site", DomainSettings(domain_name="Shop.sandbox.test."))
    limits = ApiSettings(throttle_rate=later(7), keep_default_endpoint=later(False))
    api = HttpApi("front", limits, api_name=later("shop"), has_domain=domain.serves)
    function = ContainerFunction(
        "work",
        FunctionSettings(memory_size=later(256), environment={"GREETING": later("hello")}, log_retention=later(5)),
        function_name=later("shop"),
        image_uri=image.image_uri,
        architecture=later("arm64"),
        grants=[api.grant, orders, told],
    )
    route = ApiRoute("front", limits, api=api, alias=function.live, log_retention=later(3))
    url = domain.lead_to(api_id=api.api_id, stage_name=route.stage_name, until_then=api.api_endpoint)
    aws.iam.RolePolicy("more", role=function.role_name, policy=json.dumps(MORE))
    pulumi.export("url", url)
    pulumi.export("role_arn", function.role_arn)
"""
MORE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}],
}


@pytest.fixture(scope="module")
def deployed(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    for part in ("infra", "scripts", "dualmode"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return program.deploy(write_program(folder, f"import json\nMORE = {MORE!r}\n" + PROGRAM.replace("\n    ", "\n")))


def test_a_component_takes_outputs_wherever_it_takes_values(deployed):
    function = deployed.account.client("lambda").get_function_configuration(FunctionName="shop")
    assert {key: function[key] for key in ("MemorySize", "Timeout", "Architectures")} == {
        "MemorySize": 256,
        "Timeout": 29,
        "Architectures": ["arm64"],
    }
    assert deployed.one("Image", "img-build").inputs["args"] == {
        "APP_DIR": "scripts",
        "FLASK_APP": "scripts.server:app",
        "CHECK_IMPORT": "0",
    }
    assert deployed.one("Stage").inputs["defaultRouteSettings"] == {
        "throttlingRateLimit": 7,
        "throttlingBurstLimit": 100,
    }
    assert deployed.one("Api").inputs["disableExecuteApiEndpoint"] is True
    assert deployed.outputs["url"] == "https://shop.sandbox.test"


def test_a_function_has_the_variables_of_all_its_grants(deployed):
    function = deployed.account.client("lambda").get_function_configuration(FunctionName="shop")
    assert function["Environment"]["Variables"] == {
        "GREETING": "hello",
        "DUALMODE_API_ID": deployed.one("Api").id,
        "ORDERS": "orders",
        "TOLD": "all",
    }


def test_a_grant_s_statements_are_a_policy_of_the_role_before_the_function_exists(deployed):
    group = deployed.one("LogGroup", "orders").outputs["arn"]
    policy = deployed.one("RolePolicy", "work-orders")
    assert json.loads(policy.inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["logs:GetLogEvents"], "Resource": group}],
    }
    assert policy.urn in deployed.one("Function").dependencies
    assert not [r for r in deployed.resources if r.name in ("work-told", "work-front")]


def test_whoever_has_a_function_may_add_to_its_role(deployed):
    role = deployed.one("Role")
    assert deployed.outputs["role_arn"] == role.outputs["arn"]
    assert deployed.one("RolePolicy", "more").inputs["role"] == role.outputs["name"]
