"""The components as a package for every Pulumi language: what the engine asks of a plugin, from what they say already.

The schema comes from the settings' dataclasses and from `Pulumi.yaml`, so a setting that a component gains is an input
in every language. The SDK's own host for components would want each input again, in a class of typed arguments.
"""
