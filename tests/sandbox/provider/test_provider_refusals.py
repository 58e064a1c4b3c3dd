import json

import pytest

from sandbox.provider.provider import Provider
from sandbox.provider.refusals import InvalidInputsError, ResourceRefusedError
from tests.support.provided import INDEX, TRUST, ContentBuilder, examples, make_everything, push_image

NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
URI = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:000000000000:function:web:live/invocations"
)
DECIDING = {
    "authorizerType": "REQUEST",
    "authorizerUri": URI,
    "authorizerPayloadFormatVersion": "2.0",
    "jwtConfiguration": None,
}
ABSENT = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/web@sha256:{'0' * 64}"


def rule(priority, tags):
    selection = {"tagStatus": tags, "countType": "imageCountMoreThan", "countNumber": 3}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


@pytest.fixture(scope="module")
def made(account, provider):
    return make_everything(provider, account)


@pytest.fixture
def refused(provider, made):
    """Creates another resource like the one that was made, with other inputs; gives the sentence of its refusal."""
    types = {key: example.pulumi_type for key, example in examples().items()}

    def refused(short, **other):
        with pytest.raises(ResourceRefusedError) as caught:
            provider.create(types[short], "mine", {**made[short].inputs, **other})
        return str(caught.value)

    return refused


@pytest.mark.parametrize(
    ("short", "inputs", "path", "reason"),
    [
        (
            "Api",
            {"corsConfiguration": {"allowOrigins": ["https://a.example", "*"], "allowCredentials": True}},
            "corsConfiguration",
            "allow-credentials is not supported if 'allow-origin' is *",
        ),
        ("Authorizer", {"jwtConfiguration": None}, "jwtConfiguration", "is missing"),
        ("Authorizer", {"authorizerUri": URI}, "authorizerUri", "is for authorizers of type REQUEST only"),
        (
            "Authorizer",
            {**DECIDING, "jwtConfiguration": {"issuer": "https://id.example.com", "audiences": ["shop"]}},
            "jwtConfiguration",
            "is for authorizers of type JWT only",
        ),
        (
            "Authorizer",
            {**DECIDING, "authorizerPayloadFormatVersion": None},
            "authorizerPayloadFormatVersion",
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer",
        ),
        (
            "Authorizer",
            {**DECIDING, "authorizerPayloadFormatVersion": "3.0"},
            "authorizerPayloadFormatVersion",
            "'3.0' is neither 1.0 nor 2.0",
        ),
        (
            "Authorizer",
            {**DECIDING, "authorizerPayloadFormatVersion": "1.0", "enableSimpleResponses": True},
            "enableSimpleResponses",
            'EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".',
        ),
        (
            "Authorizer",
            {**DECIDING, "authorizerResultTtlInSeconds": 3601},
            "authorizerResultTtlInSeconds",
            "Member must have value less than or equal to 3600",
        ),
        (
            "Authorizer",
            {**DECIDING, "authorizerResultTtlInSeconds": 60, "identitySources": []},
            "identitySources",
            "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)",
        ),
        (
            "Authorizer",
            {**DECIDING, "identitySources": ["Authorization"]},
            "identitySources",
            "'Authorization' begins with none of $request.header., $request.querystring., $context., $stageVariables.",
        ),
        (
            "Authorizer",
            {**DECIDING, "authorizerUri": "arn:aws:lambda:us-east-1:000000000000:function:web"},
            "authorizerUri",
            "'arn:aws:lambda:us-east-1:000000000000:function:web' is not the ARN that invokes a function",
        ),
        (
            "Permission",
            {"principal": "*", "sourceArn": None, "functionUrlAuthType": "NONE"},
            "functionUrlAuthType",
            "is only supported for lambda:InvokeFunctionUrl action",
        ),
        ("Function", {"memorySize": 99999}, "memorySize", "99999 MB is out of range: Lambda takes 128 to 10240 MB"),
        ("Function", {"memorySize": 64}, "memorySize", "64 MB is out of range: Lambda takes 128 to 10240 MB"),
        ("Function", {"timeout": 901}, "timeout", "901 s is out of range: Lambda takes 1 to 900 s"),
        ("Function", {"timeout": 0}, "timeout", "0 s is out of range: Lambda takes 1 to 900 s"),
        (
            "Function",
            {"ephemeralStorage": {"size": 100}},
            "ephemeralStorage.size",
            "100 MB is out of range: Lambda takes 512 to 10240 MB",
        ),
        (
            "Function",
            {"environment": {"variables": {"AWS_REGION": "x", "OK": "y"}}},
            "environment",
            "AWS_REGION can't be set: Lambda reserves it",
        ),
        (
            "Function",
            {"environment": {"variables": {"BIG": "x" * 5000}}},
            "environment",
            "5003 bytes are above the limit of 4096",
        ),
        (
            "Function",
            {"imageConfig": {"entryPoint": ["sh"]}},
            "imageConfig.entryPoint",
            "is not an input of this type: check its spelling",
        ),
        ("Function", {"loggingConfig": {"format": "JSON"}}, "loggingConfig.logFormat", "is missing"),
        ("Function", {"vpcConfig": {"subnetIds": ["a"]}}, "vpcConfig.securityGroupIds", "is missing"),
        ("Function", {"layers": ["a"]}, "layers", "is not supported by the sandbox's provider"),
        ("RolePolicyAttachment", {"policyArn": "S3"}, "policyArn", "ValidationError: ARN S3 is not valid"),
        ("Table", {"billingMode": "PROVISIONED"}, "billingMode", "must be PAY_PER_REQUEST"),
        ("Table", {"hashKey": "id"}, "attributes", "the key id is not among the attributes"),
        ("Table", {"rangeKey": None}, "attributes", "the attribute created is in no key"),
        (
            "Table",
            {"attributes": [{"name": "customer", "type": "T"}, {"name": "created", "type": "N"}]},
            "attributes.1.member.attributeType",
            "Member must satisfy enum value set: [S, N, B]",
        ),
        ("Function", {"region": "eu-west-1"}, "region", "is eu-west-1, but this account is used only in us-east-1"),
        ("LogGroup", {"retentionInDays": 13}, "retentionInDays", "13 days is not a retention"),
        ("Integration", {"payloadFormatVersion": "3.0"}, "payloadFormatVersion", "'3.0' is neither 1.0 nor 2.0"),
        (
            "Integration",
            {"timeoutMilliseconds": 40000},
            "timeoutMilliseconds",
            "Member must have value less than or equal to 30000",
        ),
        ("Integration", {"integrationUri": "web"}, "integrationUri", "Invalid function ARN or invalid uri: 'web'"),
        ("Route", {"routeKey": "/hello"}, "routeKey", "'/hello' is neither $default nor a method and a path"),
        (
            "Stage",
            {"defaultRouteSettings": {"loggingLevel": "INFO"}},
            "defaultRouteSettings.loggingLevel",
            "Execution logs are not supported on protocolType HTTP",
        ),
        ("DomainName", {"domainNameConfiguration": None}, "domainNameConfiguration", "is missing"),
        (
            "DomainName",
            {"mutualTlsAuthentication": {"truststoreUri": "s3://trusted/certificates.pem"}},
            "mutualTlsAuthentication",
            "is not supported by the sandbox's provider",
        ),
        ("Record", {"ttl": None}, "ttl", "must be given with records, and only with them"),
        ("Record", {"aliases": [{"name": "a", "zoneId": "Z", "evaluateTargetHealth": False}]}, "records", "not both"),
        (
            "Role",
            {"assumeRolePolicy": "{}"},
            "assumeRolePolicy",
            "MalformedPolicyDocument: the policy has no Statement",
        ),
        ("RolePolicy", {"policy": TRUST}, "policy", "has a Principal, which a role's own policy can't have"),
        (
            "Image",
            {"platforms": ["linux/amd64", "linux/arm64"]},
            "platforms",
            "must hold one platform: several make an image index",
        ),
        ("Image", {"push": False}, "push", "an image that isn't pushed can't be deployed"),
        (
            "Queue",
            {"visibilityTimeoutSeconds": 43201},
            "visibilityTimeoutSeconds",
            "43201 is not a valid value: AWS takes 0 to 43200",
        ),
        ("Topic", {"signatureVersion": 3}, "signatureVersion", "3 is not a valid value: AWS takes 1, 2"),
        ("Topic", {"name": None}, "name", "is missing"),
        ("Parameter", {"type": "Text"}, "type", "enum value set: [String, StringList, SecureString]"),
        ("Parameter", {"arn": "arn:aws:ssm:x"}, "arn", "is not supported by the sandbox's provider"),
        ("Certificate", {"domainName": "app..test"}, "domainName", "Member must satisfy regular expression pattern"),
        (
            "Schedule",
            {"scheduleExpression": "every day"},
            "scheduleExpression",
            "Invalid Schedule Expression every day",
        ),
        (
            "Schedule",
            {"scheduleExpression": "cron(0 3 * * * *)"},
            "scheduleExpression",
            "Invalid Schedule Expression cron(0 3 * * * *)",
        ),
        (
            "Schedule",
            {"scheduleExpressionTimezone": "Mars/Olympus"},
            "scheduleExpressionTimezone",
            "Mars/Olympus is not a time zone of the IANA database",
        ),
        (
            "Schedule",
            {"flexibleTimeWindow": {"mode": "MAYBE"}},
            "flexibleTimeWindow.mode",
            "enum value set: [OFF, FLEX",
        ),
        ("EventSourceMapping", {"batchSize": 10001}, "batchSize", "10001 is not a valid value: AWS takes 1 to 10000"),
        (
            "EventSourceMapping",
            {"batchSize": 11},
            "batchSize",
            "a batch of 11 needs a maximumBatchingWindowInSeconds of 1 or more",
        ),
        (
            "EventSourceMapping",
            {"scalingConfig": {"maximumConcurrency": 1}},
            "scalingConfig.maximumConcurrency",
            "1 is not a valid value: AWS takes 2 to 1000",
        ),
        ("EventRule", {"eventPattern": None}, "eventPattern", "EventPattern or ScheduleExpression must be specified"),
        ("EventTarget", {"input": "{}"}, "inputTransformer", "Only one of Input, InputPath, or InputTransformer"),
        ("QueuePolicy", {"policy": "{}"}, "policy", "MalformedPolicyDocument: the policy has no Statement"),
        (
            "FunctionEventInvokeConfig",
            {"maximumRetryAttempts": 3},
            "maximumRetryAttempts",
            "Member must have value less than or equal to 2",
        ),
    ],
)
def test_inputs_out_of_their_limits_are_refused_before_anything_is_made(provider, made, short, inputs, path, reason):
    pulumi_type = examples()[short].pulumi_type
    with pytest.raises(InvalidInputsError) as caught:
        provider.check(pulumi_type, "mine", {**made[short].inputs, **inputs})
    assert [failed for failed, _ in caught.value.failures][:1] == [path]
    assert reason in caught.value.failures[0][1]


