from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:lambda/function:Function",
        inputs=lambda made: {
            "name": "web",
            "role": made["Role"].outputs["arn"] if made["RolePolicy"] else "",
            "packageType": "Image",
            "imageUri": f"{made['Repository'].outputs['repositoryUrl']}@{made['Image'].outputs['digest']}",
            "memorySize": 512,
            "timeout": 29,
            "publish": True,
            "tags": {"old": "x"},
            "architectures": ["x86_64"],
            "environment": {"variables": {"MODE": "test"}},
            "loggingConfig": {"logFormat": "JSON", "logGroup": made["LogGroup"].outputs["name"]},
        },
        updates={
            "memorySize": 1024,
            "timeout": 10,
            "environment": {"variables": {"MODE": "other"}},
            "tags": {"a": "b"},
        },
        follow=frozenset({"lastModified", "version", "qualifiedArn", "qualifiedInvokeArn"}),
        replaces={"name": "other"},
        valueless=frozenset({"signingJobArn", "signingProfileVersionArn"}),
    ),
    Example(
        pulumi_type="aws:lambda/alias:Alias",
        inputs=lambda made: {
            "name": "live",
            "functionName": made["Function"].outputs["name"],
            "functionVersion": "1",
        },
        replaces={"functionName": "other"},
        gone="arn:aws:lambda:us-east-1:000000000000:function:gone:live",
    ),
    Example(
        pulumi_type="aws:lambda/permission:Permission",
        inputs=lambda made: {
            "statementId": "gateway",
            "action": "lambda:InvokeFunction",
            "function": "web",
            "qualifier": made["Alias"].outputs["name"],
            "principal": "apigateway.amazonaws.com",
            "sourceArn": f"{made['Api'].outputs['executionArn']}/*/*",
        },
        replaces={"sourceArn": "arn:aws:execute-api:us-east-1:000000000000:other/*/*"},
    ),
    Example(
        pulumi_type="aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        inputs=lambda made: {
            "functionName": made["Function"].outputs["name"],
            "qualifier": made["Alias"].outputs["functionVersion"],
            "provisionedConcurrentExecutions": 2,
        },
        updates={"provisionedConcurrentExecutions": 3},
        replaces={"qualifier": "other"},
        gone="gone,1",
    ),
    Example(
        pulumi_type="aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        inputs=lambda made: {
            "functionName": made["Function"].outputs["name"],
            "qualifier": made["Alias"].outputs["name"],
            "destinationConfig": {"onFailure": {"destination": made["Queue"].outputs["arn"]}},
        },
        updates={"maximumRetryAttempts": 1, "maximumEventAgeInSeconds": 600},
        replaces={"qualifier": "other"},
        gone="web:gone",
    ),
    Example(
        pulumi_type="aws:lambda/eventSourceMapping:EventSourceMapping",
        inputs=lambda made: {
            "eventSourceArn": made["Queue"].outputs["arn"],
            "functionName": made["Alias"].outputs["arn"],
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "tags": {"a": "b"},
        },
        updates={"batchSize": 20, "maximumBatchingWindowInSeconds": 1, "tags": {"c": "d"}},
        follow=frozenset({"lastModified", "state"}),
        gone="00000000-0000-0000-0000-000000000000",
        replaces={"eventSourceArn": "arn:aws:sqs:us-east-1:000000000000:other"},
    ),
    Example(
        pulumi_type="aws:lambda/functionUrl:FunctionUrl",
        inputs=lambda made: {
            "functionName": "web",
            "qualifier": made["Alias"].outputs["name"],
            "authorizationType": "NONE",
        },
        updates={"authorizationType": "AWS_IAM"},
        replaces={"qualifier": "other"},
        gone="web/gone",
    ),
)
