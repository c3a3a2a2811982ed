// Up to where the shared store has been followed, as the database file remembers it. A plain value.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "domain/time.h"
#include "etcd/client.h"

namespace cluster {

// The names of facts in the table `meta`.
inline constexpr const char* resume_point_fact = "cluster_position";
inline constexpr const char* identity_fact = "sidecar_id";

struct ResumePoint {
  std::string cluster_id;  // etcd's own; "": never followed, or left
  etcd::Revision revision = 0;
  domain::WallTime confirmed{};  // nothing from before then was missing
  std::string prefix{};          // of the keys

  bool is_known() const { return !cluster_id.empty(); }
};

// Sixteen digits that nobody else has: of a sidecar, of a run of it, of its commands.
std::string random_id();

std::string to_text(const ResumePoint& resume_point);
// One that is not known, from a text that is none.
ResumePoint resume_point_from(std::string_view text);

// How old that is by now; nothing if it cannot be known: the clock was turned back.
std::optional<std::chrono::milliseconds> age_of(const ResumePoint& resume_point, domain::WallTime now);

}  // namespace cluster