def test_a_role_that_does_not_exist_is_refused(refused):
    role = "arn:aws:iam::000000000000:role/nobody"
    assert refused("Function", name="other", role=role) == (
        "aws:lambda/function:Function 'mine': InvalidParameterValueException: "
        "the role arn:aws:iam::000000000000:role/nobody doesn't exist"
    )


def test_a_role_that_lambda_may_not_assume_is_refused(refused, provider):
    role = provider.create("aws:iam/role:Role", "ec2", {"name": "ec2", "assumeRolePolicy": NOBODY}).outputs["arn"]
    assert refused("Function", name="other", role=role) == (
        "aws:lambda/function:Function 'mine' at role: InvalidParameterValueException: the role "
        "arn:aws:iam::000000000000:role/ec2 can't be assumed by lambda.amazonaws.com: "
        'statement 1 is for {"Service": "ec2.amazonaws.com"}'
    )


def test_a_role_is_trusted_by_what_its_policy_means_not_by_how_it_is_written(refused, provider, made):
    def role(name, **different):
        policy = json.loads(TRUST)
        policy["Statement"][0] |= different
        inputs = {"name": name, "assumeRolePolicy": json.dumps(policy)}
        return provider.create("aws:iam/role:Role", name, inputs).outputs["arn"]

    conditional = role("conditional", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert "needs aws:PrincipalOrgID, which the call doesn't have" in refused("Function", name="no", role=conditional)
    inputs = {**made["Function"].inputs, "name": "yes", "role": role("starred", Action="sts:Assume*")}
    assert provider.create("aws:lambda/function:Function", "yes", inputs).outputs["role"] == inputs["role"]


def test_an_image_that_ecr_does_not_have_is_refused(refused):
    assert refused("Function", name="other", imageUri=ABSENT) == (
        f"aws:lambda/function:Function 'mine' at imageUri: InvalidParameterValueException: Source image {ABSENT} "
        "does not exist in ECR"
    )


def test_an_image_of_several_platforms_is_refused(refused, account):
    uri = push_image(account, "several", "index", INDEX)
    assert f"the manifest of {uri} is {INDEX}: Lambda takes an image of one platform" in refused(
        "Function", name="other", imageUri=uri
    )


def test_an_image_named_by_tag_and_digest_is_refused(refused, account):
    uri = push_image(account).replace("@", ":first@")
    assert "give the repository with a digest or with a tag, not both" in refused(
        "Function", name="other", imageUri=uri
    )


def test_a_name_that_is_taken_is_refused_with_awss_own_error(refused):
    assert "ResourceConflictException" in refused("Function")
    assert "RepositoryAlreadyExistsException" in refused("Repository")
    assert "EntityAlreadyExists" in refused("Role")
    assert "ResourceAlreadyExistsException" in refused("LogGroup")
    assert "ResourceConflictException" in refused("Alias")
    assert "ResourceConflictException" in refused("Permission")


def test_an_alias_of_a_version_that_does_not_exist_is_refused(refused):
    assert refused("Alias", name="next", functionVersion="7") == (
        "aws:lambda/alias:Alias 'mine': ResourceNotFoundException: Function not found: web:7"
    )


def test_an_alias_that_shares_with_a_version_that_does_not_exist_or_is_not_published_is_refused(refused):
    weights = {"routingConfig": {"additionalVersionWeights": {"7": 0.5}}}
    assert "Function not found: web:7" in refused("Alias", name="next", **weights)
    latest = {"functionVersion": "$LATEST", "routingConfig": {"additionalVersionWeights": {"1": 0.5}}}
    assert "$LATEST can't share an alias with another version" in refused("Alias", name="next", **latest)


def test_a_permission_on_an_alias_that_does_not_exist_is_refused(refused):
    assert refused("Permission", statementId="other", qualifier="next").startswith(
        "aws:lambda/permission:Permission 'mine': ResourceNotFoundException: "
    )


def test_a_route_to_an_unknown_integration_is_refused(refused, made):
    assert refused("Route", routeKey="GET /", target="integrations/nowhere") == (
        f"aws:apigatewayv2/route:Route 'mine' at target: BadRequestException: "
        f"API {made['Api'].identity} has no integration 'nowhere'"
    )


def test_a_second_route_with_the_same_key_is_refused(refused):
    assert "ConflictException: Route with key $default already exists for this API" in refused("Route")


def test_a_second_stage_of_the_same_name_is_refused(refused):
    assert "ConflictException: Stage already exists" in refused("Stage")


def test_anything_of_an_api_that_does_not_exist_is_refused(refused):
    for short in ("Integration", "Route", "Stage", "ApiMapping"):
        assert "'mine': NotFoundException: " in refused(short, apiId="gone")


def test_a_mapping_to_a_stage_that_does_not_exist_is_refused(refused):
    assert "BadRequestException: Invalid stage identifier specified" in refused(
        "ApiMapping", stage="prod", apiMappingKey="v2"
    )


def test_a_domain_with_a_certificate_that_is_not_validated_is_refused(refused, provider):
    inputs = {"domainName": "new.sandbox.test", "validationMethod": "DNS"}
    arn = provider.create("aws:acm/certificate:Certificate", "new", inputs).outputs["arn"]
    configuration = {"certificateArn": arn, "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}
    sentence = refused("DomainName", domainName="new.sandbox.test", domainNameConfiguration=configuration)
    assert f"BadRequestException: the certificate {arn} is not validated yet: the record " in sentence
    assert "is not in a public zone of the account. Take the ARN from CertificateValidation" in sentence


def test_a_domain_whose_new_certificate_nobody_waited_for_is_refused_although_its_record_is_there(
    refused, provider, made
):
    inputs = {"domainName": "soon.sandbox.test", "validationMethod": "DNS"}
    certificate = provider.create("aws:acm/certificate:Certificate", "soon", inputs).outputs
    proof = certificate["domainValidationOptions"][0]
    record = {"name": proof["resourceRecordName"], "type": "CNAME", "records": [proof["resourceRecordValue"]]}
    provider.create("aws:route53/record:Record", "soon", {**made["Record"].inputs, **record})
    configuration = {**made["DomainName"].inputs["domainNameConfiguration"], "certificateArn": certificate["arn"]}
    domain = {"domainName": "soon.sandbox.test", "domainNameConfiguration": configuration}
    assert "ACM issues it a while after its records are in the zone, and nothing waited" in refused(
        "DomainName", **domain
    )
    provider.create(
        "aws:acm/certificateValidation:CertificateValidation", "soon", {"certificateArn": certificate["arn"]}
    )
    provider.create("aws:apigatewayv2/domainName:DomainName", "soon", domain)


def test_a_domain_that_its_certificate_does_not_cover_is_refused(refused, made):
    sentence = refused("DomainName", domainName="other.sandbox.test")
    assert "is for app.sandbox.test and doesn't cover other.sandbox.test" in sentence


def test_a_domain_with_a_certificate_that_does_not_exist_is_refused(refused, made):
    arn = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
    configuration = {**made["DomainName"].inputs["domainNameConfiguration"], "certificateArn": arn}
    assert f"the certificate {arn} doesn't exist in us-east-1" in refused(
        "DomainName", domainName="x.sandbox.test", domainNameConfiguration=configuration
    )


def test_a_validation_that_leaves_a_record_out_is_refused(refused):
    assert "missing app.sandbox.test DNS validation record: _acme-challenge.app.sandbox.test" in refused(
        "CertificateValidation", validationRecordFqdns=["other.sandbox.test"]
    )


def test_a_validation_whose_record_is_in_no_zone_is_refused_instead_of_waiting_for_an_hour(
    refused, provider, monkeypatch
):
    monkeypatch.setattr("sandbox.provider.services.certificate._PATIENCE", 0.2)
    inputs = {"domainName": "late.sandbox.test", "validationMethod": "DNS"}
    arn = provider.create("aws:acm/certificate:Certificate", "late", inputs).outputs["arn"]
    sentence = refused("CertificateValidation", certificateArn=arn, validationRecordFqdns=None)
    assert f"the certificate {arn} would wait until it times out: the record _acme-challenge.late" in sentence


def test_a_record_that_exists_already_is_refused_unless_it_may_be_overwritten(refused, provider, made):
    assert "InvalidChangeBatch: Tried to create resource record set" in refused("Record")
    inputs = {**made["Record"].inputs, "allowOverwrite": True}
    assert (
        provider.create("aws:route53/record:Record", "again", inputs).outputs["fqdn"] == made["Record"].outputs["fqdn"]
    )


def test_a_record_beside_a_cname_is_refused(refused):
    assert "a CNAME stands alone" in refused("Record", type="A", records=["192.0.2.1"])


def test_a_record_in_a_zone_that_does_not_exist_is_refused(refused):
    assert "NoSuchHostedZone: No hosted zone found with ID: ZNOWHERE" in refused("Record", zoneId="ZNOWHERE")


def test_an_address_that_is_not_valid_is_refused(provider, made):
    inputs = {**made["Record"].inputs, "name": "web.sandbox.test", "type": "A", "records": ["192.0.2.1", "web"]}
    with pytest.raises(InvalidInputsError) as caught:
        provider.check("aws:route53/record:Record", "mine", inputs)
    assert caught.value.failures == [("records", "'web' is not a valid address for a record of type A")]


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ([], "it has no rules"),
        ([{"rulePriority": 1}], "rule 1 lacks a priority, a selection with its counts, or an action"),
        ([rule(1, "any"), rule(2, "untagged")], "rule 1 is for any tag and must have the highest rulePriority"),
    ],
)
def test_a_lifecycle_policy_that_ecr_can_not_follow_is_refused(provider, rules, reason):
    policy = json.dumps({"rules": rules, "padding": "x" * 100})
    with pytest.raises(InvalidInputsError) as caught:
        provider.check("aws:ecr/lifecyclePolicy:LifecyclePolicy", "mine", {"repository": "web", "policy": policy})
    assert caught.value.failures == [("policy", f"Lifecycle policy validation failure: {reason}")]


