// What a member's refusal means for the caller. Any thread.
// The codes are gRPC's; the messages are etcd's (api/v3rpc/rpctypes/error.go), and some differ in nothing else.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "etcd/client.h"
#include "etcd/connection.h"
#include "json/value.h"

namespace etcd {

struct Failure {
  ErrorCode error = ErrorCode::none;
  bool of_token = false;     // one that is made anew may be good
  bool of_auth_off = false;  // there are no tokens, as etcd asks for none
  bool of_stranger = false;  // the member did not say to which cluster it belongs: another one may know better
  std::string why;
};

Failure failure_of(ErrorCode error, std::string why);

// Is it known whether the question was answered, by whatever?
bool is_sure(const Failure& failure);

Failure failure_of(int code, std::string_view message);

// The failure that a stream's answer describes under "error".
Failure failure_of_stream(const json::Value& error);

// The failure that an answer with another status than 200 means.
Failure failure_of_answer(int status, std::string_view body);

// The failure of any outcome of a question. `changes`: without an answer it is not known what was done. `reader`: false if the
// answer is none to that question.
Failure failure_in(const Answer& answer, bool changes, const std::function<bool(const json::Value& answer)>& reader);

}  // namespace etcd
