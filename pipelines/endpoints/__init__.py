"""Clients of OpenAI-compatible addresses: replies kept by content, failures in sentences."""