def test_a_certificate_that_a_domain_uses_is_not_removed(provider, made):
    certificate = made["Certificate"]
    with pytest.raises(ResourceRefusedError) as caught:
        provider.delete("aws:acm/certificate:Certificate", "mine", certificate.identity, certificate.outputs)
    assert str(caught.value).endswith("is in use by API Gateway for app.sandbox.test")


@pytest.mark.parametrize(
    "key", ["/", "/v1", "v1/", "shop//v1", "v 1", "v1?", "caf\u00e9", "v1%20", "a,b"]
)  # the first: aws/aws-cdk#8983; the slashes: aws/aws-cdk#23362
def test_a_key_with_characters_that_api_gateway_does_not_take_is_refused(refused, key):
    assert refused("ApiMapping", apiMappingKey=key) == (
        "ValidationException: apiMappingKey: An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()/"
    )


def test_a_key_longer_than_300_characters_is_refused(refused):
    assert refused("ApiMapping", apiMappingKey="k" * 301) == (
        "ValidationException: apiMappingKey: has 301 characters, and a key has 300 at most"
    )


def test_a_second_mapping_with_the_same_key_is_refused(refused):
    assert "ConflictException: ApiMapping key already exists for this domain name" in refused("ApiMapping")


def test_a_name_that_api_gateway_has_already_is_refused(refused):
    assert "ConflictException: The domain name you provided already exists" in refused("DomainName")


