"""Exchange of missing entries between devices, whatever carries the bytes: messages, and bundles in a file."""
