"""What Lambda does: invocations, execution environments, the Runtime API, the platform's log."""
