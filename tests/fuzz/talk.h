// A whole conversation as the door has it, over a wire that is two texts. The programs that use it are
// linked with --wrap=recv and --wrap=sendmsg. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fuzz {

// What is answered to these bytes if the client then says no more. Its routes answer with what they were
// asked. `cuts`: 0 reads as much as there is; else one to eight bytes at a time, as the number has it.
std::string talk(std::string_view bytes, bool over_unix = false, std::uint32_t cuts = 0);

// Without "100 Continue", which depends on what has arrived already.
std::string without_interim(std::string answers);

}  // namespace fuzz
