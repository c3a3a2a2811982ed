#include <fcntl.h>
#include <unistd.h>

#include <iostream>

#include "cli/run.h"
#include "daemon/serve.h"

namespace {

// A program may be started with some of these closed (`2>&-`). The next file that it opens would get the number, and
// what is meant for standard error would be written into it. As the C library does for privileged programs: reading
// from and writing to them still fails.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    const int null = ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free number: fd
    if (null != fd) ::_exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  return cli::run(argc, argv, sidecar::serve, std::cin, std::cout, std::cerr);
}
