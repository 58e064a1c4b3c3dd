"""Installs what an application needs, as its folder declares it: run by the Dockerfile and by the sandbox's processes.

Standard library only: it runs in the build stage, before anything is installed.
"""
