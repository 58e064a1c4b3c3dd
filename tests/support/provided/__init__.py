"""What tests of the provider and its drivers share: an image to deploy, one of each resource, a program in a folder."""

import hashlib
import importlib
import json
import os
import pkgutil
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
WRITE_LOGS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["logs:PutLogEvents", "sqs:*"], "Resource": "*"}],
    }
)
KEEP_TWENTY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Keep the newest 20 images, whatever their tags",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 20},
                "action": {"type": "expire"},
            }
        ]
    }
)
PULL = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LambdaPulls",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": ["ecr:BatchGetImage"],
            }
        ],
    }
)

# Settings of a program, one of each type.
SCHEMA = """
    config:
      memorySize: {type: integer, default: 512}
      domainName: {type: string, default: ""}
      keep: {type: boolean, default: false}
      environment: {type: object, default: {}}
      zones: {type: array, items: {type: string}, default: [a, b]}
"""


IMAGE = """
    import pulumi
    import pulumi_aws as aws
    import pulumi_awsx as awsx

    repository = aws.ecr.Repository("web", name="web", force_delete=True)
    image = awsx.ecr.Image(
        "image",
        repository_url=repository.repository_url,
        context="app",
        platform="linux/amd64",
        args={"APP_DIR": "app"},
        image_tag="latest",
    )
    aws.cloudwatch.LogGroup("after", name="after", tags={"image": image.image_uri})
    pulumi.export("image_uri", image.image_uri)
"""
MISSPELT = (
    "logging(settings.log_level, logs.name)",
    '{"log_format": "JSON", "log_gruop": logs.name}',
)
"""A misspelt nested key for infra/container_function.py, as an object, which the SDK takes as well."""


@dataclass(frozen=True)
class Built:
    digest: str
    manifest: str
    media_type: str = MANIFEST


class ContentBuilder:
    """Builds a manifest whose digest follows from the context's text files and the arguments, and counts its builds.

    Hidden folders don't count, as in an image: other tests write into the repository's `.sandbox`.
    """

    def __init__(self):
        self.builds = []

    def build(self, *, context, dockerfile, args, platform, target=None):
        files = {}
        for folder, inner, names in os.walk(context):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            texts = [Path(folder, name) for name in sorted(names) if name.endswith(".txt")]
            files |= {str(path.relative_to(context)): path.read_text() for path in texts}
        self.builds.append({"args": dict(args), "platform": platform, "target": target, "dockerfile": dockerfile.name})
        return manifest_of(json.dumps([files, dict(args), platform]))


def manifest_of(content, media_type=MANIFEST):
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": f"sha256:{_hash(content)}"}
    text = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []})
    return Built(digest=f"sha256:{_hash(text)}", manifest=text, media_type=media_type)


def push_image(account, repository="ready", content="first", media_type=MANIFEST):
    """Put an image into ECR without the provider, and return its URI by digest."""
    ecr = account.client("ecr")
    if not any(found["repositoryName"] == repository for found in ecr.describe_repositories()["repositories"]):
        ecr.create_repository(repositoryName=repository)
    image = manifest_of(content, media_type)
    ecr.put_image(
        repositoryName=repository,
        imageManifest=image.manifest,
        imageManifestMediaType=image.media_type,
        imageTag=content,
    )
    return f"{account.account_id}.dkr.ecr.{account.region}.amazonaws.com/{repository}@{image.digest}"


def make_zone(account, name="sandbox.test"):
    zone = account.client("route53").create_hosted_zone(Name=name, CallerReference=f"tests {name}")["HostedZone"]
    return zone["Id"].removeprefix("/hostedzone/")


def write_program(folder, source, config=""):
    """Write a Pulumi program of its own into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: small\nruntime: python\n{textwrap.dedent(config)}")
    (folder / "__main__.py").write_text(textwrap.dedent(source))
    return folder


def copy_program(folder, file="", old="", new=""):
    """Copy the real program into a folder, with one piece of its source replaced."""
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "infra", folder / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    if file:
        text = (folder / file).read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        (folder / file).write_text(text.replace(old, new))
    return folder


def _hash(text):
    return hashlib.sha256(text.encode()).hexdigest()


def examples():
    """Give the examples of every module beside this one, by their keys: one for each resource type."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {example.key: example for module in modules for example in getattr(module, "EXAMPLES", ())}


class Made(dict):
    """The resources made from the examples, in order of creation: reading one creates it, after those that it needs."""

    def __init__(self, provider, account):
        super().__init__()
        self._provider = provider
        self._examples = examples()
        self.zone = make_zone(account)

    def __missing__(self, key):
        example = self._examples[key]
        inputs = example.inputs(self) if callable(example.inputs) else example.inputs
        self[key] = found = self._provider.create(example.pulumi_type, key.lower(), inputs)
        return found


def make_everything(provider, account):
    """Make one resource of every type."""
    made = Made(provider, account)
    for key in examples():
        made[key]
    return made
