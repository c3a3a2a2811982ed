// A connection that only reads, for a file that may not be written or that another process serves.
// Private to store/. It creates, locks and changes nothing beside the file. One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "store/connection.h"
#include "store/files.h"

namespace store {

struct ReadConnection {
  std::unique_ptr<PrivateFolder> copy;  // set: the connection reads a copy in there
  std::unique_ptr<Connection> connection;
};

// Throws Failure if there is no file, or none that can be read. If this process has no other
// connection to it (`alone`), a private copy is read where SQLite cannot: as after a crash on a disk
// that is full by now, where no -shm can be made for what waits in the -wal.
ReadConnection open_for_reading(const std::string& path, bool alone = false);

// Opens `image`, the bytes of a database file, as a file in a folder of our own, to read and write.
ReadConnection open_copy(const std::string& path, const Bytes& image);

}  // namespace store