def test_a_name_of_a_wildcard_needs_a_certificate_for_the_wildcard_itself(refused, made):
    arn = made["Certificate"].outputs["arn"]
    assert refused("DomainName", domainName="*.sandbox.test").endswith(
        f"BadRequestException: the certificate {arn} is for app.sandbox.test and doesn't cover *.sandbox.test"
    )


def test_a_certificate_is_pending_when_it_was_just_requested_and_not_to_be_used_until_it_is_read_as_issued(
    provider, made
):
    certificate = "aws:acm/certificate:Certificate"
    inputs = {"domainName": "app.sandbox.test", "validationMethod": "DNS"}  # its record is there already
    second = provider.create(certificate, "second", inputs)
    assert second.outputs["status"] == "PENDING_VALIDATION"
    configuration = {**made["DomainName"].inputs["domainNameConfiguration"], "certificateArn": second.identity}
    name = {"domainName": "app.sandbox.test", "domainNameConfiguration": configuration}
    with pytest.raises(ResourceRefusedError, match="is not validated yet: ACM issues it a while after"):
        provider.create("aws:apigatewayv2/domainName:DomainName", "mine", name)
    assert provider.read(certificate, "second", second.identity, {}, {}).outputs["status"] == "ISSUED"
    with pytest.raises(ResourceRefusedError, match="The domain name you provided already exists"):
        provider.create("aws:apigatewayv2/domainName:DomainName", "mine", name)


