"""IMSys keeps an ISP's MikroTik routers in the state that its database says they should be in."""

__version__ = "0.1.0"
