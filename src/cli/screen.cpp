#include "cli/screen.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace cli {

bool terminal_can_be_drawn_on() {
  const char* name = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && name != nullptr && *name != '\0' && std::string_view(name) != "dumb";
}

Screen::Screen(std::ostream& out, bool in_place) : out_(out), in_place_(in_place) {
  ::sigemptyset(&watched_);
  if (in_place_) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP}) ::sigaddset(&watched_, signal);
  } else {
    // There is nothing to restore, and the reader of the pipe may be gone.
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { ::_exit(0); });
  }
  ::sigprocmask(SIG_BLOCK, &watched_, &before_);
  signals_ = ::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) {
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    throw std::system_error(error, std::generic_category(), "signalfd");
  }
  enter();
}

Screen::~Screen() {
  leave();
  ::close(signals_);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  if (in_place_) return;
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
}

void Screen::enter() {
  if (!in_place_) return;
  has_keys_ = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &found_) == 0;
  if (has_keys_) {
    termios quiet = found_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
  }
  out_ << "\x1b[?1049h\x1b[?25l\x1b[2J" << std::flush;
}

void Screen::leave() {
  if (!in_place_) return;
  out_ << "\x1b[0m\x1b[?25h\x1b[?1049l" << std::flush;
  if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &found_);
}

Screen::Size Screen::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {80, 24};
  }
  return {size.ws_col, size.ws_row};
}

void Screen::show(const std::string& text) {
  if (!in_place_) {
    out_ << text << '\n' << std::flush;
    return;
  }
  std::string drawn = "\x1b[H\x1b[2K";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_last = i + 1 == text.size();  // a line's end there would scroll
    if (text[i] != '\n') {
      drawn += text[i];
    } else if (!is_last) {
      // Cleared before it is written: behind a full line the cursor stands on its last character.
      drawn += "\r\n\x1b[2K";
    }
  }
  drawn += "\x1b[0m";
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (lines < size().rows) drawn += "\r\n\x1b[J";
  out_ << drawn << std::flush;
}

Screen::Event Screen::wait(std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()) + std::chrono::milliseconds(1);
    if (left.count() <= 0) return Event::time_is_up;
    pollfd ready[2] = {{signals_, POLLIN, 0}, {has_keys_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (::poll(ready, 2, static_cast<int>(left.count())) == 0) return Event::time_is_up;
    if (ready[0].revents != 0) {
      const Event event = of_signal();
      if (event != Event::time_is_up) return event;
    }
    if (ready[1].revents != 0) {
      char key = 0;
      if (::read(STDIN_FILENO, &key, 1) <= 0) has_keys_ = false;  // the terminal is gone, or closed for us
      if (key == 'q' || key == 'Q') return Event::quit;
    }
  }
}

// time_is_up: none of ours after all.
Screen::Event Screen::of_signal() {
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof info) != sizeof info) return Event::time_is_up;
  switch (info.ssi_signo) {
    case SIGWINCH:
      return Event::redraw;
    case SIGTSTP:
      suspend();
      return Event::redraw;
    default:
      return Event::quit;
  }
}

void Screen::suspend() {
  leave();
  // Not SIGSTOP: where no shell could ever continue us the kernel leaves SIGTSTP without effect.
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  enter();
}

}  // namespace cli
