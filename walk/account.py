"""An AWS account, the sandbox's or a real one, as boto3 clients."""

import copy
import os
import threading
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials

from walk.kept_answers import KeptAnswers

# A profile or a shared file of the user's must not leak into an emulated account.
_DETACHED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}


class Account:
    """Gives boto3 clients of one account and region.

    With an `endpoint_url`, every client uses only that endpoint and the `credentials`: the environment's profiles,
    credentials and proxies are ignored. Without one, the clients are boto3's own, for the environment's account.

    Raises:
        ValueError: there is an endpoint without credentials: it would get those of the environment.
    """

    def __init__(self, endpoint_url: str | None, region: str, credentials: ReadOnlyCredentials | None = None) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._credentials = credentials
        self._clients: dict[str, Any] = {}
        self._create: Callable[[str], Any] = self._boto3_client
        self._account_id: str | None = None
        self._lock = threading.RLock()
        if endpoint_url is None:
            self._session = boto3.Session(region_name=region)
        elif credentials is None:
            raise ValueError(f"The account at {endpoint_url} has no credentials: pass some that it accepts.")
        else:
            self._session = boto3.Session(
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                region_name=region,
                botocore_session=botocore.session.Session(session_vars=_DETACHED),
            )

    def client(self, service: str) -> Any:
        """Return the client of a service, by boto3's name; the same one on every call, from any thread."""
        with self._lock:  # creating a client isn't thread-safe, using one is
            if service not in self._clients:
                self._clients[service] = self._create(service)
            return self._clients[service]

    def keeping(self, kept: KeptAnswers) -> "Account":
        """Return the same account with clients whose reads are kept, for a walk that reads the same again and again."""
        keeping = copy.copy(self)
        keeping._clients = {}
        keeping._create = lambda service: kept.client(self.client(service))
        return keeping

    def _boto3_client(self, service: str) -> Any:
        if self.endpoint_url is None:
            return self._session.client(service)
        detached = Config(
            proxies={},
            ignore_configured_endpoint_urls=True,
            retries={"mode": "standard", "total_max_attempts": 2},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=32,
        )
        return self._session.client(service, endpoint_url=self.endpoint_url, config=detached)

    def in_region(self, region: str) -> "Account":
        """Return the same account in another region."""
        return self if region == self.region else Account(self.endpoint_url, region, self._credentials)

    @property
    def account_id(self) -> str:
        """The account id (twelve digits), from STS."""
        with self._lock:
            if self._account_id is None:
                self._account_id = str(self.client("sts").get_caller_identity()["Account"])
            return self._account_id

    def api_arn(self, partition: str, api_id: str) -> str:
        """Return how policies name an API of this account."""
        return f"arn:{partition}:execute-api:{self.region}:{self.account_id}:{api_id}"
