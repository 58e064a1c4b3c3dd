"""One stack's whole life under the real engine, with every setting on: seen in the account, and by requests.

The application runs in processes, each version with its own code. Settings that exclude those here are turned on in
test_everything_on.py.
"""

import json
import textwrap

import pytest

from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge
from sandbox.presets import DOMAIN
from sandbox.roles.sessions import RoleSessions
from sandbox.runner.images import ImageStore
from sandbox.runner.version_runner import VersionRunner
from tests.infra.test_everything_on import ALIAS, Life
from tests.support import stacks
from tests.support.issuer import issuing
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi

pytestmark = needs_pulumi

OTHER = "shop.sandbox.test"
MANY = 40  # requests, of which a version that has half of them gets none in one of 2 ** 40 runs
OWN = {"appDir": "shop", "flaskApp": "shop:app", "keepVersions": 9, "throttleRate": 1000, "throttleBurst": 2000}
LAST = {"liveVersion": 0, "architecture": "x86_64", "protect": False}


def code(name):
    """An application that tells which code it is, and what its version was given."""
    return textwrap.dedent(f"""
        import os
        from flask import Flask

        app = Flask(__name__)


        @app.get("/told")
        def told():
            names = ("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "GREETING", "TOKEN")
            return {{"told": [{name!r}, *(os.environ[name] for name in names)]}}
        """)


class WholeLife(Life):
    """A stack from its first deployment to its end: after each step the account, and what a client is answered."""

    def __init__(self, ministack, folder, issuer):
        (folder / "shop").mkdir()
        program = stacks.Stack(folder, folder / "shop")
        self.file = program.folder / "shop" / "shop.py"
        self.file.write_text(code("first"))
        images = ImageStore(program.state, None, venvs=ROOT / ".sandbox" / "venvs")
        super().__init__(ministack, program.state, issuer.address, program.folder, images)
        self.on |= OWN
        self.client("ssm").put_parameter(Name="/shop/token", Value="a token", Type="SecureString")
        self.client("secretsmanager").create_secret(Name="shop/other", SecretString="another")
        self.token = f"Bearer {issuer.token(scope='read')}"
        roles = RoleSessions(ministack.reader)
        ministack.enforce(roles)
        self.runner = VersionRunner(
            images,
            logs=program.state / "logs",
            reaching=ministack.variables,
            account_id=self.account.account_id,
            role=roles.variables,
        )
        self.edge = Edge(ministack.reader, self.runner)
        self.answered, self.lines, self.outputs = {}, {}, {}

    def live(self):
        self.note("nothing")
        self.up("first", self.on)
        self.without_token = self.ask(token=False)
        self.unchanged, _ = self.preview(self.on)
        self.file.write_text(code("second"))
        self.up("code", self.on)
        larger = {**self.on, "memorySize": 1536, "environment": {"GREETING": "goodbye"}}
        self.up("settings", larger)
        self.file.write_text(code("third"))
        self.up("pinned", {**larger, "liveVersion": 3})
        self.up("canary", {**larger, "liveVersion": 3, "canaryPercent": 50})
        self.shared = {tuple(self.ask()[1]["told"][:2]) for _ in range(MANY)}
        back = {**larger, "liveVersion": 1}
        self.up("rolled back", back)
        self.change_behind_its_back()
        self.note("drifted")
        _, self.drift = self.preview(back, refresh=True)
        self.up("repaired", back, refresh=True)
        elsewhere = {**back, "domainName": OTHER}
        self.up("another domain", elsewhere, host=OTHER)
        self.old_domain = self.ask()
        self.up("another architecture", {**elsewhere, **LAST}, OTHER)
        self.left = self.run("destroy", elsewhere).resources()
        self.note("destroyed", host=OTHER)

    def change_behind_its_back(self):
        """What somebody does in the console: a change of what can be changed, and the end of what can be made again."""
        functions, logs, watch = self.client("lambda"), self.client("logs"), self.client("cloudwatch")
        functions.update_function_configuration(FunctionName="shop", Timeout=3)
        functions.put_function_concurrency(FunctionName="shop", ReservedConcurrentExecutions=1)
        functions.update_alias(FunctionName="shop", Name="live", FunctionVersion="2")
        logs.put_retention_policy(logGroupName="/aws/lambda/shop", retentionInDays=1)
        (api,) = self.client("apigatewayv2").get_apis()["Items"]
        limits = {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 0}
        self.client("apigatewayv2").update_stage(ApiId=api["ApiId"], StageName="$default", DefaultRouteSettings=limits)
        self.client("events").put_rule(Name="shop-sold", EventPattern=json.dumps({"source": ["other"]}))
        self.client("dynamodb").update_table(TableName="shop", DeletionProtectionEnabled=False)
        watch.delete_alarms(AlarmNames=["shop-slow"])
        watch.delete_dashboards(DashboardNames=["shop"])
        self.client("scheduler").delete_schedule(Name="shop-nightly")

    def up(self, step, chosen, host=DOMAIN, **options):
        lines = self.lines[step] = []
        stack = self.run("up", chosen, progress=lines.append, **options)
        (root,) = [resource for resource in stack.resources() if resource.type == "pulumi:pulumi:Stack"]
        self.outputs[step] = [root.outputs[name] for name in ("live_version", "newest_version")]
        self.note(step, host)

    def preview(self, chosen, **options):
        """What an update would change: the counts, and a line for each."""
        lines = []
        self.run("preview", chosen, progress=lines.append, **options)
        return self.counts, sorted(lines)

    def note(self, step, host=DOMAIN):
        self.seen[step], self.answered[step] = self.inventory(), self.ask(host)

    def ask(self, host=DOMAIN, token=True):
        """The status and the document with which a client is answered."""
        headers = (("Host", host), *([("Authorization", self.token)] if token else []))
        response = self.edge.answer(Request(method="GET", target="/v1/told", headers=headers, body=b"")).response
        return response.status, json.loads(response.body)

    def difference(self, before, after):
        """What is otherwise in the account after a step, with the function's own parts under their names."""
        found = [{**self.seen[step], **self.seen[step]["functions"].get("shop", {})} for step in (before, after)]
        return {key: found[1].get(key) for key in found[1] if key != "functions" and found[0].get(key) != found[1][key]}


