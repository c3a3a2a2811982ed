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
  Asking(Requests& requests, Secrets secrets, const Observed& observed)
      : requests_(requests), secrets_(std::move(secrets)), observed_(observed) {}

  void begin(const Target& target) {
    silent_.push_back(target.gateway);
    requests_.post_json(target.url, request("create"), largest_answer, [this, target](const std::string* body) {
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
  void attach(const Target& target, const std::string& session) {
    requests_.post_json(session, request("attach", R"(,"plugin":"janus.plugin.videoroom")"), largest_answer,
                        [this, target, session](const std::string* body) {
                          const auto handle = body ? created_id(*body) : std::nullopt;
                          handle ? list(target, session, session + "/" + std::to_string(*handle)) : end(session);
                        });
  }

  void list(const Target& target, const std::string& session, const std::string& handle) {
    requests_.post_json(handle, request("message", R"(,"body":{"request":"list"})"), largest_list,
                        [this, target, session](const std::string* body) {
                          take(target, body);
                          end(session);
                        });
  }

  void end(const std::string& session) {
    requests_.post_json(session, request("destroy"), largest_answer, [](const std::string*) {});
  }

  void ask_admin(const Target& target) {
    requests_.post_json(target.url,
                        request("message_plugin", R"(,"plugin":"janus.plugin.videoroom","request":{"request":"list"})"),
                        largest_list, [this, target](const std::string* body) { take(target, body); });
  }

  void take(const Target& target, const std::string* body) {
    std::optional<std::map<std::string, std::int64_t>> rooms;
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

  Requests& requests_;
  const Secrets secrets_;
  const Observed& observed_;
  std::vector<std::string> silent_;
};

RoomLists::RoomLists(OccupancyOptions options, Observed observed)
    : options_(std::move(options)), observed_(std::move(observed)), thread_([this] { work(); }) {}

RoomLists::~RoomLists() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void RoomLists::ask(std::vector<Target> targets) {
  const locks::MutexLock lock(mutex_);
  targets_ = std::move(targets);
  woken_.notify_all();
}

std::vector<std::string> RoomLists::silent() const {
  const locks::MutexLock lock(mutex_);
  return silent_;
}

void RoomLists::work() {
  Requests requests(options_.timeout);
  locks::MutexLock lock(mutex_);
  woken_.wait(lock, [this]() REQUIRES(mutex_) { return stopping_ || !targets_.empty(); });
  auto next = Clock::now();
  while (!stopping_) {
    const std::vector<Target> targets = targets_;
    lock.unlock();
    Asking asking(requests, read_secrets(options_), observed_);
    for (const Target& target : targets) asking.begin(target);
    bool stop = false;
    while (!requests.is_idle() && !stop) {
      requests.go_on();
      const locks::MutexLock relock(mutex_);
      stop = stopping_;
    }
    next = std::max(next + options_.interval, Clock::now());
    lock.lock();
    silent_ = asking.silent();
    woken_.wait_until(lock, next, [this]() REQUIRES(mutex_) { return stopping_; });
  }
}

}  // namespace health