def test_a_repository_with_images_is_not_removed_unless_forced(provider, account):
    provider.create("aws:ecr/repository:Repository", "kept", {"name": "kept"})
    push_image(account, "kept")
    with pytest.raises(ResourceRefusedError, match="RepositoryNotEmptyException"):
        provider.delete("aws:ecr/repository:Repository", "kept", "kept", {"forceDelete": False})


def test_a_type_that_the_provider_does_not_know_is_refused_by_name(provider):
    with pytest.raises(ResourceRefusedError) as caught:
        provider.create("aws:ec2/instance:Instance", "jobs", {})
    assert (
        str(caught.value)
        == "aws:ec2/instance:Instance 'jobs': NotImplemented: the sandbox's provider doesn't know this type"
    )


def test_an_image_that_ecr_files_under_another_digest_is_refused(account, tmp_path):
    class Liar(ContentBuilder):
        def build(self, **arguments):
            honest = super().build(**arguments)
            return type(honest)(digest=f"sha256:{'0' * 64}", manifest=honest.manifest)

    account.client("ecr").create_repository(repositoryName="lied")
    registry = f"{account.account_id}.dkr.ecr.us-east-1.amazonaws.com"
    inputs = {"tags": [f"{registry}/lied:latest"], "context": {"location": "."}, "push": True}
    with pytest.raises(ResourceRefusedError, match="ImageDigestDoesNotMatchException"):
        Provider(account, Liar(), tmp_path).create("docker-build:index:Image", "mine", inputs)


