"""A client for the RouterOS API, and the protocol code that the simulator speaks from the other side.

Nothing here knows about subscribers or the database: a row is a mapping from a property's name to its text.
"""
