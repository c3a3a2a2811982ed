#include "health/mqtt_source.h"

#include <mosquitto.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "files/read_file.h"
#include "health/probe_result.h"
#include "health/secret.h"
#include "http/certificate_name.h"

namespace health {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int keepalive_s = 5;  // so soon a broker that is silently gone is noticed
constexpr std::chrono::milliseconds first_retry{500};
constexpr std::chrono::milliseconds longest_retry{5000};
constexpr int wake_ms = 50;  // how soon a stop is noticed
constexpr std::chrono::seconds nonsense_pause{10};
constexpr std::size_t longest_payload = 4096;
constexpr int refused_qos = 0x80;             // in a SUBACK, MQTT 3.1.1, 3.9.3
constexpr std::size_t most_strangers = 1000;  // names that are no gateways, but may become some by a reload

struct Address {
  std::string host;
  int port = 1883;
  bool tls = false;
};

Address address_of(const std::string& url) {
  Address address;
  address.tls = url.rfind("mqtts://", 0) == 0;
  address.port = address.tls ? 8883 : 1883;
  address.host = url.substr(url.find("://") + 3);
  const std::size_t colon = address.host.rfind(':');
  if (colon != std::string::npos && address.host.find(']', colon) == std::string::npos) {
    std::from_chars(address.host.data() + colon + 1, address.host.data() + address.host.size(), address.port);
    address.host.resize(colon);
  }
  if (address.host.front() == '[') address.host = address.host.substr(1, address.host.size() - 2);
  return address;
}

}  // namespace

// A connection to the broker, which is made anew for ever. libmosquitto's own thread would not do: it never
// begins if the first attempt fails, and ends for good at an error that it takes for a lasting one.
class MqttSource::Broker {
 public:
  Broker(const Options& options, MqttSource& source) : options_(options), source_(source) {
    static const int prepared = mosquitto_lib_init();
    static_cast<void>(prepared);
  }
  ~Broker() {
    if (is_linked_) mosquitto_disconnect(client_.get());
  }

  // Connects if it is time to, and takes what comes within a little while.
  void go_on() {
    if (!is_linked_) {
      if (source_.rests_until(std::min(next_try_, Clock::now() + std::chrono::milliseconds{wake_ms}))) return;
      if (Clock::now() < next_try_) return;
      refusal_.clear();
      const int error = connect();
      if (error != MOSQ_ERR_SUCCESS) return lost(error);
      is_linked_ = true;
    }
    const int error = mosquitto_loop(client_.get(), wake_ms, 1);
    if (error != MOSQ_ERR_SUCCESS) lost(error);
  }

 private:
  // With a new client: what files say may have changed, and nothing is left of what went wrong.
  int connect() {
    client_.reset(mosquitto_new(nullptr, true, this));
    mosquitto* client = client_.get();
    if (!client) return MOSQ_ERR_NOMEM;
    const Address address = address_of(options_.mqtt_url);
    if (options_.mqtt_user) {
      const std::string password = options_.mqtt_password_file ? first_line_of(*options_.mqtt_password_file) : "";
      mosquitto_username_pw_set(client, options_.mqtt_user->c_str(), password.c_str());
    }
    if (address.tls) {
      const int error = use_tls(client, address.host);
      if (error != MOSQ_ERR_SUCCESS) return error;
    }
    mosquitto_connect_callback_set(
        client, [](mosquitto*, void* self, int code) { static_cast<Broker*>(self)->connected(code); });
    mosquitto_subscribe_callback_set(client, [](mosquitto*, void* self, int, int count, const int* granted) {
      static_cast<Broker*>(self)->subscribed(count > 0 && granted[0] < refused_qos);
    });
    mosquitto_message_callback_set(client, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Broker*>(self)->take(*message);
    });
    // Looking up a name takes as long as it takes, and a stop must not wait for that.
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
    const int error = mosquitto_connect_async(client, address.host.c_str(), address.port, keepalive_s);
    const int reason = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    errno = reason;
    return error;
  }

  // With a context of ours, since libmosquitto takes the certificate's subject for a name, and a DNS name for an address.
  // With ours it looks at nothing itself, and OpenSSL verifies before CONNECT is sent with the password.
  int use_tls(mosquitto* client, const std::string& host) {
    if (!tls_) tls_ = make_context(host);
    if (!tls_) return MOSQ_ERR_NOMEM;
    refusal_ = load_authorities();
    if (!refusal_.empty()) return MOSQ_ERR_INVAL;
    const int error = mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, tls_.get());
    return error == MOSQ_ERR_SUCCESS ? mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) : error;
  }

  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Context = std::unique_ptr<SSL_CTX, FreeContext>;

  // None if there is no memory for it.
  Context make_context(const std::string& host) {
    Context made(SSL_CTX_new(TLS_client_method()));
    if (!made) return nullptr;
    if (!http::require_name(*made, host) || SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION) != 1)
      return nullptr;
    SSL_CTX_set_app_data(made.get(), this);
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, [](int is_good, X509_STORE_CTX* chain) {
      if (is_good != 1) note_refusal(*chain);
      return is_good;
    });
    return made;
  }

  static void note_refusal(X509_STORE_CTX& chain) {
    const void* connection = X509_STORE_CTX_get_ex_data(&chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    const SSL_CTX* context = SSL_get_SSL_CTX(static_cast<const SSL*>(connection));
    static_cast<Broker*>(SSL_CTX_get_app_data(context))->refusal_ =
        std::string("its certificate is refused, ") + X509_verify_cert_error_string(X509_STORE_CTX_get_error(&chain));
  }

  // Anew for each attempt, as the file may have changed. Why not; empty if they are loaded.
  std::string load_authorities() {
    SSL_CTX_set_cert_store(tls_.get(), X509_STORE_new());  // which is the context's from now on
    if (!options_.mqtt_ca_file) {
      return SSL_CTX_load_verify_dir(tls_.get(), "/etc/ssl/certs") == 1 ? "" : "no authorities in /etc/ssl/certs";
    }
    const std::string& file = *options_.mqtt_ca_file;
    std::string problem = files::problem_with_plain_file(file);
    if (problem.empty() && SSL_CTX_load_verify_file(tls_.get(), file.c_str()) != 1) {
      problem = "holds no certificate that can be read";
    }
    return problem.empty() ? "" : "mqtt_ca_file " + file + ": " + problem;
  }

  void lost(int error) {
    const int reason = errno;
    if (refusal_.empty()) {
      refusal_ = error == MOSQ_ERR_ERRNO ? std::generic_category().message(reason) : mosquitto_strerror(error);
    }
    is_linked_ = false;
    next_try_ = Clock::now() + pause_;
    pause_ = std::min(2 * pause_, longest_retry);
    source_.connected("MQTT broker " + options_.mqtt_url + ": " + refusal_);
  }

  void connected(int code) {
    if (code != 0) {
      refusal_ = mosquitto_connack_string(code);
      return;
    }
    const int error = mosquitto_subscribe(client_.get(), nullptr, source_.topic_.c_str(), 1);
    if (error != MOSQ_ERR_SUCCESS) refusal_ = mosquitto_strerror(error);
  }

  void subscribed(bool granted) {
    if (granted) {
      pause_ = first_retry;
      return source_.connected(std::nullopt);
    }
    source_.connected("MQTT broker " + options_.mqtt_url + ": does not allow the subscription to " + source_.topic_);
  }

  void take(const mosquitto_message& message) {
    const auto size = static_cast<std::size_t>(message.payloadlen);
    if (size > longest_payload) return source_.take(message.topic, "too long");
    source_.take(message.topic, std::string(static_cast<const char*>(message.payload), size));
  }

  struct Destroy {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };
  const Options options_;
  MqttSource& source_;
  // One for all attempts, though not its authorities: libmosquitto 2.0.18 keeps one that no connection has used.
  Context tls_;
  std::unique_ptr<mosquitto, Destroy> client_;
  bool is_linked_ = false;  // or about to be
  std::string refusal_;
  Clock::time_point next_try_{};
  std::chrono::milliseconds pause_ = first_retry;
};

