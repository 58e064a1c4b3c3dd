"""What the image carries beside an application: handler, adapter, modes, logs."""
