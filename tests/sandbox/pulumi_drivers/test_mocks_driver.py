import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from sandbox import settings
from sandbox.errors import SandboxError, SettingsError
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from tests.support.provided import IMAGE, ContentBuilder, write_program
from walk.account import Account

ROLE = dedent("""\
    import json
    import pulumi
    import pulumi_aws as aws

    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
""")
TREE = ROLE + dedent("""
    class Inner(pulumi.ComponentResource):
        def __init__(self, name, opts):
            super().__init__("small:index:Inner", name, None, opts)
            self.role = aws.iam.Role(
                name, assume_role_policy=json.dumps(trust), opts=pulumi.ResourceOptions(parent=self)
            )
            self.register_outputs({"role_name": self.role.name})

    class Outer(pulumi.ComponentResource):
        def __init__(self, name):
            super().__init__("small:index:Outer", name)
            self.inner = Inner(f"{name}-inner", pulumi.ResourceOptions(parent=self))
            self.register_outputs({})

    outer = Outer("web")
    pulumi.export("role_name", outer.inner.role.name)
    pulumi.export("token", pulumi.Output.secret("hunter2"))
    pulumi.export("account", aws.get_caller_identity().account_id)
""")


@pytest.fixture
def deploy(ministack, tmp_path):
    """Deploys a program from its source to an empty account; gives outputs, resources by name and progress lines."""
    ministack.reset()
    account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)

    def deploy(source, config="", files=None, **chosen):
        folder = write_program(tmp_path / f"program{len(list(tmp_path.iterdir()))}", source, config)
        (folder / "app").mkdir()
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        project = settings.load_project(folder)
        lines = []
        outputs, resources = mocks_driver.deploy(
            project,
            settings.load(project, "dev", chosen),
            Provider(account, ContentBuilder(), folder),
            ministack.variables,
            lines.append,
        )
        return outputs, {resource.name: resource for resource in resources}, lines

    deploy.account = account
    return deploy


def refused(deploy, source, **options):
    with pytest.raises(SandboxError) as caught:
        deploy(source, **options)
    return caught.value


def test_a_program_is_realised_and_its_outputs_are_what_aws_has(deploy):
    outputs, _, _ = deploy(TREE)
    roles = deploy.account.client("iam").list_roles()["Roles"]
    assert outputs == {"role_name": roles[0]["RoleName"], "token": "[secret]", "account": "000000000000"}


def test_the_tree_has_every_component_with_its_own_children(deploy):
    _, resources, _ = deploy(TREE)
    urn = "urn:pulumi:dev::small::"
    assert {name: (resource.urn, resource.parent_urn) for name, resource in resources.items()} == {
        "small-dev": (f"{urn}pulumi:pulumi:Stack::small-dev", ""),
        "web": (f"{urn}small:index:Outer::web", f"{urn}pulumi:pulumi:Stack::small-dev"),
        # Component and role have one name: the last that was registered is the role.
        "web-inner": (
            f"{urn}small:index:Outer$small:index:Inner$aws:iam/role:Role::web-inner",
            f"{urn}small:index:Outer$small:index:Inner::web-inner",
        ),
    }


def test_each_resource_is_reported_when_it_is_made(deploy):
    _, _, lines = deploy(TREE)
    assert [line.rpartition(" (")[0] for line in lines] == ["created  aws:iam:Role web-inner"]


def test_an_image_component_makes_its_image_and_gives_it_by_digest(deploy):
    outputs, resources, _ = deploy(IMAGE)
    (image,) = deploy.account.client("ecr").describe_images(repositoryName="web")["imageDetails"]
    assert outputs["image_uri"].endswith(f".amazonaws.com/web@{image['imageDigest']}")
    assert image["imageTags"] == ["latest"]
    assert resources["latest"].parent_urn == resources["image"].urn
    assert resources["latest"].inputs["buildArgs"] == {"APP_DIR": "app"}
    assert resources["latest"].urn in resources["after"].dependencies


def test_a_refusal_is_the_providers_own_sentence(deploy):
    source = ROLE + 'aws.iam.Role("web", assume_role_policy=json.dumps(trust), max_session_duration=1)\n'
    assert str(refused(deploy, source)) == (
        "aws:iam/role:Role 'web': ValidationException: maxSessionDuration: Value '1' at 'maxSessionDuration' failed to "
        "satisfy constraint: Member must have value greater than or equal to 3600"
    )


def test_a_refused_function_call_is_said_too(deploy):
    source = 'import pulumi_aws as aws\naws.route53.get_zone(name="example.com")\n'
    assert str(refused(deploy, source)) == (
        "aws:route53/getZone:getZone: NoSuchHostedZone: no matching Route 53 hosted zone found for 'example.com'"
    )


def test_a_mistake_in_the_program_is_one_sentence_with_its_line(deploy):
    assert str(refused(deploy, "import pulumi\n\nundefined\n")) == (
        "__main__.py, line 3: NameError: name 'undefined' is not defined"
    )


def test_an_output_written_into_a_text_is_a_mistake(deploy):
    source = 'import pulumi\npulumi.export("url", f"https://{pulumi.Output.from_input(1)}/")\n'
    assert str(refused(deploy, source)) == (
        "__main__.py, line 2: _OutputToStringError: Calling __str__ on an Output[T] is not supported."
    )


