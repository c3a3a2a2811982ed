// Replaces a file's content in one step: readers see the old text or the new one, never a part. Main's thread.
// What cannot be done is thrown as CommandFailed, with the file unchanged.
#pragma once

#include <optional>
#include <string>

namespace cli {

// Its bytes; nothing if there is no such file.
std::optional<std::string> read_whole(const std::string& path);

// A link stays, and its target is replaced. Owner, mode and extended attributes (ACL) stay; a new file gets those of
// `like`, if that is there.
void replace_file(const std::string& path, const std::string& text, const std::string& like);

}  // namespace cli
