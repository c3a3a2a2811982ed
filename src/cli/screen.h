// A terminal that is drawn on in place: another screen than the shell's, without cursor and echo, and the keys and
// signals that end it. Main's thread; one at a time. However it ends, the terminal is left as it was found.
// Where there is none, or one that can't do that, only the waiting is left.
#pragma once

#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>

#include <signal.h>
#include <termios.h>

namespace cli {

class Screen {
 public:
  enum class Event { time_is_up, redraw, quit };
  struct Size {
    std::size_t columns;
    std::size_t rows;
  };

  // `in_place`: as terminal_can_be_drawn_on() said.
  Screen(std::ostream& out, bool in_place);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  Size size() const;
  // Replaces what is there; the text's lines fit already.
  void show(const std::string& text);
  Event wait(std::chrono::milliseconds time);

 private:
  void enter();
  void leave();
  Event of_signal();
  void suspend();

  std::ostream& out_;
  const bool in_place_;
  bool has_keys_ = false;
  int signals_ = -1;
  sigset_t watched_{};
  sigset_t before_{};
  termios found_{};
};

// Is standard output a terminal that knows escape sequences?
bool terminal_can_be_drawn_on();

}  // namespace cli
