#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "app/clock.h"
#include "cli/commands.h"
#include "cli/screen.h"
#include "cli/sidecar.h"
#include "cli/status_answers.h"
#include "cli/watch_view.h"
#include "json/writer.h"

namespace cli {
namespace {

constexpr std::chrono::seconds patience{2};  // a key has no effect meanwhile
constexpr int decisions_asked_for = 50;
constexpr std::chrono::seconds last_hour_every{30};  // as often as there is a new sample
constexpr std::size_t columns_of_a_pipe = 120;

// Asks again and again; a sidecar that went away is looked for anew, for it may come back at another address.
class Watch {
 public:
  explicit Watch(const CommandLine& line) : line_(line) {}

  void ask() {
    watched_.now = app::wall_now();
    try {
      if (!sidecar_) sidecar_.emplace(line_);
      watched_.address = sidecar_->address();
      StatusAnswers answers = ask_status(*sidecar_, patience);
      if (!line_.json) ask_for_the_rest(answers);
      watched_.answers = std::move(answers);
      watched_.out_of_reach_since.reset();
    } catch (const CommandFailed& failed) {
      const bool is_refused = dynamic_cast<const StatusRefused*>(&failed) != nullptr;
      if (is_refused && !watched_.answers) throw;  // with the wrong token, say; that does not heal
      if (failed.exit_code() == kWrongInput) throw;
      sidecar_.reset();
      if (is_refused != watched_.is_refused) watched_.out_of_reach_since.reset();
      watched_.is_refused = is_refused;
      watched_.problem = failed.what();
      if (!watched_.out_of_reach_since) watched_.out_of_reach_since = app::wall_now();
    }
  }

  std::string text(const Space& space) const {
    if (!line_.json) return watch_view(watched_, space);
    if (!watched_.out_of_reach_since) return for_programs(*watched_.answers);
    json::Writer json;
    json.begin_object()
        .member("error", watched_.is_refused ? "refused" : "out_of_reach")
        .member("message", watched_.problem)
        .member("since", domain::to_text(*watched_.out_of_reach_since))
        .end_object();
    return json.take();
  }

 private:
  void ask_for_the_rest(StatusAnswers& answers) {
    const auto now = std::chrono::steady_clock::now();
    ask_for_decisions(*sidecar_, answers, decisions_asked_for, patience);
    if (watched_.answers && now < last_hour_asked_ + last_hour_every) {
      answers.trend = std::move(watched_.answers->trend);
      answers.room_occupancy = watched_.answers->room_occupancy;
      return;
    }
    ask_for_last_hour(*sidecar_, answers, patience);
    last_hour_asked_ = now;
  }

  const CommandLine& line_;
  std::optional<Sidecar> sidecar_;
  Watched watched_;
  std::chrono::steady_clock::time_point last_hour_asked_{};
};

bool wants_colour() {
  const char* none = std::getenv("NO_COLOR");
  return none == nullptr || *none == '\0';
}

}  // namespace

int watch_status(const CommandLine& line, Terminal& terminal) {
  const bool is_real = terminal.out.rdbuf() == std::cout.rdbuf();
  const bool in_place = is_real && !line.json && terminal_can_be_drawn_on();
  const std::chrono::milliseconds interval{static_cast<std::int64_t>(*line.watch * 1000)};
  Watch watch(line);
  watch.ask();
  Screen screen(terminal.out, in_place);
  for (;;) {
    const auto size = screen.size();
    screen.show(
        watch.text(in_place ? Space{size.columns, size.rows, wants_colour()} : Space{columns_of_a_pipe, 0, false}));
    if (!terminal.out) return kFine;  // run() says what is wrong
    switch (screen.wait(interval)) {
      case Screen::Event::quit:
        return kFine;
      case Screen::Event::time_is_up:
        watch.ask();
        break;
      case Screen::Event::redraw:
        break;
    }
  }
}

}  // namespace cli
