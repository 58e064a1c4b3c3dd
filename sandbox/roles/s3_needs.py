"""The actions and resources of S3's operations, whose names differ more than those of other services.

Source: "Actions, resources, and condition keys for Amazon S3", Service Authorization Reference.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote
from xml.sax.saxutils import unescape

from dualmode.gateway.http.message import Request
from sandbox.roles.operation import Operation

_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CopyObject": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketTagging": "PutBucketTagging",
}
_OF_VERSIONS = ("GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging")
_KEY = re.compile(r"<Key>(.*?)</Key>", re.DOTALL)


def of(operation: Operation, request: Request) -> Iterator[tuple[str, str]]:
    """Return actions, each with the ARN of its resource, or `*`."""
    action = _ACTIONS.get(operation.name, operation.name)
    bucket, key = str(operation.parameters.get("Bucket") or ""), str(operation.parameters.get("Key") or "")
    if operation.parameters.get("versionId") and action in _OF_VERSIONS:
        action = action.replace("Object", "ObjectVersion", 1)
    if operation.name == "DeleteObjects":
        for found in _KEY.findall(request.body.decode("utf-8", "replace")):
            yield "s3:DeleteObject", f"arn:aws:s3:::{bucket}/{unescape(found)}"
        return
    yield f"s3:{action}", (f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}") if bucket else "*"
    source = unquote(request.header("x-amz-copy-source") or "").lstrip("/").partition("?versionId=")
    if source[0]:
        yield "s3:GetObjectVersion" if source[2] else "s3:GetObject", f"arn:aws:s3:::{source[0]}"
