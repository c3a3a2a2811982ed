#include "health/http_source.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "health/word.h"

namespace health {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_answer = 256 * 1024;  // server_info takes some 5 KiB
constexpr int wake_ms = 50;                         // how soon a stop is noticed

struct Question {
  std::string gateway;
  std::string body;
  std::unique_ptr<CURL, void (*)(CURL*)> handle{curl_easy_init(), curl_easy_cleanup};
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* into) {
  std::string& body = *static_cast<std::string*>(into);
  if (body.size() + size > largest_answer) return 0;  // ends the transfer
  body.append(data, size);
  return size;
}

long in_ms(domain::Duration time) { return static_cast<long>(time.count()); }

// libcurl wants to be told once, before any thread uses it.
void prepare_library() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

}  // namespace

// The questions of one round, over connections that are kept from round to round.
class HttpSource::Round {
 public:
  explicit Round(domain::Duration timeout) : timeout_(timeout) {}
  ~Round() {
    for (auto& question : under_way_) curl_multi_remove_handle(multi_.get(), question->handle.get());
  }

  void begin(const std::vector<Target>& targets) {
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(targets.size() + 4));
    for (const Target& target : targets) {
      auto question = std::make_unique<Question>();
      question->gateway = target.gateway;
      CURL* handle = question->handle.get();
      curl_easy_setopt(handle, CURLOPT_URL, target.url.c_str());
      curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, in_ms(timeout_));
      curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
      // Or the end of one question waits for its name to be looked up, and all others with it.
      curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
      curl_easy_setopt(handle, CURLOPT_PROXY, "");
      curl_easy_setopt(handle, CURLOPT_USERAGENT, "room-sidecar");
      curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
      curl_easy_setopt(handle, CURLOPT_WRITEDATA, &question->body);
      curl_easy_setopt(handle, CURLOPT_PRIVATE, question.get());
      if (curl_multi_add_handle(multi_.get(), handle) == CURLM_OK) under_way_.push_back(std::move(question));
    }
  }

  bool is_over() const { return under_way_.empty(); }

  // Waits a little, and tells what has come in.
  void go_on(const Heard& heard) {
    int running = 0;
    curl_multi_poll(multi_.get(), nullptr, 0, wake_ms, nullptr);
    curl_multi_perform(multi_.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result, heard);
    }
  }

 private:
  void finish(CURL* handle, CURLcode result, const Heard& heard) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi_.get(), handle);
    const auto here = std::find_if(under_way_.begin(), under_way_.end(), [&](const auto& question) {
      return question->handle.get() == handle;
    });
    const std::unique_ptr<Question> question = std::move(*here);
    under_way_.erase(here);
    heard(question->gateway, result == CURLE_OK && status == 200 && is_server_info(question->body));
  }

  const domain::Duration timeout_;
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_{curl_multi_init(), curl_multi_cleanup};
  std::vector<std::unique_ptr<Question>> under_way_;
};

HttpSource::HttpSource(domain::Duration interval, domain::Duration timeout, Heard heard)
    : interval_(interval), timeout_(timeout), heard_(std::move(heard)) {
  prepare_library();
  thread_ = std::thread([this] { work(); });
}

HttpSource::~HttpSource() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void HttpSource::ask(std::vector<Target> targets) {
  const std::lock_guard lock(mutex_);
  targets_ = std::move(targets);
}

void HttpSource::work() {
  Round round(timeout_);
  auto next = Clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::vector<Target> targets = targets_;
    lock.unlock();
    round.begin(targets);
    for (bool stop = false; !round.is_over() && !stop;) {
      round.go_on(heard_);
      lock.lock();
      stop = stopping_;
      lock.unlock();
    }
    // After a pause of the process there is nothing to make up for.
    next = std::max(next + interval_, Clock::now());
    lock.lock();
    woken_.wait_until(lock, next, [this] { return stopping_; });
  }
}

}  // namespace health
