"""Images: files and arrays in and out, their axes, intensity scaling, planes and patches."""
