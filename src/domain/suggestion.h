// "did you mean": the known name nearest to one that is not known. Any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace domain {

// " (did you mean \"gxy1\"?)", ready to be appended to a message, or "" if nothing is near.
// More than `most` letters wrong is never near.
std::string did_you_mean(std::string_view unknown, std::span<const std::string> known,
                         std::size_t most = std::string_view::npos - 1);

}  // namespace domain
