// A whole exchange between a client and the server, over a wire of two texts. Programs with it are linked with
// --wrap=recv and --wrap=sendmsg. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fuzz {

// The answers to these bytes, if the client sends no more. The routes answer with their requests. `cuts`: 0 reads all
// available bytes; any other number reads one to eight bytes at a time.
std::string talk(std::string_view bytes, bool over_unix = false, std::uint32_t cuts = 0);

// The common part of two exchanges with the same bytes: without "100 Continue", which depends on the bytes that have
// arrived already, without generated request ids, and without the time of day.
std::string comparable(std::string answers, std::string_view bytes);

}  // namespace fuzz
