// Numbers the gateways: inside the process a gateway is its GatewayId, and becomes a name only at the edge (HTTP, log,
// file, shared store). A number stays with its name until the process ends. Not thread-safe: its owner holds the
// ledger's lock (app/registry.h). Nothing else fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace domain {

// Counts from 0, so that a vector can be indexed by it.
enum class GatewayId : std::uint32_t {};

constexpr std::size_t index_of(GatewayId gateway) { return static_cast<std::size_t>(gateway); }

// From a vector by GatewayId, in which those behind its end are as `others`.
template <typename T>
T value_of(std::span<const T> by_gateway, GatewayId gateway, T others) {
  return index_of(gateway) < by_gateway.size() ? by_gateway[index_of(gateway)] : others;
}

class GatewayNumbers {
 public:
  // Made up at the first mention.
  GatewayId number(std::string_view gateway);
  std::optional<GatewayId> find(std::string_view gateway) const;
  // For one that has a number, as every gateway that the policy names; else throws std::bad_optional_access.
  GatewayId require(std::string_view gateway) const;
  const std::string& name_of(GatewayId gateway) const { return *names_[index_of(gateway)]; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::unordered_map<std::string, GatewayId, Hash, std::equal_to<>> ids_;
  std::vector<const std::string*> names_;  // by GatewayId
};

}  // namespace domain
