"""Thresholds that are the bench's own: data beside the catalogue, never limits of a text."""
