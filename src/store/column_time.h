// Times in columns, also as a human hand writes them. Private to store/. Any thread.
#pragma once

#include <optional>
#include <string>

#include "domain/time.h"

namespace store {

// Reads the form of domain/time.h, and what SQLite's datetime('now') gives: an operator may have
// written `removed_at` by SQL.
inline std::optional<domain::WallTime> column_time(const std::string& text) {
  if (const auto time = domain::wall_time_from(text)) return time;
  std::string full = text;
  if (full.size() > 10 && full[10] == ' ') full[10] = 'T';
  if (!full.empty() && full.back() == 'Z') full.pop_back();
  if (full.size() == 10) full += "T00:00:00";
  if (full.size() == 19) full += ".000";
  return domain::wall_time_from(full + "Z");
}

// Any text in `removed_at` means removed; when that was is told only where it can be read.
inline std::optional<domain::WallTime> removal_time(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return column_time(*text).value_or(domain::WallTime{});
}

inline std::optional<std::string> text_of(const std::optional<domain::WallTime>& time) {
  if (!time) return std::nullopt;
  return domain::to_text(*time);
}

}  // namespace store