def test_a_dead_letter_queue_that_does_not_exist_is_refused(refused, made):
    def redriven(target):
        return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3})

    absent = "arn:aws:sqs:us-east-1:000000000000:dead"
    assert refused("Queue", name="other", redrivePolicy=redriven(absent)) == (
        "aws:sqs/queue:Queue 'mine' at redrivePolicy: InvalidParameterValue: the dead-letter queue "
        "arn:aws:sqs:us-east-1:000000000000:dead doesn't exist"
    )
    # The only thing wrong here is the name, which is taken: the dead-letter queue is there.
    assert "QueueAlreadyExists" in refused(
        "Queue", visibilityTimeoutSeconds=5, redrivePolicy=redriven(made["Queue"].outputs["arn"])
    )


def test_a_zone_that_does_not_exist_is_refused(provider):
    with pytest.raises(ResourceRefusedError) as caught:
        provider.invoke("aws:route53/getZone:getZone", {"name": "example.com"})
    assert caught.value.reason == "no matching Route 53 hosted zone found for 'example.com'"


def test_two_zones_of_one_name_are_refused(provider, account):
    for number in (1, 2):
        account.client("route53").create_hosted_zone(Name="twice.test", CallerReference=str(number))
    with pytest.raises(ResourceRefusedError) as caught:
        provider.invoke("aws:route53/getZone:getZone", {"name": "twice.test."})
    assert caught.value.reason == "2 Route 53 hosted zones match 'twice.test.'"


