"""Installs the dependencies that an application's folder declares, for the Dockerfile and the sandbox's processes.

Standard library only: it runs in the build stage, before anything is installed.
"""
