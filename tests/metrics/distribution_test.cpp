#include "counts/distribution.h"

#include <thread>
#include <vector>

#include "catch.h"

TEST_CASE("a value counts in every bucket with a bound at or above it") {
  counts::Sizes sizes;
  for (const std::uint64_t value : {0U, 1U, 2U, 3U, 1024U, 1025U}) sizes.observe(value);
  const counts::Reading reading = sizes.read();
  CHECK(reading.count == 6);
  CHECK(reading.sum == 2055);
  const std::vector<std::uint64_t> expected{2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5};
  REQUIRE(reading.buckets.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(reading.buckets[i].up_to == expected[i]);
}

TEST_CASE("a time falls between the bounds around it") {
  counts::Durations durations;
  durations.observe_since(counts::Durations::Clock::now() - std::chrono::minutes{1});
  const counts::Reading reading = durations.read();
  CHECK(reading.count == 1);
  CHECK(reading.buckets.front().bound == 50'000);
  CHECK(reading.buckets.back().bound == 1'000'000'000);
  CHECK(reading.buckets.back().up_to == 0);
  CHECK(reading.sum >= 60'000'000'000);
}

TEST_CASE("no observation is lost when many threads observe, and the count agrees with the buckets meanwhile") {
  constexpr int rounds = 20'000;
  counts::Sizes sizes;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) sizes.observe(static_cast<std::uint64_t>(round % 5));
    });
  }
  for (std::uint64_t before = 0; before < 4 * rounds / 2;) {
    const counts::Reading reading = sizes.read();
    CHECK(reading.buckets.back().up_to == reading.count);
    CHECK(reading.count >= before);
    before = reading.count;
  }
  for (auto& thread : threads) thread.join();
  CHECK(sizes.read().count == 4 * rounds);
  CHECK(sizes.read().sum == 4 * rounds * 2);
}
