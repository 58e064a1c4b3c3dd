"""Checks what a deployment is made of: known vulnerabilities, licences, a list of the image's packages, policies."""
