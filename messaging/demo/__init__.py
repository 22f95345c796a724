"""Helpers of the demonstration: a key steward and an answering counterpart, and the proof at start."""
