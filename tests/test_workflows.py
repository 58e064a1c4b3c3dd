"""The workflows for GitHub Actions: what they run exists, and they may do no more than they need."""

import re

import pytest
import yaml

from tests.support.provided import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
TRIGGERS = {name: workflow[True] for name, workflow in WORKFLOWS.items()}  # YAML 1.1 reads the key `on` as a boolean
JOBS = {(name, job): content for name, workflow in WORKFLOWS.items() for job, content in workflow["jobs"].items()}
STEPS = [(place, step) for place, job in JOBS.items() for step in job["steps"]]

READ = {"contents": "read"}
DEPLOYS = {"contents": "read", "id-token": "write"}
# What each job is allowed. `id-token` is for AWS, and everything that isn't named is none.
PERMISSIONS = {
    ("deploy", "deploy"): DEPLOYS,
    ("preview", "deploy"): DEPLOYS,
    ("preview", "comment"): {"pull-requests": "write"},
    ("preview", "destroy"): DEPLOYS,
    ("test", "check"): READ,
    ("test", "audit"): READ,
}


def test_each_job_has_the_least_permissions_and_nothing_has_any_beside():
    assert {place: job["permissions"] for place, job in JOBS.items()} == PERMISSIONS
    assert {name: workflow["permissions"] for name, workflow in WORKFLOWS.items()} == {name: {} for name in WORKFLOWS}


def test_each_job_that_gets_credentials_is_bound_to_an_environment_that_its_role_trusts():
    environments = {place: job.get("environment") for place, job in JOBS.items() if "id-token" in job["permissions"]}
    assert environments == {
        ("deploy", "deploy"): "production",
        ("preview", "deploy"): "preview",
        ("preview", "destroy"): "preview",
    }


def test_a_pull_request_from_a_fork_gets_no_job_with_credentials():
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert set(TRIGGERS["preview"]) == {"pull_request", "workflow_dispatch"}
    assert own in JOBS["preview", "deploy"]["if"]
    assert own in JOBS["preview", "destroy"]["if"]
    assert JOBS["preview", "comment"]["needs"] == "deploy"
    assert TRIGGERS["deploy"] == {"push": {"branches": ["main"]}}
    # It would run with this repository's permissions for anybody's pull request.
    assert [name for name, triggers in TRIGGERS.items() if "pull_request_target" in triggers] == []


def test_no_workflow_names_a_secret_or_a_long_lived_key():
    text = "".join(file.read_text() for file in FILES)
    assert re.findall(r"secrets\.|access-key|ACCESS_KEY|SECRET_|TOKEN: (?!\$\{\{ github\.token \}\})\S*", text) == []


def test_the_token_of_a_checkout_is_not_left_for_what_runs_after_it():
    checkouts = [step["with"] for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts == [{"persist-credentials": False}] * (len(JOBS) - 1)


def test_each_action_is_pinned_by_the_sha_of_a_commit_and_says_its_version():
    lines = re.findall(r"uses: (.*)", "".join(file.read_text() for file in FILES))
    pinned = re.compile(r"([a-z-]+/[a-z-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+\b")
    assert [line for line in lines if not pinned.match(line)] == []
    found = {pinned.match(line)[1]: pinned.match(line)[2] for line in lines}
    assert set(found) == {
        "actions/checkout",
        "actions/setup-python",
        "aws-actions/configure-aws-credentials",
        "pulumi/actions",
    }
    assert len({pinned.match(line)[0] for line in lines}) == len(found)


def test_the_pulumi_command_is_as_new_as_the_sdk_in_the_lock():
    locked = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    versions = {step["with"]["pulumi-version"] for _, step in STEPS if step.get("uses", "").startswith("pulumi/")}
    assert versions == {locked}


@pytest.mark.parametrize(("place", "step"), [found for found in STEPS if "run" in found[1]], ids=str)
def test_what_a_step_runs_is_there_and_no_text_of_a_stranger_is_part_of_it(place, step):
    assert "${{" not in step["run"]  # a value reaches a shell as a variable, never as a part of the command
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in step["run"].splitlines():
        command, *rest = line.split()
        assert command in ("make", "pulumi", "gh", "echo", "cp")
        if command == "make":
            assert rest[0] in targets
        if command == "cp":
            assert (ROOT / rest[0]).is_file()


def test_the_page_sets_each_variable_that_a_workflow_reads_and_each_setting_of_the_role_by_its_name():
    page = (ROOT / "docs" / "github-actions.md").read_text()
    read = set(re.findall(r"\bvars\.(\w+)", "".join(file.read_text() for file in FILES)))
    assert set(re.findall(r"gh variable set (\w+)", page)) == read
    declared = yaml.safe_load((ROOT / "deployer" / "Pulumi.yaml").read_text())["config"].keys()
    # `branch` is named in the text, as another way.
    assert set(re.findall(r"pulumi config set (\w+)", page)) - {"aws"} == declared - {"branch"}