@pytest.fixture(scope="module")
def life(ministack, tmp_path_factory):
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        life = WholeLife(ministack, tmp_path_factory.mktemp("life"), issuer)
        with life.runner:
            life.live()
        return life


def told(name, version, memory, greeting):
    return 200, {"told": [name, version, memory, greeting, "a token"]}


FORBIDDEN = (403, {"message": "Forbidden"})


def test_a_first_deployment_answers_with_its_secrets_and_an_update_of_nothing_changes_nothing(life):
    assert life.answered["nothing"] == FORBIDDEN
    assert life.answered["first"] == told("first", "1", "1024", "hello")
    assert life.without_token == (401, {"message": "Unauthorized"})
    assert life.outputs["first"] == ["1", "1"]
    assert set(life.unchanged) == {"same"}


def test_changed_code_is_a_new_version_with_an_image_of_its_own(life):
    assert life.difference("first", "code") == {
        "live": ("2", {}),
        "versions": ["1", "2"],
        "repositories": {"ready": 1, "shop": 2},
    }
    assert life.answered["code"] == told("second", "2", "1024", "hello")
    assert life.outputs["code"] == ["2", "2"]


def test_changed_settings_are_a_new_version_of_the_same_image(life):
    assert life.difference("code", "settings") == {
        "live": ("3", {}),
        "versions": ["1", "2", "3"],
        "memory": 1536,
        "greeting": "goodbye",
    }
    assert life.answered["settings"] == told("second", "3", "1536", "goodbye")
    assert life.outputs["settings"] == ["3", "3"]


