import json

from infra.image_repository import IMAGES_KEPT, lifecycle_policy, pull_policy
from sandbox.runner.build_context import read_context
from tests.support.program import ROOT

DIGEST = "sha256:" + "0" * 64


def test_the_image_is_deployed_by_digest_and_that_digest_is_in_the_repository(without_domain):
    repository = without_domain.one("Repository").outputs["repositoryUrl"]
    uri, digest = without_domain.outputs["image_uri"].split("@")
    assert uri == repository
    assert without_domain.one("Function").inputs["imageUri"] == f"{repository}@{digest}"


def test_the_build_gets_one_platform_and_the_application(without_domain):
    build = without_domain.one("Image", "image-build").inputs
    assert build["platform"] == "linux/amd64"
    assert build["args"] == {"APP_DIR": "scripts", "FLASK_APP": "scripts.server:app"}
    assert (build["context"], build["dockerfile"]) == (".", "infra/Dockerfile")


def test_the_build_s_import_gets_the_function_s_variables_as_a_secret(with_domain, program):
    build = with_domain.one("Image", "image-build").inputs
    assert build["args"] == {"APP_DIR": "scripts", "FLASK_APP": "scripts.server:app", "CHECK_ENVIRONMENT": "[secret]"}
    unchecked = program.deploy(environment={"TOKEN": "hunter2"}, checkImport=False).one("Image", "image-build").inputs
    assert unchecked["args"] == {"APP_DIR": "scripts", "FLASK_APP": "scripts.server:app", "CHECK_IMPORT": "0"}


def test_one_setting_drives_the_architecture_of_image_and_function(program):
    deployed = program.deploy(architecture="arm64")
    assert deployed.one("Image", "image-build").inputs["platform"] == "linux/arm64"
    assert deployed.one("Function").inputs["architectures"] == ["arm64"]


def test_pushed_images_are_scanned_and_a_destroyed_stack_takes_them_along(without_domain):
    repository = without_domain.one("Repository").inputs
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["forceDelete"] is True


def test_the_function_is_made_after_lambda_may_pull_its_image(without_domain):
    assert "RepositoryPolicy" in without_domain.made_after(without_domain.one("Function"))


def expired(policy, images):
    """The images that ECR expires, of those given as digest and tags, newest first.

    Each rule counts the images of its own kind, and an image is expired by the first rule for its kind or by none.
    Source: "Lifecycle policies", Amazon ECR User Guide.
    """
    gone, claimed = set(), set()
    for rule in sorted(policy["rules"], key=lambda rule: rule["rulePriority"]):
        selection = rule["selection"]
        prefixes = tuple(selection.get("tagPrefixList", [""]))
        kind = [
            digest
            for digest, tags in images
            if selection["tagStatus"] == "any" or any(tag.startswith(prefixes) for tag in tags)
        ]
        gone |= set(kind[selection["countNumber"] :]) - claimed
        claimed |= set(kind)
    return gone


def test_the_newest_images_are_kept_whether_tagged_or_not():
    images = [("newest", ["latest"]), *((f"older{number}", []) for number in range(1, 25))]
    assert expired(lifecycle_policy(20), images) == {f"older{number}" for number in range(20, 25)}


def test_the_image_built_last_is_kept_though_it_was_pushed_long_ago():
    images = [*((f"newer{number}", []) for number in range(30)), ("taken back to", ["latest"])]
    assert expired(lifecycle_policy(20), images) == {f"newer{number}" for number in range(20, 30)}


def test_lambda_alone_may_pull_and_only_for_functions_of_this_account_and_region():
    (statement,) = pull_policy("arn:aws-cn:ecr:cn-north-1:123456789012:repository/app")["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert sorted(statement["Action"]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    assert statement["Condition"] == {
        "StringLike": {"aws:sourceARN": "arn:aws-cn:lambda:cn-north-1:123456789012:function:*"}
    }


def test_an_image_that_exists_is_deployed_without_building_one(program):
    built = program.deploy()
    client = program.account.client("ecr")
    uri = built.outputs["image_uri"]
    manifest = client.batch_get_image(repositoryName="dualmode-dev", imageIds=[{"imageDigest": uri.split("@")[1]}])

    def restored():
        client.create_repository(repositoryName="elsewhere")
        client.put_image(repositoryName="elsewhere", imageManifest=manifest["images"][0]["imageManifest"])

    deployed = program.deploy(imageUri=uri.replace("dualmode-dev", "elsewhere"), before=restored)
    assert deployed.count("Image") == 0
    policy = json.loads(deployed.one("LifecyclePolicy").inputs["policy"])
    assert expired(policy, [(str(number), []) for number in range(10_000)]) == set()  # it may be an old one
    assert deployed.outputs["image_uri"] == uri.replace("dualmode-dev", "elsewhere")


def test_the_repository_has_both_policies(without_domain):
    arn = without_domain.one("Repository").outputs["arn"]
    assert json.loads(without_domain.one("LifecyclePolicy").inputs["policy"]) == lifecycle_policy(IMAGES_KEPT)
    assert json.loads(without_domain.one("RepositoryPolicy").inputs["policy"]) == pull_policy(arn)


def test_an_application_that_needs_secrets_is_built_without_importing_it(program):
    build = program.deploy(checkImport=False).one("Image", "image-build").inputs
    assert build["args"]["CHECK_IMPORT"] == "0"


def test_only_folders_are_in_the_build_context_so_that_a_changed_readme_builds_nothing_anew():
    paths = read_context(ROOT, ROOT / "infra" / "Dockerfile").paths
    assert {"scripts", "dualmode", "examples"} <= {path.split("/")[0] for path in paths}
    assert not [path for path in paths if "/" not in path]
    assert not [
        path for path in paths if path.startswith(("tests/", "sandbox/", "walk/", ".sandbox/", ".venv/", ".git/"))
    ]
