import os

from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:apigatewayv2/api:Api",
        inputs={"name": "web", "protocolType": "HTTP", "tags": {"old": "x"}},
        updates={
            "description": "the web",
            "disableExecuteApiEndpoint": True,
            "corsConfiguration": {"allowOrigins": ["*"]},
            "tags": {"a": "b"},
        },
        replaces={"protocolType": "WEBSOCKET"},
    ),
    Example(
        pulumi_type="aws:apigatewayv2/integration:Integration",
        inputs=lambda made: {
            "apiId": made["Api"].identity,
            "integrationType": "AWS_PROXY",
            "integrationUri": made["Alias"].outputs["invokeArn"],
            "payloadFormatVersion": "2.0",
            "timeoutMilliseconds": 30000,
        },
        updates={"timeoutMilliseconds": 5000, "description": "calls"},
        replaces={"apiId": "other"},
        valueless=frozenset({"integrationResponseSelectionExpression"}),
    ),
    Example(
        pulumi_type="aws:apigatewayv2/route:Route",
        inputs=lambda made: {
            "apiId": made["Api"].identity,
            "routeKey": "$default",
            "target": f"integrations/{made['Integration'].identity}",
        },
        updates={"operationName": "everything"},
    ),
    Example(
        pulumi_type="aws:apigatewayv2/authorizer:Authorizer",
        inputs=lambda made: {
            "apiId": made["Api"].identity,
            "name": "tokens",
            "authorizerType": "JWT",
            "identitySources": ["$request.header.Authorization"],
            "jwtConfiguration": {"audiences": ["shop"], "issuer": os.environ["TESTS_ISSUER"]},
        },
        updates={"name": "others", "identitySources": ["$request.header.X-Token"]},
        replaces={"apiId": "other"},
        valueless=frozenset(
            {"authorizerCredentialsArn", "authorizerPayloadFormatVersion", "authorizerUri", "enableSimpleResponses"}
        ),
    ),
    Example(
        pulumi_type="aws:apigatewayv2/stage:Stage",
        inputs=lambda made: {
            "apiId": made["Api"].identity,
            "name": "$default",
            "tags": {"old": "x"},
            "autoDeploy": True,
            "defaultRouteSettings": {"throttlingBurstLimit": 100, "throttlingRateLimit": 50},
        },
        updates={
            "defaultRouteSettings": {"throttlingBurstLimit": 5, "throttlingRateLimit": 2},
            "stageVariables": {"a": "b"},
            "tags": {"a": "b"},
        },
        follow=frozenset({"deploymentId"}),
    ),
    Example(
        pulumi_type="aws:apigatewayv2/domainName:DomainName",
        inputs=lambda made: {
            "domainName": "app.sandbox.test",
            "tags": {"old": "x"},
            "domainNameConfiguration": {
                "certificateArn": made["CertificateValidation"].outputs["certificateArn"],
                "endpointType": "REGIONAL",
                "securityPolicy": "TLS_1_2",
            },
        },
        updates={"tags": {"a": "b"}},
        replaces={"domainName": "other.sandbox.test"},
    ),
    Example(
        pulumi_type="aws:apigatewayv2/apiMapping:ApiMapping",
        inputs=lambda made: {
            "apiId": made["Api"].identity,
            "domainName": made["DomainName"].outputs["domainName"],
            "stage": made["Stage"].outputs["name"],
        },
    ),
)