def test_a_pinned_version_answers_while_a_newer_one_is_published(life):
    assert life.difference("settings", "pinned") == {
        "versions": ["1", "2", "3", "4"],
        "repositories": {"ready": 1, "shop": 3},
    }
    assert life.answered["pinned"] == life.answered["settings"]
    assert life.outputs["pinned"] == ["3", "4"]


def test_a_canary_answers_its_share_of_the_requests(life):
    assert life.difference("pinned", "canary") == {"live": ("3", {"4": 0.5})}
    assert life.shared == {("second", "3"), ("third", "4")}


def test_a_rollback_moves_the_alias_alone_and_the_earlier_version_answers_as_it_did(life):
    assert life.lines["rolled back"] == ["updated  aws:lambda:Alias function-live"]
    assert life.difference("canary", "rolled back") == {"live": ("1", {})}
    assert life.answered["rolled back"] == life.answered["first"]
    assert life.outputs["rolled back"] == ["1", "4"]


def test_what_was_changed_behind_its_back_is_shown_by_a_refresh_and_repaired(life):
    changed = {"live", "timeout", "reserved", "logs", "limits", "rules", "tables", "alarms", "dashboards", "schedules"}
    assert life.difference("rolled back", "drifted").keys() == changed
    assert life.answered["drifted"] == (429, {"message": "Too Many Requests"})
    assert life.drift == [
        "would create aws:cloudwatch:Dashboard dashboard-dashboard",
        "would create aws:cloudwatch:MetricAlarm alarms-slow",
        "would create aws:scheduler:Schedule schedule-nightly",
        "would update aws:apigatewayv2:Stage api-stage",
        "would update aws:cloudwatch:EventRule event-sold",
        "would update aws:cloudwatch:LogGroup function-logs",
        "would update aws:dynamodb:Table table-table",
        "would update aws:lambda:Alias function-live",
        "would update aws:lambda:Function function-function",
    ]
    assert life.seen["repaired"] == life.seen["rolled back"]
    assert life.answered["repaired"] == life.answered["rolled back"]


def test_another_domain_is_ready_before_the_old_one_is_dropped(life):
    lines = [line for line in life.lines["another domain"] if " domain-" in line]
    dropped = [place for place, line in enumerate(lines) if line.startswith("deleted")]
    assert dropped == list(range(dropped[0], len(lines)))
    made = [line.split(maxsplit=1)[1] for line in lines[: dropped[0]] if line.startswith("created")]
    assert {f"aws:apigatewayv2:DomainName domain-domain-{OTHER}", f"aws:route53:Record domain-a-{OTHER}"} <= set(made)
    domain, others = f"{DOMAIN}.", life.seen["repaired"]["records"]
    records = [(f"{OTHER}.", kind) if name == domain else (name, kind) for name, kind in others]
    assert life.difference("repaired", "another domain") == {
        "domains": {OTHER: ["v1"], ALIAS: ["v1"]},
        "certificates": [OTHER],
        "records": sorted([*records, (f"_acme-challenge.{OTHER}.", "CNAME")]),
    }
    assert life.answered["another domain"] == life.answered["repaired"]
    assert life.old_domain == FORBIDDEN


def test_another_architecture_is_a_new_version_of_the_same_function(life):
    assert life.difference("another domain", "another architecture") == {
        "architectures": ["x86_64"],
        "live": ("5", {}),
        "versions": ["1", "2", "3", "4", "5"],
        "repositories": {"ready": 1, "shop": 4},
        "tables": {"shop": False},
    }
    assert life.answered["another architecture"] == told("third", "5", "1536", "goodbye")


def test_nothing_is_left_of_it_but_the_proofs_of_its_names_which_others_may_share(life):
    proofs = [(f"_acme-challenge.{name}.", "CNAME") for name in (DOMAIN, ALIAS, OTHER)]
    before = life.seen["nothing"]
    assert life.seen["destroyed"] == {**before, "records": sorted([*before["records"], *proofs])}
    assert life.answered["destroyed"] == FORBIDDEN
    assert life.left == ()
