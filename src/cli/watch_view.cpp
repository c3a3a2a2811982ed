#include "cli/watch_view.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "cli/answer_fields.h"
#include "cli/cluster_view.h"
#include "cli/table.h"
#include "cli/watch_words.h"
#include "json/value.h"
#include "terms/terms.h"

namespace cli {
namespace {

enum class Tone { plain, strong, faint, warning, bad };

struct Line {
  std::string text;
  Tone tone = Tone::plain;
};

constexpr std::string_view sequence_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::warning:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
  }
  return "";
}

std::size_t length_of_first(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) ++length;
  return length;
}

// Expects what is printable; ends with … if it had to be cut.
std::string clipped(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::string result;
  std::size_t used = 1;
  while (!text.empty() && columns > 0) {
    const auto one = text.substr(0, length_of_first(text));
    used += display_width(one);
    if (used > columns) break;
    result += one;
    text.remove_prefix(one.size());
  }
  return columns == 0 ? "" : result + "…";
}

std::string padded(const std::string& text, std::size_t columns, Align align = Align::left) {
  const auto cut = clipped(text, columns);
  const std::string blanks(columns - display_width(cut), ' ');
  return align == Align::right ? blanks + cut : cut + blanks;
}

Tone tone_of(int problem) {
  if (problem >= 5) return Tone::bad;
  if (problem >= 2) return Tone::warning;
  return problem == 1 ? Tone::faint : Tone::plain;
}

std::string bar_of(std::int64_t load, std::int64_t capacity, std::size_t length) {
  const auto cells = static_cast<std::int64_t>(length);
  auto full = capacity > 0 ? std::min(cells, (std::min(load, capacity) * cells + capacity - 1) / capacity) : 0;
  std::string bar;
  for (std::int64_t i = 0; i < cells; ++i) bar += i < full ? "█" : "░";
  return bar;
}

// The columns beside name and bar; the last ones yield first where it is narrow.
struct Cell {
  const char* header;
  Align align;
  std::string (*text)(const json::Value&);
  bool of_load = false;  // which legacy mode does not ask for
};
std::string used_of(const json::Value& gateway) { return percent(load_of(gateway), capacity_of(gateway)); }
std::string state_of(const json::Value& gateway) { return printable(text_at(gateway, "state")); }
std::string load_text(const json::Value& gateway) {
  return std::to_string(load_of(gateway)) + '/' + std::to_string(capacity_of(gateway));
}
std::string notes_of(const json::Value& gateway) { return flags_of(gateway); }
std::string rooms_of(const json::Value& gateway) { return shown(number_at(gateway, "rooms")); }
std::string users_of(const json::Value& gateway) { return shown(number_at(gateway, "users")); }
std::string regions_of(const json::Value& gateway) {
  return printable(or_dash(joined(texts_at(gateway, "regions"), ",")));
}
constexpr Cell cells[] = {
    {"USED", Align::right, used_of, true}, {"STATE", Align::left, state_of},  {"LOAD", Align::right, load_text, true},
    {"FLAGS", Align::left, notes_of},      {"ROOMS", Align::right, rooms_of}, {"USERS", Align::right, users_of},
    {"TREND", Align::left, nullptr},  // the view's own
    {"REGION", Align::left, regions_of},
};

class View {
 public:
  View(const Watched& watched, const Space& space) : watched_(watched), space_(space) {}

  std::string text() {
    draw_head();
    if (watched_.answers) {
      const auto& answers = *watched_.answers;
      const auto decisions = decisions_shown(answers);
      draw_gateways(answers.gateways, decisions == 0 ? 0 : decisions + 2);
      draw_decisions(answers, decisions);
    }
    if (space_.rows > 0 && lines_.size() > space_.rows) lines_.resize(space_.rows);
    std::string text;
    for (const auto& line : lines_) {
      const auto sequence = space_.colour ? sequence_of(line.tone) : "";
      auto cut = clipped(line.text, space_.columns);
      cut.erase(cut.find_last_not_of(' ') + 1);
      text += sequence;
      text += cut;
      if (!sequence.empty()) text += "\x1b[0m";
      text += '\n';
    }
    return text;
  }

