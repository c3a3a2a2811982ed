#include "health/room_lists.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <utility>

#include "health/probe_result.h"
#include "health/secret.h"
#include "json/writer.h"

namespace health {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_answer = 16 * 1024;
constexpr std::size_t largest_list = 4 * 1024 * 1024;  // a room takes some 500 bytes

struct Secrets {
  std::string secret, token;
};

Secrets read_secrets(const OccupancyOptions& options) {
  return {options.secret_file ? first_line_of(*options.secret_file) : "",
          options.token_file ? first_line_of(*options.token_file) : ""};
}

}  // namespace

// One round. Each gateway has a chain of requests; the next begins when the one before is answered.
class RoomLists::Asking {
 public:
  Asking(http::Transfers& transfers, domain::Duration timeout, Secrets secrets, const Observed& observed)
      : transfers_(transfers), timeout_(timeout), secrets_(std::move(secrets)), observed_(observed) {}

  void begin(const Target& target) {
    silent_.push_back(target.gateway);
    post(target.url, request("create"), largest_answer, [this, target](const std::string* body) {
      if (!body) return;
      if (const auto session = created_id(*body)) {
        attach(target, target.url + "/" + std::to_string(*session));
      } else {
        ask_admin(target);
      }
    });
  }

  const std::vector<std::string>& silent() const { return silent_; }

 private:
  // The body of an answer with status 200; none (a null pointer) of any other, and if none came in time.
  using Answered = std::function<void(const std::string* body)>;

  void post(const std::string& url, std::string body, std::size_t largest, Answered answered) {
    transfers_.begin(
        {.url = url, .method = "POST", .body = std::move(body), .largest_answer = largest, .timeout = timeout_},
        [answered = std::move(answered)](const http::TransferAnswer& answer) {
          answered(answer.is_ok() ? &answer.body : nullptr);
        });
  }

  void attach(const Target& target, const std::string& session) {
    post(session, request("attach", R"(,"plugin":"janus.plugin.videoroom")"), largest_answer,
         [this, target, session](const std::string* body) {
           const auto handle = body ? created_id(*body) : std::nullopt;
           handle ? list(target, session, session + "/" + std::to_string(*handle)) : end(session);
         });
  }

  void list(const Target& target, const std::string& session, const std::string& handle) {
    post(handle, request("message", R"(,"body":{"request":"list"})"), largest_list,
         [this, target, session](const std::string* body) {
           take(target, body);
           end(session);
         });
  }

  void end(const std::string& session) {
    post(session, request("destroy"), largest_answer, [](const std::string*) {});
  }

  void ask_admin(const Target& target) {
    post(target.url, request("message_plugin", R"(,"plugin":"janus.plugin.videoroom","request":{"request":"list"})"),
         largest_list, [this, target](const std::string* body) { take(target, body); });
  }

  void take(const Target& target, const std::string* body) {
    std::optional<std::map<domain::RoomId, std::int64_t>> rooms;
    try {
      if (body) rooms = listed_rooms(*body);
    } catch (const std::bad_alloc&) {  // no list that could be kept
    }
    if (!rooms) return;
    silent_.erase(std::remove(silent_.begin(), silent_.end(), target.gateway), silent_.end());
    observed_(target.gateway, std::move(*rooms));
  }

  // `rest`: more members, as JSON.
  std::string request(std::string_view kind, std::string_view rest = "") const {
    std::string text = R"({"janus":")" + std::string(kind) + R"(","transaction":"room-sidecar")";
    if (!secrets_.secret.empty()) {
      for (const char* name : {"apisecret", "admin_secret"}) {
        text += std::string(",\"") + name + "\":";
        json::append_string(text, secrets_.secret);
      }
    }
    if (!secrets_.token.empty()) json::append_string(text += ",\"token\":", secrets_.token);
    return text.append(rest) + "}";
  }

  http::Transfers& transfers_;
  const domain::Duration timeout_;
  const Secrets secrets_;
  const Observed& observed_;
  std::vector<std::string> silent_;
};

RoomLists::RoomLists(OccupancyOptions options, Observed observed)
    : options_(std::move(options)), observed_(std::move(observed)) {}

RoomLists::~RoomLists() {
  transfers_.stop();
  if (thread_.joinable()) thread_.join();
}

void RoomLists::ask(std::vector<Target> targets) {
  const locks::MutexLock lock(mutex_);
  targets_ = std::move(targets);
  if (!targets_.empty() && !thread_.joinable()) thread_ = std::thread([this] { work(); });
}

std::vector<std::string> RoomLists::silent() const {
  const locks::MutexLock lock(mutex_);
  return silent_;
}

std::vector<Target> RoomLists::targets() const {
  const locks::MutexLock lock(mutex_);
  return targets_;
}

void RoomLists::work() {
  auto next = Clock::now();
  do {
    Asking asking(transfers_, options_.timeout, read_secrets(options_), observed_);
    for (const Target& target : targets()) asking.begin(target);
    transfers_.run();
    {
      const locks::MutexLock lock(mutex_);
      silent_ = asking.silent();
    }
    next = std::max(next + options_.interval, Clock::now());
  } while (transfers_.sleep_until(next));
}

}  // namespace health
