"""The work behind the studio: curate data, tune adapters, generate answers, measure stance. Imports no interface."""
