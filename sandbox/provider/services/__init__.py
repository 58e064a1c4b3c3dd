"""One module for each service: programs can use every resource type in it, and no other list is needed.

A new type is a class here and an `Example` in `tests/provided`; `sns.py`, `sqs.py` and `ssm.py` are some to start from.
The tests compare its table with Pulumi's SDK, make the example, read it back, update, replace and remove it.
"""
