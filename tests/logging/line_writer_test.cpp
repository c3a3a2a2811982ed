#include "logging/line_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>

#include "catch.h"

namespace {

class Pipe {
 public:
  Pipe() { REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(ends_[0]);
    close_writing();
  }
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  std::string read_all() const {
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(ends_[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("a line writer writes every line whole and in order before its destructor returns") {
  Pipe pipe;
  std::string seen;
  std::thread reader([&] { seen = pipe.read_all(); });
  std::string expected;
  {
    logging::LineWriter writer(pipe.writing(), 100'000);
    for (int i = 0; i < 20'000; ++i) {
      const std::string line = "line " + std::to_string(i);
      writer.add(line);
      expected += line + "\n";
    }
  }
  pipe.close_writing();
  reader.join();
  CHECK(seen == expected);
}

TEST_CASE("lines that a reader does not take are dropped, oldest first, and counted") {
  Pipe pipe;
  ::fcntl(pipe.writing(), F_SETFL, O_NONBLOCK);
  std::size_t in_pipe = 0;
  while (::write(pipe.writing(), "full\n", 5) == 5) ++in_pipe;
  auto writer = std::make_unique<logging::LineWriter>(pipe.writing(), 3);
  for (int i = 0; i < 1000; ++i) writer->add(std::to_string(i));
  const std::size_t dropped = writer->dropped();
  CHECK(dropped >= 994);  // three wait, and the thread may have taken three
  std::string seen;
  std::thread reader([&] { seen = pipe.read_all(); });
  writer.reset();
  pipe.close_writing();
  reader.join();
  CHECK(seen.substr(seen.size() - 12) == "997\n998\n999\n");
  const auto lines = static_cast<std::size_t>(std::count(seen.begin(), seen.end(), '\n'));
  CHECK(lines + dropped == in_pipe + 1000);
}
