#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <cstring>
#include <thread>

// Replaces the C library's look-up, for libcurl and libmosquitto: no name server answers for "silent.test", and
// "two.test" has two addresses.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** result) {
  if (name && std::strcmp(name, "silent.test") == 0) {
    std::this_thread::sleep_for(std::chrono::seconds{8});
    return EAI_AGAIN;
  }
  using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto lookup = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name && std::strcmp(name, "two.test") == 0) {
    const int error = lookup("127.0.0.2", service, hints, result);
    return error != 0 ? error : lookup("127.0.0.1", service, hints, &(*result)->ai_next);
  }
  return lookup(name, service, hints, result);
}
