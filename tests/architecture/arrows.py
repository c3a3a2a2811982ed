#!/usr/bin/env python3
"""The arrows of ARCHITECTURE.md: which folder of src may include what.

arrows.py SRC        prints each include that is not allowed; exit 1 if there is one
arrows.py --self-test   made-up trees: forbidden includes are found, and allowed ones are not
"""
import fnmatch
import pathlib
import re
import tempfile

import checker

# folder -> what it may include besides itself.
FOLDERS = {
    "counts": [],
    "locks": [],
    "files": [],
    "domain": [],
    "json": ["domain"],
    "logging": ["domain", "locks"],
    "store": ["domain", "counts", "files", "locks"],
    "app": ["domain", "store", "logging", "counts", "locks"],
    "terms": [],
    "page": [],
    "http": ["domain", "json", "logging", "counts", "files", "locks"],
    "api": ["domain", "app", "http", "json", "page"],
    # reads all counts on a scrape
    "metrics": ["domain", "store", "app", "http", "counts", "cluster"],
    # of the folders whose options it reads
    "config": ["domain", "files", "cluster", "health", "http", "logging", "store"],
    "health": ["domain", "http", "json", "files", "locks"],
    "etcd": ["http", "json", "files", "locks"],
    "cluster": ["domain", "store", "app", "etcd", "logging", "counts", "json", "locks"],
    "cli": ["config", "store", "domain", "app", "files", "json", "http", "etcd", "cluster", "terms"],
    "daemon": ["api", "app", "cli", "cluster", "config", "counts", "domain", "etcd", "files", "health", "http", "json",
               "locks", "logging", "metrics", "store"],
}

# a library's headers -> the files that may see them. Headers among these are for their own folder, so no other
# folder needs the library to include them.
LIBRARIES = {
    "SQLiteCpp/*": ["store/*.cpp", "store/connection.h"],
    "sqlite3.h": ["store/*.cpp", "store/connection.h"],
    "httplib.h": ["http/httplib_codec.cpp"],
    "toml++/*": ["config/*.cpp"],
    "spdlog/*": ["logging/log.cpp"],
    "CLI/*": ["cli/*.cpp", "daemon/main.cpp"],
    "curl/*": ["http/transfer.cpp"],
    "mosquitto.h": ["health/mqtt_source.cpp"],
    "openssl/*": ["etcd/base64.cpp", "health/mqtt_source.cpp", "http/certificate_name.cpp"],
    "prometheus/*": ["metrics/families.cpp"],
    "systemd/*": ["http/listeners.cpp", "daemon/*.cpp"],
}
# Libraries of which one file alone may know.
IN_ONE_FILE = ["toml++/*"]

# The system's own headers; domain includes only the language's.
SYSTEM = ["sys/*", "linux/*", "netinet/*", "arpa/*", "net/*", "cxxabi.h"]
POSIX = ["dirent.h", "fcntl.h", "grp.h", "netdb.h", "poll.h", "pthread.h", "pwd.h", "sched.h",
         "signal.h", "syslog.h", "termios.h", "time.h", "unistd.h", "errno.h", "malloc.h",
         "string.h", "strings.h", "stdlib.h", "stdio.h", "limits.h"]

# Wall time comes from one place, so that a test can set it; the others stamp what leaves the process.
WALL_CLOCK = re.compile(r"system_clock::now|std::time\(|[^_\w]time\(nullptr\)|CLOCK_REALTIME")
READS_WALL_CLOCK = ["app/clock.cpp", "http/date.cpp", "logging/log.cpp"]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def own_header_fault(folder, header):
    """Why `folder` may not include "header", or None."""
    target = header.split("/")[0]
    if "/" not in header or target not in FOLDERS:
        return f'"{header}" is not written as "folder/file.h"'
    if target == folder:
        return None
    if any(matches(header, files) for files in LIBRARIES.values()):
        return f"{header} shows a library and is for {target} alone"
    if target in FOLDERS[folder]:
        return None
    return f"{folder} may not include {header}"


def system_header_fault(folder, file, header):
    """Why `file` may not include <header>, or None."""
    for glob, files in LIBRARIES.items():
        if fnmatch.fnmatchcase(header, glob):
            if matches(file, files):
                return None
            return f"<{header}> may be seen by {', '.join(files)} only"
    if "/" not in header and "." not in header:
        return None  # the language's own
    if folder in ("counts", "domain", "locks"):
        return f"{folder} may include the standard library only, not <{header}>"
    if matches(header, SYSTEM) or header in POSIX:
        return None
    return f"<{header}> belongs to no library of the list in {pathlib.Path(__file__).name}"


