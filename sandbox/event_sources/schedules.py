"""EventBridge Scheduler: fires the account's schedules, by the clock or by hand."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import SandboxError
from sandbox.event_sources.asynchronous import AsynchronousInvocations, Outcome
from sandbox.event_sources.dead_letters import send_as_role
from sandbox.function_log import LogPart
from sandbox.schedule_expression import rate_seconds
from walk.account import Account
from walk.queries import every
from walk.role_permission import role_verdict
from walk.trace import RequestRefusedError


@dataclass(slots=True, kw_only=True)
class Schedules:
    """The schedules of an account. One with a rate is due after each of its intervals, from when it was first seen.

    Those with a cron expression are fired by hand only.
    """

    account: Account
    asynchronous: AsynchronousInvocations
    clock: Callable[[], float] = time.monotonic
    """Seconds since some moment."""
    _due: dict[str, tuple[str, float]] = field(default_factory=dict)

    def named(self, name: str) -> Mapping[str, Any]:
        """Return the schedule with this name, or whose name ends with it after the deployment's.

        Raises:
            SandboxError: there is none.
        """
        found = {str(listed["Name"]): listed for listed in self._all()}
        ending = [known for known in found if known.endswith(f"-{name}")]
        chosen = name if name in found else ending[0] if len(ending) == 1 else ""
        if not chosen:
            known = f"the schedules are {', '.join(sorted(found))}" if found else "the account has no schedule"
            raise SandboxError(f"There is no schedule {name}: {known}.")
        return self._described(found[chosen])

    def fire(self, schedule: Mapping[str, Any], logged: Callable[[LogPart], object] = lambda _: None) -> Outcome:
        """Invoke a schedule's target with its input.

        Raises:
            SandboxError: Scheduler may not invoke it, or the sandbox can't; the event goes to the dead-letter queue.
        """
        target = schedule["Target"]
        arn, role, event = str(target["Arn"]), str(target["RoleArn"]), str(target.get("Input") or "{}")
        try:
            if arn.split(":")[2:3] != ["lambda"]:
                raise SandboxError(f"The target of {schedule['Name']} is {arn}, but the sandbox runs functions only.")
            verdict = role_verdict(self.account, role, "lambda:InvokeFunction", arn)
            if not verdict.allowed:
                raise SandboxError(f"Scheduler's role {role} may not invoke {arn}: {verdict.reason}.")
            try:
                return self.asynchronous.invoke(arn, event.encode(), logged)
            except RequestRefusedError as refused:
                hop = refused.hop
                raise SandboxError(
                    f"{schedule['Name']} can't be delivered: {hop.hop} {hop.id}: {hop.detail}."
                ) from None
        except SandboxError:
            dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
            if dead_letters:
                send_as_role(self.account, role, str(dead_letters), event)
            raise

    def due(self) -> list[Mapping[str, Any]]:
        """Return the schedules whose time has come since the last call."""
        now, found, seen = self.clock(), [], {}
        for listed in self._all():
            schedule = self._described(listed)
            seconds = rate_seconds(schedule["ScheduleExpression"])
            if seconds is None or schedule["State"] != "ENABLED":
                continue
            identity = f"{schedule['ScheduleExpression']} {schedule.get('LastModificationDate')}"
            known, at = self._due.get(schedule["Arn"], ("", 0.0))
            if known != identity:
                at = now + seconds
            elif now >= at:
                found.append(schedule)
                at = now + seconds
            seen[schedule["Arn"]] = (identity, at)
        self._due = seen
        return found

    def _all(self) -> list[dict[str, Any]]:
        return every(self.account.client("scheduler"), "list_schedules", "Schedules")

    def _described(self, listed: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.account.client("scheduler").get_schedule(
            Name=listed["Name"], GroupName=listed["GroupName"]
        )
        return found
