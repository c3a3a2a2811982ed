#include <algorithm>
#include <array>
#include <string>

#include "cli/csv.h"
#include "cli/room_list_formats.h"
#include "cli/table.h"
#include "domain/suggestion.h"

namespace cli {
namespace {

using Field = std::optional<std::string> RawRoom::*;

struct Column {
  const char* name;
  Field field;
  bool required;
};

constexpr std::array kColumns{
    Column{"id", &RawRoom::id, false},
    Column{"name", &RawRoom::name, false},
    Column{"gateway_uid", &RawRoom::gateway_uid, true},
    Column{"default_gateway", &RawRoom::default_gateway, true},
};

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string at_line(std::size_t line) { return "line " + std::to_string(line); }

class HeaderReader {
 public:
  explicit HeaderReader(const CsvRecord& header) : header_(header) {}

  // One field for each column of the file; null for one that could not be read.
  std::vector<Field> read(std::vector<PlacedProblem>& problems) {
    std::vector<Field> fields;
    for (const auto& text : header_.fields) fields.push_back(field_of(text, problems));
    for (const auto& column : kColumns) {
      if (column.required && std::find(fields.begin(), fields.end(), column.field) == fields.end()) {
        complain(problems, std::string("the header has no column \"") + column.name + '"');
      }
    }
    return fields;
  }

 private:
  Field field_of(const std::string& text, std::vector<PlacedProblem>& problems) {
    const auto wanted = lower_case(text);
    const auto found =
        std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& column) { return wanted == column.name; });
    if (found == kColumns.end()) {
      std::vector<std::string> known;
      known.reserve(kColumns.size());
      for (const auto& column : kColumns) known.emplace_back(column.name);
      complain(problems, "unknown column \"" + printable(text) + '"' + domain::did_you_mean(wanted, known));
      return nullptr;
    }
    if (std::find(seen_.begin(), seen_.end(), found->field) != seen_.end()) {
      complain(problems, "the column \"" + wanted + "\" is in the header twice");
      return nullptr;
    }
    seen_.push_back(found->field);
    return found->field;
  }

  void complain(std::vector<PlacedProblem>& problems, const std::string& text) const {
    problems.push_back({header_.line, at_line(header_.line) + ": " + text});
  }

  const CsvRecord& header_;
  std::vector<Field> seen_;
};

RawRoom room_of(const CsvRecord& record, const std::vector<Field>& fields) {
  RawRoom room;
  room.line = record.line;
  room.place = at_line(record.line);
  for (const auto& column : kColumns) room.*column.field = "";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    // PostgreSQL's COPY writes \N where there is no value.
    if (fields[i] != nullptr && record.fields[i] != "\\N") room.*fields[i] = record.fields[i];
  }
  // The reader leaves what is quoted as it is; a name that begins with a blank may mean it.
  room.gateway_uid = trimmed(*room.gateway_uid);
  room.default_gateway = trimmed(*room.default_gateway);
  return room;
}

std::string wrong_number_of_fields(std::size_t has, std::size_t wanted) {
  return std::to_string(has) + (has == 1 ? " field" : " fields") + " where the header has " + std::to_string(wanted) +
         "; a name with a comma needs quotes";
}

}  // namespace

RawRoomList read_room_csv(std::string_view text) {
  auto csv = read_csv(text);
  RawRoomList list;
  for (const auto& problem : csv.problems) {
    list.problems.push_back({problem.line, at_line(problem.line) + ": " + problem.text});
  }
  if (csv.records.empty()) {
    list.problems.push_back({1,
                             "line 1: nothing in it; the first line must be the header "
                             "id,name,gateway_uid,default_gateway"});
    return list;
  }
  const auto& header = csv.records.front();
  if (header.fields.size() == 1 && header.fields[0].find(';') != std::string::npos) {
    list.problems.push_back({header.line, at_line(header.line) + ": the columns are separated by "
                                                                 "semicolons; save the file with commas"});
    return list;
  }
  const auto fields = HeaderReader(header).read(list.problems);
  // Without a trustworthy header each row would be complained of once more.
  if (!list.problems.empty() &&
      std::any_of(list.problems.begin(), list.problems.end(),
                  [&](const PlacedProblem& problem) { return problem.line == header.line; })) {
    return list;
  }
  for (auto record = csv.records.begin() + 1; record != csv.records.end(); ++record) {
    if (record->fields.size() != fields.size()) {
      list.problems.push_back(
          {record->line, at_line(record->line) + ": " + wrong_number_of_fields(record->fields.size(), fields.size())});
      continue;
    }
    list.rooms.push_back(room_of(*record, fields));
  }
  return list;
}

}  // namespace cli