def faults(source_root):
    found, seen_by = [], {}
    for path in sorted(source_root.rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        file = path.relative_to(source_root).as_posix()
        folder = file.split("/")[0]
        if folder not in FOLDERS or "/" not in file:
            found.append(f"{file}: src has no place for it; its folders are {', '.join(FOLDERS)}")
            continue
        text = path.read_text(encoding="utf-8")
        clock = WALL_CLOCK.search(text)
        if clock and file not in READS_WALL_CLOCK:
            line = text.count("\n", 0, clock.start()) + 1
            found.append(f"{file}:{line}: wall time comes from app/clock.h")
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            own, system = match.groups()
            fault = (own_header_fault(folder, own) if own
                     else system_header_fault(folder, file, system))
            if fault:
                found.append(f"{file}:{line}: {fault}")
            for glob in IN_ONE_FILE:
                if system and fnmatch.fnmatchcase(system, glob):
                    seen_by.setdefault(glob, set()).add(file)
    for glob, files in seen_by.items():
        if len(files) > 1:
            found.append(f"<{glob}> is seen by more than one file: {', '.join(sorted(files))}")
    return found


CASES = [  # file, its text, is it allowed
    ("domain/a.h", "#include <vector>", True),
    ("domain/a.h", '#include "domain/b.h"', True),
    ("domain/a.cpp", '#include "store/b.h"', False),
    ("domain/a.cpp", "#include <unistd.h>", False),
    ("domain/a.cpp", "#include <nlohmann/json.hpp>", False),
    ("store/a.cpp", '#include "domain/b.h"', True),
    ("store/a.cpp", "#include <SQLiteCpp/SQLiteCpp.h>", True),
    ("store/a.h", "#include <SQLiteCpp/SQLiteCpp.h>", False),
    ("store/a.cpp", '#include "app/b.h"', False),
    ("app/a.cpp", '#include "http/server.h"', False),
    ("app/a.cpp", '#include "store/connection.h"', False),
    ("app/a.cpp", "#include <sqlite3.h>", False),
    ("app/a.h", "#include <spdlog/spdlog.h>", False),
    ("http/server.cpp", '#include "app/registry.h"', False),
    ("api/routes.cpp", '#include "store/journal.h"', False),
    ("api/routes.cpp", "#include <httplib.h>", False),
    ("api/routes.cpp", '  #  include  "config/load.h"', False),
    ("http/httplib_codec.cpp", "#include <httplib.h>", True),
    ("config/load.cpp", '#include "store/options.h"', True),
    ("config/load.cpp", '#include "app/registry.h"', False),
    ("cli/a.cpp", '#include "http/client.h"', True),
    ("cli/a.cpp", '#include "cluster/migration.h"', True),
    ("cli/a.cpp", '#include "daemon/serve.h"', False),
    ("daemon/a.cpp", '#include "cli/b.h"', True),
    ("daemon/a.cpp", "#include <boost/asio.hpp>", False),
    ("etcd/connection.cpp", "#include <httplib.h>", False),
    ("etcd/connection.h", '#include "http/transfer.h"', True),
    ("http/transfer.cpp", "#include <curl/curl.h>", True),
    ("http/transfer.h", "#include <curl/curl.h>", False),
    ("http/client.cpp", "#include <curl/curl.h>", False),
    ("etcd/base64.cpp", "#include <openssl/evp.h>", True),
    ("etcd/asker.cpp", "#include <openssl/ssl.h>", False),
    ("etcd/answers.cpp", "#include <nlohmann/json.hpp>", False),
    ("etcd/answers.cpp", '#include "json/value.h"', True),
    ("json/value.cpp", '#include "http/message.h"', False),
    ("logging/log.cpp", "#include <spdlog/spdlog.h>", True),
    ("cluster/a.cpp", '#include "app/claims.h"', True),
    ("app/a.cpp", '#include "etcd/client.h"', False),
    ("daemon/a.cpp", '#include "etcd/client.h"', True),
    ("etcd/a.cpp", '#include "cluster/keys.h"', False),
    ("etcd/a.cpp", '#include "app/claims.h"', False),
    ("counts/a.h", '#include "domain/b.h"', False),
    ("counts/a.h", "#include <unistd.h>", False),
    ("store/a.h", '#include "locks/mutex.h"', True),
    ("domain/a.h", '#include "locks/mutex.h"', False),
    ("locks/mutex.h", "#include <pthread.h>", False),
    ("metrics/families.cpp", "#include <prometheus/text_serializer.h>", True),
    ("metrics/collector.cpp", "#include <prometheus/text_serializer.h>", False),
    ("metrics/a.h", '#include "cluster/counts.h"', True),
    ("app/a.cpp", '#include "metrics/b.h"', False),
    ("cli/a.cpp", '#include "health/watch.h"', False),
    ("app/clock.cpp", "auto now = std::chrono::system_clock::now();", True),
    ("app/a.cpp", "auto now = std::chrono::system_clock::now();", False),
    ("util/a.h", "", False),
    ("domain/a.cpp", '#include "b.h"', False),
]


def self_test():
    wrong = 0
    for file, text, allowed in CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, file)
            path.parent.mkdir(parents=True)
            path.write_text("// first line\n" + text + "\n", encoding="utf-8")
            if (not faults(pathlib.Path(folder))) != allowed:
                wrong += 1
                print(f"{file} with {text!r}: should be {'allowed' if allowed else 'refused'}")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("toml_file.cpp", "load.cpp"):
            pathlib.Path(folder, "config").mkdir(exist_ok=True)
            pathlib.Path(folder, "config", name).write_text("#include <toml++/toml.h>\n")
        if len(faults(pathlib.Path(folder))) != 1:
            wrong += 1
            print("a library in a second file is not found")
    return 1 if wrong else 0


if __name__ == "__main__":
    checker.run(__doc__, faults, self_test)