def test_a_program_that_refuses_its_settings_says_so_before_anything_is_made(deploy):
    error = refused(deploy, 'import pulumi\nraise pulumi.RunError("timeout is 99, and 29 is the most: set less.")\n')
    assert (type(error), str(error)) == (SettingsError, "timeout is 99, and 29 is the most: set less.")


def test_a_program_that_fails_later_has_not_refused_its_settings(deploy):
    source = 'import pulumi\npulumi.ComponentResource("small:index:Web", "web")\nraise pulumi.RunError("no.")\n'
    error = refused(deploy, source)
    assert (type(error), str(error)) == (SandboxError, "no.")


def test_settings_reach_the_program_and_secret_ones_stay_secret(deploy):
    source = """
        import pulumi

        config = pulumi.Config()
        pulumi.export("size", config.require_int("size") + 1)
        pulumi.export("names", config.require_object("names"))
        pulumi.export("token", config.require_secret("token"))
    """
    declared = """
        config:
          size: {type: integer, default: 1}
          names: {type: array, items: {type: string}, default: []}
          token: {type: string, secret: true}
    """
    outputs, _, _ = deploy(source, declared, size=41, names=["a"], token="hunter2")
    assert outputs == {"size": 42, "names": ["a"], "token": "[secret]"}


def test_what_came_from_a_secret_is_masked_in_the_tree(deploy):
    source = ROLE + (
        'aws.iam.Role("web", assume_role_policy=json.dumps(trust), description=pulumi.Output.secret("hunter2"))\n'
    )
    _, resources, _ = deploy(source)
    assert (resources["web"].inputs["description"], resources["web"].outputs["description"]) == ("[secret]", "[secret]")
    (role,) = deploy.account.client("iam").list_roles()["Roles"]
    assert role["Description"] == "hunter2"


def test_a_refusal_does_not_tell_a_secret(deploy):
    source = ROLE + (
        'aws.iam.Role("web", assume_role_policy=json.dumps(trust), path=pulumi.Output.secret("hunter2"))\n'
    )
    error = str(refused(deploy, source))
    assert "path: Value '[secret]' at 'path' failed to satisfy constraint" in error
    assert "hunter2" not in error


@pytest.mark.usefixtures("interruptible")
def test_after_ctrl_c_the_next_run_is_as_ever(deploy):
    source = ROLE + dedent("""
        import os, signal

        role = aws.iam.Role("web", assume_role_policy=json.dumps(trust))
        role.arn.apply(lambda _: os.kill(os.getpid(), signal.SIGINT))
        after = pulumi.ResourceOptions(depends_on=[role])
        for number in range(20):
            role = aws.iam.Role(f"web{number}", assume_role_policy=json.dumps(trust), opts=after)
    """)
    with pytest.raises(KeyboardInterrupt):
        deploy(source)
    assert deploy("import pulumi\npulumi.export('next', 2)\n")[0] == {"next": 2}


def test_reading_a_resource_that_was_there_before_is_refused_with_the_reason(deploy):
    source = 'import pulumi_aws as aws\naws.iam.Role.get("old", "old-role")\n'
    assert str(refused(deploy, source)) == (
        "aws:iam:Role 'old' is read as old-role, but the account was empty: "
        "reading existing resources needs the pulumi command"
    )


def test_two_programs_do_not_see_each_others_modules(deploy):
    source = "import part, pulumi\npulumi.export('name', part.NAME)\n"
    assert [deploy(source, files={"part.py": f"NAME = {name!r}"})[0] for name in ("one", "two")] == [
        {"name": "one"},
        {"name": "two"},
    ]
    assert "part" not in sys.modules


def test_the_process_is_as_before_after_a_program_ran(deploy):
    before = (Path.cwd(), list(sys.path), os.environ.get("PULUMI_ERROR_OUTPUT_STRING"))
    refused(deploy, "undefined\n")
    deploy("import pulumi\n")
    assert (Path.cwd(), list(sys.path), os.environ.get("PULUMI_ERROR_OUTPUT_STRING")) == before


def test_a_program_runs_in_its_own_folder(deploy):
    outputs, _, _ = deploy("import os, pulumi\npulumi.export('here', os.path.exists('Pulumi.yaml'))\n")
    assert outputs == {"here": True}


def test_a_run_that_failed_leaves_nothing_to_the_next_one(deploy):
    source = ROLE + 'aws.iam.Role("web", assume_role_policy="{}")\npulumi.export("never", 1)\n'
    refused(deploy, source)
    assert deploy("import pulumi\npulumi.export('next', 2)\n")[0] == {"next": 2}


def test_what_a_program_has_just_made_can_be_read(deploy):
    source = ROLE + (
        'role = aws.iam.Role("web", assume_role_policy=json.dumps(trust), path="/a/")\n'
        'pulumi.export("path", aws.iam.Role.get("again", role.id).path)\n'
    )
    assert deploy(source)[0] == {"path": "/a/"}


def test_what_a_program_says_is_told(deploy):
    _, _, lines = deploy("""
        import pulumi

        pulumi.log.info("two records\\n  a\\n  b")
        pulumi.log.warn("not delegated")
        pulumi.log.debug("no one needs this")
    """)
    assert lines == ["two records\n  a\n  b", "not delegated"]
