#include "health/requests.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

namespace health {
namespace {

constexpr int wake_ms = 50;        // how soon a stop is noticed
constexpr long connections = 256;  // kept at most

// libcurl must be initialised once, before any thread uses it.
void prepare_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

long in_ms(domain::Duration time) { return static_cast<long>(time.count()); }

}  // namespace

struct Requests::Request {
  Answered answered;
  std::string sent;
  std::string body;
  std::size_t largest = 0;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> fields{nullptr, curl_slist_free_all};
  std::unique_ptr<CURL, void (*)(CURL*)> handle{curl_easy_init(), curl_easy_cleanup};

  static std::size_t take(char* data, std::size_t, std::size_t size, void* into) {
    auto& request = *static_cast<Request*>(into);
    if (request.body.size() + size > request.largest) return 0;  // ends the transfer
    request.body.append(data, size);
    return size;
  }
};

struct Requests::Multi {
  Multi() { prepare_curl(); }
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> handle{curl_multi_init(), curl_multi_cleanup};
};

Requests::Requests(domain::Duration timeout) : timeout_(timeout), multi_(std::make_unique<Multi>()) {
  curl_multi_setopt(multi_->handle.get(), CURLMOPT_MAXCONNECTS, connections);
}

Requests::~Requests() {
  for (auto& request : in_progress_) curl_multi_remove_handle(multi_->handle.get(), request->handle.get());
}

void Requests::get(const std::string& url, std::size_t largest, Answered answered) {
  auto request = std::make_unique<Request>();
  request->answered = std::move(answered);
  begin(url, largest, std::move(request));
}

void Requests::post_json(const std::string& url, std::string body, std::size_t largest, Answered answered) {
  auto request = std::make_unique<Request>();
  request->answered = std::move(answered);
  request->sent = std::move(body);
  request->fields.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
  CURL* handle = request->handle.get();
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, request->fields.get());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request->sent.size()));
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->sent.c_str());
  begin(url, largest, std::move(request));
}

void Requests::begin(const std::string& url, std::size_t largest, std::unique_ptr<Request> request) {
  request->largest = largest;
  CURL* handle = request->handle.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, in_ms(timeout_));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  // Or the end of one request waits for its name to be looked up, and all others with it.
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "room-sidecar");
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Request::take);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, request.get());
  if (curl_multi_add_handle(multi_->handle.get(), handle) == CURLM_OK) {
    in_progress_.push_back(std::move(request));
  } else {
    request->answered(nullptr);
  }
}

void Requests::go_on() {
  int running = 0;
  curl_multi_poll(multi_->handle.get(), nullptr, 0, wake_ms, nullptr);
  curl_multi_perform(multi_->handle.get(), &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_->handle.get(), &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result == CURLE_OK);
  }
}

void Requests::finish(void* handle, bool came) {
  long status = 0;
  curl_easy_getinfo(static_cast<CURL*>(handle), CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(multi_->handle.get(), static_cast<CURL*>(handle));
  const auto here = std::find_if(in_progress_.begin(), in_progress_.end(),
                                 [&](const auto& request) { return request->handle.get() == handle; });
  const std::unique_ptr<Request> request = std::move(*here);
  in_progress_.erase(here);
  request->answered(came && status == 200 ? &request->body : nullptr);
}

}  // namespace health
