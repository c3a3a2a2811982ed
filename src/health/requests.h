// HTTP requests to many servers at once, none delaying another, over connections that are kept.
// One thread at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "domain/time.h"

namespace health {

// Where a gateway is asked.
struct Target {
  std::string gateway;
  std::string url;
};

// The body of an answer with status 200; none (a null pointer) of any other, of one that is too large, and if
// none came in time.
using Answered = std::function<void(const std::string* body)>;

class Requests {
 public:
  // `timeout`: for one request.
  explicit Requests(domain::Duration timeout);
  ~Requests();
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  // Begins one; `answered` is called once, by go_on(), and may begin others. `largest`: in bytes, of the answer.
  void get(const std::string& url, std::size_t largest, Answered answered);
  void post_json(const std::string& url, std::string body, std::size_t largest, Answered answered);

  bool is_idle() const { return in_progress_.empty(); }
  // Waits a little for answers, and hands them over.
  void go_on();

 private:
  struct Request;
  struct Multi;

  void begin(const std::string& url, std::size_t largest, std::unique_ptr<Request> request);
  void finish(void* handle, bool came);

  const domain::Duration timeout_;
  std::unique_ptr<Multi> multi_;
  std::list<std::unique_ptr<Request>> in_progress_;
};

}  // namespace health
