// What the journal's writer has done so far. Any thread.
#pragma once

#include "counts/counter.h"
#include "counts/distribution.h"

namespace store {

struct CommitCounts {
  counts::Durations duration;  // of the journal's transactions that succeeded
  counts::Sizes rows;          // in each of them
  counts::Counter failures;    // attempts to write that failed
};

}  // namespace store
