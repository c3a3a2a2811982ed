#include "cluster/freshness.h"

#include "catch.h"
#include "cluster/resume_point.h"

using namespace std::chrono_literals;
using cluster::age_of;
using cluster::Freshness;
using cluster::resume_point_from;
using cluster::ResumePoint;

namespace {

// Reads are dated back, so that no test has to wait, but not to before the machine's start.
bool is_about(std::optional<std::chrono::milliseconds> age, std::chrono::milliseconds expected) {
  return age && *age >= expected && *age < expected + 8s;
}

}  // namespace

TEST_CASE("nothing is confirmed before a consistent read has been answered and followed") {
  Freshness freshness;
  CHECK_FALSE(freshness.age());
  freshness.begin(std::nullopt);
  CHECK_FALSE(freshness.age());
  freshness.followed(100);
  CHECK_FALSE(freshness.age());
}

TEST_CASE("a remembered freshness says how old the file's state is") {
  Freshness freshness;
  freshness.begin(60s);
  CHECK(is_about(freshness.age(), 60s));
  freshness.begin(0ms);
  CHECK(is_about(freshness.age(), 0s));
}

TEST_CASE("a freshness from before the machine's start counts as unknown") {
  Freshness freshness;
  freshness.begin(std::chrono::duration_cast<std::chrono::milliseconds>(Freshness::now()) + 1h);
  CHECK_FALSE(freshness.age());
}

TEST_CASE("a read counts only once its revision has been followed") {
  Freshness freshness;
  freshness.begin(std::nullopt);
  freshness.followed(5);
  freshness.answered(Freshness::now() - 20s, 7);
  CHECK_FALSE(freshness.age());
  freshness.followed(6);
  CHECK_FALSE(freshness.age());
  freshness.followed(7);
  CHECK(is_about(freshness.age(), 20s));
}

TEST_CASE("a read of an already followed revision counts at once") {
  Freshness freshness;
  freshness.begin(std::nullopt);
  freshness.followed(7);
  freshness.answered(Freshness::now() - 20s, 7);
  CHECK(is_about(freshness.age(), 20s));
  freshness.answered(Freshness::now() - 40s, 3);  // an older one changes nothing
  CHECK(is_about(freshness.age(), 20s));
}

TEST_CASE("the newest covered read of several counts") {
  Freshness freshness;
  freshness.begin(std::nullopt);
  freshness.answered(Freshness::now() - 60s, 5);
  freshness.answered(Freshness::now() - 40s, 6);
  freshness.answered(Freshness::now() - 20s, 9);
  freshness.followed(8);
  CHECK(is_about(freshness.age(), 40s));
  freshness.followed(9);
  CHECK(is_about(freshness.age(), 20s));
}

TEST_CASE("reads from another store say nothing about this one") {
  Freshness freshness;
  freshness.begin(std::nullopt);
  freshness.followed(50);
  freshness.answered(Freshness::now() - 20s, 60);
  freshness.forget_questions();
  freshness.followed(100);
  CHECK_FALSE(freshness.age());
}

TEST_CASE("an answer has to be followed anew after the store was restored from a backup") {
  Freshness freshness;
  freshness.begin(std::nullopt);
  freshness.followed(50);
  freshness.forget_questions();
  freshness.answered(Freshness::now() - 20s, 10);  // lower than the followed revision of the other store
  CHECK_FALSE(freshness.age());
  freshness.followed(10);
  CHECK(is_about(freshness.age(), 20s));
}

TEST_CASE("a replica too far behind for all reads keeps the newest reads") {
  Freshness freshness;
  freshness.begin(std::nullopt);
  for (int i = 0; i < 100; ++i) freshness.answered(Freshness::now() - 50s + i * 500ms, 1000 + i);
  freshness.followed(1035);
  CHECK_FALSE(freshness.age());  // those are forgotten
  freshness.followed(1099);
  CHECK(is_about(freshness.age(), 500ms));
}

TEST_CASE("the store is failing from its first unanswered read until one is answered") {
  Freshness freshness;
  CHECK(freshness.failing_for() == 0ms);
  freshness.fails(Freshness::now() - 30s);
  freshness.fails(Freshness::now() - 10s);
  CHECK(is_about(freshness.failing_for(), 30s));
  freshness.works();
  CHECK(freshness.failing_for() == 0ms);
  freshness.fails(Freshness::now());
  CHECK(freshness.failing_for() >= 1ms);  // never 0, which says that all is well
}

TEST_CASE("a long open read says nothing of its time while other reads are answered") {
  Freshness freshness;
  const auto sent = Freshness::now() - 1h;
  freshness.works();
  freshness.fails(sent);
  CHECK(freshness.failing_for() < 30min);
}

TEST_CASE("a resume point is read back as it was written") {
  const ResumePoint resume_point{"17783827971225459260", 9'007'199'254'740'993, domain::WallTime{1'800'000'000'123ms}};
  const ResumePoint read = resume_point_from(to_text(resume_point));
  CHECK(read.is_known());
  CHECK(read.cluster_id == resume_point.cluster_id);
  CHECK(read.revision == resume_point.revision);
  CHECK(read.confirmed == resume_point.confirmed);
  CHECK_FALSE(resume_point_from(to_text(ResumePoint{})).is_known());
}

TEST_CASE("an unreadable resume point counts as unknown") {
  for (const std::string text :
       {"", "null", "[]", "{}", "17", R"({"cluster_id":"1","revision":"5"})",
        R"({"cluster_id":1,"revision":"5","confirmed":"2026-11-26T23:00:00.000Z"})",
        R"({"cluster_id":"1","revision":5,"confirmed":"2026-11-26T23:00:00.000Z"})",
        R"({"cluster_id":"1","revision":"5x","confirmed":"2026-11-26T23:00:00.000Z"})",
        R"({"cluster_id":"1","revision":"","confirmed":"2026-11-26T23:00:00.000Z"})",
        R"({"cluster_id":"1","revision":"99999999999999999999","confirmed":"2026-11-26T23:00:00.000Z"})",
        R"({"cluster_id":"1","revision":"5","confirmed":"then"})"}) {
    INFO(text);
    CHECK_FALSE(resume_point_from(text).is_known());
    CHECK(resume_point_from(text).revision == 0);
  }
}

TEST_CASE("a resume point's age is unknown once the clock was turned back") {
  const domain::WallTime now{1'800'000'000'000ms};
  CHECK(age_of({"1", 5, now - 30s}, now) == 30s);
  CHECK(age_of({"1", 5, now}, now) == 0ms);
  CHECK_FALSE(age_of({"1", 5, now + 1ms}, now));
}
