#include "store/batch.h"

#include "catch.h"
#include "store/scratch.h"

using store::Batch;
using store::Database;
using store::OpenMode;

namespace {

// The row of room "r" after the batch: "" without a row, else "gateway@seconds".
std::string outcome(const Batch& batch) {
  const Scratch scratch;
  Database database(scratch.database(), OpenMode::read_write);
  store::write_assignment(database, assignment("r", "before"));
  batch.apply_to(database);
  std::vector<std::string> skipped;
  for (const auto& row : store::read_assignments(database, skipped)) {
    if (row.room_id == "r") {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(row.last_used_at - at(0));
      return row.gateway_name + "@" + std::to_string(seconds.count());
    }
  }
  return "";
}

using Step = std::function<void(Batch&)>;
const Step urgent = [](Batch& b) { b.write_urgently(assignment("r", "urgent"), [](bool) {}); };
const Step written = [](Batch& b) { b.take(assignment("r", "written")); };
const Step removed = [](Batch& b) { b.take(domain::AssignmentGone{"r"}); };
const Step touched = [](Batch& b) { b.touch("r", at(9)); };

}  // namespace

TEST_CASE("the last of several changes of a room counts") {
  struct Case {
    std::vector<Step> steps;
    std::string result;
  };
  const Case cases[] = {
      {{}, "before@1"},
      {{touched}, "before@9"},
      {{written, touched}, "written@9"},
      {{urgent, touched}, "urgent@9"},
      {{removed, touched}, ""},
      {{urgent, removed}, ""},
      {{removed, urgent}, "urgent@1"},
      {{removed, written}, "written@1"},
      {{touched, written}, "written@1"},
  };
  for (const Case& one : cases) {
    Batch batch;
    for (const Step& step : one.steps) step(batch);
    CAPTURE(one.result);
    CHECK(outcome(batch) == one.result);
  }
}

TEST_CASE("an urgent row that could not be written gives way to the change that it had replaced") {
  struct Case {
    std::vector<Step> steps;
    std::string result;
  };
  const Case cases[] = {
      {{urgent}, "before@1"},           {{removed, urgent}, ""}, {{written, urgent, urgent}, "written@1"},
      {{urgent, written}, "written@1"}, {{urgent, removed}, ""}, {{touched, urgent}, "before@9"},
  };
  for (const Case& one : cases) {
    Batch batch;
    for (const Step& step : one.steps) step(batch);
    batch.forget_urgent();
    CAPTURE(one.result);
    CHECK(outcome(batch) == one.result);
  }
}

TEST_CASE("a failed batch is merged under the changes that came meanwhile") {
  struct Case {
    std::vector<Step> older;
    std::vector<Step> newer;
    bool forget;
    std::string result;
  };
  const Case cases[] = {
      {{written}, {}, false, "written@1"},
      {{written}, {touched}, false, "written@9"},
      {{removed}, {touched}, false, ""},
      {{touched}, {removed}, false, ""},
      {{removed}, {written}, false, "written@1"},
      {{removed}, {urgent}, false, "urgent@1"},
      {{removed}, {urgent}, true, ""},
  };
  for (const Case& one : cases) {
    Batch older;
    Batch newer;
    for (const Step& step : one.older) step(older);
    for (const Step& step : one.newer) step(newer);
    newer.lay_over(std::move(older));
    if (one.forget) newer.forget_urgent();
    CAPTURE(one.result);
    CHECK(outcome(newer) == one.result);
  }
}

TEST_CASE("a split batch reports each part to its own callers") {
  Batch batch;
  int reported = 0;
  batch.write_urgently(assignment("a"), [&](bool) { reported += 1; });
  batch.write_urgently(assignment("a", "gxy2"), [&](bool) { reported += 10; });
  batch.write_urgently(assignment("b"), [&](bool) { reported += 100; });
  batch.take(session("s", "a"));
  batch.take(domain::SessionGone{"t"});
  auto parts = batch.split();
  CHECK(batch.empty());
  REQUIRE(parts.size() == 4);
  for (Batch& part : parts) {
    for (const auto& report : part.take_settled()) report(true);
    if (part.subject() == "room a") CHECK(reported % 100 == 11);
  }
  CHECK(reported == 111);
}
