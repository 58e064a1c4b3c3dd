"""`aws:defaultTags`: every resource that takes tags has them, with the engine and without it."""

from tests.support.provided import push_image
from tests.support.pulumi_command import needs_pulumi

NAME = "dualmode-dev"


def tags(account):
    """The tags of one resource of each service of the deployment that keeps them in its own way."""
    functions, groups, iam = account.client("lambda"), account.client("logs"), account.client("iam")
    function = functions.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]
    (role,) = iam.list_roles()["Roles"]
    (group,) = groups.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    gateway = account.client("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    ecr = account.client("ecr")
    (repository,) = ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
    return {
        "function": functions.list_tags(Resource=function)["Tags"],
        "role": pairs(iam.list_role_tags(RoleName=role["RoleName"])["Tags"]),
        "log group": groups.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"],
        "api": gateway.get_tags(ResourceArn=f"arn:aws:apigateway:us-east-1::/apis/{api['ApiId']}")["Tags"],
        "repository": pairs(ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]),
    }


def pairs(found):
    return {each["Key"]: each["Value"] for each in found}


def all_of(wanted):
    return dict.fromkeys(("function", "role", "log group", "api", "repository"), wanted)


@needs_pulumi
def test_tags_are_given_to_all_changed_and_taken_away_again(stack, account):
    image = push_image(account)
    seen = []
    for wanted in ({"team": "web", "cost": "1"}, {"team": "shop"}, {}):
        given = {"aws:defaultTags": {"tags": wanted}} if wanted else {}
        stack(imageUri=image, **given).up()
        seen.append(tags(account))
    assert seen == [all_of({"team": "web", "cost": "1"}), all_of({"team": "shop"}), all_of({})]
    assert set(stack(imageUri=image).up()) == {"same"}


def test_tags_are_given_to_all_without_the_engine_too(program):
    deployed = program.deploy(**{"aws:defaultTags": {"tags": {"team": "web"}}})
    assert tags(deployed.account) == all_of({"team": "web"})
