// What has become of the commands that the shared store was asked for. Any thread.
#pragma once

#include "app/claims.h"
#include "counts/counter.h"
#include "counts/distribution.h"

namespace cluster {

struct Counts {
  counts::CounterBy<app::ClaimOutcome, app::ClaimOutcome::failed> claims;  // no command times out
  counts::Durations transactions;  // that the store has answered, over all attempts
  counts::Counter failures;        // that it has not, or refused
  counts::Counter changes;         // followed
  counts::Counter listings;
  counts::Counter conflicts;  // rooms that were elsewhere in the store than here
};

}  // namespace cluster
