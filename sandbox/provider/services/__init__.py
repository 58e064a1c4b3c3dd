"""One module for each service: every resource type in it is one that programs can use, and nothing else lists it.

A new type is a class here and an `Example` in `tests/provided`; `sns.py`, `sqs.py` and `ssm.py` are some to start from.
The tests compare its table with Pulumi's SDK, make the example, read it back, update, replace and remove it.
"""
