// What a member's refusal means for who asked. Any thread.
// The codes are gRPC's; the messages are etcd's (api/v3rpc/rpctypes/error.go), and nothing else tells some apart.
#pragma once

#include <string>
#include <string_view>

#include "cluster/engine.h"

namespace cluster {

struct Failure {
  Trouble trouble = Trouble::none;
  bool of_token = false;     // one that is made anew may be good
  bool of_auth_off = false;  // there are no tokens, as etcd asks for none
  bool not_found = false;
  std::string why;
};

// Of a unary call's, or of a stream's {"error":…} with its grpc_code.
Failure failure_of(int code, std::string_view message);

// Of an answer with another status than 200.
Failure failure_of_answer(int status, std::string_view body);

}  // namespace cluster
