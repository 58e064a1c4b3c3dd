"""What to change about each cause for which a request is refused, and which of our settings does it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What to change, and the settings of this program that do it; without one, it has no such setting.

    `restored` says that the program makes this itself: if it made the deployment, an update puts it back.
    """

    change: str
    settings: tuple[str, ...] = ()
    restored: bool = False


REMEDIES: Mapping[str, Remedy] = {
    "head-too-long": Remedy(change="send fewer or shorter headers and cookies: request line and headers have 10,240 B"),
    # DNS and the domain
    "record-missing": Remedy(
        change="create an A alias (or a CNAME) for the name, to the API Gateway domain's own target",
        settings=("domainName", "hostedZone"),
        restored=True,
    ),
    "record-kind": Remedy(
        change="replace the record by an A alias (or a CNAME) to the API Gateway domain's own target",
        settings=("domainName", "hostedZone"),
        restored=True,
    ),
    "record-loop": Remedy(change="let one of the records lead to the API Gateway domain's own target"),
    "record-target": Remedy(
        change="let the record lead to the domain's target: the domain was made anew, or the record is another one's",
        settings=("domainName",),
        restored=True,
    ),
    "dns-unresolved": Remedy(
        change="create a record for the name where its DNS is, or wait: resolvers keep a missing name for minutes",
        settings=("hostedZone", "dnsProvider"),
    ),
    "dns-elsewhere": Remedy(
        change="where the name's DNS is, let a CNAME lead to the domain's target", settings=("dnsProvider",)
    ),
    "zone-not-delegated": Remedy(
        change="where the domain is registered (or in its parent zone), set the zone's name servers",
        settings=("hostedZone",),
    ),
    "domain-missing": Remedy(
        change="create the custom domain in API Gateway, in the region of the API",
        settings=("domainName", "aliases"),
        restored=True,
    ),
    "other-region": Remedy(change="look in the region that the record leads to: give --region", settings=()),
    "domain-pending": Remedy(
        change="finish what the status asks for: validate the certificate, or prove that the name is yours",
        settings=("domainName",),
    ),
    "api-missing": Remedy(
        change="use the address of an API that exists, or map the domain to one; check --region and the account",
        restored=True,
    ),
    "endpoint-disabled": Remedy(
        change="use the custom domain, or let the default endpoint answer", settings=("keepDefaultEndpoint",)
    ),
    "certificate-missing": Remedy(
        change="request a certificate in the API's own region, and give it to the domain",
        settings=("domainName",),
        restored=True,
    ),
    "certificate-not-issued": Remedy(
        change="create the validation record that ACM names for it, and keep it: renewals need it too",
        settings=("hostedZone", "dnsProvider"),
        restored=True,
    ),
    "certificate-expired": Remedy(
        change="put the validation record back, so that ACM renews it, or import a newer certificate",
        settings=("domainName",),
        restored=True,
    ),
    "certificate-name": Remedy(
        change="give the domain a certificate that covers the name", settings=("domainName", "aliases"), restored=True
    ),
    "mapping-missing": Remedy(
        change="map the path, or everything with an empty key, to the API's stage",
        settings=("basePath",),
        restored=True,
    ),
    # CloudFront
    "distribution-alias": Remedy(
        change="give the distribution the name as an alias, or let the record lead to the API's domain",
        settings=("domainName", "aliases"),
        restored=True,
    ),
    "distribution-disabled": Remedy(change="enable the distribution", restored=True),
    "cdn-method": Remedy(change="let the behavior allow all seven methods", restored=True),
    "cdn-host": Remedy(
        change="use the origin request policy AllViewerExceptHostHeader, and no cache policy with Host in its key",
        restored=True,
    ),
    "cdn-http": Remedy(change="let CloudFront connect to the origin by https only", restored=True),
    "cdn-secret": Remedy(
        change="let the origin send the header again, with a value of the parameter that the function reads",
        settings=("cdn", "cdnRotation"),
        restored=True,
    ),
    "cdn-around": Remedy(change="use the domain, which leads to CloudFront", settings=("cdn", "domainName")),
    # the API
    "stage-missing": Remedy(change="create the stage, or map the domain to one that exists", restored=True),
    "stage-not-in-path": Remedy(
        change="begin the path with the stage's name, or create the stage $default", restored=True
    ),
    "stage-empty": Remedy(change="deploy the API to the stage, or let it deploy by itself (AutoDeploy)", restored=True),
    "stage-in-path": Remedy(change="leave the stage's name out of the path, as a domain and $default have none"),
    "route-missing": Remedy(
        change="add a route for it, or the route $default, which takes every request", restored=True
    ),
    "throttle-zero": Remedy(
        change="set rate and burst, both: one that is missing counts as 0, and removing the block keeps the 0",
        settings=("throttleRate", "throttleBurst"),
    ),
    "authorizer-missing": Remedy(
        change="create the authorizer anew and give it to the route, or take it off the route"
    ),
    "authorizer-uri": Remedy(change="set the authorizer's URI to the ARN that invokes its function, or its alias"),
    "authorizer-function": Remedy(
        change="remove what keeps the authorizer's function from running, or let the authorizer invoke another one"
    ),
    "authorizer-permission": Remedy(
        change="allow apigateway.amazonaws.com to invoke the authorizer's function (lambda:InvokeFunction), from the "
        "API's ARN with /authorizers/ and the authorizer's id"
    ),
    "authorizer-role": Remedy(
        change="let the authorizer's role trust apigateway.amazonaws.com and allow it lambda:InvokeFunction on the "
        "function, or remove the role and permit the invocation at the function"
    ),
    "integration-missing": Remedy(change="give the route an integration with the function", restored=True),
    "integration-uri": Remedy(
        change="set the integration's URI to the ARN of the function, or of its alias", restored=True
    ),
    # the permission
    "permission-missing": Remedy(
        change="allow apigateway.amazonaws.com to invoke it (lambda:InvokeFunction), from the API's ARN with /*/*",
        restored=True,
    ),
    "permission-unqualified": Remedy(
        change="give the permission to the alias that the integration calls: the one without a qualifier is not for it",
        restored=True,
    ),
    "permission-other-qualifier": Remedy(
        change="let the integration call the alias that has the permission, or give one to the function itself",
        restored=True,
    ),
    "permission-rest-arn": Remedy(
        change="end the permission's source ARN with /*/*: three parts, as for REST APIs, do not match $default",
        restored=True,
    ),
    "permission-other-source": Remedy(
        change="allow this API too: the permission's source ARN is another API's, stage's or route's", restored=True
    ),
    "function-url-missing": Remedy(change="use the URL that the function has now; check --region and the account"),
    "function-url-permission": Remedy(
        change="allow both lambda:InvokeFunctionUrl and lambda:InvokeFunction (by the Function URL) to everyone, or to "
        "who signs the requests"
    ),
    # the function
    "alias-missing": Remedy(
        change="create the alias that the integration calls, or change the integration", restored=True
    ),
    "version-missing": Remedy(change="create the function, or call a version that exists", restored=True),
    "role-missing": Remedy(
        change="create the role anew, and update the function: its key belongs to the old one", restored=True
    ),
    "role-trust": Remedy(change="let the role's trust policy allow lambda.amazonaws.com sts:AssumeRole", restored=True),
    "state-failed": Remedy(change="remove what the state names, then update the function", restored=True),
    "state-pending": Remedy(change="wait: a new image takes up to a minute, then it is Active"),
    "state-inactive": Remedy(
        change="send a request and wait until it is Active: a function that nobody called for weeks is put to sleep"
    ),
    "concurrency-zero": Remedy(change="remove the reserved concurrency of 0, which stops the function"),
    "image-uri": Remedy(change="deploy an image of ECR", settings=("imageUri",)),
    "image-missing": Remedy(
        change="push the image again, or serve a version whose image is there",
        settings=("liveVersion", "keepVersions"),
        restored=True,
    ),
    "repository-missing": Remedy(
        change="create the repository anew and push the image", settings=("imageUri",), restored=True
    ),
    "repository-policy": Remedy(
        change="in its policy, allow lambda.amazonaws.com ecr:BatchGetImage and ecr:GetDownloadUrlForLayer",
        restored=True,
    ),
    # where the walk ends
    "cdn": Remedy(change="explain it with the credentials of the account that has the distribution"),
    "cdn-origin": Remedy(change="look at the origin itself"),
    "rest-api": Remedy(change="look at the REST API itself"),
    "websocket-api": Remedy(change="look at the WebSocket API itself"),
    "not-a-function": Remedy(change="look at what the integration calls"),
    "function-elsewhere": Remedy(change="look at the function with that account's credentials, in its region"),
    "denied": Remedy(change="let the credentials make this call: docs/explain-policy.json allows all of them"),
    "dns-silent": Remedy(change="run it where a resolver answers, or give --no-dns to believe the zone"),
    # notes
    "zone-unused": Remedy(change="delete the zone that nobody asks, or delegate to it", settings=("hostedZone",)),
    "dns-differs": Remedy(
        change="if it stays so, check the record and the zone's delegation", settings=("hostedZone",)
    ),
    "web-acl": Remedy(change="look for the request in the web ACL's sampled requests", settings=("webAclArn",)),
    "cdn-in-progress": Remedy(change="wait some minutes, until its status is Deployed"),
    "cdn-countries": Remedy(change="remove the countries from its restrictions", restored=True),
    "edge-function": Remedy(change="look at the function's own log, in the region of the client"),
    "cdn-drops": Remedy(
        change="use the origin request policy AllViewerExceptHostHeader for all that is not the same for all clients",
        restored=True,
    ),
    "mutual-tls": Remedy(change="send a client certificate, or remove mutual TLS from the domain"),
    "gateway-cors": Remedy(change="remove the API's CORS configuration if the application sends its own headers"),
    "no-auto-deploy": Remedy(
        change="deploy the API again, or let the stage deploy by itself (AutoDeploy)", restored=True
    ),
    "deployment-failed": Remedy(change="remove what the message names, and deploy again", restored=True),
    "authorizer": Remedy(change="send the credentials that it asks for, or take it off the route"),
    "function-url-signature": Remedy(
        change="sign the request for the service lambda (Signature Version 4), or set the Function URL's authorization "
        "type to NONE"
    ),
    "authorizer-function-decides": Remedy(change="look at the log of the authorizer's function"),
    "greedy-root": Remedy(change="use the route $default, or add a route for /", restored=True),
    "payload-1": Remedy(change='set the integration\'s payload format to "2.0": the default is 1.0', restored=True),
    "stage-prefix": Remedy(change="use the stage $default, which adds nothing to the path", restored=True),
    "condition-unknown": Remedy(change="check the condition yourself"),
    "function-timeout": Remedy(change="give the function less time than API Gateway waits", settings=("timeout",)),
    "small-memory": Remedy(change="give it more memory, which brings processor time", settings=("memorySize",)),
    "update-failed": Remedy(
        change="remove what the reason names, then update with `pulumi up --refresh`: a plain one sees no change"
    ),
    "log-group-missing": Remedy(
        change="create the log group, or allow the role logs:CreateLogGroup", settings=("logRetention",), restored=True
    ),
    "role-lacks-logs": Remedy(
        change="allow the role logs:CreateLogStream and logs:PutLogEvents on the function's log group", restored=True
    ),
}
"""By the causes that the walk names."""
