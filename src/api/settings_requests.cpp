#include "api/fields.h"
#include "api/requests.h"
#include "api/settings_view.h"
#include "http/refusal.h"
#include "json/writer.h"

namespace api {
namespace {

void write_members(json::Writer& json, const SettingsView::Setting& setting) {
  json.member("key", setting.key).member("variable", setting.variable);
  json.member("value", setting.value).member("origin", setting.origin);
}

void write_texts(json::Writer& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_preview(json::Writer& json, const SettingsView::Preview& preview) {
  json.begin_object().key("changes").begin_array();
  for (const SettingsView::Change& change : preview.changes) {
    json.begin_object();
    write_members(json, change.now);
    json.member("before", change.before).member("needs_restart", change.needs_restart).end_object();
  }
  json.end_array();
  write_texts(json, "entries", preview.entries);
  write_texts(json, "problems", preview.problems);
  write_texts(json, "warnings", preview.warnings);
  json.end_object();
}

}  // namespace

http::Response answer_settings(const Backend& backend, const http::Request& request) {
  const std::string_view preview = request.query.value("preview").value_or("false");
  if (preview != "true" && preview != "false") {
    return refusal(400, "invalid_query", "Send preview=true, preview=false, or none.");
  }
  const SettingsView view = backend.settings(preview == "true");
  json::Writer json;
  json.begin_object().key("database").begin_object();
  json.member("path", view.database.path)
      .member("real_path", view.database.real_path)
      .member("file", view.database.file)
      .end_object();
  json.key("settings").begin_array();
  for (const SettingsView::Setting& setting : view.settings) {
    json.begin_object();
    write_members(json, setting);
    json.end_object();
  }
  json.end_array().key("after_reload");
  if (view.after_reload) {
    write_preview(json, *view.after_reload);
  } else {
    json.null();
  }
  json.end_object();
  return json_response(json);
}

}  // namespace api
