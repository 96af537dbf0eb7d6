"""What the routers say is happening: read, aged, never commanded."""
