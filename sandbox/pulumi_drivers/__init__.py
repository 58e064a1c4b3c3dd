"""What runs the Pulumi program: the real engine, or Pulumi's own mocks where there is no `pulumi` command."""
