// The page that operators look at: src/page's HTML, CSS and JavaScript, put together at build by
// cmake/embed_page.cmake. Constants; any thread.
#pragma once

#include <string_view>

namespace page {

// One file that needs nothing from elsewhere.
std::string_view html();

// The Content-Security-Policy to send with it: nothing may run or lay out but that file's own script and
// style, known by their hashes, and nothing be asked but the sidecar that sent it.
std::string_view content_security_policy();

}  // namespace page