 private:
  void add(std::string text, Tone tone = Tone::plain) { lines_.push_back({std::move(text), tone}); }
  std::size_t rows_left() const {
    if (space_.rows == 0) return 1000;
    return space_.rows > lines_.size() ? space_.rows - lines_.size() : 0;
  }

  void draw_head() {
    std::string title = "room-sidecar";
    if (watched_.answers) {
      title += ", " + (watched_.answers->scale ? terms::scale_mode() : terms::legacy_mode()) + ", " +
               printable(watched_.answers->health);
    }
    const bool is_well = watched_.answers && watched_.answers->health == "ok" && !watched_.out_of_reach_since;
    add(title + "   " + clock_time(domain::to_text(watched_.now)) + " UTC   " + printable(watched_.address),
        is_well ? Tone::strong : Tone::warning);
    if (watched_.out_of_reach_since) {
      const auto since = clock_time(domain::to_text(*watched_.out_of_reach_since)) + " UTC";
      const auto problem = (watched_.is_refused ? terms::refusing : terms::unreachable)(since);
      add((watched_.answers ? terms::what_follows_is_older(problem) : problem) + ". " + printable(watched_.problem),
          Tone::bad);
    }
    if (!watched_.answers) return;
    for (const auto& reason : watched_.answers->reasons) add("! " + printable(reason), Tone::warning);
    for (const auto& problem : problems_of(*watched_.answers)) add("! " + problem, Tone::bad);
    const std::size_t most = space_.rows == 0 || space_.rows >= 24 ? 5 : 1;
    for (const auto& split : split_texts(*watched_.answers, most, clock_time)) add("! " + split, Tone::bad);
    add(sums_of(*watched_.answers));
    const auto& cluster = watched_.answers->cluster;
    if (cluster && cluster_is_shared(*cluster)) {
      add(cluster_line(*cluster), cluster_is_well(*cluster) ? Tone::plain : Tone::warning);
    }
    add("");
  }

  // As many as leave the gateways their lines, but some if there is space for anything.
  std::size_t decisions_shown(const StatusAnswers& answers) const {
    const auto needed = lines_.size() + 1 + answers.gateways.size() + 2;
    if (answers.decisions.empty()) return 0;
    if (space_.rows == 0) return std::min<std::size_t>(5, answers.decisions.size());
    const std::size_t spare = space_.rows > needed ? space_.rows - needed : 0;
    const std::size_t least = space_.rows >= 16 ? 3 : 0;
    return std::min(answers.decisions.size(), std::max(spare, least));
  }

  bool scale() const { return watched_.answers->scale; }
  // What is shown of a gateway, and compared.
  const char* amount() const { return scale() ? "load" : "users"; }
  std::int64_t amount_of(const json::Value& gateway) const { return number_at(gateway, amount()).value_or(0); }
  int problem(const json::Value& gateway) const { return severity_of(gateway, *watched_.answers); }

  void draw_gateways(std::vector<json::Value> gateways, std::size_t reserved) {
    if (gateways.empty()) return add(terms::no_gateways());
    const auto space = std::max<std::size_t>(rows_left() > reserved ? rows_left() - reserved : 0, 3) - 1;
    std::size_t hidden = 0;
    if (gateways.size() > space) {
      // Where not all can be seen, those that need to be.
      std::stable_sort(gateways.begin(), gateways.end(), [this](const json::Value& a, const json::Value& b) {
        if (problem(a) != problem(b)) return problem(a) > problem(b);
        if (!scale()) return amount_of(a) > amount_of(b);
        const auto times = [](std::int64_t one, std::int64_t other) {
          return static_cast<double>(one) * static_cast<double>(other);
        };
        return times(load_of(a), capacity_of(b)) > times(load_of(b), capacity_of(a));
      });
      hidden = gateways.size() - (space - 1);
    }
    const auto shown = gateways.size() - hidden;
    draw_table(gateways, shown);
    if (hidden == 0) return;
    const auto with_problems = std::count_if(gateways.begin() + static_cast<std::ptrdiff_t>(shown), gateways.end(),
                                             [this](const json::Value& one) { return problem(one) > 0; });
    const auto count = static_cast<std::int64_t>(hidden);
    if (with_problems == 0) return add(terms::hidden(count), Tone::faint);
    add(terms::hidden_with_problems(count, std::to_string(with_problems)), Tone::warning);
  }

