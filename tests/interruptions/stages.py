"""The deployments that are interrupted: the first `up`, an update, and a destroy."""

from __future__ import annotations

import json

DOMAIN = "app.sandbox.test"
FIRST = {
    "name": "shop",
    "domainName": DOMAIN,
    "aliases": ["www.sandbox.test"],
    "secrets": {"TOKEN": "/shop/token"},
    "sessionKey": True,
    "table": "id",
    "schedules": [{"name": "nightly", "path": "/nightly", "rate": "1 day"}],
    "queues": [{"name": "orders", "path": "/orders"}],
    "events": [{"name": "sold", "path": "/sold", "pattern": {"source": ["shop"]}}],
    "alarmEmail": "team@example.com",
    "dashboard": True,
    "policy": json.dumps({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/a"}),
}
SECOND = {
    **FIRST,
    "baseImage": "python:3.14-slim",
    "memorySize": 1024,
    "aliases": ["web.sandbox.test"],
    "throttleRate": 7,
    "throttleBurst": 9,
    "logRetention": 60,
    "environment": {"GREETING": "hello"},
    "schedules": [{"name": "weekly", "path": "/weekly", "rate": "7 days"}],
    "queues": [{"name": "orders", "path": "/orders", "batchSize": 5}],
    "events": [{"name": "sold", "path": "/sold", "pattern": {"source": ["store"]}}],
    "dashboard": False,
}
STAGES = {"up": FIRST, "update": SECOND, "destroy": FIRST}
"""The settings of each."""
UP_INSTEAD = "up instead of the rest of a destroy"
SETTINGS = {**STAGES, UP_INSTEAD: FIRST}
BEFORE = {"update": "up", "destroy": "up", UP_INSTEAD: "up"}
"""The stage that one begins with the end of."""
