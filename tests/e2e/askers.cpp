// Many askers at several sidecars at once. Writes down every answer, for a test that counts by itself.
// A plan's line is one request: `ask ROOM SIDECAR` or `enter ROOM SIDECAR SESSION`, SIDECAR counted from 0.
// They are begun in the plan's order, no faster than RATE a second (0: as fast as they go). A request that is refused with
// 503 or loses the connection asks again 100 ms later, until PATIENCE ms have passed since the first time.
// A line of ANSWERS is one answer, tab-separated: request's number, thread, status (0: connection lost), begin
// and end in µs of the monotonic clock, gateway, reason. Each 50 ms the number of finished requests is
// printed. Exits 2 if the plan cannot be parsed; else 0, whatever was answered.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <queue>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;  // Python's time.monotonic() reads the same one
constexpr auto pause_before_again = std::chrono::milliseconds(100);
constexpr int longest_silence = 15;  // seconds; well above the product's deadline, so that a breach is seen

struct Question {
  std::string request;
  std::size_t sidecar = 0;
};

struct Answer {
  std::size_t question = 0;
  int status = 0;
  Clock::time_point begin{}, end{};
  std::string gateway, reason;
};

std::string request(const std::string& line, const std::string& body) {
  return line + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::vector<Question> read_plan(const char* path, std::size_t sidecars) {
  std::vector<Question> questions;
  std::ifstream plan(path);
  for (std::string line; std::getline(plan, line);) {
    std::istringstream words(line);
    std::string action, room, session;
    Question question;
    words >> action >> room >> question.sidecar >> session;
    if (room.empty() || question.sidecar >= sidecars || (action == "enter") == session.empty()) {
      std::fprintf(stderr, "no question: %s\n", line.c_str());
      std::exit(2);
    }
    question.request = action == "enter" ? request("PUT /v2/rooms/" + room + "/sessions/" + session, "{}")
                                         : request("POST /v2/room_server", R"({"room":")" + room + R"("})");
    questions.push_back(std::move(question));
  }
  return questions;
}

std::string between(const std::string& text, std::string_view before, char after) {
  const auto found = text.find(before);
  if (found == std::string::npos) return {};
  const auto begin = found + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

// Keep-alive; opened anew when the sidecar has closed it.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : port_(port) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  // Leaves status 0 if the connection was lost.
  void ask(const std::string& request, Answer& answer) {
    const bool was_open = socket_ >= 0;
    if (exchange(request)) return read_into(answer);
    const bool nothing_came = received_.empty();
    close();
    // An idle one may have been closed meanwhile, which says nothing of this request.
    if (was_open && nothing_came && exchange(request)) return read_into(answer);
    close();
  }

 private:
  bool exchange(const std::string& request) {
    received_.clear();
    if (socket_ < 0 && !open()) return false;
    if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      return false;
    }
    char buffer[4096];
    while (!is_whole()) {
      const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
      if (count <= 0) return false;
      received_.append(buffer, static_cast<std::size_t>(count));
    }
    return true;
  }

  bool open() {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    const timeval patience{longest_silence, 0};
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  bool is_whole() const {
    const auto head = received_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const char* const found = strcasestr(received_.c_str(), "\r\ncontent-length:");
    if (found == nullptr || static_cast<std::size_t>(found - received_.c_str()) > head) return true;
    return received_.size() >= head + 4 + std::strtoul(found + std::strlen("\r\ncontent-length:"), nullptr, 10);
  }

  void read_into(Answer& answer) {
    std::from_chars(received_.data() + 9, received_.data() + 12, answer.status);
    answer.gateway = between(received_, R"("janus":")", '"');
    answer.reason = between(received_, "Room-Server-Reason: ", '\r');
    if (strcasestr(received_.c_str(), "\r\nconnection: close") != nullptr) close();
  }

  std::uint16_t port_;
  int socket_ = -1;
  std::string received_;
};

struct Load {
  std::vector<Question> questions;
  std::vector<std::uint16_t> ports;
  double rate = 0;
  Clock::duration patience{};
  Clock::time_point begin = Clock::now();
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};

  Clock::time_point due(std::size_t number) const {
    if (rate <= 0) return begin;
    return begin + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(number) / rate));
  }
};

// One thread with a connection to each sidecar.
class Asker {
 public:
  explicit Asker(Load& load) : load_(load) {
    for (const auto port : load.ports) connections_.emplace_back(std::make_unique<Connection>(port));
  }

  void run() {
    for (bool more = true; more || !again_.empty();) {
      if (!again_.empty() && (!more || again_.top().at <= Clock::now())) {
        const Again now = again_.top();
        again_.pop();
        std::this_thread::sleep_until(now.at);
        ask(now.question, now.first_asked);
      } else if (const auto number = load_.next++; number < load_.questions.size()) {
        std::this_thread::sleep_until(load_.due(number));
        ask(number, Clock::now());
      } else {
        more = false;
      }
    }
  }

  const std::vector<Answer>& answers() const { return answers_; }

 private:
  struct Again {
    Clock::time_point at, first_asked;
    std::size_t question;
    bool operator<(const Again& other) const { return at > other.at; }  // the earliest is the top
  };

  void ask(std::size_t number, Clock::time_point first_asked) {
    const auto& question = load_.questions[number];
    Answer answer;
    answer.question = number;
    answer.begin = Clock::now();
    connections_[question.sidecar]->ask(question.request, answer);
    answer.end = Clock::now();
    const bool to_be_repeated = answer.status == 0 || answer.status == 503;
    if (to_be_repeated && answer.end < first_asked + load_.patience) {
      again_.push({answer.end + pause_before_again, first_asked, number});
    } else {
      ++load_.done;
    }
    answers_.push_back(std::move(answer));
  }

  Load& load_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::priority_queue<Again> again_;
  std::vector<Answer> answers_;
};

long long microseconds(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

void run(Load& load, std::size_t thread_count, std::FILE* answers) {
  std::vector<std::unique_ptr<Asker>> askers;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < thread_count; ++i) askers.push_back(std::make_unique<Asker>(load));
  load.begin = Clock::now();
  for (const auto& asker : askers) threads.emplace_back([&asker] { asker->run(); });
  while (load.done < load.questions.size()) {
    std::printf("%zu\n", load.done.load());
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < thread_count; ++i) {
    for (const auto& answer : askers[i]->answers()) {
      std::fprintf(answers, "%zu\t%zu\t%d\t%lld\t%lld\t%s\t%s\n", answer.question, i, answer.status,
                   microseconds(answer.begin), microseconds(answer.end), answer.gateway.c_str(), answer.reason.c_str());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    std::fputs("usage: askers PLAN ANSWERS THREADS RATE PATIENCE_MS PORT...\n", stderr);
    return 2;
  }
  Load load;
  for (int i = 6; i < argc; ++i) load.ports.push_back(static_cast<std::uint16_t>(std::atoi(argv[i])));
  load.questions = read_plan(argv[1], load.ports.size());
  load.rate = std::atof(argv[4]);
  load.patience = std::chrono::milliseconds(std::atoi(argv[5]));
  std::FILE* const answers = std::fopen(argv[2], "w");
  if (answers == nullptr) {
    std::perror(argv[2]);
    return 2;
  }
  run(load, static_cast<std::size_t>(std::atoi(argv[3])), answers);
  return std::fclose(answers) == 0 ? 0 : 2;
}
