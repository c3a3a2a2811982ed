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

void write_preview(json::Writer& json, const SettingsView::Preview& preview) {
  json.begin_object().key("changes").begin_array();
  for (const SettingsView::Change& change : preview.changes) {
    json.begin_object();
    write_members(json, change.now);
    json.member("before", change.before).member("needs_restart", change.needs_restart).end_object();
  }
  json.end_array()
      .member("entries", preview.entries)
      .member("problems", preview.problems)
      .member("warnings", preview.warnings)
      .end_object();
}

}  // namespace

http::Response answer_settings(const Backend& backend, const http::Request& request) {
  const auto preview = flag_in(request.query, "preview");
  if (const auto* refused = std::get_if<http::Response>(&preview)) return *refused;
  const SettingsView view = backend.settings(std::get<bool>(preview));
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
