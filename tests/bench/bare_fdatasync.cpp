// What the disk itself costs: overwrites 4 KiB of FILE and calls fdatasync, SECONDS long, and prints
// how long each took. The file is laid out first, as SQLite's WAL is reused rather than grown.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "quantiles.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bare_fdatasync FILE SECONDS\n", stderr);
    return 2;
  }
  using Clock = std::chrono::steady_clock;
  constexpr off_t blocks = 1000;
  std::array<char, 4096> block{};
  const int file = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    std::perror(argv[1]);
    return 1;
  }
  const auto write_block = [&](off_t number) {
    return pwrite(file, block.data(), block.size(), number * static_cast<off_t>(block.size())) ==
           static_cast<ssize_t>(block.size());
  };
  for (off_t number = 0; number < blocks; ++number) {
    if (!write_block(number)) return 1;
  }
  fsync(file);

  std::vector<double> took;
  const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[2]));
  for (off_t number = 0; Clock::now() < end; number = (number + 1) % blocks) {
    const auto begin = Clock::now();
    if (!write_block(number) || fdatasync(file) != 0) return 1;
    took.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  close(file);
  bench::print_quantiles(took, 0);
}
