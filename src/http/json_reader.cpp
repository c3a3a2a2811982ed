#include "http/json_reader.h"

#include <nlohmann/json.hpp>

namespace http {
namespace {

using Library = nlohmann::json;

class Forwarder final : public nlohmann::json_sax<Library> {
 public:
  explicit Forwarder(JsonEvents& events) : events_(events) {}

  bool null() override { return events_.null(), true; }
  bool boolean(bool value) override { return events_.boolean(value), true; }
  bool number_integer(number_integer_t value) override { return events_.signed_number(value), true; }
  bool number_unsigned(number_unsigned_t value) override { return events_.unsigned_number(value), true; }
  bool number_float(number_float_t value, const string_t&) override { return events_.real_number(value), true; }
  bool string(string_t& value) override { return events_.string(value), true; }
  bool binary(binary_t&) override { return false; }  // not in a text
  bool start_object(std::size_t) override { return events_.begin_object(), true; }
  bool key(string_t& value) override { return events_.key(value), true; }
  bool end_object() override { return events_.end_object(), true; }
  bool start_array(std::size_t) override { return events_.begin_array(), true; }
  bool end_array() override { return events_.end_array(), true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    where_ = position;
    return false;
  }
  std::size_t where() const { return where_; }

 private:
  JsonEvents& events_;
  std::size_t where_ = 0;
};

}  // namespace

std::optional<std::string> read_json(std::string_view text, JsonEvents& events) {
  Forwarder forwarder(events);
  // The library takes a NUL for the end of the text, and whatever stands behind it for nothing.
  const auto nul = text.find('\0');
  if (nul == text.npos && Library::sax_parse(text.begin(), text.end(), &forwarder)) return std::nullopt;
  const auto where = nul == text.npos ? forwarder.where() : nul + 1;
  return "The body is not valid JSON at byte " + std::to_string(where) + ".";
}

}  // namespace http