NETWORK = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:CreateNetworkInterface", "Resource": "*"}],
}


@pytest.fixture
def vpc(account):
    """The identifiers of a subnet and a security group of the account's own VPC, and of a subnet of another one."""
    ec2 = account.client("ec2")
    (default,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    here = [{"Name": "vpc-id", "Values": [default["VpcId"]]}]
    subnet = ec2.describe_subnets(Filters=here)["Subnets"][0]["SubnetId"]
    group = ec2.describe_security_groups(Filters=here)["SecurityGroups"][0]["GroupId"]
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return subnet, group, ec2.create_subnet(VpcId=other, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]


def test_a_vpc_that_a_function_can_not_be_in_is_refused(refused, provider, made, vpc):
    subnet, group, elsewhere = vpc

    def sentence(subnets, groups):
        return refused("Function", name="other", vpcConfig={"subnetIds": subnets, "securityGroupIds": groups})

    begins = "aws:lambda/function:Function 'mine' at {}: InvalidParameterValueException: "
    at_vpc = begins.format("vpcConfig")
    assert sentence([subnet], []) == f"{at_vpc}SecurityGroupIds must not be empty in a VpcConfig"
    assert sentence(["subnet-00000000"], [group]).startswith(f"{at_vpc}The subnet ID 'subnet-00000000' does not exist")
    assert "sg-00000000" in sentence([subnet], ["sg-00000000"])
    different = f"{at_vpc}the subnets and security groups are in different VPCs"
    assert sentence([subnet, elsewhere], [group]) == sentence([elsewhere], [group]) == different
    denied = "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
    assert sentence([subnet], [group]) == f"{begins.format('role')}{denied}"


def test_a_function_moves_into_a_vpc_and_out_of_it_again(provider, made, vpc):
    subnet, group, _ = vpc
    role = {"role": made["Role"].outputs["name"]}
    provider.create("aws:iam/rolePolicy:RolePolicy", "net", {**role, "name": "net", "policy": json.dumps(NETWORK)})
    token, inputs = "aws:lambda/function:Function", {**made["Function"].inputs, "name": "moving"}
    made_outside = provider.create(token, "moving", inputs)
    inside = {**inputs, "vpcConfig": {"subnetIds": [subnet], "securityGroupIds": [group]}}
    moved = provider.update(token, "moving", "moving", made_outside.outputs, inside)
    back = provider.update(token, "moving", "moving", moved.outputs, inputs)
    configs = [found.outputs["vpcConfig"] for found in (made_outside, moved, back)]
    expected = {"subnetIds": [subnet], "securityGroupIds": [group], "ipv6AllowedForDualStack": False}
    assert [config and {key: config[key] for key in expected} for config in configs] == [None, expected, None]
    assert [found.outputs["version"] for found in (made_outside, moved, back)] == ["1", "2", "3"]
    provider.delete("aws:iam/rolePolicy:RolePolicy", "net", f"{role['role']}:net", {**role, "name": "net"})


def test_a_policy_that_the_account_does_not_have_is_refused(refused):
    arn = "arn:aws:iam::000000000000:policy/gone"
    assert refused("RolePolicyAttachment", policyArn=arn) == (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment 'mine' at policyArn: NoSuchEntity: "
        f"Policy {arn} does not exist or is not attachable"
    )


def test_a_protected_table_is_not_removed(provider, made):
    table, token = made["Table"], "aws:dynamodb/table:Table"
    guarded = {**table.inputs, "name": "guarded", "deletionProtectionEnabled": True}
    found = provider.create(token, "guarded", guarded)
    with pytest.raises(ResourceRefusedError) as caught:
        provider.delete(token, "guarded", found.identity, found.outputs)
    assert "deletion protection" in str(caught.value).lower()
    provider.update(token, "guarded", found.identity, found.outputs, {**guarded, "deletionProtectionEnabled": False})
    provider.delete(token, "guarded", found.identity, found.outputs)


def test_a_table_whose_name_is_taken_is_refused(refused):
    assert "ResourceInUseException: Table already exists: orders" in refused("Table")


def test_a_schedule_whose_role_trusts_another_service_or_group_is_refused(refused, provider, made):
    role = provider.create("aws:iam/role:Role", "ec2", {"name": "no-clock", "assumeRolePolicy": NOBODY}).outputs["arn"]
    target = {**made["Schedule"].inputs["target"], "roleArn": role}
    sentence = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role: statement 1 is"
    assert sentence in refused("Schedule", name="other", target=target)
    assert "needs aws:SourceArn ArnLike" in refused("Schedule", name="other", groupName="others")


def test_a_mapping_of_what_does_not_exist_is_refused(refused):
    queue = "arn:aws:sqs:us-east-1:000000000000:gone"
    assert f"the queue {queue} doesn't exist" in refused("EventSourceMapping", eventSourceArn=queue)
    assert "ResourceNotFoundException: Function not found: gone" in refused("EventSourceMapping", functionName="gone")


def test_a_second_mapping_of_a_queue_to_the_same_function_is_refused(refused, made):
    queue, function = (made["EventSourceMapping"].inputs[key] for key in ("eventSourceArn", "functionName"))
    # The sentence of AWS, as in DataBiosphere/azul#3399.
    sentence = (
        f'ResourceConflictException: An event source mapping with SQS arn (" {queue} ") and function (" {function} ") '
        "already exists. Please update or delete the existing mapping with UUID "
        f"{made['EventSourceMapping'].identity}"
    )
    assert sentence in refused("EventSourceMapping")


def test_a_queue_that_the_function_may_not_use_or_that_shows_messages_too_early_is_refused(refused, provider, made):
    short = {"name": "early", "visibilityTimeoutSeconds": 28}
    early = provider.create("aws:sqs/queue:Queue", "early", short).outputs["arn"]
    sentence = "Queue visibility timeout: 28 seconds is less than Function timeout: 29 seconds"
    assert sentence in refused("EventSourceMapping", eventSourceArn=early)
    role = provider.create("aws:iam/role:Role", "idle", {"name": "idle", "assumeRolePolicy": TRUST}).outputs["arn"]
    provider.create("aws:lambda/function:Function", "idle", {**made["Function"].inputs, "name": "idle", "role": role})
    sentence = "The provided execution role does not have permissions to call ReceiveMessage on SQS"
    assert sentence in refused("EventSourceMapping", functionName="idle")
    sentence = f"does not have permissions to call SendMessage on {made['Queue'].outputs['arn']}"
    assert sentence in refused("FunctionEventInvokeConfig", functionName="idle", qualifier=None)


def test_a_destination_that_does_not_exist_is_refused(refused):
    queue = "arn:aws:sqs:us-east-1:000000000000:gone"
    destinations = {"onFailure": {"destination": queue}}
    assert f"the destination {queue} doesn't exist" in refused(
        "FunctionEventInvokeConfig", destinationConfig=destinations
    )


def test_a_rule_of_a_bus_and_a_target_of_a_rule_that_do_not_exist_are_refused(refused):
    assert "the event bus gone doesn't exist" in refused("EventRule", name="other", eventBusName="gone")
    assert "Rule gone does not exist on its event bus" in refused("EventTarget", rule="gone")


def test_an_issuer_that_publishes_no_keys_is_refused(refused):
    issuer = "https://localhost:1"
    message = refused("Authorizer", jwtConfiguration={"issuer": issuer, "audiences": ["shop"]})
    assert message.partition(" (")[0] == (
        "aws:apigatewayv2/authorizer:Authorizer 'mine' at jwtConfiguration.issuer: BadRequestException: "
        f"Caught exception when connecting to {issuer}/.well-known/openid-configuration for issuer {issuer}. "
        f"Please try again later. Error: Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended "
        "with '/.well-known/openid-configuration'"
    )


def test_an_authorizer_that_a_route_still_has_is_not_removed(provider, made):
    types = {pulumi_type.rpartition(":")[2]: pulumi_type for pulumi_type in provider.types}
    authorizer, route = made["Authorizer"], {**made["Route"].inputs, "routeKey": "GET /mine"}
    own = provider.create(
        types["Route"], "mine", {**route, "authorizationType": "JWT", "authorizerId": authorizer.identity}
    )
    with pytest.raises(ResourceRefusedError) as caught:
        provider.delete(types["Authorizer"], "mine", authorizer.identity, authorizer.outputs)
    assert caught.value.reason == (
        f"Cannot delete authorizer '{authorizer.identity}', is referenced in route: GET /mine"
    )
    provider.delete(types["Route"], "mine", own.identity, own.outputs)
