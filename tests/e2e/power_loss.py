"""The content of a disk after a power failure, made from the record of tests/faults/power_loss.cpp.

Only synced state is certain: a file's content at its last sync, and the folder's names at the folder's
last sync. A disk may hold any part of later changes: `chance` keeps whole 512-byte
sectors of later writes, and later changes of names, each or not, as it falls. SQLite, too, relies
on writes that do no harm beside the sectors they are for (powersafe overwrite).
"""
import os
import pathlib
import struct

HEAD = struct.Struct("<c3xII4xQQ")
SECTOR = 512


def positions(record):
    """The end of each of its entries."""
    end = 0
    with open(record, "rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            _, first, second, _, _ = HEAD.unpack(head)
            end += HEAD.size + first + second
            file.seek(end)
            yield end


class File:
    """One inode: its certain content on the disk, and the changes since."""

    def __init__(self, content=b""):
        self.content = bytearray(content)
        self.since = []

    def sync(self):
        self.content = self._with(self.since)
        self.since = []

    def left(self, chance=None, share=0.0):
        """Its content after a power failure."""
        if chance is None or not self.since:
            return bytes(self.content)
        kept = []
        for offset, data in self.since:
            if data is None:  # cut or grown to that size
                if chance.random() < share:
                    kept.append((offset, None))
                continue
            at = 0
            while at < len(data):
                end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                if chance.random() < share:
                    kept.append((offset + at, data[at:end]))
                at = end
        return bytes(self._with(kept))

    def _with(self, writes):
        content = bytearray(self.content)
        for offset, data in writes:
            if data is None:
                del content[offset:]
                content.extend(bytes(offset - len(content)))
                continue
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset:offset + len(data)] = data
        return content


class Disk:
    """The folder, brought forward along the record: to any instant, never back."""

    def __init__(self, record, folder):
        self._record = open(record, "rb")
        self._files = {}  # by inode, as the running program sees them
        self._names = {}  # ... and so the names
        self._sure_names = {}
        self._names_since = []
        for path in pathlib.Path(folder).iterdir():
            if path.is_file():
                file = File(path.read_bytes())
                self._files[path.stat().st_ino] = file
                self._names[path.name] = file
        self._sure_names = dict(self._names)

    def close(self):
        self._record.close()

    def advance(self, position):
        """Takes in the records before that byte."""
        while True:
            begin = self._record.seek(0, os.SEEK_CUR)
            head = self._record.read(HEAD.size)
            if len(head) < HEAD.size:
                self._record.seek(begin)
                return False
            kind, first, second, inode, number = HEAD.unpack(head)
            if begin + HEAD.size + first + second > position:
                self._record.seek(begin)
                return True
            self._take(kind, inode, number, self._record.read(first), self._record.read(second))

    def _take(self, kind, inode, number, first, second):
        if kind == b"C":
            self._files[inode] = File()
            self._name(first.decode(), None, self._files[inode])
        elif kind == b"W":
            self._files[inode].since.append((number, first))
        elif kind == b"T":
            self._files[inode].since.append((number, None))
        elif kind == b"S":
            self._files[inode].sync()
        elif kind == b"F":
            self._sure_names, self._names_since = dict(self._names), []
        elif kind == b"U":
            self._name(None, first.decode(), None)
        elif kind == b"R":
            self._name(second.decode(), first.decode(), self._names[first.decode()])
        elif kind == b"L":
            self._name(second.decode(), None, self._names[first.decode()])
        else:
            raise AssertionError(f"the record holds {kind}")

    def _name(self, new, gone, file):
        self._names_since.append((new, gone, file))
        _change(self._names, new, gone, file)

    def leave(self, folder, chance=None, share=0.0):
        """Writes the state after a power failure at this point into a new folder. Without `chance`: the
        sure part; else of what was not synced about the given share, too."""
        names = dict(self._sure_names)
        for new, gone, file in self._names_since:
            if chance is not None and chance.random() < share:
                _change(names, new, gone, file)
        folder = pathlib.Path(folder)
        folder.mkdir()
        contents = {}
        for name, file in names.items():
            if id(file) in contents:
                os.link(contents[id(file)], folder / name)
                continue
            contents[id(file)] = folder / name
            (folder / name).write_bytes(file.left(chance, share))
        return folder


def _change(names, new, gone, file):
    if gone is not None:
        names.pop(gone, None)
    if new is not None:
        names[new] = file