  void draw_table(const std::vector<json::Value>& gateways, std::size_t count) {
    std::size_t name = 7;
    for (const auto& one : gateways) name = std::max(name, display_width(printable(text_at(one, "name"))));
    name = std::min<std::size_t>(name, std::max<std::size_t>(space_.columns / 4, 7));
    struct Column {
      const Cell* cell;
      std::size_t width;
    };
    constexpr std::size_t least_bar = 6;
    constexpr std::size_t least_trend = 8;
    std::size_t used = name + (scale() ? 2 + least_bar : 0);
    std::vector<Column> columns;
    Column* trend = nullptr;
    columns.reserve(std::size(cells));
    for (const auto& cell : cells) {
      if (cell.of_load && !scale()) continue;
      const auto width = cell.text ? width_of(cell, gateways) : least_trend;
      if (width == 0) continue;
      if (used + 2 + width > space_.columns) break;
      columns.push_back({&cell, width});
      if (!cell.text) trend = &columns.back();
      used += 2 + width;
    }
    const auto spare = space_.columns > used ? space_.columns - used : 0;
    const auto longer = scale() ? std::min<std::size_t>(trend ? spare / 2 : spare, 30) : 0;
    const auto bar = least_bar + longer;
    if (trend) trend->width += std::min<std::size_t>(spare - longer, 40);

    std::string header = padded("GATEWAY", name);
    if (scale()) header += "  " + std::string(bar, ' ');
    for (const auto& column : columns) {
      header += "  " + padded(column.cell->header, column.width, column.cell->align);
    }
    add(std::move(header), Tone::faint);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& one = gateways[i];
      std::string row = padded(printable(text_at(one, "name")), name);
      if (scale()) row += "  " + bar_of(load_of(one), capacity_of(one), bar);
      for (const auto& column : columns) {
        const auto text = column.cell->text ? column.cell->text(one) : trend_of(one, column.width);
        row += "  " + padded(text, column.width, column.cell->align);
      }
      add(std::move(row), tone_of(problem(one)));
    }
  }

  std::string trend_of(const json::Value& gateway, std::size_t length) const {
    return watched_.answers->trend.line(text_at(gateway, "name"), amount(), amount_of(gateway), capacity_of(gateway),
                                        length);
  }

  // 0 if it would show nothing for every gateway.
  static std::size_t width_of(const Cell& cell, const std::vector<json::Value>& gateways) {
    std::size_t width = display_width(cell.header);
    bool has_any = false;
    for (const auto& one : gateways) {
      const auto text = cell.text(one);
      has_any = has_any || (text != "-" && text != "unknown");
      width = std::max(width, display_width(text));
    }
    return has_any ? std::min<std::size_t>(width, 24) : 0;
  }

  void draw_decisions(const StatusAnswers& answers, std::size_t count) {
    if (count == 0) return;
    add("");
    add(terms::newest_decisions(), Tone::faint);
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_refused = !text_at(answers.decisions[i], "error").empty();
      add(decision_text(answers.decisions[i]), is_refused ? Tone::warning : Tone::plain);
    }
  }

  const Watched& watched_;
  const Space space_;
  std::vector<Line> lines_;
};

}  // namespace

std::string watch_view(const Watched& watched, const Space& space) { return View(watched, space).text(); }

}  // namespace cli
