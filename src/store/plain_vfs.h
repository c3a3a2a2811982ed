// SQLite's access to files for the folder of an AtFolderOf. Private to store/. One thread at a time.
#pragma once

namespace store {

// The name of a VFS that follows no link and waits for no pipe: it takes a name as it is, and opens plain files only.
// SQLite's own one looks for the real path first, and opens whatever it finds there. Throws Failure.
const char* plain_vfs();

}  // namespace store
