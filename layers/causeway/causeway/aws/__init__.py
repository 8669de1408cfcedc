"""A small client for the AWS calls on the hot path."""