MqttSource::MqttSource(const Options& options, domain::Duration interval, Observed observed, Nonsense nonsense)
    : topic_(options.mqtt_topic),
      interval_(interval),
      observed_(std::move(observed)),
      nonsense_(std::move(nonsense)),
      silence_("MQTT broker " + options.mqtt_url + ": has no message of any gateway in " + options.mqtt_topic),
      problem_("MQTT broker " + options.mqtt_url + ": not yet connected") {
  thread_ = std::thread([this, options] { work(options); });
}

MqttSource::~MqttSource() {
  {
    const locks::MutexLock lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  pthread_cancel(thread_.native_handle());  // where it allows it
  thread_.join();
}

std::optional<std::string> MqttSource::problem() const {
  const locks::MutexLock lock(mutex_);
  return problem_ || has_words_ || known_.empty() ? problem_ : silence_;
}

void MqttSource::know(std::set<std::string> gateways) {
  const locks::MutexLock lock(mutex_);
  known_ = std::move(gateways);
}

bool MqttSource::rests_until(Clock::time_point end) {
  locks::MutexLock lock(mutex_);
  return woken_.wait_until(lock, end, [this]() REQUIRES(mutex_) { return stopping_; });
}

void MqttSource::connected(const std::optional<std::string>& problem) {
  const locks::MutexLock lock(mutex_);
  problem_ = problem;
  has_words_ = true;  // as soon as they come
  // What is retained comes again with the subscription; what is not is not true any more.
  online_.clear();
}

void MqttSource::take(const std::string& topic, const std::string& payload) {
  const std::string gateway = name_in_topic(topic_, topic);
  const auto online = online_in(payload);
  if (!gateway.empty() && online) {
    const bool has_room = online_.size() < most_strangers || online_.count(gateway) > 0;
    const auto is_known = [&] {
      const locks::MutexLock lock(mutex_);
      return known_.count(gateway) > 0;
    };
    if (has_room || is_known()) online_[gateway] = *online;
    return;
  }
  // An empty payload takes a retained message back.
  if (payload.empty() && !gateway.empty()) {
    online_.erase(gateway);
    return;
  }
  const auto now = Clock::now();
  if (now < quiet_until_) return;
  quiet_until_ = now + nonsense_pause;
  nonsense_(topic);
}

void MqttSource::work(const Options& options) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  Broker broker(options, *this);
  auto next = Clock::now();
  while (!rests_until(Clock::now())) {
    broker.go_on();
    if (Clock::now() < next) continue;
    next = std::max(next + interval_, Clock::now());
    report_problems();
  }
}

void MqttSource::report_problems() {
  std::set<std::string> known;
  {
    const locks::MutexLock lock(mutex_);
    known = known_;
  }
  bool has_words = false;
  for (const std::string& gateway : known) {
    const auto found = online_.find(gateway);
    if (found == online_.end()) continue;
    has_words = true;
    observed_(gateway, found->second);
  }
  const locks::MutexLock lock(mutex_);
  has_words_ = has_words;
}

}  // namespace health
