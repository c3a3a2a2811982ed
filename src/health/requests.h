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

// The body of an answer with status 200; none (a null pointer) of any other, of one that is too large, and if
// none came in time.
using Answered = std::function<void(const std::string* body)>;

class Requests {
 public:
  // `timeout`: for one request. `largest`: in bytes, of an answer.
  Requests(domain::Duration timeout, std::size_t largest);
  ~Requests();
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  // Begins one; `answered` is called once, by go_on(), and may begin others.
  void get(const std::string& url, Answered answered);
  void post_json(const std::string& url, std::string body, Answered answered);

  bool is_idle() const { return under_way_.empty(); }
  // Waits a little for answers, and hands them over.
  void go_on();

 private:
  struct Request;
  struct Multi;

  void begin(const std::string& url, std::unique_ptr<Request> request);
  void finish(void* handle, bool came);

  const domain::Duration timeout_;
  const std::size_t largest_;
  std::unique_ptr<Multi> multi_;
  std::list<std::unique_ptr<Request>> under_way_;
};

}  // namespace health
