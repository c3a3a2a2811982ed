#include "health/mqtt_source.h"

#include <mosquitto.h>

#include <charconv>
#include <fstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "health/word.h"

namespace health {
namespace {

constexpr int keepalive_s = 5;  // so soon a broker that is gone without a word is noticed
constexpr unsigned first_retry_s = 1;
constexpr unsigned longest_retry_s = 5;
constexpr std::chrono::seconds nonsense_pause{10};
constexpr std::size_t longest_payload = 4096;

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

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

}  // namespace

// libmosquitto's client, with its thread.
class MqttSource::Broker {
 public:
  Broker(const Options& options, MqttSource& source) : url_(options.mqtt_url), source_(source) {
    static const int prepared = mosquitto_lib_init();
    static_cast<void>(prepared);
    client_.reset(mosquitto_new(nullptr, true, this));
    if (!client_) throw std::runtime_error("mosquitto_new failed");
    set_up(options);
    mosquitto_loop_start(client_.get());
  }
  ~Broker() {
    mosquitto_disconnect(client_.get());
    mosquitto_loop_stop(client_.get(), true);
  }

 private:
  void set_up(const Options& options) {
    mosquitto* client = client_.get();
    const Address address = address_of(options.mqtt_url);
    if (options.mqtt_user) {
      const std::string password = options.mqtt_password_file ? first_line_of(*options.mqtt_password_file) : "";
      mosquitto_username_pw_set(client, options.mqtt_user->c_str(), password.c_str());
    }
    if (address.tls) {
      const bool own = options.mqtt_ca_file.has_value();
      const int error = mosquitto_tls_set(client, own ? options.mqtt_ca_file->c_str() : nullptr,
                                          own ? nullptr : "/etc/ssl/certs", nullptr, nullptr, nullptr);
      if (error != MOSQ_ERR_SUCCESS) return tell(mosquitto_strerror(error));
    }
    mosquitto_reconnect_delay_set(client, first_retry_s, longest_retry_s, true);
    mosquitto_connect_callback_set(client, [](mosquitto*, void* self, int code) {
      static_cast<Broker*>(self)->connected(code);
    });
    mosquitto_disconnect_callback_set(client, [](mosquitto*, void* self, int code) {
      static_cast<Broker*>(self)->tell(mosquitto_strerror(code));
    });
    mosquitto_message_callback_set(client, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Broker*>(self)->take(*message);
    });
    tell("not yet connected");
    mosquitto_connect_async(client, address.host.c_str(), address.port, keepalive_s);
  }

  void connected(int code) {
    if (code != 0) return tell(mosquitto_connack_string(code));
    mosquitto_subscribe(client_.get(), nullptr, source_.topic_.c_str(), 1);
    source_.connected(std::nullopt);
  }
  void tell(const char* why) { source_.connected("MQTT broker " + url_ + ": " + why); }
  void take(const mosquitto_message& message) {
    const auto size = static_cast<std::size_t>(message.payloadlen);
    if (size > longest_payload) return source_.take(message.topic, "");
    source_.take(message.topic, std::string(static_cast<const char*>(message.payload), size));
  }

  struct Destroy {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };
  const std::string url_;
  MqttSource& source_;
  std::unique_ptr<mosquitto, Destroy> client_;
};

MqttSource::MqttSource(const Options& options, domain::Duration interval, Heard heard, Nonsense nonsense)
    : topic_(options.mqtt_topic),
      interval_(interval),
      heard_(std::move(heard)),
      nonsense_(std::move(nonsense)) {
  broker_ = std::make_unique<Broker>(options, *this);
  thread_ = std::thread([this] { work(); });
}

MqttSource::~MqttSource() {
  broker_.reset();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

std::optional<std::string> MqttSource::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void MqttSource::connected(const std::optional<std::string>& trouble) {
  const std::lock_guard lock(mutex_);
  trouble_ = trouble;
  // What is retained comes again with the subscription; what is not is not true any more.
  online_.clear();
}

void MqttSource::take(const std::string& topic, const std::string& payload) {
  const std::string gateway = name_in_topic(topic_, topic);
  const auto online = online_in(payload);
  // An empty payload takes a retained message back.
  const bool is_nonsense = gateway.empty() || (!online && !payload.empty());
  {
    const std::lock_guard lock(mutex_);
    if (gateway.empty() || !online) {
      if (payload.empty()) online_.erase(gateway);
      const auto now = std::chrono::steady_clock::now();
      if (!is_nonsense || now < quiet_until_) return;
      quiet_until_ = now + nonsense_pause;
    } else {
      online_[gateway] = *online;
      return;
    }
  }
  nonsense_(topic);
}

void MqttSource::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_.wait_for(lock, interval_, [this] { return stopping_; });
    if (stopping_ || trouble_) continue;
    const auto words = online_;
    lock.unlock();
    for (const auto& [gateway, online] : words) heard_(gateway, online);
    lock.lock();
  }
}

}  // namespace health
