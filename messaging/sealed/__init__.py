"""Sealed correspondence, version 1 (messaging/PROTOCOL.md). No Django, no input or output."""
