"""A client of Login with OTP: log in by a one-time code, and keep the tokens fresh."""

from .client import AsyncClient, Client
from .flows import Challenge, Problem, Session
from .stores import FileStore, MemoryStore, Store

__all__ = ["AsyncClient", "Challenge", "Client", "FileStore", "MemoryStore", "Problem", "Session", "Store"]
