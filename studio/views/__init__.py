"""Pure functions: a domain object in, a figure, table or message out. No events, no state."""
