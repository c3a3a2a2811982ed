// A whole conversation as the server has it, over a wire that is two texts. The programs that use it are
// linked with --wrap=recv and --wrap=sendmsg. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fuzz {

// What is answered to these bytes if the client then says no more. Its routes answer with what they were
// asked. `cuts`: 0 reads as much as there is; else one to eight bytes at a time, as the number has it.
std::string talk(std::string_view bytes, bool over_unix = false, std::uint32_t cuts = 0);

// What two talks of the same bytes have in common: without "100 Continue", which depends on what has arrived
// already, without the ids made up for requests that bear none that can be used, and without the time of day.
std::string comparable(std::string answers, std::string_view bytes);

}  // namespace fuzz
