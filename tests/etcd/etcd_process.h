// A real etcd of one or three members, on free ports of loopback and in a temporary folder, for one test. It is
// Debian's, unpacked below $ETCD_ROOT or installed; without one the test fails.
// The thread that creates it must outlive it: the members end with that thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "comes_true.h"
#include "etcd/options.h"
#include "temporary_folder.h"

namespace etcd_test {

// The value of etcd's --bcrypt-cost with which this machine takes at least that long to check a password.
std::string bcrypt_cost_for(std::chrono::milliseconds least);

class EtcdProcess {
 public:
  struct Setup {
    int members = 1;
    bool tls = false;  // with an authority of its own, and certificates for clients
    std::vector<std::string> flags{};
    // The certificate's.
    std::string names = "IP:127.0.0.1,DNS:localhost";
    std::string subject = "/O=room-sidecar";
  };

  EtcdProcess() : EtcdProcess(Setup{}) {}
  explicit EtcdProcess(Setup setup);
  ~EtcdProcess();
  EtcdProcess(const EtcdProcess&) = delete;
  EtcdProcess& operator=(const EtcdProcess&) = delete;

  // Options to connect with: all members, and the files for TLS.
  const etcd::Options& options() const { return options_; }
  // The same for an etcd that works all the time: no attempt is given up on a busy machine. A second one would find
  // done what the first one did.
  etcd::Options patient_options() const;
  // The same, with that member only.
  etcd::Options options_of(std::size_t member) const;
  const std::string& endpoint(std::size_t member) const { return options_.endpoints[member]; }
  std::size_t leader() const;  // waits until there is one

  void kill(std::size_t member);
  void start(std::size_t member);  // again, with its data; waits until it answers
  // For one member: it has lost its disk, and is another cluster from then on. (With another token: etcd
  // makes a cluster's id of that and of the members' addresses.)
  void start_as_another_cluster();
  // Ends all members by SIGTERM and starts them anew: they have forgotten all tokens that were made before the last key
  // was put. (Later ones they take from their log again, and so does one that was killed.)
  void restart();
  void halt(std::size_t member);  // SIGSTOP
  void go_on(std::size_t member);

  // Posts to the first member's gateway and returns the answer; the test fails unless its status is 200.
  std::string post(const std::string& path, const std::string& body, const std::string& token = "") const;
  // Turns etcd's authentication on, with a root, and a user with all rights below the prefix.
  void turn_authentication_on(const std::string& user, const std::string& password, const std::string& prefix) const;

  // The members' certificate from now on, by the same authority; `names` as in subjectAltName.
  void set_certificate(const std::string& names, const std::string& subject) const;

  // The password checks that all running members have begun since their start.
  int password_checks() const;

  void post_as_root(const std::string& path, const std::string& body) const;

  const TemporaryFolder& folder() const { return folder_; }

 private:
  struct Member {
    pid_t pid = -1;
    int client_port = 0;
    int peer_port = 0;
  };
  void choose_ports();
  void launch(std::size_t member);
  bool is_ready(std::size_t member) const;
  bool all_ready();
  bool is_gone(Member& member);
  void end(std::size_t member, int signal);
  void make_certificates();
  void certify(const std::string& name, const std::string& subject) const;
  std::string log() const;

  Setup setup_;
  TemporaryFolder folder_;
  std::vector<Member> members_;
  etcd::Options options_;
};

}  // namespace etcd_test
