"""Where a client keeps its tokens."""

import os
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Keeps one text, which is a secret. Both methods of an AsyncClient's store may be coroutines."""

    def load(self) -> str | None: ...
    def save(self, text: str) -> None: ...


class MemoryStore:
    """Keeps it until the process ends."""

    def __init__(self) -> None:
        self._text: str | None = None

    def load(self) -> str | None:
        return self._text

    def save(self, text: str) -> None:
        self._text = text


class FileStore:
    """Keeps it in a file that only this user can read. A crash leaves the old text or the new one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> str | None:
        return self._path.read_text() if self._path.exists() else None

    def save(self, text: str) -> None:
        new = self._path.with_name(self._path.name + ".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        new.replace(self._path)
