"""The sample application and the image's entrypoint."""
