"""A temporary folder for the programs of a test, and their end."""
import pathlib
import shutil
import tempfile


class Scratch:
    """Has a folder of its own. A subclass ends its programs in kill()."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"room-sidecar-{name}-"))

    def kill(self):
        pass

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
